"""Running tasks: delivery of their results, and what becomes of them at forks and at the end."""

import atexit
import os
import sys
import threading
import time
import weakref
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from ting._ting import Task
from ting.audio.asr._results import RecognitionCallback, error_result, event_result

# How long the end of a program waits for the results of tasks that nobody stopped.
EXIT_PATIENCE_S = 10.0
# Waiting in steps, so that Ctrl+C is seen where waiting for a lock does not see it (Windows).
_STEP_S = 0.2

_alive: "weakref.WeakSet[Delivery]" = weakref.WeakSet()
_calls: Set[Task] = set()
_exiting = False


def call(task: Task, path: str) -> Tuple[List[str], Optional[Dict[str, Any]]]:
    """`task.call`, which ends with the program: no thread may be in there when Python goes."""
    _calls.add(task)
    try:
        return task.call(path)
    except RuntimeError:
        if _exiting:
            # Of a daemon; nobody is there to be told.
            raise SystemExit from None
        raise
    finally:
        _calls.discard(task)


class Delivery:
    """A task of `Recognition.start`, and the thread that brings its results to the callback."""

    def __init__(self, task: Task, callback: RecognitionCallback, request_id: str) -> None:
        self.task = task
        # Audio is taken.
        self.running = True
        self._callback = callback
        self._request_id = request_id
        # The server ended the task, and the program has not called `stop` yet, which it may.
        self._ended_by_server = False
        self._opened = threading.Event()
        self._closed = threading.Event()
        # Daemons, because Python would wait for others before it calls `_at_exit`, which ends them.
        self._thread = threading.Thread(target=self._run, name="ting-callback", daemon=True)

    def start(self) -> None:
        """Connects, and starts the thread; it waits for `open`."""
        self.task.start()
        _alive.add(self)
        try:
            self._thread.start()
        except RuntimeError:  # There are too many threads.
            _alive.discard(self)
            self.task.cancel()
            raise

    def open(self) -> None:
        """`on_open`, in this thread. If it raises, the task is given up."""
        try:
            self._callback.on_open()
        except BaseException:
            self.running = False
            self.task.cancel()
            raise
        finally:
            self._opened.set()

    def ask_to_stop(self) -> bool:
        """Ends the audio; False if that is not to be done any more."""
        if self._ended_by_server:
            self._ended_by_server = False
            return True
        if not self.running:
            return False
        self.running = False
        self.task.finish()
        return True

    def wait(self) -> None:
        """Waits for the end of the thread, unless it is this one. What interrupts it gives the task
        up.
        """
        if threading.current_thread() is self._thread:
            return
        try:
            while not self._closed.wait(_STEP_S):
                pass
        except BaseException:
            self.task.cancel()
            raise

    def forget(self) -> None:
        """In a child process the thread and the connection are not there."""
        self.running = False
        self._ended_by_server = False
        self._closed.set()

    def _run(self) -> None:
        self._opened.wait()
        callback = self._callback
        try:
            while True:
                item = self.task.next()
                if item is None:
                    break
                kind, value = item
                if kind == "event":
                    self._call(callback.on_event, event_result(self._request_id, value))
                    continue
                self._ended_by_server = kind == "complete" and self.running
                self.running = False
                if kind == "complete":
                    self._call(callback.on_complete)
                else:
                    self._call(callback.on_error, error_result(self._request_id, value))
                break
        finally:
            self.running = False
            self._call(callback.on_close)
            _alive.discard(self)
            self._closed.set()

    def _call(self, method: Callable[..., None], *arguments: Any) -> None:
        """Calls the program's method; what it raises is told as an exception in a thread is, and
        harms nothing.
        """
        try:
            method(*arguments)
        except BaseException:
            kind, value, traceback = sys.exc_info()
            assert kind is not None
            threading.excepthook(threading.ExceptHookArgs((kind, value, traceback, self._thread)))


def _at_exit() -> None:
    """The program has ended: no more audio comes, so tasks that still run are ended, and their
    results delivered.
    """
    global _exiting
    _exiting = True
    for task in list(_calls):
        task.cancel()
    running = list(_alive)
    for delivery in running:
        delivery.ask_to_stop()
    deadline = time.monotonic() + EXIT_PATIENCE_S
    try:
        for delivery in running:
            delivery._closed.wait(max(0.0, deadline - time.monotonic()))
    finally:
        # Their threads must not run into the end of Python.
        for delivery in list(_alive):
            delivery.task.cancel()
        deadline = time.monotonic() + 1.0
        while (_alive or _calls) and time.monotonic() < deadline:
            time.sleep(0.01)


def _after_fork_in_child() -> None:
    for delivery in list(_alive):
        delivery.forget()
    _alive.clear()
    _calls.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
