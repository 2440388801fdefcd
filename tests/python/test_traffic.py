"""What both SDKs send for the same calls, recorded by one server and compared field by field."""

import json
import unittest

from support import PATIENCE, FINISHED, Lookalike, asr, final, recognition, recorder, stream

OPTIONS = {
    "vocabulary_id": "vocab-a-1",
    "semantic_punctuation_enabled": False,
    "max_sentence_silence": 800,
    "multi_threshold_mode_enabled": True,
    "punctuation_prediction_enabled": True,
    "heartbeat": True,
    "language_hints": ["zh", "en"],
    "speech_noise_threshold": -0.5,
    "disfluency_removal_enabled": True,
    "special_word_filter": '{"system_reserved_filter":true}',
    "inverse_text_normalization_enabled": False,
    "something_unknown": {"deep": [1, 2.5, None, "很"]},
    "not_sent": None,
}

# Headers that differ, and why.
DIFFERENT = {
    "user-agent": "names the SDK",
    "x-dashscope-sdk-client": "names the SDK; ours says it in user-agent",
    "x-dashscope-sdk-session-id": "a process-wide id for the hosted service's statistics; not sent",
    "accept": "aiohttp's; says nothing in a handshake; not sent",
    "accept-encoding": "aiohttp's; says nothing in a handshake; not sent",
    "sec-websocket-key": "random",
    "host": "the port is that of the server's run",
}


def neutral(message):
    """A text frame without the task's id."""
    return {**message, "header": {**message["header"], "task_id": "ID"}}


class Traffic(unittest.TestCase):
    """Handshakes, text frames and audio."""

    def record(self, run):
        """The sessions of `run(name, server)` for both SDKs."""
        recorded = {}
        for name in ("official", "ting"):
            with Lookalike() as server:
                run(name, server)
                recorded[name] = server.sessions
        return recorded

    def compare(self, recorded):
        """The same frames; the headers but for the ones that are listed."""
        pairs = list(zip(recorded["official"], recorded["ting"]))
        self.assertEqual(len(recorded["official"]), len(recorded["ting"]))
        for official, ours in pairs:
            self.assertEqual(ours.path, official.path)
            # The order of keys has no meaning, and differs between versions of the official SDK.
            self.assertEqual([neutral(t) for t in ours.texts], [neutral(t) for t in official.texts])
            for session in (official, ours):
                self.assertEqual({t["header"]["task_id"] for t in session.texts}, {session.task_id})
                self.assertRegex(session.task_id, r"\A[0-9a-f]{32}\Z")
            self.assertEqual([len(a) for a in ours.audio], [len(a) for a in official.audio])
            self.assertEqual(ours.audio, official.audio)
            same = [
                {k: v for k, v in session.headers if k not in DIFFERENT}
                for session in (official, ours)
            ]
            self.assertEqual(
                same[1],
                {
                    k: v.replace("upgrade", "Upgrade") if k == "connection" else v
                    for k, v in same[0].items()
                },
            )
            self.assertRegex(dict(ours.headers)["user-agent"], r"\Ating-python/\S+( |\Z)")
            names = [name for name, _ in ours.headers]
            self.assertEqual(len(names), len(set(names)), "each header once")
            self.assertNotIn("sec-websocket-extensions", names)
            self.assertNotIn("sec-websocket-protocol", names)
        return pairs

    def test_a_file(self):
        def run(name, server):
            recognition(name, server.url, format="wav").call(asr_file())

        [(official, ours)] = self.compare(self.record(run))
        self.assertGreater(len(ours.audio), 3)
        self.assertEqual([t["header"]["action"] for t in ours.texts], ["run-task", "finish-task"])
        self.assertEqual(
            ours.texts[0]["payload"]["parameters"], {"sample_rate": 16000, "format": "wav"}
        )

    def test_a_stream_with_everything(self):
        """All parameters, frames of all sizes, a context in between, a workspace and headers."""

        def run(name, server):
            calls = recorder(asr(name))
            task = recognition(
                name, server.url, calls, workspace="w-1", headers={"x-mine": "1"}, **OPTIONS
            )
            task.start(phrase_id="vocab-b-2", speaker_count=2)
            for size in (3200, 1, 0, 12_800, 65_536, 999):
                task.send_audio_frame(bytes(size))
            task.update_context(
                {"context": [{"role": "user", "content": [{"type": "input_text", "text": "很"}]}]}
            )
            for kind in (bytes, bytearray, memoryview):
                task.send_audio_frame(kind(b"\1\2\3"))
            task.stop()
            self.assertEqual(calls.calls[-2:], ["complete", "close"])

        [(official, ours)] = self.compare(self.record(run))
        actions = [t["header"]["action"] for t in ours.texts]
        self.assertEqual(actions, ["run-task", "continue-task", "finish-task"])
        payload = ours.texts[0]["payload"]
        self.assertNotIn("not_sent", payload["parameters"])
        self.assertEqual(payload["parameters"]["speaker_count"], 2)
        self.assertEqual(payload["resources"][0]["resource_id"], "vocab-b-2")
        self.assertEqual(dict(ours.headers)["x-dashscope-workspace"], "w-1")
        self.assertEqual(dict(ours.headers)["x-mine"], "1")
        self.assertEqual(dict(ours.headers)["authorization"], "Bearer sk-test")

    def test_nothing_is_sent_before_task_started(self):
        """And an empty task is finished all the same."""

        def run(name, server):
            stream(name, server.url, frames=0)

        [(_, ours)] = self.compare(self.record(run))
        self.assertEqual(ours.audio, [])

    def test_options_stay(self):
        """What start() is given holds for the tasks after it, as in the official SDK; here with an id of its own."""
        with Lookalike() as server:
            calls = recorder(asr("ting"))
            task = recognition("ting", server.url, calls)
            task.start(heartbeat=True)
            task.stop()
            task.start(max_sentence_silence=700)
            task.stop()
            first, second = (
                session.texts[0]["payload"]["parameters"] for session in server.sessions
            )
            self.assertEqual(first, {"sample_rate": 16000, "format": "pcm", "heartbeat": True})
            self.assertEqual(second, {**first, "max_sentence_silence": 700})

    def test_addresses_and_agents(self):
        """A key of the call, an address of the call, and a program's own name beside ours."""
        with Lookalike() as server:
            for options in ({"endpoint": server.url}, {"base_address": server.url}):
                task = recognition(
                    "ting",
                    "ws://127.0.0.1:1",
                    api_key="sk-mine",
                    headers={"user-agent": "mine/1"},
                    **options,
                )
                task.call(__file__)
                headers = dict(server.sessions[-1].headers)
                self.assertEqual(headers["authorization"], "Bearer sk-mine")
                self.assertRegex(headers["user-agent"], r"\Ating-python/\S+; mine/1\Z")


def asr_file():
    import harness

    return str(harness.DATA / "hello_en.wav")


if __name__ == "__main__":
    unittest.main()
