"""Prints what the microphone hears, while it is said. Ctrl+C ends it.

    python microphone.py
    python microphone.py --endpoint ws://127.0.0.1:8000/api-ws/v1/inference

It needs `pyaudio` or `sounddevice` (pip install sounddevice).
"""

import argparse
import shutil
import sys

from ting.audio.asr import Recognition, RecognitionCallback, RecognitionResult
from ting.common.error import InvalidParameter

RATE = 16000
# 100 ms.
FRAMES = RATE // 10


def open_microphone():
    """A function that returns the next 100 ms of audio, and one that ends it."""
    try:
        import pyaudio
    except ImportError:
        pass
    else:
        audio = pyaudio.PyAudio()
        stream = audio.open(format=pyaudio.paInt16, channels=1, rate=RATE, input=True)

        def close():
            stream.stop_stream()
            stream.close()
            audio.terminate()

        return lambda: stream.read(FRAMES, exception_on_overflow=False), close
    try:
        import sounddevice
    except (ImportError, OSError):  # It is there, and PortAudio is not.
        sys.exit("no microphone: install pyaudio or sounddevice (pip install sounddevice)")
    stream = sounddevice.RawInputStream(samplerate=RATE, channels=1, dtype="int16")
    stream.start()
    return lambda: bytes(stream.read(FRAMES)[0]), stream.close


class Captions(RecognitionCallback):
    """Rewrites the line of the sentence that is spoken, and keeps the ones that are final."""

    def on_event(self, result):
        sentence = result.get_sentence()
        if RecognitionResult.is_sentence_end(sentence):
            print(f"\r\033[K{sentence['text']}", flush=True)
        else:
            # No longer than the line: wide characters take two places.
            shown = sentence["text"][-(shutil.get_terminal_size().columns // 2) :]
            print(f"\r\033[K{shown}", end="", flush=True)

    def on_error(self, result):
        print(f"\nerror {result.code}: {result.message}", file=sys.stderr)


parser = argparse.ArgumentParser(description="Prints what the microphone hears.")
parser.add_argument(
    "--endpoint", default="embedded", help='a ws:// or wss:// URL; default: "embedded"'
)
arguments = parser.parse_args()

captions = Captions()
recognition = Recognition(
    model="fun-asr-realtime",
    callback=captions,
    format="pcm",
    sample_rate=RATE,
    # A pause of any length does not end it.
    heartbeat=True,
    endpoint=arguments.endpoint,
)
read, close = open_microphone()
recognition.start()
print("listening; Ctrl+C ends it", file=sys.stderr)
try:
    while True:
        recognition.send_audio_frame(read())
except InvalidParameter:  # It has failed, and on_error has said why.
    sys.exit(1)
except KeyboardInterrupt:
    print("\nstopping", file=sys.stderr)
    recognition.stop()
finally:
    close()
