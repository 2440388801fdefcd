"""Settings, constructors, results and exceptions: what is there without a server."""

import copy
import inspect
import io
import json
import os
import pathlib
import pickle
import pydoc
import subprocess
import sys
import tempfile
import unittest
from http import HTTPStatus
from unittest import mock

import dashscope
import dashscope.common.error
from support import HERE, Lookalike, asr, final, recognition

import ting
from ting import _settings
from ting.common import error as errors

ASR = asr("ting")
GOOD = {"model": "fun-asr-realtime", "callback": None, "format": "pcm", "sample_rate": 16000}


class Names(unittest.TestCase):
    """The same names in the same places."""

    def test_everything_a_program_imports_is_there(self):
        namespace = {}
        exec("from ting.audio.asr import *", namespace)
        official = set(dashscope.audio.asr.__all__)
        ours = {name for name in namespace if not name.startswith("_")}
        self.assertLessEqual(ours, official)
        # Of other services: translation, and the phrase lists of older models.
        missing = {name for name in official - ours if not name.startswith("Transl")}
        self.assertEqual(missing, {"AsrPhraseManager", "TranscriptionResult"})

    def test_arguments_have_the_same_order_and_defaults(self):
        """Ours may have more, by name only."""
        classes = {
            "Recognition": [
                "__init__",
                "call",
                "start",
                "stop",
                "send_audio_frame",
                "update_context",
            ],
            "RecognitionResult": [
                "__init__",
                "get_sentence",
                "get_request_id",
                "get_usage",
                "is_sentence_end",
            ],
            "RecognitionCallback": ["on_open", "on_event", "on_complete", "on_error", "on_close"],
            "VocabularyService": [
                "__init__",
                "create_vocabulary",
                "list_vocabularies",
                "query_vocabulary",
            ]
            + ["update_vocabulary", "delete_vocabulary", "get_last_request_id"],
            "VocabularyServiceException": ["__init__"],
            "Transcription": ["call", "async_call", "fetch", "wait", "cancel", "list"],
        }

        def arguments(kind, method):
            parameters = inspect.signature(getattr(kind, method)).parameters.values()
            kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
            return [(p.name, p.default) for p in parameters if p.kind not in kinds]

        for name, methods in classes.items():
            for method in methods:
                with self.subTest(f"{name}.{method}"):
                    official = arguments(getattr(dashscope.audio.asr, name), method)
                    self.assertEqual(arguments(getattr(ASR, name), method), official)
        official = {
            name for name in dir(dashscope.audio.asr.Recognition) if not name.startswith("_")
        }
        self.assertLessEqual(official, set(dir(ASR.Recognition)))

    def test_help_reads_well(self):
        text = pydoc.plain(pydoc.render_doc(ASR.Recognition))
        for part in [
            "max_sentence_silence (int)",
            "in ms, 200 to 6000",
            "endpoint (str)",
            "Raises:",
            "send_audio_frame",
        ]:
            self.assertIn(part, text)
        for kind in map(ASR.__dict__.get, ASR.__all__):
            self.assertTrue(kind.__doc__)
            for name, member in inspect.getmembers(kind, inspect.isfunction):
                if not name.startswith("_"):
                    self.assertTrue(member.__doc__, f"{kind.__name__}.{name}")

    def test_types(self):
        """The package passes mypy --strict, and so does a program that uses it."""
        try:
            import mypy  # noqa: F401
        except ImportError:
            print("skipped: no mypy")
            self.skipTest("no mypy")
        program = """
from ting.audio.asr import *
class Callback(RecognitionCallback):
    def on_event(self, result: RecognitionResult) -> None:
        sentence = result.get_sentence()
        if RecognitionResult.is_sentence_end(sentence):
            print(result.get_usage(sentence), sentence["text"])
recognition = Recognition("fun-asr-realtime", Callback(), "pcm", 16000, endpoint="embedded")
recognition.start()
recognition.send_audio_frame(bytes(3200))
recognition.stop()
reveal_type(recognition.call("a.wav").status_code)
"""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "program.py"
            path.write_text(program)
            for arguments in (["-p", "ting"], [str(path)]):
                command = [
                    sys.executable,
                    "-m",
                    "mypy",
                    "--strict",
                    "--cache-dir",
                    folder,
                    *arguments,
                ]
                done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout, r'Revealed type is "(builtins\.)?int"')


