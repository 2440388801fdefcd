"""Servers that do what they should not: the table of what breaks the official SDK, and what ours makes of each.

Both SDKs meet the same server where that takes no long time. What the official one does is asserted too, so that the table stays true.
"""

import asyncio
import json
import time
import unittest

from support import (
    FINISHED,
    PATIENCE,
    Lookalike,
    asr,
    final,
    partial,
    recognition,
    recorder,
    stream,
)


def ending(*steps):
    """A server that starts a task, takes all audio, and then does `steps`: events, or functions of the session."""

    async def script(session):
        await session.start()
        await session.audio_until_finish()
        for step in steps:
            if callable(step):
                await step(session)
            else:
                await session.send(*step[:2], **(step[2] if len(step) > 2 else {}))
        await session.receive()

    return script


def closing(code, reason):
    async def close(session):
        await session.socket.close(code=code, message=reason.encode())

    return close


def text(content):
    async def send(session):
        await session.socket.send_str(content)

    return send


async def binary(session):
    await session.socket.send_bytes(b"\0\1\2")


async def drop(session):
    await session.drop()


RESULT = ("result-generated", final())
PARTIAL = ("result-generated", partial())
FINISH = ("task-finished", FINISHED)
NO_USAGE = {"output": {"sentence": {"text": "hel", "begin_time": 1, "sentence_id": 1}}}


