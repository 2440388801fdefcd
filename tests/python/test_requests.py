"""Hotword lists and transcription tasks: the same requests and answers in both SDKs, and the real server."""

import unittest
from http import HTTPStatus

import requests

import dashscope
from support import SDKS, Lookalike, asr
from harness import Server

from ting.api_entities.dashscope_response import TranscriptionResponse
from ting.common import error as errors

# Headers that differ because they name the SDK or are the HTTP library's own.
LIBRARY = {
    "user-agent",
    "x-dashscope-sdk-client",
    "x-dashscope-sdk-session-id",
    "accept-encoding",
    "connection",
    "host",
}
WORDS = [{"text": "赛德克巴莱", "weight": 4, "lang": "zh"}]


def use(name, url):
    """Points an SDK to a server."""
    SDKS[name].api_key = "sk-test"
    SDKS[name].base_http_api_url = url
    return asr(name)


def recorded(answer, run):
    """What both SDKs return and send for `run(module, name)`, with a server that answers by `answer(request)`."""
    results = {}
    for name in SDKS:
        with Lookalike(http=answer) as server:
            results[name] = (run(use(name, server.http_url), name), server.requests)
    return results["official"], results["ting"]


def comparable(request):
    """A request without what is the library's."""
    return {**request, "headers": {k: v for k, v in request["headers"] if k not in LIBRARY}}


class Vocabulary(unittest.TestCase):
    """`VocabularyService`."""

    def answer(self, request):
        action = request["body"]["input"]["action"]
        output = {
            "create_vocabulary": {"vocabulary_id": "vocab-p-1"},
            "list_vocabulary": {
                "vocabulary_list": [{"vocabulary_id": "vocab-p-1", "status": "OK"}]
            },
            "query_vocabulary": {"vocabulary": WORDS, "status": "OK", "new_field": 1},
        }.get(action, {})
        return 200, {"output": output, "usage": {"count": 1}, "request_id": f"id-of-{action}"}

    def use_all(self, module, _name):
        service = module.VocabularyService(workspace="w-1")
        results = [service.get_last_request_id()]
        results.append(service.create_vocabulary("fun-asr-realtime", "p", WORDS))
        results.append(service.list_vocabularies())
        results.append(service.list_vocabularies(prefix="p", page_index=1, page_size=5))
        results.append(service.query_vocabulary("vocab-p-1"))
        results.append(service.update_vocabulary("vocab-p-1", WORDS))
        results.append(service.delete_vocabulary("vocab-p-1"))
        return [*results, service.get_last_request_id(), service.model]

    def test_the_same_requests_and_results(self):
        (official, sent), (ours, ours_sent) = recorded(self.answer, self.use_all)
        self.assertEqual(ours, official)
        self.assertEqual(len(ours_sent), 6)
        self.assertEqual(list(map(comparable, ours_sent)), list(map(comparable, sent)))

    def test_refusals(self):
        """By both names, with the same text."""

        def answer(_request):
            body = {
                "code": "BadRequest.ResourceNotExist",
                "message": "not there",
                "request_id": "r-1",
            }
            return 416, body

        def run(module, _name):
            try:
                module.VocabularyService().query_vocabulary("vocab-none")
            except dashscope.audio.asr.VocabularyServiceException as refusal:
                self.assertIsInstance(refusal, module.VocabularyServiceException)
                return refusal
            return None

        (official, _), (ours, _) = recorded(answer, run)
        self.assertEqual(str(ours), str(official))
        want = ("r-1", 416, "BadRequest.ResourceNotExist", "not there")
        got = (ours.request_id, ours.status_code, ours.code, ours.error_message)
        self.assertEqual(got, want)

    def test_a_list_is_not_made_twice(self):
        """When the answer is lost; the official SDK sends the request up to four times."""

        def lose(_request):
            raise ConnectionResetError

        with Lookalike(http=lose) as server:
            with self.assertRaises(asr("ting").VocabularyServiceException) as raised:
                use("ting", server.http_url).VocabularyService().create_vocabulary("m", "p", WORDS)
            self.assertEqual(len(server.requests), 1)
        self.assertEqual(raised.exception.status_code, -1)

    def test_nobody_listens(self):
        """The official SDK raises an UnboundLocalError after 8 s."""
        with Lookalike(http=self.answer) as server:
            url = server.http_url
        with self.assertRaises(asr("ting").VocabularyServiceException) as raised:
            use("ting", url).VocabularyService().list_vocabularies()
        self.assertEqual(raised.exception.status_code, -1)
        self.assertEqual(raised.exception.code, "ClientConnectorError")

    def test_the_real_server(self):
        """Every method against `ting serve`, with the results of the official SDK."""
        server = Server()
        self.addCleanup(server.kill)
        official = use("official", server.http_url).VocabularyService()
        ours = use("ting", server.http_url).VocabularyService()
        list_id = ours.create_vocabulary("fun-asr-realtime", "films", WORDS)
        self.assertRegex(list_id, r"\Avocab-films-[0-9a-f]{32}\Z")
        self.assertEqual(ours.query_vocabulary(list_id), official.query_vocabulary(list_id))
        self.assertEqual(ours.query_vocabulary(list_id)["vocabulary"], WORDS)
        self.assertEqual(
            ours.list_vocabularies(prefix="films"), official.list_vocabularies(prefix="films")
        )
        self.assertIsNone(ours.update_vocabulary(list_id, [{"text": "吴贻弓", "weight": 5}]))
        self.assertEqual(ours.query_vocabulary(list_id)["vocabulary"][0]["text"], "吴贻弓")
        self.assertIsNone(ours.delete_vocabulary(list_id))
        self.assertEqual(len(ours.get_last_request_id()), 36)
        refusals = []
        for service in (official, ours):
            with self.assertRaises(dashscope.audio.asr.VocabularyServiceException) as raised:
                service.query_vocabulary(list_id)
            refusals.append(str(raised.exception).split(", ", 1)[1])
        self.assertEqual(refusals[0], refusals[1])
        with self.assertRaisesRegex(asr("ting").VocabularyServiceException, "prefix"):
            ours.create_vocabulary("fun-asr-realtime", "NO!", WORDS)


