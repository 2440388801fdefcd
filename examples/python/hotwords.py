"""Recognises a file with and without a list of words that it should know, such as names.

    python hotwords.py talk.wav 赛德克巴莱 Saint-Exupéry
    python hotwords.py talk.wav Ting --endpoint ws://127.0.0.1:8000/api-ws/v1/inference --http http://127.0.0.1:8000/api/v1

The list is made, used, and deleted again; a program would keep its `vocabulary_id`.
"""

import argparse
import os
import sys
from http import HTTPStatus

from ting.audio.asr import Recognition, VocabularyService, VocabularyServiceException

parser = argparse.ArgumentParser(description="Recognises a file with hotwords.")
parser.add_argument("file")
parser.add_argument("words", nargs="+", help="words to prefer")
parser.add_argument("--weight", type=int, default=4, choices=range(1, 6), help="how much, 1 to 5")
parser.add_argument(
    "--endpoint", default="embedded", help='a ws:// or wss:// URL; default: "embedded"'
)
parser.add_argument(
    "--http", default="embedded", help='an http:// or https:// URL; default: "embedded"'
)
arguments = parser.parse_args()


def recognise(**options):
    """The text of the file."""
    recognition = Recognition(
        model="fun-asr-realtime",
        callback=None,
        format=os.path.splitext(arguments.file)[1].lstrip(".").lower() or "pcm",
        sample_rate=16000,
        endpoint=arguments.endpoint,
        **options,
    )
    result = recognition.call(arguments.file)
    if result.status_code != HTTPStatus.OK:
        sys.exit(f"error {result.code}: {result.message}")
    return " ".join(sentence["text"] for sentence in result.get_sentence() or [])


service = VocabularyService(endpoint=arguments.http)
try:
    words = [{"text": word, "weight": arguments.weight} for word in arguments.words]
    vocabulary_id = service.create_vocabulary("fun-asr-realtime", "example", words)
    try:
        print("without:", recognise())
        print("with:   ", recognise(vocabulary_id=vocabulary_id))
    finally:
        service.delete_vocabulary(vocabulary_id)
except (OSError, VocabularyServiceException) as error:
    sys.exit(f"error: {error}")
