"""Threads, signals, exceptions, forks, and the ends of programs."""

import _thread
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import unittest
import weakref

import support
from support import FINISHED, PATIENCE, Lookalike, asr, final, partial, recognition, recorder, until

from ting.common.error import InvalidParameter

Recorder = asr("ting").RecognitionCallback


async def silent(session):
    """Accepts a task and never says anything again."""
    await session.start()
    while await session.receive() is not None:
        pass


def start(url, calls=None, **options):
    """A started task of ours and its recorder."""
    calls = calls or recorder(asr("ting"))
    task = recognition("ting", url, calls, **options)
    task.start()
    return task, calls


class Callbacks(unittest.TestCase):
    """What callbacks may do."""

    def test_on_open_comes_before_the_connection_and_in_the_caller(self):
        threads = []

        class Calls(Recorder):
            def on_open(self):
                threads.append(threading.current_thread())
                task.send_audio_frame(bytes(3200))

        with Lookalike() as server:
            task = recognition("ting", server.url, Calls())
            task.start()
            self.assertEqual(threads, [threading.current_thread()])
            task.stop()
            self.assertEqual(server.sessions[0].audio, [bytes(3200)])

    def test_results_come_in_one_other_thread(self):
        with Lookalike() as server:
            task, calls = start(server.url)
            task.send_audio_frame(bytes(3200))
            task.stop()
        self.assertEqual(calls.calls, ["open", "event", "event", "event", "complete", "close"])
        self.assertEqual(len(calls.threads), 1)
        self.assertNotIn(threading.current_thread(), calls.threads)

    def test_callbacks_may_call_everything(self):
        """stop() in a callback does not wait, and audio sent there arrives."""

        class Calls(Recorder):
            def __init__(self):
                self.calls = []
                self.closed = threading.Event()

            def on_event(self, result):
                self.calls.append(result.get_sentence()["text"])
                if len(self.calls) == 1:
                    task.send_audio_frame(b"\1" * 320)
                    task.get_last_request_id(), task.get_first_package_delay()
                    task.stop()
                    self.calls.append("stopped")
                    try:
                        task.send_audio_frame(b"\1")
                    except InvalidParameter:
                        self.calls.append("refused")

            def on_close(self):
                self.calls.append("close")
                self.closed.set()

        with Lookalike() as server:
            calls = Calls()
            task = recognition("ting", server.url, calls)
            task.start()
            task.send_audio_frame(bytes(3200))
            self.assertTrue(calls.closed.wait(PATIENCE))
            self.assertEqual(calls.calls, ["hel", "stopped", "refused", "hello", "hello", "close"])
            self.assertEqual(server.sessions[0].audio, [bytes(3200), b"\1" * 320])

    def test_exceptions_are_reported_and_harm_nothing(self):
        """They go where exceptions of threads go; SystemExit means nothing there."""
        seen = []
        hook, threading.excepthook = threading.excepthook, seen.append
        self.addCleanup(setattr, threading, "excepthook", hook)

        class Calls(Recorder):
            def on_event(self, result):
                raise RuntimeError("of on_event")

            def on_complete(self):
                raise SystemExit(1)

            def on_close(self):
                raise KeyError("of on_close")

        with Lookalike() as server:
            task, _ = start(server.url, Calls())
            task.send_audio_frame(bytes(3200))
            task.stop()
            kinds = [arguments.exc_type for arguments in seen]
            self.assertEqual(kinds, [RuntimeError] * 3 + [SystemExit, KeyError])
            self.assertEqual({arguments.thread.name for arguments in seen}, {"ting-callback"})
            self.assertIsNotNone(seen[0].exc_traceback)
            task.call(__file__)

    def test_an_exception_in_on_open_is_raised_by_start(self):
        class Calls(Recorder):
            closed = threading.Event()

            def on_open(self):
                raise RuntimeError("no microphone")

            def on_close(self):
                self.closed.set()

        with Lookalike() as server:
            with self.assertRaisesRegex(RuntimeError, "no microphone"):
                start(server.url, Calls())
            self.assertTrue(Calls.closed.wait(PATIENCE))

    def test_a_new_task_may_start_in_on_error(self):
        """As programs do that connect again."""

        class Calls(Recorder):
            def __init__(self):
                self.calls = []
                self.ids = []

            def on_open(self):
                self.calls.append("open")

            def on_error(self, result):
                self.calls.append("error")
                self.ids.append(result.request_id)
                if len(self.ids) < 3:
                    task.start()

            def on_close(self):
                self.calls.append("close")

        async def failing(session):
            await session.start()
            await session.send("task-failed", {}, error_code="X", error_message="y")

        with Lookalike(failing) as server:
            calls = Calls()
            task = recognition("ting", server.url, calls)
            task.start()
            until(lambda: calls.calls.count("close") == 3)
            self.assertEqual(len(set(calls.ids)), 3)
            self.assertEqual(calls.calls.count("open"), 3)

    def test_slow_callbacks_lose_no_final(self):
        """And the server is read meanwhile."""
        written = threading.Event()

        async def fast(session):
            await session.start()
            for number in range(1, 301):
                for _ in range(5):
                    await session.send("result-generated", partial("x" * 1000, number=number))
                await session.send("result-generated", final("x", end=number, number=number))
            written.set()
            await session.audio_until_finish()
            await session.send("task-finished", FINISHED)
            await session.receive()

        class Calls(Recorder):
            finals = []

            def on_event(self, result):
                written.wait(PATIENCE)
                if self.is_final(result):
                    self.finals.append(result.get_sentence()["sentence_id"])

            @staticmethod
            def is_final(result):
                return result.is_sentence_end(result.get_sentence())

        with Lookalike(fast) as server:
            task, calls = start(server.url, Calls())
            self.assertTrue(written.wait(PATIENCE))
            task.stop()
        self.assertEqual(calls.finals, list(range(1, 301)))