class Settings(unittest.TestCase):
    """Where the endpoint and the key come from."""

    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = pathlib.Path(home.name)
        cleared = {k: v for k, v in os.environ.items() if not k.startswith("DASHSCOPE")}
        environment = mock.patch.dict(os.environ, {**cleared, "HOME": home.name}, clear=True)
        environment.start()
        self.addCleanup(environment.stop)
        # As after the imports, before a program has set anything.
        for module, values in [
            (ting, {}),
            (dashscope, {"api_key": None, "api_key_file_path": None}),
        ]:
            for name in (
                "api_key",
                "api_key_file_path",
                "base_websocket_api_url",
                "base_http_api_url",
            ):
                before = vars(module).get(name, self)
                if before is not self:
                    self.addCleanup(setattr, module, name, before)
                    if name in values or module is ting:
                        delattr(module, name)
                elif module is ting:
                    self.addCleanup(vars(ting).pop, name, None)
            for name, value in values.items():
                setattr(module, name, value)

    def test_the_order(self):
        key_file = self.home / "key"
        key_file.write_text("of-file\n")
        (self.home / ".dashscope").mkdir()
        (self.home / ".dashscope" / "api_key").write_text(" of-home\n")
        self.assertEqual(ting.api_key, "of-home")
        os.environ["DASHSCOPE_API_KEY_FILE_PATH"] = str(key_file)
        self.assertEqual(ting.api_key, "of-file")
        os.environ["DASHSCOPE_API_KEY"] = "of-env"
        self.assertEqual(ting.api_key, "of-env")
        dashscope.api_key = "of-dashscope"
        self.assertEqual(ting.api_key, "of-dashscope")
        ting.api_key = "of-ting"
        self.assertEqual(_settings.api_key(None, "ws://x"), "of-ting")
        self.assertEqual(_settings.api_key("explicit", "ws://x"), "explicit")

    def test_addresses(self):
        with mock.patch.dict(sys.modules):
            loaded = sys.modules.pop("dashscope")
            self.assertIn("dashscope-intl", ting.base_websocket_api_url)
            self.assertIn("dashscope-intl", ting.base_http_api_url)
            os.environ["DASHSCOPE_WEBSOCKET_BASE_URL"] = "ws://env"
            os.environ["DASHSCOPE_HTTP_BASE_URL"] = "http://env/"
            self.assertEqual(ting.base_websocket_api_url, "ws://env")
            self.assertEqual(ting.base_http_api_url, "http://env")
            sys.modules["dashscope"] = loaded
            with mock.patch.object(dashscope, "base_websocket_api_url", "ws://dashscope"):
                self.assertEqual(ting.base_websocket_api_url, "ws://dashscope")
                ting.base_websocket_api_url = "ws://ting"
                self.assertEqual(_settings.websocket_url(), "ws://ting")
                self.assertEqual(_settings.websocket_url("embedded"), "embedded")
        self.assertEqual(_settings.websocket_url("wss://{workspace_id}.x", "w-1"), "wss://w-1.x")
        with self.assertRaises(errors.InputRequired):
            _settings.websocket_url("wss://{workspace_id}.x")
        with self.assertRaisesRegex(errors.InvalidParameter, "workspace"):
            _settings.websocket_url("wss://{workspace_id}.x", "a/b")

    def test_no_key(self):
        """Raised at once, where the official SDK's thread dies of it and the program waits."""
        for method in ("start", "call"):
            task = ASR.Recognition(
                **{**GOOD, "callback": ASR.RecognitionCallback()}, endpoint="ws://127.0.0.1:1"
            )
            with self.assertRaises(errors.AuthenticationError) as raised:
                getattr(task, method)(*([__file__] if method == "call" else []))
            self.assertIsInstance(raised.exception, dashscope.common.error.AuthenticationError)
            self.assertIn("DASHSCOPE_API_KEY", str(raised.exception))
        with self.assertRaises(errors.AuthenticationError):
            ASR.VocabularyService(endpoint="http://127.0.0.1:1").list_vocabularies()

    def test_keys_are_saved_for_their_owner_only(self):
        ting.save_api_key("sk-saved")
        path = self.home / ".dashscope" / "api_key"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(ting.api_key, "sk-saved")


