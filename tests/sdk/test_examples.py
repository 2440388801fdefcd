"""The two programs of the public page, unmodified but for the endpoint, and two of our own that do the same."""

import ast
import pathlib
import re
import shutil
import tempfile
import unittest

from harness import DATA, SDK, SEED, Server, python

ENDPOINT = re.compile(r"dashscope\.base_websocket_api_url *= *'[^']*'")


def published(first_line, next_heading, url):
    """The program between two lines of the public page, with its endpoint line changed to `url`."""
    page = SEED.read_text(encoding="utf-8")
    start = page.index(first_line)
    program = page[start : page.index(f"\n{next_heading}\n", start)]
    program, changes = ENDPOINT.subn(f"dashscope.base_websocket_api_url = '{url}'", program)
    assert changes == 1, f"{changes} endpoint lines"
    return program


class Examples(unittest.TestCase):
    """Each program against the real server."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.kill)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, *program):
        """A published program as a file; without the page, the test is skipped."""
        if not SEED.exists():
            print("skipped: no ../shared")
            self.skipTest("no ../shared")
        path = self.directory / "program.py"
        path.write_text(published(*program, self.server.url), encoding="utf-8")
        return path

    def check_file(self, process, heading):
        """A file program printed sentences with times and words, and its metrics."""
        self.assertEqual(process.wait(), 0, process.output)
        self.assertRegex(process.output, r"\[Metric\] requestId: [0-9a-f]{32}, first package")
        sentences = ast.literal_eval(re.search(rf"{heading}\s*(\[.*\])", process.output)[1])
        self.assertTrue(sentences)
        end = 0
        for sentence in sentences:
            self.assertTrue(sentence["text"].strip(), sentence)
            self.assertTrue(end <= sentence["begin_time"] < sentence["end_time"], sentences)
            self.assertTrue(sentence["words"] and sentence["sentence_end"], sentence)
            end = sentence["end_time"]
            # Whether a partial came before depends on the pace; the sentence does not.
            del sentence["sentence_begin"]
        self.assertEqual([s["sentence_id"] for s in sentences], list(range(1, len(sentences) + 1)))
        return sentences

    def check_microphone(self, process):
        """A microphone program printed partials and finals as they came, and stops on Ctrl+C."""
        process.wait_for(r"sentence end.*usage:\s*\{'duration': \d+\}")
        process.interrupt()
        self.assertEqual(process.wait(), 0, process.output)
        self.assertRegex(process.output, r"\[Metric\] requestId: [0-9a-f]{32}, first package")
        # More results than sentences: some of them came while the sentence was spoken.
        texts = re.findall(r"text: +(.+)", process.output)
        self.assertGreater(len(texts), process.output.count("sentence end"), process.output)
        self.assertNotIn("rror", process.output)

    def test_published_file_program(self):
        """The file example of the page."""
        program = self.write("from http import HTTPStatus", "Bidirectional streaming call")
        shutil.copy(DATA / "hello_en.wav", self.directory / "asr_example.wav")
        process = python(program, directory=self.directory)
        self.check_file(process, "Recognition result:")

    def test_published_microphone_program(self):
        """The microphone example of the page."""
        program = self.write("import os\nimport signal", "Request parameters")
        process = python(program, FAKE_MICROPHONE_WAV=str(DATA / "hello_en.wav"))
        self.check_microphone(process)

    def test_file_program(self):
        """Our file program, in both languages and both ways to send a file."""
        for name in ["hello_en.wav", "hello_zh.wav"]:
            results = []
            for audio_format in ["wav", "pcm"]:
                with self.subTest(name=name, format=audio_format):
                    path = self.directory / name
                    audio = (DATA / name).read_bytes()
                    path.write_bytes(audio if audio_format == "wav" else audio[44:])
                    program = SDK / "programs" / "file.py"
                    process = python(program, self.server.url, path, audio_format, 16000)
                    results.append(self.check_file(process, "Sentences:"))
            self.assertEqual(results[0], results[1], "the container changes nothing")

    def test_microphone_program(self):
        """Our microphone program."""
        program = SDK / "programs" / "microphone.py"
        process = python(program, self.server.url, FAKE_MICROPHONE_WAV=str(DATA / "hello_zh.wav"))
        self.check_microphone(process)
        self.assertIn("complete", process.output)


if __name__ == "__main__":
    unittest.main()
