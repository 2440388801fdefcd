"""What the tests of the Python package share: both SDKs, recording callbacks, and a server that does as it is told."""

import asyncio
import json
import os
import pathlib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sdk"))
# A proxy of the environment has no business between a test and its server.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

import logging  # noqa: E402

import dashscope  # noqa: E402
import dashscope.audio.asr  # noqa: E402
from aiohttp import WSMsgType, web  # noqa: E402

import ting  # noqa: E402
import ting.audio.asr  # noqa: E402

# The official SDK logs what the tests make it fail with.
logging.getLogger("dashscope").setLevel(logging.CRITICAL + 1)

# Nothing takes this long; a longer wait is for what never comes.
PATIENCE = 60

SDKS = {"official": dashscope, "ting": ting}


def asr(name):
    """The module with the classes of one of the two SDKs."""
    return SDKS[name].audio.asr


def final(text="hello", begin=100, end=900, number=1, **more):
    """The payload of a final result."""
    words = [{"begin_time": begin, "end_time": end, "text": text, "punctuation": ""}]
    sentence = {
        "begin_time": begin,
        "end_time": end,
        "text": text,
        "heartbeat": False,
        "sentence_begin": False,
        "sentence_end": True,
        "sentence_id": number,
        "words": words,
        **more,
    }
    return {"output": {"sentence": sentence}, "usage": {"duration": -(-end // 1000)}}


def partial(text="hel", begin=100, number=1, **more):
    """The payload of a partial result."""
    sentence = {
        "begin_time": begin,
        "end_time": None,
        "text": text,
        "heartbeat": False,
        "sentence_begin": True,
        "sentence_end": False,
        "sentence_id": number,
        "words": [],
        **more,
    }
    return {"output": {"sentence": sentence}, "usage": None}


FINISHED = {"output": {}, "usage": None}


class Session:
    """A connection as the server sees it."""

    def __init__(self, request):
        self.headers = [(name.lower(), value) for name, value in request.headers.items()]
        self.path = request.path
        self.texts = []
        self.audio = []
        self.task_id = None
        self.socket = None
        self.request = request

    async def accept(self):
        """Answers the handshake."""
        self.socket = web.WebSocketResponse(max_msg_size=0)
        await self.socket.prepare(self.request)

    async def receive(self):
        """The next message: a dictionary, audio as bytes, or None when the client is gone."""
        while True:
            message = await self.socket.receive()
            if message.type is WSMsgType.TEXT:
                self.texts.append(json.loads(message.data))
                return self.texts[-1]
            if message.type is WSMsgType.BINARY:
                self.audio.append(message.data)
                return message.data
            if message.type in (
                WSMsgType.CLOSE,
                WSMsgType.CLOSING,
                WSMsgType.CLOSED,
                WSMsgType.ERROR,
            ):
                return None

    async def run_task(self):
        """Takes the run-task."""
        message = await self.receive()
        if message is not None:
            self.task_id = message["header"]["task_id"]
        return message

    async def send(self, event, payload=None, **header):
        """Sends an event; a payload of None is left out."""
        message = {"header": {"task_id": self.task_id, "event": event, "attributes": {}, **header}}
        if payload is not None:
            message["payload"] = payload
        await self.socket.send_str(json.dumps(message, ensure_ascii=False))

    async def start(self):
        """Takes run-task and sends task-started."""
        await self.run_task()
        await self.send("task-started", {})

    async def audio_until_finish(self):
        """Takes everything up to finish-task; False when the client goes before."""
        while (message := await self.receive()) is not None:
            if isinstance(message, dict) and message["header"]["action"] == "finish-task":
                return True
        return False

    async def drop(self):
        """Ends the TCP connection without a word."""
        self.request.transport.abort()


async def good(session):
    """A task with two partials and a final, as soon as the first audio came."""
    await session.start()
    if isinstance(await session.receive(), bytes):
        await session.send("result-generated", partial("hel"))
        await session.send("result-generated", partial("hello"))
        await session.audio_until_finish()
        await session.send("result-generated", final())
    await session.send("task-finished", FINISHED)
    await session.receive()


class Lookalike:
    """A server on a free port, which runs `script(session)` for every connection, and answers `http` requests by a function."""

    def __init__(self, script=good, *, status=None, body=None, http=None):
        self.script = script
        self.status = status
        self.body = body
        self.http = http
        self.sessions = []
        self.requests = []
        self.failures = []

    def __enter__(self):
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(PATIENCE)
        self.url = f"ws://127.0.0.1:{self.port}/api-ws/v1/inference"
        self.http_url = f"http://127.0.0.1:{self.port}/api/v1"
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(PATIENCE)
        if self.failures:
            raise self.failures[0]

    def _run(self, started):
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started):
        self._done = asyncio.Event()
        application = web.Application(client_max_size=1 << 30)
        application.router.add_get("/api-ws/v1/inference", self._socket)
        application.router.add_route("*", "/api/v1/{path:.*}", self._http)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        started.set()
        await self._done.wait()
        await runner.cleanup()

    async def _socket(self, request):
        session = Session(request)
        self.sessions.append(session)
        if self.status:
            return web.json_response(self.body, status=self.status)
        await session.accept()
        try:
            await self.script(session)
        except (ConnectionError, RuntimeError):
            # The client is gone, or the script has cut it off.
            pass
        except Exception as failure:
            self.failures.append(failure)
        return session.socket

    async def _http(self, request):
        content = await request.read()
        entry = {
            "method": request.method,
            "path": request.path_qs,
            "headers": [(name.lower(), value) for name, value in request.headers.items()],
            "body": json.loads(content) if content else None,
        }
        self.requests.append(entry)
        try:
            status, answer = self.http(entry)
        except ConnectionResetError:
            request.transport.abort()
            raise
        return web.json_response(answer, status=status)


def recorder(module):
    """A callback of `module` that keeps what it is called with."""

    class Recorder(module.RecognitionCallback):
        def __init__(self):
            self.calls = []
            self.results = []
            self.errors = []
            self.threads = set()
            self.ended = threading.Event()
            self.closed = threading.Event()

        def on_open(self):
            self.calls.append("open")

        def on_event(self, result):
            self.calls.append("event")
            self.threads.add(threading.current_thread())
            self.results.append(result)

        def on_complete(self):
            self.calls.append("complete")
            self.ended.set()

        def on_error(self, result):
            self.calls.append("error")
            self.errors.append(result)
            self.ended.set()

        def on_close(self):
            self.calls.append("close")
            self.closed.set()

        @property
        def sentences(self):
            return [result.get_sentence() for result in self.results]

    return Recorder()


def recognition(name, url, callback=None, **options):
    """A `Recognition` of the SDK `name` for the server at `url`."""
    module = SDKS[name]
    module.api_key = "sk-test"
    module.base_websocket_api_url = url
    named = {"model": "fun-asr-realtime", "format": "pcm", "sample_rate": 16000, **options}
    return asr(name).Recognition(callback=callback, **named)


def stream(name, url, frames=3, size=3200, **options):
    """A task of `start` with a few frames; the callback when it has ended, as far as it does."""
    calls = recorder(asr(name))
    task = recognition(name, url, calls, **options)
    task.start()
    try:
        for _ in range(frames):
            task.send_audio_frame(bytes(size))
        task.stop()
    except SDKS[name].common.error.InvalidParameter:
        pass  # It has failed before.
    return task, calls


def until(condition, patience=PATIENCE):
    """Waits until `condition()` is true, and returns it."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("it never came")
        time.sleep(0.01)
    return value
