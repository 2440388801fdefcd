"""Hotword lists with the official SDK: both its ways to manage them, over a restart, and in a task."""

import os
import pathlib
import re
import tarfile
import tempfile
import threading
import unittest
import uuid

import dashscope
from dashscope import Client
from dashscope.audio.asr import (
    Recognition,
    RecognitionCallback,
    VocabularyService,
    VocabularyServiceException,
)
from dashscope.v2 import errors

from harness import DATA, PATIENCE, Server

os.environ["NO_PROXY"] = "127.0.0.1"

MODEL = "fun-asr-realtime"
WORDS = [{"text": "赛德克巴莱", "weight": 4, "lang": "zh"}, {"text": "Saint-Exupéry", "weight": 5}]
TIME = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"


def use(server):
    """Points the SDK at `server`."""
    dashscope.api_key = "sk-test"
    dashscope.base_websocket_api_url = server.url
    dashscope.base_http_api_url = server.http_url


class Texts(RecognitionCallback):
    """Keeps the texts of a task."""

    def __init__(self):
        self.partials = []
        self.finals = []
        self.ended = threading.Event()

    @property
    def text(self):
        """All of them."""
        return "\n".join(self.partials + self.finals)

    def on_event(self, result):
        sentence = result.get_sentence()
        texts = self.finals if sentence["end_time"] is not None else self.partials
        texts.append(sentence["text"])

    def on_complete(self):
        self.ended.set()

    def on_error(self, result):
        self.finals.append(f"failed: {result}")
        self.ended.set()


def stream(audio, phrase_id=None, **parameters):
    """The texts of Ogg Opus `audio`, in frames as from a microphone but as fast as they go."""
    texts = Texts()
    recognition = Recognition(
        model=MODEL, format="opus", sample_rate=16000, callback=texts, **parameters
    )
    recognition.start(phrase_id=phrase_id)
    for start in range(0, len(audio), 1024):
        recognition.send_audio_frame(audio[start : start + 1024])
    recognition.stop()
    assert texts.ended.wait(PATIENCE), "the task never ended"
    return texts


