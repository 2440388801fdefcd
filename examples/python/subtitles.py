"""Writes the subtitles of an audio file, as SubRip (.srt) or WebVTT (.vtt).

    python subtitles.py talk.wav talk.srt
    python subtitles.py talk.mp3 talk.vtt --endpoint ws://127.0.0.1:8000/api-ws/v1/inference

Long sentences are divided where a mark or a word ends, so that each subtitle has --characters at most.
"""

import argparse
import os
import pathlib
import sys
from http import HTTPStatus

from ting.audio.asr import Recognition


def subtitles(sentence, characters):
    """The parts of a sentence: (begin, end, text), times in ms."""
    text, begin, end = "", sentence["begin_time"], sentence["end_time"]
    last = begin
    for word in sentence["words"] or []:
        piece = word["text"] + word["punctuation"]
        # Words that are written with letters have spaces between them.
        space = (
            " " if text and text[-1].isascii() and piece[:1].isascii() and text[-1] != " " else ""
        )
        if text and len(text) + len(space) + len(piece) > characters:
            yield begin, last, text.strip()
            text, space, begin = "", "", word["begin_time"]
        text += space + piece
        last = word["end_time"]
    yield begin, end, text.strip() or sentence["text"]


def clock(milliseconds, point):
    """00:00:01,500 or 00:00:01.500"""
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"


parser = argparse.ArgumentParser(description="Writes the subtitles of an audio file.")
parser.add_argument("file")
parser.add_argument("output", type=pathlib.Path, help="NAME.srt or NAME.vtt")
parser.add_argument("--characters", type=int, default=42, help="of a subtitle")
parser.add_argument(
    "--endpoint", default="embedded", help='a ws:// or wss:// URL; default: "embedded"'
)
arguments = parser.parse_args()
kind = arguments.output.suffix.lower()
if kind not in (".srt", ".vtt"):
    sys.exit(f"error: {arguments.output}: must end with .srt or .vtt")

recognition = Recognition(
    model="fun-asr-realtime",
    callback=None,
    format=os.path.splitext(arguments.file)[1].lstrip(".").lower() or "pcm",
    sample_rate=16000,
    endpoint=arguments.endpoint,
)
try:
    result = recognition.call(arguments.file)
except OSError as error:
    sys.exit(f"error: {error}")
if result.status_code != HTTPStatus.OK:
    sys.exit(f"error {result.code}: {result.message}")

point = "," if kind == ".srt" else "."
blocks = []
for sentence in result.get_sentence() or []:
    for begin, end, text in subtitles(sentence, arguments.characters):
        number = f"{len(blocks) + 1}\n" if kind == ".srt" else ""
        blocks.append(f"{number}{clock(begin, point)} --> {clock(end, point)}\n{text}\n")
header = "" if kind == ".srt" else "WEBVTT\n\n"
arguments.output.write_text(header + "\n".join(blocks), encoding="utf-8")
print(f"{len(blocks)} subtitles in {arguments.output}", file=sys.stderr)