class Errors(unittest.TestCase):
    """Exceptions by name, caught by both names."""

    def test_the_names(self):
        official = vars(dashscope.common.error)
        for name, kind in official.items():
            if isinstance(kind, type) and issubclass(kind, Exception):
                self.assertTrue(issubclass(getattr(errors, name), errors.DashScopeException), name)

    def test_constructor(self):
        for change, kind in [
            ({"model": None}, "ModelRequired"),
            ({"format": None}, "InputRequired"),
            ({"sample_rate": None}, "InputRequired"),
        ]:
            raised = []
            for module in (dashscope.audio.asr, ASR):
                with self.assertRaises(Exception) as caught:
                    module.Recognition(**{**GOOD, **change})
                raised.append(caught.exception)
            official, ours = raised
            self.assertEqual(str(ours), str(official))
            self.assertIsInstance(ours, type(official))
            self.assertIsInstance(ours, getattr(errors, kind))
            self.assertEqual(type(ours).__name__, type(official).__name__)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            empty = pathlib.Path(folder) / "empty"
            empty.touch()
            for path in (str(empty), folder, folder + "/none"):
                raised = []
                for name in ("official", "ting"):
                    with self.assertRaises(Exception) as caught:
                        recognition(name, "ws://127.0.0.1:1").call(path)
                    raised.append(caught.exception)
                official, ours = raised
                self.assertIsInstance(ours, type(official))
                self.assertEqual(str(ours), str(official))

    def test_options_of_the_client(self):
        """What is wrong here is said at once, with the name and the range."""
        cases = [
            ({"start_timeout": 0}, "start_timeout"),
            ({"start_timeout": -1}, "start_timeout"),
            ({"connect_attempts": 0}, "connect_attempts is 0; it must be an integer from 1 to 100"),
            ({"endpoint": "http://127.0.0.1"}, "endpoint"),
            ({"endpoint": "nonsense"}, "embedded"),
            ({"headers": {"a b": "c"}}, "header"),
            ({"something": object()}, "parameters"),
            ({"something": float("nan")}, "parameters"),
        ]
        for change, says in cases:
            with self.subTest(change=change):
                task = recognition("ting", "ws://127.0.0.1:1", ASR.RecognitionCallback(), **change)
                with self.assertRaisesRegex(errors.InvalidParameter, says):
                    task.start()
                with self.assertRaises(dashscope.common.error.InvalidParameter):
                    task.call(__file__)

    def test_start_needs_a_callback(self):
        for name in ("official", "ting"):
            with self.assertRaisesRegex(AssertionError, "Please set the callback"):
                recognition(name, "ws://127.0.0.1:1").start()


class Results(unittest.TestCase):
    """Results are dictionaries with attributes."""

    def results(self):
        """The result of the same call with both SDKs."""
        with Lookalike() as server:
            for name in ("official", "ting"):
                yield recognition(name, server.url).call(__file__)

    def test_they_are_equal(self):
        official, ours = self.results()
        for result in (official, ours):
            self.assertIs(type(result.get_sentence()), list)
            self.assertIs(type(result.get_sentence()[0]), dict)
        self.assertEqual(ours.get_sentence(), official.get_sentence())
        self.assertEqual(
            list(ours.get_sentence()[0]), list(official.get_sentence()[0]), "the order too"
        )
        self.assertEqual(ours.usages, official.usages)
        self.assertEqual(ours.usage, official.usage)
        self.assertEqual(ours["output"], official["output"])
        for name in ("status_code", "code", "message"):
            self.assertEqual(getattr(ours, name), getattr(official, name))
            self.assertEqual(type(getattr(ours, name)), type(getattr(official, name)))
        sentence = ours.get_sentence()[0]
        self.assertEqual(ours.get_usage(sentence), official.get_usage(sentence))
        self.assertIsNone(ours.get_usage({**sentence, "end_time": None}))
        self.assertIsNone(ours.get_usage(None))

    def test_they_print_copy_and_pickle(self):
        """The official ones do not: AttributeError."""
        official, ours = self.results()
        with self.assertRaises(AttributeError):
            str(official)
        shown = json.loads(str(ours))
        self.assertEqual(shown["output"]["sentence"], ours.get_sentence())
        self.assertEqual(shown["status_code"], 200)
        repr(ours)
        for twin in (
            copy.copy(ours),
            copy.deepcopy(ours),
            pickle.loads(pickle.dumps(ours)),
            ours.copy(),
        ):
            self.assertIs(type(twin), type(ours))
            self.assertEqual(twin, ours)
            self.assertEqual(twin.get_sentence(), ours.get_sentence())
        with self.assertRaises(AttributeError):
            ours.nothing
        self.assertIs(ours.status_code, HTTPStatus.OK)
        with io.StringIO() as out:
            print(ours, file=out)

    def test_json_comes_as_it_is(self):
        """Unknown fields, their order, and every kind of value."""
        odd = {
            "z": [1, -1, 2**53 + 1, 0.1, 1e300, 0.30000000000000004],
            "a": {"b": None, "c": True, "d": '𝄞 " \\ \n'},
            "emo_tag": "neutral",
            "emo_confidence": 0.914,
        }

        async def script(session):
            await session.start()
            await session.audio_until_finish()
            await session.send("result-generated", final(**odd))
            await session.send("task-finished", {"output": {}, "usage": None})
            await session.receive()

        with Lookalike(script) as server:
            sentence = recognition("ting", server.url).call(__file__).get_sentence()[0]
        want = final(**odd)["output"]["sentence"]
        self.assertEqual(json.dumps(sentence), json.dumps(want))


if __name__ == "__main__":
    unittest.main()
