"""The programs of the public page and our own with one line changed, and both SDKs side by side against the real server."""

import re
import sys
import tempfile
import threading
import unittest
import pathlib

from support import HERE, PATIENCE, asr, recognition, recorder
from harness import DATA, SDK, SEED, Server, python

sys.path.insert(0, str(SDK))
import test_examples  # noqa: E402

IMPORT = re.compile(r"from dashscope\.audio\.asr import")
TOP = re.compile(r"^import dashscope$", re.MULTILINE)


def changed(program, variant):
    """A program for `dashscope` with the import lines of a variant.

    A: `import dashscope` stays, and only the classes come from us. B: `import ting as dashscope`.
    """
    program, count = IMPORT.subn("from ting.audio.asr import", program)
    assert count == 1, count
    if variant == "B":
        program, count = TOP.subn("import ting as dashscope", program)
        assert count == 1, count
    return program


class Variant:
    """The tests of the official SDK's examples, with programs that are changed."""

    variant = None

    def write(self, *program):
        path = super().write(*program)
        text = changed(path.read_text(encoding="utf-8"), self.variant)
        path.write_text(text, encoding="utf-8")
        return path


class VariantA(Variant, test_examples.Examples):
    """`dashscope` is there and keeps the settings."""

    variant = "A"
    test_file_program = test_microphone_program = None


class VariantB(Variant, test_examples.Examples):
    """`import ting as dashscope`, with `dashscope` installed."""

    variant = "B"
    test_file_program = test_microphone_program = None


class WithoutDashscope(unittest.TestCase):
    """The same programs where no `dashscope` can be imported; without the page our own two, which do the same."""

    def run_program(self, text, wav, *arguments, **environment):
        server = Server()
        self.addCleanup(server.kill)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "program.py"
        path.write_text(changed(text, "B"), encoding="utf-8")
        paths = f"{HERE / 'fakes' / 'no_dashscope'}:{SDK / 'fakes'}"
        return python(
            path,
            server.url,
            *arguments,
            PYTHONPATH=paths,
            FAKE_MICROPHONE_WAV=str(DATA / wav),
            **environment,
        )

    def test_there_is_none(self):
        process = python("-c", "import dashscope", PYTHONPATH=str(HERE / "fakes" / "no_dashscope"))
        self.assertNotEqual(process.wait(), 0)

    def test_file(self):
        text = (SDK / "programs" / "file.py").read_text(encoding="utf-8")
        process = self.run_program(text, "hello_en.wav", DATA / "hello_en.wav", "wav", "16000")
        test_examples.Examples.check_file(self, process, "Sentences:")

    def test_microphone(self):
        text = (SDK / "programs" / "microphone.py").read_text(encoding="utf-8")
        process = self.run_program(text, "hello_zh.wav")
        test_examples.Examples.check_microphone(self, process)
        self.assertIn("complete", process.output)

    def test_the_published_programs(self):
        if not SEED.exists():
            print("skipped: no ../shared")
            self.skipTest("no ../shared")
        server = Server()
        self.addCleanup(server.kill)
        paths = f"{HERE / 'fakes' / 'no_dashscope'}:{SDK / 'fakes'}"
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "asr_example.wav").write_bytes((DATA / "hello_en.wav").read_bytes())
            file = folder / "file.py"
            first = test_examples.published(
                "from http import HTTPStatus", "Bidirectional streaming call", server.url
            )
            file.write_text(changed(first, "B"), encoding="utf-8")
            process = python(file, directory=folder, PYTHONPATH=paths)
            test_examples.Examples.check_file(self, process, "Recognition result:")
            microphone = folder / "microphone.py"
            second = test_examples.published(
                "import os\nimport signal", "Request parameters", server.url
            )
            microphone.write_text(changed(second, "B"), encoding="utf-8")
            process = python(
                microphone, PYTHONPATH=paths, FAKE_MICROPHONE_WAV=str(DATA / "hello_en.wav")
            )
            test_examples.Examples.check_microphone(self, process)


