"""Recognises an audio file and prints its sentences with their times.

    python file.py hello.wav
    python file.py hello.mp3 --endpoint ws://127.0.0.1:8000/api-ws/v1/inference

Without --endpoint it recognises in this process: no server, no key, no network.
"""

import argparse
import os
import sys
from http import HTTPStatus

from ting.audio.asr import Recognition

parser = argparse.ArgumentParser(description="Recognises an audio file.")
parser.add_argument("file", help="wav, mp3, opus, speex, aac, amr, or raw pcm (16-bit, mono)")
parser.add_argument(
    "--endpoint", default="embedded", help='a ws:// or wss:// URL; default: "embedded"'
)
parser.add_argument("--sample-rate", type=int, default=16000, help="of raw pcm, in Hz")
arguments = parser.parse_args()

recognition = Recognition(
    model="fun-asr-realtime",
    callback=None,
    format=os.path.splitext(arguments.file)[1].lstrip(".").lower() or "pcm",
    sample_rate=arguments.sample_rate,
    endpoint=arguments.endpoint,
)
try:
    result = recognition.call(arguments.file)
except OSError as error:
    sys.exit(f"error: {error}")
if result.status_code != HTTPStatus.OK:
    sys.exit(f"error {result.code}: {result.message}")
for sentence in result.get_sentence() or []:  # None when nothing was said.
    begin, end = sentence["begin_time"] / 1000, sentence["end_time"] / 1000
    print(f"{begin:7.2f} {end:7.2f}  {sentence['text']}")
print(
    f"first text after {recognition.get_first_package_delay():.0f} ms,"
    f" the end {recognition.get_last_package_delay():.0f} ms after the last audio",
    file=sys.stderr,
)