class Again(unittest.TestCase):
    """One object for many tasks."""

    def test_used_again_after_stop(self):
        with Lookalike() as server:
            task, calls = start(server.url)
            ids = [task.get_last_request_id()]
            task.send_audio_frame(bytes(320))
            task.stop()
            for _ in range(2):
                task.start()
                task.send_audio_frame(bytes(320))
                task.stop()
                ids.append(task.get_last_request_id())
            task.call(__file__)
            ids.append(task.get_last_request_id())
            self.assertEqual(len(set(ids)), 4)
            self.assertEqual([session.task_id for session in server.sessions], ids)

    def test_the_state_is_guarded(self):
        """The exceptions of the official SDK."""
        with Lookalike() as server:
            task, calls = recognition("ting", server.url, recorder(asr("ting"))), None
            for method in (task.stop, lambda: task.send_audio_frame(b"\0")):
                with self.assertRaisesRegex(InvalidParameter, r"Speech recognition has stopped\."):
                    method()
            task.start()
            with self.assertRaisesRegex(InvalidParameter, r"Speech recognition has started\."):
                task.start()
            with self.assertRaisesRegex(InvalidParameter, r"Speech recognition has been called\."):
                task.call(__file__)
            with self.assertRaisesRegex(InvalidParameter, r"Context is required\."):
                task.update_context(None)
            task.stop()
            with self.assertRaisesRegex(InvalidParameter, r"Speech recognition has stopped\."):
                task.update_context({"context": []})

    def test_stop_after_the_server_has_ended_the_task(self):
        """As with the official SDK it is no error; once."""

        async def hasty(session):
            await session.start()
            await session.send("task-finished", FINISHED)
            await session.receive()

        with Lookalike(hasty) as server:
            task, calls = start(server.url)
            self.assertTrue(calls.closed.wait(PATIENCE))
            task.stop()
            with self.assertRaises(InvalidParameter):
                task.stop()
            self.assertEqual(calls.calls, ["open", "complete", "close"])

    def test_silence_ends_the_task(self):
        """After 23 s as the official SDK does, or what is asked for."""
        with Lookalike() as server:
            task, calls = start(server.url, silence_timeout=0.3)
            task.send_audio_frame(bytes(320))
            self.assertTrue(calls.closed.wait(PATIENCE))
            self.assertEqual(calls.calls[-2:], ["complete", "close"])
            with self.assertRaises(InvalidParameter):
                task.send_audio_frame(b"\0")

    def test_many_at_once(self):
        with Lookalike() as server:
            tasks = [start(server.url) for _ in range(100)]
            for _ in range(5):
                for task, _ in tasks:
                    task.send_audio_frame(bytes(3200))
            for task, _ in tasks:
                task.stop()
            for task, calls in tasks:
                self.assertEqual(calls.calls[0], "open")
                self.assertEqual(calls.calls[-3:], ["event", "complete", "close"])
            heard = {session.task_id: sum(map(len, session.audio)) for session in server.sessions}
            self.assertEqual(set(heard.values()), {16000})
            self.assertEqual(set(heard), {task.get_last_request_id() for task, _ in tasks})