class SideBySide(unittest.TestCase):
    """Every method and field against `ting serve`, beside the official SDK."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()

    def test_call(self):
        """The same sentences, words and usages."""
        for name in ("hello_en.wav", "hello_zh.wav"):
            results = {}
            for sdk in ("official", "ting"):
                task = recognition(sdk, self.server.url, format="wav", max_sentence_silence=400)
                before = task.get_last_request_id()
                result = task.call(str(DATA / name))
                self.assertEqual(result.status_code, 200)
                self.assertEqual(result.get_request_id() or before, task.get_last_request_id())
                self.assertGreater(task.get_first_package_delay(), 0)
                self.assertGreater(task.get_last_package_delay(), 0)
                for sentence in result.get_sentence():
                    # Whether a partial came before depends on the pace.
                    sentence.pop("sentence_begin")
                    self.assertTrue(asr(sdk).RecognitionResult.is_sentence_end(sentence))
                    self.assertGreaterEqual(result.get_usage(sentence)["duration"], 1)
                results[sdk] = result
            self.assertEqual(results["ting"].get_sentence(), results["official"].get_sentence())
            self.assertEqual(results["ting"].usages, results["official"].usages)
            self.assertEqual(results["ting"].usage, results["official"].usage)
            self.assertEqual(
                list(results["ting"].get_sentence()[0]), list(results["official"].get_sentence()[0])
            )

    def test_stream(self):
        """The same finals, and partials before them."""
        audio = (DATA / "hello_en.wav").read_bytes()[44:]
        finals = {}
        for sdk in ("official", "ting"):
            calls = recorder(asr(sdk))
            task = recognition(sdk, self.server.url, calls, semantic_punctuation_enabled=False)
            task.start()
            for start in range(0, len(audio), 3200):
                task.send_audio_frame(audio[start : start + 3200])
            task.stop()
            self.assertEqual(calls.calls[0], "open")
            self.assertEqual(calls.calls[-2:], ["complete", "close"])
            is_end = asr(sdk).RecognitionResult.is_sentence_end
            ends = [result for result in calls.results if is_end(result.get_sentence())]
            self.assertGreater(len(calls.results), len(ends))
            for result in calls.results:
                sentence = result.get_sentence()
                self.assertEqual(result.get_request_id(), task.get_last_request_id())
                usage = result.get_usage(sentence)
                self.assertEqual(usage is not None, is_end(sentence))
                self.assertEqual(result.usage, usage)
                for key in (
                    "begin_time",
                    "end_time",
                    "text",
                    "words",
                    "sentence_id",
                    "sentence_end",
                ):
                    self.assertIn(key, sentence)
            self.assertGreater(task.get_first_package_delay(), 0)
            self.assertGreater(task.get_last_package_delay(), 0)
            finals[sdk] = [{**r.get_sentence(), "sentence_begin": None} for r in ends]
        self.assertEqual(finals["ting"], finals["official"])

    def test_wrong_parameters(self):
        """The errors of the server, as they come in both."""
        for change, code in [
            ({"model": "whisper-1"}, "ModelNotFound"),
            ({"format": "flac"}, "UNSUPPORTED_FORMAT"),
            ({"sample_rate": 100}, "InvalidParameter"),
            ({"max_sentence_silence": 9000}, "InvalidParameter"),
            ({"speech_noise_threshold": 2.0}, "InvalidParameter"),
            ({"language_hints": ["xx"]}, "InvalidParameter"),
        ]:
            with self.subTest(change=change):
                errors = {}
                for sdk in ("official", "ting"):
                    calls = recorder(asr(sdk))
                    task = recognition(sdk, self.server.url, calls, **change)
                    task.start()
                    self.assertTrue(calls.ended.wait(PATIENCE))
                    errors[sdk] = calls.errors[0]
                    called = recognition(sdk, self.server.url, **change).call(
                        str(DATA / "hello_en.wav")
                    )
                    self.assertEqual((called.status_code, called.code), (44, code))
                    self.assertEqual(calls.errors[0].request_id, task.get_last_request_id())
                for field in ("status_code", "code", "message", "output", "usage"):
                    self.assertEqual(errors["ting"][field], errors["official"][field])
                self.assertEqual((errors["ting"].status_code, errors["ting"].code), (44, code))

    def test_silence_gives_none(self):
        """And delays that say that nothing came."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(64000))
            file.flush()
            for sdk in ("official", "ting"):
                task = recognition(sdk, self.server.url)
                result = task.call(file.name)
                self.assertEqual(result.status_code, 200)
                self.assertIsNone(result.get_sentence())
                self.assertLess(task.get_first_package_delay(), 0)
        self.assertEqual(task.get_first_package_delay(), -1.0)

    def test_ten_minutes_of_audio_at_once(self):
        """More than the queue holds: send_audio_frame waits for room."""
        audio = (DATA / "hello_en.wav").read_bytes()[44:] + bytes(96_000)
        calls = recorder(asr("ting"))
        task = recognition("ting", self.server.url, calls)
        task.start()
        for _ in range(60):
            task.send_audio_frame(audio)
        task.stop()
        ends = [s for s in calls.sentences if asr("ting").RecognitionResult.is_sentence_end(s)]
        self.assertGreaterEqual(len(ends), 60)


if __name__ == "__main__":
    unittest.main()
