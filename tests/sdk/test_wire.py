"""What the SDK does not show: raw sockets, wrong parameters, and clients that are killed."""

import asyncio
import json
import os
import threading
import time
import unittest
import uuid

import aiohttp
import dashscope
from dashscope.audio.asr import Recognition, RecognitionCallback

from harness import DATA, PATIENCE, SDK, Server, python

os.environ["NO_PROXY"] = "127.0.0.1"


class Recorder(RecognitionCallback):
    """Keeps the callbacks."""

    def __init__(self):
        self.calls = []
        self.error = None
        self.ended = threading.Event()

    def on_open(self):
        self.calls.append("open")

    def on_event(self, result):
        self.calls.append("event")

    def on_complete(self):
        self.calls.append("complete")
        self.ended.set()

    def on_error(self, result):
        self.calls.append("error")
        self.error = result
        self.ended.set()

    def on_close(self):
        self.calls.append("close")


class Wire(unittest.TestCase):
    """One server for all tests: none of them may harm the next."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        dashscope.api_key = "sk-test"
        dashscope.base_websocket_api_url = cls.server.url

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()

    def recognise(self, audio, frame, audio_format="wav"):
        """The final sentences of `audio`, sent in frames of `frame` bytes as fast as they go."""
        return asyncio.run(asyncio.wait_for(self._recognise(audio, frame, audio_format), PATIENCE))

    async def _recognise(self, audio, frame, audio_format):
        task_id = uuid.uuid4().hex

        def control(action, payload):
            header = {"action": action, "task_id": task_id, "streaming": "duplex"}
            return json.dumps({"header": header, "payload": payload})

        parameters = {"format": audio_format, "sample_rate": 16000}
        run = {
            "task_group": "audio",
            "task": "asr",
            "function": "recognition",
            "model": "fun-asr-realtime",
            "parameters": parameters,
            "input": {},
        }
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self.server.url, max_msg_size=0) as socket,
        ):
            await socket.send_str(control("run-task", run))

            async def send():
                for start in range(0, len(audio), frame):
                    await socket.send_bytes(audio[start : start + frame])
                await socket.send_str(control("finish-task", {"input": {}}))

            sending = asyncio.create_task(send())
            finals = []
            async for message in socket:
                event = json.loads(message.data)
                name = event["header"]["event"]
                if name == "task-finished":
                    await sending
                    return finals
                self.assertIn(name, ["task-started", "result-generated"], event)
                sentence = event["payload"].get("output", {}).get("sentence", {})
                if sentence.get("sentence_end"):
                    self.assertGreaterEqual(event["payload"]["usage"]["duration"], 1)
                    # Whether a partial came before depends on the pace; the sentence does not.
                    del sentence["sentence_begin"]
                    finals.append(sentence)
        self.fail("the socket closed before task-finished")

    def test_frames_may_be_cut_anywhere(self):
        """Every frame size gives the same text and the same times."""
        audio = (DATA / "hello_en.wav").read_bytes()
        want = self.recognise(audio, 3200)
        self.assertTrue(want)
        for frame in [1, 7, 1001, 12800, 65536, len(audio)]:
            with self.subTest(frame=frame):
                self.assertEqual(self.recognise(audio, frame), want)

    def test_bursts(self):
        """Five minutes at once are recognised whole, silence and emptiness give no text."""
        samples = (DATA / "hello_en.wav").read_bytes()[44:]
        pause = bytes(2 * 16000 * 3)
        finals = self.recognise((samples + pause) * 32, 65536, "pcm")
        self.assertGreaterEqual(len(finals), 32, "each repetition ends in silence")
        self.assertGreater(finals[-1]["end_time"], 31 * 1000 * len(samples + pause) // 32000)
        self.assertEqual(self.recognise(pause, 3200, "pcm"), [])
        self.assertEqual(self.recognise(b"", 3200, "pcm"), [])

    def test_wrong_parameters_come_as_errors(self):
        """on_error has status 44, the code, and a message that names the field."""
        good = {"model": "fun-asr-realtime", "format": "pcm", "sample_rate": 16000}
        cases = [
            ({"model": "whisper-1"}, "ModelNotFound", "payload.model"),
            ({"format": "flac"}, "UNSUPPORTED_FORMAT", "payload.parameters.format"),
            ({"format": "m4a"}, "UNSUPPORTED_FORMAT", "payload.parameters.format"),
            ({"sample_rate": 100}, "InvalidParameter", "8000 to 192000"),
            ({"max_sentence_silence": 9000}, "InvalidParameter", "200 to 6000"),
            ({"speech_noise_threshold": 2.0}, "InvalidParameter", "-1.0 to 1.0"),
            ({"language_hints": ["xx"]}, "InvalidParameter", "zh, en, ja"),
        ]
        for change, code, says in cases:
            with self.subTest(change=change):
                recorder = Recorder()
                recognition = Recognition(callback=recorder, **{**good, **change})
                recognition.start()
                self.assertTrue(recorder.ended.wait(PATIENCE), "no callback came")
                error = recorder.error
                self.assertEqual(recorder.calls[:2], ["open", "error"])
                self.assertEqual((error.status_code, error.code), (44, code))
                self.assertIn(says, error.message)
                self.assertEqual(error.request_id, recognition.get_last_request_id())

    def test_audio_that_does_not_decode(self):
        """A file that is no WAV fails the call with a message about the format."""
        recognition = Recognition(
            model="fun-asr-realtime", format="wav", sample_rate=16000, callback=None
        )
        result = recognition.call(str(SDK / "harness.py"))
        self.assertEqual((result.status_code, result.code), (44, "UNSUPPORTED_FORMAT"))
        self.assertIn("payload.parameters.format", result.message)

    def test_killed_clients_leave_nothing_behind(self):
        """The task of a client that is killed in the middle is gone soon after."""
        program = SDK / "programs" / "microphone.py"
        microphone = str(DATA / "hello_en.wav")
        process = python(program, self.server.url, FAKE_MICROPHONE_WAV=microphone)
        process.wait_for("text: ")
        self.assertEqual(self.server.health()["tasks"], 1)
        process.kill()
        deadline = time.monotonic() + PATIENCE
        while self.server.health() != {"status": "ok", "connections": 0, "tasks": 0}:
            self.assertLess(time.monotonic(), deadline, self.server.health())
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