class Waiting(unittest.TestCase):
    """The GIL and signals."""

    def counted(self, wait):
        """How far another thread counts while `wait` waits."""
        count = 0
        done = threading.Event()

        def run():
            nonlocal count
            while not done.is_set():
                count += 1
                time.sleep(0.001)

        counter = threading.Thread(target=run)
        counter.start()
        try:
            wait()
        finally:
            done.set()
            counter.join()
        return count

    def test_other_threads_run_while_one_waits(self):
        async def slow(session):
            await session.start()
            await session.audio_until_finish()
            import asyncio

            await asyncio.sleep(0.5)
            await session.send("task-finished", FINISHED)
            await session.receive()

        with Lookalike(slow) as server:
            task = recognition("ting", server.url)
            self.assertGreater(self.counted(lambda: task.call(__file__)), 50)
            task, _ = start(server.url)
            self.assertGreater(self.counted(task.stop), 50)

    def interrupted(self, wait):
        """How long `wait` goes on after a Ctrl+C."""
        pressed = []

        def press():
            time.sleep(0.3)
            pressed.append(time.monotonic())
            _thread.interrupt_main()

        thread = threading.Thread(target=press)
        thread.start()
        with self.assertRaises(KeyboardInterrupt):
            wait()
        took = time.monotonic() - pressed[0]
        thread.join()
        return took

    def test_ctrl_c_interrupts_call(self):
        with Lookalike(silent) as server:
            task = recognition("ting", server.url)
            self.assertLess(self.interrupted(lambda: task.call(__file__)), 1)
            # And the object is free again, the connection gone.
            until(lambda: server.sessions[0].socket.closed)
            server.script = support.good
            self.assertEqual(task.call(__file__).status_code, 200)

    def test_ctrl_c_interrupts_stop(self):
        with Lookalike(silent) as server:
            task, calls = start(server.url)
            self.assertLess(self.interrupted(task.stop), 1)
            self.assertTrue(calls.closed.wait(PATIENCE))
            self.assertEqual(calls.calls[-1], "close")
            until(lambda: server.sessions[0].socket.closed)

    def test_ctrl_c_interrupts_a_full_queue(self):
        async def deaf(session):
            import asyncio

            await session.start()
            await asyncio.sleep(PATIENCE)

        def flood():
            while True:
                task.send_audio_frame(bytes(1 << 20))

        with Lookalike(deaf) as server:
            task, calls = start(server.url)
            self.assertLess(self.interrupted(flood), 1)
            task._delivery.task.cancel()
            self.assertTrue(calls.closed.wait(PATIENCE))


def run(program, *arguments, timeout=PATIENCE, **options):
    """Runs a program of its own; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        **options,
    )
    return done


PROLOGUE = """
    import os, sys, time
    import ting
    from ting.audio.asr import *
    ting.api_key = "sk-test"
    ting.base_websocket_api_url = sys.argv[1]

    class Calls(RecognitionCallback):
        def on_event(self, result):
            print("event", flush=True)
        def on_complete(self):
            print("complete", flush=True)
        def on_error(self, result):
            print("error", result.message, flush=True)
        def on_close(self):
            print("close", flush=True)

    def recognition():
        return Recognition("fun-asr-realtime", Calls(), "pcm", 16000)
