"""Recognises what the microphone hears until Ctrl+C, printing results as they come."""

import signal
import sys

import dashscope
import pyaudio
from dashscope.audio.asr import Recognition, RecognitionCallback, RecognitionResult

RATE = 16000


class Printer(RecognitionCallback):
    """Prints every callback."""

    def __init__(self):
        self.microphone = None
        self.stream = None

    def on_open(self):
        self.microphone = pyaudio.PyAudio()
        self.stream = self.microphone.open(
            format=pyaudio.paInt16, channels=1, rate=RATE, input=True
        )
        print("open")

    def on_event(self, result):
        sentence = result.get_sentence()
        print("text:", sentence["text"])
        if RecognitionResult.is_sentence_end(sentence):
            print("sentence end, usage:", result.get_usage(sentence))

    def on_complete(self):
        print("complete")

    def on_error(self, result):
        print("error:", result.status_code, result.code, result.message)

    def on_close(self):
        self.stream.stop_stream()
        self.stream.close()
        self.microphone.terminate()
        self.stream = None
        print("close")


def stop(_signal, _frame):
    """Ends the task and the program."""
    recognition.stop()
    print(
        f"[Metric] requestId: {recognition.get_last_request_id()},"
        f" first package delay ms: {recognition.get_first_package_delay()},"
        f" last package delay ms: {recognition.get_last_package_delay()}"
    )
    sys.exit(0)


dashscope.api_key = "sk-test"
dashscope.base_websocket_api_url = sys.argv[1]
printer = Printer()
recognition = Recognition(
    model="fun-asr-realtime",
    format="pcm",
    sample_rate=RATE,
    semantic_punctuation_enabled=False,
    callback=printer,
)
recognition.start()
signal.signal(signal.SIGINT, stop)
while printer.stream:
    recognition.send_audio_frame(printer.stream.read(3200, exception_on_overflow=False))
