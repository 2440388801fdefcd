"""Recognises many files, several at once, with a progress bar; each text goes beside its file as NAME.txt.

    python many_files.py recordings/*.wav
    python many_files.py recordings/*.mp3 --at-once 8 --endpoint ws://127.0.0.1:8000/api-ws/v1/inference

A file that fails is told at the end, and the others go on.
"""

import argparse
import os
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from http import HTTPStatus

from ting.audio.asr import Recognition

parser = argparse.ArgumentParser(description="Recognises many files.")
parser.add_argument("files", nargs="+", type=pathlib.Path)
parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="files at once")
parser.add_argument(
    "--into", type=pathlib.Path, help="folder of the texts; default: beside the files"
)
parser.add_argument(
    "--endpoint", default="embedded", help='a ws:// or wss:// URL; default: "embedded"'
)
arguments = parser.parse_args()


def recognise(path):
    """Writes the text of one file, and returns how many seconds of audio it had."""
    recognition = Recognition(
        model="fun-asr-realtime",
        callback=None,
        format=path.suffix.lstrip(".").lower() or "pcm",
        sample_rate=16000,
        endpoint=arguments.endpoint,
        # A server that is busy says so: come again, later and later.
        connect_attempts=8,
    )
    result = recognition.call(path)
    if result.status_code != HTTPStatus.OK:
        raise RuntimeError(f"{result.code}: {result.message}")
    text = "\n".join(sentence["text"] for sentence in result.get_sentence() or [])
    folder = arguments.into or path.parent
    (folder / f"{path.stem}.txt").write_text(f"{text}\n" if text else "", encoding="utf-8")
    return (result.usage or {}).get("duration", 0)


def show(done, failed, seconds):
    """One line, written over again."""
    width = 30
    filled = width * done // len(arguments.files)
    bar = "#" * filled + "." * (width - filled)
    rate = seconds / max(1e-9, time.monotonic() - begun)
    line = f"[{bar}] {done}/{len(arguments.files)}, {failed} failed, {rate:.0f} x real time"
    print(f"\r{line}", end="", file=sys.stderr, flush=True)


begun = time.monotonic()
failures = []
seconds = 0
with ThreadPoolExecutor(max_workers=arguments.at_once) as pool:
    running = {pool.submit(recognise, path): path for path in arguments.files}
    show(0, 0, 0)
    for done, future in enumerate(as_completed(running), 1):
        try:
            seconds += future.result()
        except (OSError, RuntimeError) as error:
            failures.append(f"{running[future]}: {error}")
        show(done, len(failures), seconds)
print(file=sys.stderr)
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(1 if failures else 0)