"""


class Processes(unittest.TestCase):
    """Ends and forks."""

    def test_a_program_that_forgets_to_stop_gets_its_results(self):
        """The official SDK waits 23 s for that."""
        with Lookalike() as server:
            begun = time.monotonic()
            done = run(
                PROLOGUE
                + """
    task = recognition()
    task.start()
    task.send_audio_frame(bytes(3200))
    """,
                server.url,
            )
            self.assertLess(time.monotonic() - begun, 20)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(), ["event"] * 3 + ["complete", "close"])
        self.assertEqual(done.stderr, "")

    def test_a_log(self):
        """On request."""

        async def odd(session):
            await session.start()
            await session.send("odd-event", {})
            await session.audio_until_finish()
            await session.send("task-finished", FINISHED)
            await session.receive()

        with Lookalike(odd) as server:
            for level in ("", "warn"):
                program = """
    task = recognition()
    task.start()
    task.send_audio_frame(bytes(3200))
    task.stop()
    """
                done = run(PROLOGUE + program, server.url, env={**os.environ, "TING_LOG": level})
                self.assertEqual(done.returncode, 0)
                self.assertEqual("odd-event" in done.stderr, bool(level), done.stderr)

    def test_a_program_ends_while_a_task_hangs(self):
        with Lookalike(silent) as server:
            done = run(
                PROLOGUE
                + """
    from ting.audio.asr import _tasks
    _tasks.EXIT_PATIENCE_S = 0.5
    task = recognition()
    task.start()
    task.send_audio_frame(bytes(3200))
    time.sleep(0.3)
    sys.exit(3)
    """,
                server.url,
            )
        self.assertEqual((done.returncode, done.stdout.split()), (3, ["close"]), done.stderr)
        self.assertEqual(done.stderr, "")

    def test_a_program_ends_while_daemons_call(self):
        """Threads that Python does not wait for."""
        with Lookalike(silent) as server:
            done = run(
                PROLOGUE
                + """
    import threading
    for _ in range(5):
        call = lambda: Recognition("fun-asr-realtime", None, "pcm", 16000).call(ting.__file__)
        threading.Thread(target=call, daemon=True).start()
    time.sleep(0.5)
    sys.exit(3)
    """,
                server.url,
            )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (3, "", ""))

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_forks(self):
        """A child has tasks of its own, and the parent's go on."""
        with Lookalike() as server:
            done = run(
                PROLOGUE
                + """
    import warnings
    warnings.simplefilter("ignore")
    task = recognition()
    task.start()
    task.send_audio_frame(bytes(3200))
    time.sleep(0.3)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            task.stop()
        except Exception as error:
            print("child", type(error).__name__, flush=True)
        result = Recognition("fun-asr-realtime", None, "pcm", 16000).call(__import__("ting").__file__)
        print("child", result.status_code, result.get_sentence()[0]["text"], flush=True)
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print("parent", flush=True)
    task.stop()
    """,
                server.url,
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        want = "event event child InvalidParameter child 200 hello parent event complete close"
        self.assertEqual(done.stdout.split(), want.split(), done.stderr)

    def test_ctrl_c_of_the_terminal(self):
        """A real SIGINT, in call()."""
        with Lookalike(silent) as server:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    textwrap.dedent(
                        PROLOGUE
                        + """
    try:
        Recognition("fun-asr-realtime", None, "pcm", 16000).call(ting.__file__)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
                    ),
                    server.url,
                ],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "NO_PROXY": "127.0.0.1"},
            )
            until(lambda: server.sessions and server.sessions[0].audio)
            begun = time.monotonic()
            process.send_signal(2)
            output, _ = process.communicate(timeout=PATIENCE)
            self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual((process.returncode, output), (0, "interrupted\n"))


class Leaks(unittest.TestCase):
    """Nothing is left of what is gone."""

    def test_a_thousand_objects(self):
        """Tasks that were started, called, and neither; memory, threads and files stay as they are."""
        with Lookalike() as server:

            def one(number):
                task = recognition("ting", server.url, recorder(asr("ting")))
                if number % 3 == 0:
                    task.start()
                    task.send_audio_frame(bytes(320))
                    task.stop()
                elif number % 3 == 1:
                    task.call(__file__)
                return weakref.ref(task)

            def resident():
                with open("/proc/self/statm") as statm:
                    return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

            for number in range(200):
                one(number)
            server.sessions.clear()
            gc.collect()
            before = resident(), threading.active_count()
            references = []
            for number in range(1000):
                references.append(one(number))
                server.sessions.clear()
            gc.collect()
            self.assertEqual([r for r in references if r() is not None], [])
            after = resident(), threading.active_count()
            self.assertLess(after[0] - before[0], 16 << 20)
            self.assertLessEqual(after[1], before[1])
            until(lambda: len(os.listdir("/proc/self/fd")) < 60)


if __name__ == "__main__":
    unittest.main()