class WrongServers(unittest.TestCase):
    """Each row of the table."""

    def calls(self, name, script, **options):
        """The callbacks of a stream, and its recorder."""
        with Lookalike(script) as server:
            task, calls = stream(name, server.url, **options)
            if name == "ting":
                self.assertTrue(calls.closed.wait(PATIENCE))
                self.assertEqual(calls.calls.count("close"), 1)
                self.assertEqual(calls.calls[-1], "close")
                self.assertEqual(calls.calls[0], "open")
                ends = calls.calls.count("complete") + calls.calls.count("error")
                self.assertEqual(ends, 1, calls.calls)
            return calls

    def check(self, script, official, ours):
        """The callbacks of both SDKs, as lists without the partials' number."""
        got = {name: self.calls(name, script) for name in ("official", "ting")}
        self.assertEqual(got["official"].calls, official)
        self.assertEqual(got["ting"].calls, ours)
        return got["official"], got["ting"]

    def call(self, name, script, tmp=b"\0" * 6400):
        """The result of a call."""
        import tempfile

        with Lookalike(script) as server, tempfile.NamedTemporaryFile() as file:
            file.write(tmp)
            file.flush()
            return recognition(name, server.url).call(file.name)

    def test_task_finished_without_output(self):
        """The official SDK forgets `on_complete`; and a call without finals returns the last partial."""
        for payload in ({}, None):
            with self.subTest(payload=payload):
                script = ending(PARTIAL, RESULT, ("task-finished", payload))
                self.check(
                    script,
                    ["open", "event", "event", "close"],
                    ["open", "event", "event", "complete", "close"],
                )
        script = ending(PARTIAL, ("task-finished", {}))
        self.assertEqual(self.call("official", script).get_sentence()["end_time"], None)
        ours = self.call("ting", script)
        self.assertIsNone(ours.get_sentence())
        self.assertEqual(ours.status_code, 200)

    def test_task_finished_as_it_should_be(self):
        for payload in (FINISHED, {"output": {"finished": True}, "usage": None}, {"output": {}}):
            with self.subTest(payload=payload):
                want = ["open", "event", "complete", "close"]
                self.check(ending(RESULT, ("task-finished", payload)), want, want)

    def test_task_finished_with_a_sentence(self):
        """The official SDK takes it for a result and forgets `on_complete`."""
        script = ending(RESULT, ("task-finished", final("again")))
        self.check(
            script, ["open", "event", "event", "close"], ["open", "event", "complete", "close"]
        )

    def test_a_result_without_output(self):
        """The official SDK takes it for the end."""
        script = ending(("result-generated", {"output": {}, "usage": None}), RESULT, FINISH)
        self.check(
            script,
            ["open", "complete", "event", "complete", "close"],
            ["open", "event", "complete", "close"],
        )

    def test_a_result_without_usage_and_end_time(self):
        """The official SDK's thread dies of a KeyError; for ours it is a partial."""
        script = ending(("result-generated", NO_USAGE), RESULT, FINISH)
        import threading

        hook, threading.excepthook = threading.excepthook, lambda _: None
        try:
            _, ours = self.check(
                script, ["open", "close"], ["open", "event", "event", "complete", "close"]
            )
        finally:
            threading.excepthook = hook
        self.assertEqual(ours.sentences[0], NO_USAGE["output"]["sentence"])
        self.assertFalse(asr("ting").RecognitionResult.is_sentence_end(ours.sentences[0]))

    def test_usage_null_and_no_end_time(self):
        script = ending(("result-generated", {**NO_USAGE, "usage": None}), RESULT, FINISH)
        want = ["open", "event", "event", "complete", "close"]
        self.check(script, want, want)

    def test_heartbeats_are_not_delivered(self):
        script = ending(("result-generated", partial("", heartbeat=True, number=0)), RESULT, FINISH)
        want = ["open", "event", "complete", "close"]
        self.check(script, want, want)

    def test_task_failed_in_full(self):
        """The same error in both; `on_close` comes twice from the official SDK when stop() waits."""
        failed = ("task-failed", {}, {"error_code": "CLIENT_ERROR", "error_message": "too bad"})
        official, ours = self.check(
            ending(RESULT, failed),
            ["open", "event", "error", "close", "close"],
            ["open", "event", "error", "close"],
        )
        for calls in (official, ours):
            error = calls.errors[0]
            self.assertEqual(
                (error.status_code, error.code, error.message), (44, "CLIENT_ERROR", "too bad")
            )
            self.assertEqual(error.request_id, calls.results[0].request_id)
            self.assertIsNone(error.get_sentence())
        self.assertEqual(
            ours.errors[0].progress,
            {"bytes_sent": 9600, "recognised_ms": 900, "heard_ms": 900, "billed_seconds": 1},
        )

    def test_task_failed_without_code_and_message(self):
        """The official SDK shows its own KeyError and no request id."""
        official, ours = self.check(
            ending(("task-failed", {})),
            ["open", "error", "close", "close"],
            ["open", "error", "close"],
        )
        self.assertIn("KeyError", official.errors[0].message)
        self.assertEqual(ours.errors[0].status_code, 44)
        self.assertIn("failed", ours.errors[0].message)
        self.assertEqual(len(ours.errors[0].request_id), 32)

    def test_what_is_not_of_the_protocol_is_passed_over(self):
        """Unknown events, binary frames, text that is no JSON: the official SDK ends, ours goes on."""
        cases = {
            "unknown event": ("something-else", {}),
            "no json": text("hello"),
            "no object": text("[1]"),
            "no header": text("{}"),
            "binary": binary,
            "of another task": ("result-generated", final("no"), {"task_id": "x" * 32}),
        }
        for what, step in cases.items():
            with self.subTest(what):
                calls = self.calls("ting", ending(step, RESULT, FINISH))
                self.assertEqual(calls.calls, ["open", "event", "complete", "close"])
        official = self.calls("official", ending(cases["unknown event"], RESULT, FINISH))
        self.assertIn("error", official.calls)

    def test_a_result_before_task_started(self):
        async def script(session):
            await session.run_task()
            await session.send("result-generated", partial())
            await session.send("task-started", {})
            await session.audio_until_finish()
            await session.send("result-generated", final())
            await session.send("task-finished", FINISHED)
            await session.receive()

        self.assertIn("error", self.calls("official", script).calls)
        self.assertEqual(self.calls("ting", script).calls, ["open", "event", "complete", "close"])

    def test_nothing_but_nonsense(self):
        """Then it is an error that says what came."""

        async def script(session):
            await session.run_task()
            await session.send("what-is-this", {})
            await session.receive()

        calls = self.calls("ting", script, start_timeout=0.5)
        self.assertEqual(calls.calls, ["open", "error", "close"])
        self.assertIn("what-is-this", calls.errors[0].message)

    def test_close_frames(self):
        """The official SDK shows neither code nor reason."""
        for code, reason in [(1000, "bye"), (1007, "Invalid payload data"), (1011, "")]:
            with self.subTest(code=code):
                script = ending(RESULT, closing(code, reason))
                official, ours = self.check(
                    script,
                    ["open", "event", "error", "close", "close"],
                    ["open", "event", "error", "close"],
                )
                self.assertIn("data: None", official.errors[0].message)
                error = ours.errors[0]
                self.assertEqual((error.status_code, error.code), (-1, "ConnectionLost"))
                self.assertEqual((error.close_code, error.close_reason), (code, reason))
                self.assertIn(str(code), error.message)
                self.assertIn(reason, error.message)
                self.assertIn("9600 bytes of audio sent, recognised up to 900 ms", error.message)

    def test_a_dropped_connection_says_how_far_it_came(self):
        for name in ("official", "ting"):
            calls = self.calls(name, ending(PARTIAL, RESULT, drop))
            self.assertEqual(calls.calls[:4], ["open", "event", "event", "error"])
            self.assertEqual(calls.errors[0].status_code, -1)
        error = calls.errors[0]
        self.assertEqual(error.code, "ConnectionLost")
        self.assertEqual(error.progress["recognised_ms"], 900)
        self.assertEqual(error.progress["bytes_sent"], 9600)
        self.assertEqual(json.loads(str(error))["progress"], error.progress)

    def test_a_call_that_breaks_off_keeps_its_finals(self):
        """The official SDK throws away what was recognised before."""
        script = ending(PARTIAL, RESULT, ("result-generated", final("more", 1000, 2000, 2)), drop)
        self.assertIsNone(self.call("official", script).get_sentence())
        ours = self.call("ting", script)
        self.assertEqual(ours.status_code, -1)
        self.assertEqual([s["text"] for s in ours.get_sentence()], ["hello", "more"])
        self.assertEqual(ours.get_usage(ours.get_sentence()[0]), {"duration": 1})

    def test_run_task_is_never_answered(self):
        """The official SDK waits for ever."""

        async def script(session):
            await session.run_task()
            await session.receive()

        begun = time.monotonic()
        calls = self.calls("ting", script, start_timeout=0.5)
        self.assertLess(time.monotonic() - begun, PATIENCE)
        self.assertEqual(calls.calls, ["open", "error", "close"])
        self.assertEqual((calls.errors[0].status_code, calls.errors[0].code), (-1, "StartTimeout"))

    def test_a_peer_that_is_gone(self):
        """A server that does not even answer pings."""

        async def script(session):
            await session.start()
            # Nothing is read from here on, so that no ping is answered.
            await asyncio.sleep(3)

        calls = self.calls("ting", script, peer_timeout=0.6)
        self.assertEqual(calls.calls, ["open", "error", "close"])
        self.assertEqual(calls.errors[0].code, "PeerTimeout")

    def test_task_started_comes_late(self):
        async def script(session):
            await session.run_task()
            await asyncio.sleep(0.5)
            assert not session.audio
            await session.send("task-started", {})
            await session.audio_until_finish()
            assert sum(map(len, session.audio)) == 9600
            await session.send("result-generated", final())
            await session.send("task-finished", FINISHED)
            await session.receive()

        want = ["open", "event", "complete", "close"]
        self.check(script, want, want)

    def test_finals_come_late(self):
        async def late(_session):
            await asyncio.sleep(1)

        want = ["open", "event", "complete", "close"]
        self.check(ending(late, RESULT, FINISH), want, want)

    def test_results_come_while_no_audio_is_sent(self):
        """The official SDK delivers them with the next frame only."""
        at = {}

        async def script(session):
            await session.start()
            await session.receive()
            await asyncio.sleep(0.2)
            at["sent"] = time.monotonic()
            await session.send("result-generated", partial())
            await session.audio_until_finish()
            await session.send("task-finished", FINISHED)
            await session.receive()

        with Lookalike(script) as server:
            calls = recorder(asr("ting"))
            task = recognition("ting", server.url, calls)
            task.start()
            task.send_audio_frame(bytes(3200))
            deadline = time.monotonic() + PATIENCE
            while not calls.results and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(calls.calls, ["open", "event"])
            task.stop()

    def test_long_texts(self):
        """The official SDK closes at 4 MiB."""
        long = "很" * 2_000_000
        calls = self.calls("ting", ending(("result-generated", final(long)), FINISH))
        self.assertEqual(calls.calls, ["open", "event", "complete", "close"])
        self.assertEqual(calls.sentences[0]["text"], long)

    def test_refused_handshakes(self):
        """The status is that of the server in both; ours has its code and message too."""
        body = {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "r"}
        for status in (401, 403, 404, 429, 500, 503):
            with self.subTest(status=status):
                got = {}
                for name in ("official", "ting"):
                    more = {"connect_attempts": 1} if name == "ting" else {}
                    with Lookalike(status=status, body=body) as server:
                        _, calls = stream(name, server.url, **more)
                        self.assertTrue(calls.ended.wait(PATIENCE))
                        got[name] = calls.errors[0]
                        self.assertTrue(calls.closed.wait(PATIENCE))
                official, ours = got["official"], got["ting"]
                self.assertEqual(ours.status_code, official.status_code)
                self.assertEqual((ours.status_code, ours.code), (status, status))
                self.assertTrue(ours.message.startswith(official.message), ours.message)
                self.assertIn("InvalidApiKey: Invalid API-key provided.", ours.message)
                self.assertEqual(len(ours.request_id), 32)

    def test_busy_servers_are_tried_again(self):
        """Before any audio was sent."""
        tries = []

        async def script(session):
            tries.append(session)
            if len(tries) < 3:
                return await session.drop()
            await session.start()
            await session.audio_until_finish()
            await session.send("result-generated", final())
            await session.send("task-finished", FINISHED)
            await session.receive()

        self.assertEqual(self.calls("ting", script).calls, ["open", "event", "complete", "close"])
        self.assertEqual(len(tries), 3)
        self.assertEqual(len({session.task_id for session in tries} - {None}), 1)

    def test_nobody_listens(self):
        with Lookalike() as server:
            url = server.url
        for name in ("official", "ting"):
            more = {"connect_attempts": 1} if name == "ting" else {}
            _, calls = stream(name, url, **more)
            self.assertTrue(calls.ended.wait(PATIENCE))
            error = calls.errors[0]
            self.assertEqual((error.status_code, error.code), (-1, "ClientConnectorError"))
            self.assertIn("127.0.0.1", error.message)


if __name__ == "__main__":
    unittest.main()
