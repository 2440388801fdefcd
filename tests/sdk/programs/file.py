"""Recognises the file given on the command line with one blocking call, and prints what came of it."""

import sys
from http import HTTPStatus

import dashscope
from dashscope.audio.asr import Recognition

url, path, audio_format, rate = sys.argv[1:5]
dashscope.api_key = "sk-test"
dashscope.base_websocket_api_url = url

recognition = Recognition(
    model="fun-asr-realtime", format=audio_format, sample_rate=int(rate), callback=None
)
result = recognition.call(path)
if result.status_code == HTTPStatus.OK:
    print("Sentences:", result.get_sentence())
else:
    print("Error:", result.status_code, result.code, result.message)
print(
    f"[Metric] requestId: {recognition.get_last_request_id()},"
    f" first package delay ms: {recognition.get_first_package_delay()},"
    f" last package delay ms: {recognition.get_last_package_delay()}"
)