class Vocabularies(unittest.TestCase):
    """One server for each test: lists are counted."""

    def serve(self, *arguments, **options):
        """A server that the SDK talks to from now on."""
        server = Server(*arguments, **options)
        self.addCleanup(server.kill)
        use(server)
        return server

    def refused(self, status, code, says, call, *arguments, **named):
        """`call` raises the SDK's exception with these fields."""
        with self.assertRaises(VocabularyServiceException) as caught:
            call(*arguments, **named)
        # The exception has no public fields; its text has all of them.
        pattern = r"Request: (.*), Status Code: (.*), Code: (.*), Error Message: (.*)"
        request_id, *fields, message = re.fullmatch(pattern, str(caught.exception)).groups()
        self.assertEqual(fields, [str(status), code], message)
        self.assertIn(says, message)
        self.assertEqual(str(uuid.UUID(request_id)), request_id)

    def test_service(self):
        """The class of SDK 1.x, from the first list to the last."""
        self.serve()
        service = VocabularyService()
        self.assertEqual(service.list_vocabularies(), [])
        first = service.create_vocabulary(MODEL, "testpfx", WORDS)
        self.assertRegex(first, r"^vocab-testpfx-[0-9a-f]{32}$")
        self.assertEqual(str(uuid.UUID(service.get_last_request_id())), service.get_last_request_id())
        second = service.create_vocabulary("paraformer-realtime-v2", "other", WORDS[:1])

        listed = service.list_vocabularies()
        self.assertEqual([entry["vocabulary_id"] for entry in listed], [first, second])
        self.assertEqual(service.list_vocabularies(prefix="testpfx"), listed[:1])
        self.assertEqual(service.list_vocabularies(page_index=1, page_size=1), listed[1:])
        for entry in listed:
            self.assertEqual(entry["status"], "OK")
            self.assertRegex(entry["gmt_create"], TIME)
            self.assertRegex(entry["gmt_modified"], TIME)

        queried = service.query_vocabulary(first)
        self.assertEqual(
            queried,
            {
                "gmt_create": listed[0]["gmt_create"],
                "gmt_modified": listed[0]["gmt_modified"],
                "status": "OK",
                "target_model": MODEL,
                "vocabulary": WORDS,
            },
        )
        changed = [{"text": "吴贻弓", "weight": 5}]
        self.assertIsNone(service.update_vocabulary(first, changed))
        self.assertEqual(service.query_vocabulary(first)["vocabulary"], changed)
        self.assertEqual(service.query_vocabulary(second)["vocabulary"], WORDS[:1])

        self.assertIsNone(service.delete_vocabulary(first))
        gone = (416, "BadRequest.ResourceNotExist", "The Required resource not exist.")
        self.refused(*gone, service.query_vocabulary, first)
        self.refused(*gone, service.update_vocabulary, first, changed)
        self.refused(*gone, service.delete_vocabulary, first)
        self.assertEqual([e["vocabulary_id"] for e in service.list_vocabularies()], [second])

    def test_what_is_wrong_comes_as_an_exception(self):
        """Each field out of its limits, and the eleventh list."""
        self.serve("--api-key", "sk-test")
        service = VocabularyService()

        def word(text="word", weight=4, **more):
            return {"text": text, "weight": weight, **more}

        cases = [
            ("Prefix", [word()], "input.prefix"),
            ("p" * 11, [word()], "input.prefix"),
            ("", [word()], "input.prefix"),
            ("p", [], "input.vocabulary has 0 words"),
            ("p", [word()] * 501, "input.vocabulary has 501 words"),
            ("p", [word(weight=6)], "input.vocabulary[0].weight is 6"),
            ("p", [word(), word(weight=2.5)], "input.vocabulary[1].weight is 2.5"),
            ("p", [{"text": "word"}], "input.vocabulary[0].weight"),
            ("p", [word(lang="klingon")], "input.vocabulary[0].lang"),
            ("p", [word("字" * 16)], "input.vocabulary[0].text"),
            ("p", [word("a b c d e f g h")], "input.vocabulary[0].text"),
            ("p", ["word"], "input.vocabulary[0] is"),
        ]
        create = service.create_vocabulary
        for prefix, vocabulary, says in cases:
            with self.subTest(says=says):
                self.refused(400, "InvalidParameter", says, create, MODEL, prefix, vocabulary)
        listing = service.list_vocabularies
        self.refused(400, "InvalidParameter", "input.page_size is 1000", listing, page_size=1000)
        self.refused(400, "InvalidParameter", "input.target_model", create, "", "p", [word()])

        for _ in range(10):
            create(MODEL, "p", [word()] * 500)
        full = (400, "Throttling.AllocationQuota", "Free allocated quota exceeded.")
        self.refused(*full, create, MODEL, "p", [word()])

        stranger = VocabularyService(api_key="sk-other")
        unknown = (401, "InvalidApiKey", "Invalid API-key provided.")
        self.refused(*unknown, stranger.list_vocabularies)
        other = VocabularyService(model="speech-biassing")
        self.refused(404, "Model.NotExist", "speech-biassing", other.list_vocabularies)

    def test_client(self):
        """The same with the client of SDK 2.x, which has other classes."""
        server = self.serve("--api-key", "sk-one,sk-two")
        with Client(api_key="sk-one", base_url=server.http_url) as client:
            lists = client.audio.vocabularies
            made = lists.create(target_model=MODEL, prefix="two", vocabulary=WORDS)
            self.assertRegex(made.vocabulary_id, r"^vocab-two-[0-9a-f]{32}$")
            self.assertTrue(uuid.UUID(made.request_id))
            listed = lists.list(prefix="two").vocabularies
            self.assertEqual([entry["vocabulary_id"] for entry in listed], [made.vocabulary_id])
            self.assertEqual(lists.get(made.vocabulary_id).vocabulary, WORDS)
            lists.update(made.vocabulary_id, vocabulary=WORDS[:1])
            self.assertEqual(lists.get(made.vocabulary_id).vocabulary, WORDS[:1])

            # Another key is another account.
            self.assertEqual(lists.list(api_key="sk-two").vocabularies, [])
            with self.assertRaises(errors.APIStatusError) as caught:
                lists.get(made.vocabulary_id, api_key="sk-two")
            self.assertEqual(caught.exception.status_code, 416)
            with self.assertRaises(errors.AuthenticationError) as caught:
                lists.list(api_key="sk-three")
            self.assertEqual(caught.exception.status_code, 401)
            with self.assertRaises(errors.BadRequestError) as caught:
                lists.create(target_model=MODEL, prefix="NO", vocabulary=WORDS)
            self.assertIn("input.prefix", str(caught.exception))

            lists.delete(made.vocabulary_id)
            self.assertEqual(lists.list().vocabularies, [])

    def test_lists_outlive_the_server(self):
        """After an end in order and after a sudden one."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder) / "data"
            kept = []
            for end in ["stop", "kill"]:
                server = self.serve(data_dir=folder)
                service = VocabularyService()
                kept.append(service.create_vocabulary(MODEL, end, WORDS))
                getattr(server, end)()
            server = self.serve(data_dir=folder)
            service = VocabularyService()
            self.assertEqual([e["vocabulary_id"] for e in service.list_vocabularies()], kept)
            for vocabulary_id in kept:
                self.assertEqual(service.query_vocabulary(vocabulary_id)["vocabulary"], WORDS)
            self.assertEqual((folder / "ting.db").stat().st_mode & 0o777, 0o600)
            self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
            server.kill()

    def recognise(self, name="hello_en.wav", **parameters):
        """The text of a file of the test data, from `Recognition.call`."""
        phrase_id = parameters.pop("phrase_id", None)
        recognition = Recognition(
            model=MODEL, format="wav", sample_rate=16000, callback=None, **parameters
        )
        result = recognition.call(str(DATA / name), phrase_id=phrase_id)
        if result.status_code != 200:
            return result
        return " ".join(sentence["text"] for sentence in result.get_sentence())

    def test_a_list_in_a_task_is_named_in_the_log(self):
        """A list's words reach the task by either name; what does not is told in the log, or fails the task."""
        server = self.serve()
        service = VocabularyService()
        mine = service.create_vocabulary(MODEL, "mine", WORDS)
        old = service.create_vocabulary("fun-asr", "old", WORDS)
        text = self.recognise()
        self.assertTrue(text)
        cases = [
            ({"vocabulary_id": mine}, rf"hotword list used.*{mine}.* words=2"),
            ({"phrase_id": mine}, rf"hotword list used.*{mine}.* words=2"),
            ({"vocabulary_id": old}, rf'made for another model.*{old}.*target_model="fun-asr"'),
            ({"vocabulary_id": "vocab-no-such"}, r"no such hotword list.*vocab-no-such"),
        ]
        for parameters, line in cases:
            with self.subTest(parameters=parameters):
                seen = len(server.lines)
                # None of the words is in the audio, nor near it.
                self.assertEqual(self.recognise(**parameters), text)
                self.assertRegex("\n".join(server.lines[seen:]), line)

        self.serve("--strict-vocabulary")
        failed = self.recognise(vocabulary_id="vocab-no-such")
        self.assertEqual((failed.status_code, failed.code), (44, "InvalidParameter"))
        self.assertIn("vocab-no-such", failed.message)

    def test_a_list_changes_the_text(self):
        """A word that sounds like the one that is said is written in its place, in partials (but for Japanese) and finals."""
        self.serve()
        service = VocabularyService()
        cases = [("en-spoken-09", "bot", "en"), ("zh-spoken-02", "会意", "zh"), ("ja-spoken-13", "英賀", "ja")]
        for name, text, lang in cases:
            with self.subTest(name=name), tarfile.open(DATA / "spoken.tar") as tar:
                audio = tar.extractfile(f"{name}.opus").read()
                words = [{"text": text, "weight": 5, "lang": lang}]
                listed = service.create_vocabulary(MODEL, "names", words)
                plain = stream(audio)
                self.assertTrue(plain.finals and plain.partials)
                self.assertNotIn(text, plain.text)
                by_vocabulary_id = stream(audio, vocabulary_id=listed)
                self.assertIn(text, by_vocabulary_id.finals[-1])
                partials = [partial for partial in by_vocabulary_id.partials if text in partial]
                self.assertTrue(partials or lang == "ja")
                self.assertEqual(stream(audio, phrase_id=listed).finals, by_vocabulary_id.finals)
                # Once the word is gone from the list, so is its effect.
                service.update_vocabulary(listed, [{"text": "赛德克巴莱", "weight": 1}])
                self.assertEqual(stream(audio, vocabulary_id=listed).finals, plain.finals)

    def test_a_server_that_cannot_keep_lists_still_recognises(self):
        """Without a usable home folder the server warns, answers requests about lists with an error, and works."""
        with tempfile.NamedTemporaryFile() as file:
            server = self.serve(data_dir=None, home=file.name)
            server.wait_for(rf"WARN.*hotword lists cannot be kept.*{file.name}")
            service = VocabularyService()
            create = service.create_vocabulary
            says = "hotword lists cannot be read or written"
            self.refused(500, "InternalError", says, create, MODEL, "p", WORDS)
            server.wait_for(rf"ERROR.*hotword lists cannot be used.*{file.name}")
            self.assertTrue(self.recognise())

    def test_a_disk_that_takes_no_more(self):
        """A write that fails in the middle leaves the lists as they were, and the server goes on."""
        # A limit on the size of files: writes past it fail as on a disk that takes no more.
        limited = ["bash", "-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "limited"]
        server = self.serve(command=limited)
        service = VocabularyService()
        words = [{"text": f"word number {n}", "weight": 4} for n in range(500)]
        kept = []
        with self.assertRaises(VocabularyServiceException) as caught:
            for _ in range(10):
                kept.append(service.create_vocabulary(MODEL, "p", words))
        self.assertIn("Status Code: 500, Code: InternalError", str(caught.exception))
        self.assertTrue(kept, "the first list fits")
        server.wait_for(r"ERROR.*hotword lists cannot be used.*ting\.db")
        self.assertEqual([e["vocabulary_id"] for e in service.list_vocabularies()], kept)
        for vocabulary_id in kept:
            self.assertEqual(service.query_vocabulary(vocabulary_id)["vocabulary"], words)
        self.assertTrue(self.recognise())


if __name__ == "__main__":
    unittest.main()
