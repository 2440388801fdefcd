"""The recogniser in the process, and the examples that use it: no server, no key."""

import os
import pathlib
import re
import shutil
import sys
import tempfile
import textwrap
import unittest

from support import HERE, PATIENCE
from harness import DATA, ROOT, SDK, Server, python

EXAMPLES = ROOT / "examples" / "python"

PROGRAM = """
import os, sys
import ting
from ting.audio.asr import *

class Calls(RecognitionCallback):
    def __init__(self):
        self.calls = []
    def on_open(self):
        self.calls.append("open")
    def on_event(self, result):
        if RecognitionResult.is_sentence_end(result.get_sentence()):
            self.calls.append(result.get_sentence()["text"])
    def on_complete(self):
        self.calls.append("complete")
    def on_error(self, result):
        self.calls.append(str(result))
    def on_close(self):
        self.calls.append("close")
"""


class Programs(unittest.TestCase):
    """Programs with neither a key nor a network, in a home of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_python(self, *arguments, want=0, **environment):
        """A program that ends; its output."""
        for name in [n for n in os.environ if n.startswith(("DASHSCOPE", "TING"))]:
            environment.setdefault(name, "")
        process = python(
            *arguments,
            directory=self.folder,
            HOME=str(self.folder),
            XDG_DATA_HOME="",
            **{"DASHSCOPE_API_KEY": "", **environment},
        )
        self.assertEqual(process.wait(), want, process.output)
        return process.output

    def run_text(self, text, *arguments, **options):
        path = self.folder / "program.py"
        path.write_text(PROGRAM + textwrap.dedent(text), encoding="utf-8")
        return self.run_python(path, *arguments, **options)


class Embedded(Programs):
    """`endpoint="embedded"`."""

    def test_call_start_and_hotwords(self):
        """In one process, one after the other and at once."""
        output = self.run_text(
            """
            from concurrent.futures import ThreadPoolExecutor
            def recognition(callback=None, **options):
                return Recognition("fun-asr-realtime", callback, "wav", 16000, endpoint="embedded", **options)
            task = recognition()
            result = task.call(sys.argv[1])
            assert result.status_code == 200, result
            text = [sentence["text"] for sentence in result.get_sentence()]
            assert text and all(text), text
            assert task.get_first_package_delay() > 0 and task.get_last_package_delay() > 0

            calls = Calls()
            task = recognition(calls)
            task.start()
            audio = open(sys.argv[1], "rb").read()
            for start in range(0, len(audio), 3200):
                task.send_audio_frame(audio[start:start + 3200])
            task.stop()
            assert calls.calls == ["open", *text, "complete", "close"], calls.calls

            with ThreadPoolExecutor(8) as pool:
                results = list(pool.map(lambda _: recognition().call(sys.argv[1]), range(8)))
            assert all(r.get_sentence()[0]["text"] == text[0] for r in results)

            service = VocabularyService(endpoint="embedded")
            words = [{"text": "Saint-Exupéry", "weight": 5}]
            name = service.create_vocabulary("fun-asr-realtime", "names", words)
            assert service.query_vocabulary(name)["vocabulary"][0]["text"] == "Saint-Exupéry"
            assert recognition(vocabulary_id=name).call(sys.argv[1]).status_code == 200
            assert [entry["vocabulary_id"] for entry in service.list_vocabularies("names")] == [name]
            service.delete_vocabulary(name)

            wrong = recognition(max_sentence_silence=9000).call(sys.argv[1])
            assert (wrong.status_code, wrong.code) == (44, "InvalidParameter"), wrong
            print("good")
            """,
            DATA / "hello_en.wav",
        )
        self.assertEqual(output, "good")

    def test_it_is_the_server_s_text(self):
        """And `ting.base_websocket_api_url` may say it."""
        server = Server()
        self.addCleanup(server.kill)
        output = self.run_text(
            """
            texts = []
            for url, key in [("embedded", None), (sys.argv[2], "any")]:
                ting.base_websocket_api_url = url
                ting.api_key = key
                result = Recognition("fun-asr-realtime", None, "wav", 16000).call(sys.argv[1])
                texts.append([{**s, "sentence_begin": None} for s in result.get_sentence()])
            assert texts[0] == texts[1], texts
            print("good")
            """,
            DATA / "hello_zh.wav",
            server.url,
        )
        self.assertEqual(output, "good")

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_fork_has_a_recogniser_of_its_own(self):
        output = self.run_text(
            """
            import multiprocessing, warnings
            warnings.simplefilter("ignore")
            def text(path):
                result = Recognition("fun-asr-realtime", None, "wav", 16000, endpoint="embedded").call(path)
                return [sentence["text"] for sentence in result.get_sentence()]
            before = text(sys.argv[1])
            with multiprocessing.get_context("fork").Pool(2) as pool:
                assert pool.map(text, [sys.argv[1]] * 4) == [before] * 4
            assert text(sys.argv[1]) == before
            print("good")
            """,
            DATA / "hello_en.wav",
        )
        self.assertEqual(output, "good")

    def test_configure(self):
        """Before the first use only."""
        output = self.run_text(
            """
            ting.configure_embedded(threads=1, max_sessions=2, data_dir=os.path.join(os.getcwd(), "data"))
            service = VocabularyService(endpoint="embedded")
            service.create_vocabulary("fun-asr-realtime", "p", [{"text": "ting", "weight": 4}])
            assert os.path.exists(os.path.join("data", "ting.db"))
            try:
                ting.configure_embedded(threads=2)
            except ting.common.error.InvalidParameter as error:
                print("refused", error)
            try:
                ting.configure_embedded(thread=2)
            except TypeError:
                print("good")
            """
        )
        self.assertRegex(output, r"refused .+\ngood")


class Examples(Programs):
    """`examples/python`."""

    def test_each_has_help(self):
        for path in sorted(EXAMPLES.glob("*.py")):
            self.assertIn("--endpoint", self.run_python(path, "--help"))

    def test_file(self):
        output = self.run_python(EXAMPLES / "file.py", DATA / "hello_en.wav")
        self.assertRegex(output, r"(?m)^ +\d+\.\d\d +\d+\.\d\d  \S")
        self.assertRegex(output, r"first text after \d+ ms")
        output = self.run_python(EXAMPLES / "file.py", self.folder / "none.wav", want=1)
        self.assertIn("error: ", output)

    def test_file_with_a_server(self):
        server = Server()
        self.addCleanup(server.kill)
        program = [EXAMPLES / "file.py", DATA / "hello_zh.wav"]
        output = self.run_python(*program, "--endpoint", server.url, DASHSCOPE_API_KEY="any")
        self.assertRegex(output, r"(?m)^ +\d+\.\d\d +\d+\.\d\d  \S")

    def test_microphone(self):
        environment = {"FAKE_MICROPHONE_WAV": str(DATA / "hello_en.wav"), "DASHSCOPE_API_KEY": ""}
        process = python(EXAMPLES / "microphone.py", HOME=str(self.folder), **environment)
        # The lines that are rewritten, and a final.
        process.wait_for(r"(?m)^\033\[K[^\n]+[.?!]$")
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.output)
        self.assertIn("stopping", process.output)

    def test_microphone_without_one(self):
        folder = self.folder / "fakes"
        folder.mkdir()
        for name in ("pyaudio", "sounddevice"):
            (folder / f"{name}.py").write_text("raise ImportError\n")
        output = self.run_python(EXAMPLES / "microphone.py", want=1, PYTHONPATH=str(folder))
        self.assertIn("install pyaudio or sounddevice", output)

    def test_hotwords(self):
        output = self.run_python(
            EXAMPLES / "hotwords.py", DATA / "hello_en.wav", "Ting", "赛德克巴莱"
        )
        self.assertRegex(output, r"without: \S.*\nwith:    \S")

    def test_many_files(self):
        names = []
        for number in range(5):
            names.append(self.folder / f"{number}.wav")
            shutil.copy(DATA / ("hello_en.wav" if number % 2 else "hello_zh.wav"), names[-1])
        (self.folder / "bad.wav").write_text("this is no audio")
        output = self.run_python(
            EXAMPLES / "many_files.py", *names, self.folder / "bad.wav", "--at-once", "3", want=1
        )
        self.assertIn("6/6, 1 failed", output)
        self.assertIn("bad.wav: ", output)
        for name in names:
            self.assertTrue(name.with_suffix(".txt").read_text(encoding="utf-8").strip())

    def test_subtitles(self):
        for kind, first, arrow in [
            ("srt", r"\A1\n", r"\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n\S"),
            ("vtt", r"\AWEBVTT\n\n", r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}\n\S"),
        ]:
            path = self.folder / f"out.{kind}"
            self.run_python(
                EXAMPLES / "subtitles.py", DATA / "hello_en.wav", path, "--characters", "20"
            )
            text = path.read_text(encoding="utf-8")
            self.assertRegex(text, first + arrow)
            times = [
                tuple(re.findall(r"[\d:.,]{12}", line))
                for line in text.splitlines()
                if "-->" in line
            ]
            self.assertGreater(len(times), 2)
            self.assertEqual(times, sorted(times))
            self.assertTrue(all(begin < end for begin, end in times))
            lines = [
                line
                for line in text.splitlines()
                if line and "-->" not in line and not line.isdigit()
            ]
            self.assertLessEqual(max(map(len, lines)), 20)


if __name__ == "__main__":
    unittest.main()