class Transcriptions(unittest.TestCase):
    """`Transcription`, which Ting does not serve, against a server that answers as the documentation says."""

    def answer(self, request):
        if request["method"] == "POST" and request["path"].endswith("/transcription"):
            return 200, {
                "output": {"task_status": "PENDING", "task_id": "t-1"},
                "request_id": "r-1",
            }
        if request["path"].startswith("/api/v1/tasks?"):
            return 200, {"request_id": "r-3", "total": 1, "data": [{"task_id": "t-1"}]}
        self.asked = getattr(self, "asked", 0) + 1
        output = {"task_id": "t-1", "task_status": "RUNNING" if self.asked % 2 else "SUCCEEDED"}
        if output["task_status"] == "SUCCEEDED":
            output["results"] = [
                {"file_url": "u", "transcription_url": "x", "subtask_status": "SUCCEEDED"}
            ]
        return 200, {"request_id": "r-2", "output": output, "usage": {"duration": 9}}

    def compare(self, answer, run):
        (official, sent), (ours, ours_sent) = recorded(answer, run)
        for response in (official, ours):
            response["headers"] = None
        self.assertEqual(dict(ours), dict(official))
        self.assertEqual(list(map(comparable, ours_sent)), list(map(comparable, sent)))
        return ours, ours_sent

    def test_call(self):
        def run(module, _name):
            self.asked = 0
            return module.Transcription.call(
                model="fun-asr",
                file_urls=["u"],
                phrase_id="p",
                language_hints=["zh"],
                channel_id=[0],
                none=None,
            )

        ours, sent = self.compare(self.answer, run)
        self.assertIsInstance(ours, TranscriptionResponse)
        self.assertEqual(ours.output.task_status, "SUCCEEDED")
        self.assertEqual(ours.output["results"][0]["transcription_url"], "x")
        self.assertEqual(ours.usage["duration"], 9)
        self.assertEqual(sent[0]["headers"], sent[0]["headers"])
        self.assertEqual(len(sent), 3)

    def test_async_call_fetch_and_wait(self):
        def run(module, _name):
            self.asked = 0
            task = module.Transcription.async_call("fun-asr", ["u"], None, "sk-mine", "w-1")
            self.assertEqual(task.output.task_id, "t-1")
            first = module.Transcription.fetch(task, api_key="sk-mine", workspace="w-1")
            self.assertEqual(first.output["task_status"], "RUNNING")
            return module.Transcription.wait(task.output["task_id"], "sk-mine", "w-1")

        self.compare(self.answer, run)

    def test_cancel(self):
        self.compare(
            lambda _: (200, {"request_id": "r-4"}),
            lambda module, _: module.Transcription.cancel("t-1"),
        )

    def test_list(self):
        """The order of the query has no meaning."""
        (official, _), (ours, sent) = recorded(
            self.answer, lambda module, _: module.Transcription.list(status="RUNNING", page_size=5)
        )
        self.assertEqual(ours.status_code, official.status_code)
        self.assertEqual(ours.request_id, official.request_id)
        self.assertEqual(sent[0]["path"], "/api/v1/tasks?page_no=1&page_size=5&status=RUNNING")

    def test_refusals_and_timeouts(self):
        def refuse(_request):
            return 403, {"code": "AccessDenied", "message": "no", "request_id": "r"}

        ours, _ = self.compare(
            refuse, lambda module, _: module.Transcription.async_call("fun-asr", ["u"])
        )
        self.assertEqual((ours.status_code, ours.code, ours.message), (403, "AccessDenied", "no"))
        with self.assertRaises(dashscope.common.error.InvalidTask):
            asr("ting").Transcription.fetch(ours)
        for wrong in ("", None):
            with self.assertRaises(errors.InvalidParameter):
                asr("ting").Transcription.fetch(wrong)
        with self.assertRaises(errors.ModelRequired):
            asr("ting").Transcription.call("", ["u"])

        def running(_request):
            return 200, {"request_id": "r", "output": {"task_id": "t-1", "task_status": "RUNNING"}}

        with Lookalike(http=running) as server:
            late = use("ting", server.http_url).Transcription.wait("t-1", wait_timeout=0.5)
        self.assertEqual(
            (late.status_code, late.code), (HTTPStatus.REQUEST_TIMEOUT, "WaitTaskTimeout")
        )

    def test_nobody_listens(self):
        """Our exception, which is also the one that a program with `requests` catches."""
        with Lookalike(http=self.answer) as server:
            url = server.http_url
        for kind in (errors.ConnectionFailed, ConnectionError, requests.exceptions.ConnectionError):
            with self.assertRaises(kind):
                use("ting", url).Transcription.fetch("t-1")


if __name__ == "__main__":
    unittest.main()
