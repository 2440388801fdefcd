"""What the client costs: the official SDK and ours, alternating, against a server that recognises nothing.

    python python/bench/overhead.py                  # needs dashscope and ting in one environment
    python python/bench/overhead.py --rounds 5 --seconds 15

The server is a process of its own and answers every frame with a partial of twenty words. Every round is a fresh client process for
each SDK, one after the other. Measured in the client, without its imports:

- live: frames of 100 ms, sent when a microphone would have them. CPU seconds of the process per hour of audio; the time from
  send_audio_frame() to the arrival at the server; the time from the server's sending of an event to on_event().
- file: call() of ten minutes of PCM. CPU seconds of the process per hour of audio.

The clock is CLOCK_MONOTONIC, which processes of one machine share.
"""

import argparse
import asyncio
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

FRAME_S = 0.1
FRAME_BYTES = 3200
FILE_S = 600
WORDS = [
    {"begin_time": 100 * n, "end_time": 100 * n + 90, "text": f"word{n}", "punctuation": ""}
    for n in range(20)
]


def cpu():
    """Processor seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def serve():
    """The look-alike server; prints its port."""
    from aiohttp import WSMsgType, web

    async def task(request):
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        header = {}
        # Of a file there are events for every second only, as a recogniser has them.
        size = count = 0

        def event(name, payload):
            return json.dumps(
                {"header": {**header, "event": name, "attributes": {}}, "payload": payload}
            )

        def result(final, **more):
            sentence = {
                "begin_time": 0,
                "end_time": count if final else None,
                "text": " ".join(word["text"] for word in WORDS),
                "heartbeat": False,
                "sentence_begin": False,
                "sentence_end": final,
                "sentence_id": 1,
                "words": WORDS,
                **more,
            }
            return event(
                "result-generated",
                {"output": {"sentence": sentence}, "usage": {"duration": 1} if final else None},
            )

        async for message in socket:
            arrived = time.monotonic_ns()
            if message.type is WSMsgType.BINARY:
                count += 1
                size += len(message.data)
                if len(message.data) == FRAME_BYTES:
                    times = {"frame": count - 1, "arrived": arrived, "sent": time.monotonic_ns()}
                    await socket.send_str(result(False, **times))
                elif size >= 32_000:
                    size = 0
                    await socket.send_str(result(count % 5 == 0))
                continue
            message = json.loads(message.data)
            if message["header"]["action"] == "run-task":
                header = {"task_id": message["header"]["task_id"]}
                await socket.send_str(event("task-started", {}))
            elif message["header"]["action"] == "finish-task":
                await socket.send_str(result(True))
                await socket.send_str(event("task-finished", {"output": {}, "usage": None}))
        return socket

    application = web.Application()
    application.router.add_get("/api-ws/v1/inference", task)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


def client(sdk, mode, url, seconds):
    """One measurement; prints it as JSON."""
    if sdk == "official":
        import dashscope as module
        from dashscope.audio.asr import Recognition, RecognitionCallback
    else:
        import ting as module
        from ting.audio.asr import Recognition, RecognitionCallback
    module.api_key = "sk-bench"
    module.base_websocket_api_url = url
    sent, arrived, delivered = {}, {}, {}

    class Callback(RecognitionCallback):
        def on_event(self, result):
            now = time.monotonic_ns()
            sentence = result.get_sentence()
            if "frame" in sentence:
                arrived[sentence["frame"]] = sentence["arrived"]
                delivered[sentence["frame"]] = now - sentence["sent"]

        def on_error(self, result):
            sys.exit(f"{result.code}: {result.message}")

    recognition = Recognition(
        model="fun-asr-realtime", format="pcm", sample_rate=16000, callback=Callback()
    )
    begun = cpu()
    if mode == "file":
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(32_000 * FILE_S))
            file.flush()
            begun = cpu()
            result = recognition.call(file.name)
            assert result.status_code == 200 and result.get_sentence()
        seconds = FILE_S
    else:
        frame = bytes(FRAME_BYTES)
        recognition.start()
        # The connection is no matter of a frame.
        time.sleep(1.0)
        start = time.monotonic()
        for number in range(int(seconds / FRAME_S)):
            time.sleep(max(0.0, start + number * FRAME_S - time.monotonic()))
            sent[number] = time.monotonic_ns()
            recognition.send_audio_frame(frame)
        time.sleep(FRAME_S)
        recognition.stop()
    used = cpu() - begun
    up = [(arrived[n] - sent[n]) / 1e6 for n in sent if n in arrived]
    print(
        json.dumps(
            {
                "cpu_per_hour": used * 3600 / seconds,
                "up": up,
                "down": [ns / 1e6 for ns in delivered.values()],
                "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "frames": len(sent),
            }
        )
    )


def spread(values, unit, digits=2):
    """Median, and in brackets the lowest and the highest."""
    return f"{statistics.median(values):.{digits}f} {unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def p90(values):
    return sorted(values)[int(0.9 * (len(values) - 1))]


def main():
    parser = argparse.ArgumentParser(description="Overhead of the official SDK and of ours.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15, help="of live audio in a round")
    parser.add_argument("--role", choices=["server", "client"], help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role == "server":
        return asyncio.run(serve())
    if arguments.role == "client":
        sdk, mode, url = arguments.rest
        return client(sdk, mode, url, arguments.seconds)

    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    itself = [sys.executable, str(pathlib.Path(__file__).resolve())]
    server = subprocess.Popen([*itself, "--role", "server"], stdout=subprocess.PIPE, text=True)
    runs = {(sdk, mode): [] for sdk in ("official", "ting") for mode in ("live", "file")}
    try:
        url = f"ws://127.0.0.1:{int(server.stdout.readline())}/api-ws/v1/inference"
        for number in range(arguments.rounds):
            for sdk, mode in runs:
                command = [
                    *itself,
                    "--role",
                    "client",
                    "--seconds",
                    str(arguments.seconds),
                    sdk,
                    mode,
                    url,
                ]
                done = subprocess.run(
                    command, stdout=subprocess.PIPE, text=True, env=environment, check=True
                )
                runs[sdk, mode].append(json.loads(done.stdout))
                print(f"round {number + 1}: {sdk}, {mode}", file=sys.stderr)
    finally:
        server.kill()
        server.wait()

    import dashscope.version
    import ting

    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
    )
    print(
        f"{arguments.rounds} rounds of {arguments.seconds:g} s live and {FILE_S} s of file for each; median (lowest to highest round)\n"
    )
    print(f"| | dashscope {dashscope.version.__version__} | ting {ting.__version__} |")
    print("|---|---|---|")
    rows = [
        ("live: CPU per hour of audio", "live", lambda run: run["cpu_per_hour"], "s", 1),
        (
            "live: send_audio_frame() to the server, P50",
            "live",
            lambda run: statistics.median(run["up"]),
            "ms",
            2,
        ),
        (
            "live: send_audio_frame() to the server, P90",
            "live",
            lambda run: p90(run["up"]),
            "ms",
            2,
        ),
        (
            "live: the server's event to on_event(), P50",
            "live",
            lambda run: statistics.median(run["down"]),
            "ms",
            2,
        ),
        (
            "live: the server's event to on_event(), P90",
            "live",
            lambda run: p90(run["down"]),
            "ms",
            2,
        ),
        ("file: CPU per hour of audio", "file", lambda run: run["cpu_per_hour"], "s", 2),
        ("largest resident memory, live", "live", lambda run: run["resident"], "MiB", 0),
    ]
    for name, mode, value, unit, digits in rows:
        cells = [
            spread([value(run) for run in runs[sdk, mode]], unit, digits)
            for sdk in ("official", "ting")
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
