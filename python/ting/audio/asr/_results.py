"""Results, and the callback that gets them."""

import json
from http import HTTPStatus
from typing import Any, Dict, List, Optional

from ting.api_entities.dashscope_response import RecognitionOutput, RecognitionResponse


class RecognitionResult(RecognitionResponse):
    """A result: one sentence in a callback, all final sentences from `Recognition.call`, or an
    error.

    A dictionary whose items are attributes too; `str()` is its JSON.

    Items:
        status_code (int): 200 (`HTTPStatus.OK`) for a result. Of an error: 44 if the server failed
            the task, the HTTP status if it refused the connection (401 and 403: the API key), -1 if
            there was no connection or it broke.
        request_id (str): The id of the task.
        code: The server's code of the error, such as "InvalidParameter"; the HTTP status of a
            refused connection; else what kind of failure it was ("ClientConnectorError",
            "StartTimeout", "PeerTimeout", "ConnectionLost", "Protocol").
        message (str): What the error was, with the close code and reason of the connection and the
            progress, if there were.
        output: `{"sentence": ...}`, see `get_sentence`.
        usage: What the last sentence of the result says is billed, `{"duration": seconds}`, or
            None.
        usages (list): `{"end_time": ms, "usage": {...}}` of each final sentence.

    An error of a task has these as well; None where they are not known:
        close_code (int), close_reason (str): What the server closed the connection with.
        progress (dict): How far the task had come: `bytes_sent` of audio, `recognised_ms` (where
            the last final sentence ends), `heard_ms` (where the last word of any result ends),
            `billed_seconds`.
    """

    usages: Optional[List[Dict[str, Any]]]

    def __init__(
        self,
        response: RecognitionResponse,
        sentences: Optional[List[Any]] = None,
        usages: Optional[List[Any]] = None,
    ) -> None:
        super().__init__(
            status_code=response.status_code,
            request_id=response.request_id,
            code=response.code,
            message=response.message,
            output={"sentence": sentences} if sentences else response.output,
            usage=usages[-1].get("usage") if usages else None,
            headers=response.get("headers"),
            usages=usages,
        )

    def _shown(self) -> Dict[str, Any]:
        more = ("close_code", "close_reason", "progress")
        return {**super()._shown(), **{name: self[name] for name in more if name in self}}

    def get_sentence(self) -> Any:
        """What was recognised.

        In a callback a sentence, as a dictionary just as the server sent it: `begin_time` and
        `end_time` in ms from the start of the audio (`end_time` is None while the sentence is spoken), `text`, `words` (each with
        `begin_time`, `end_time`, `text`, `punctuation`), `sentence_id`, `sentence_end`. From `call`
        the list of the final sentences. None if nothing was said, and for an error that came before
        anything was.
        """
        output = self.output
        return output["sentence"] if output and "sentence" in output else None

    def get_request_id(self) -> str:
        """The id of the task, as `Recognition.get_last_request_id` has it."""
        return self.request_id or ""

    def get_usage(self, sentence: Optional[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
        """What is billed up to `sentence`, `{"duration": seconds}`; None if it is not final or not
        of this result.
        """
        if self.usages and sentence is not None and sentence.get("end_time") is not None:
            for usage in self.usages:
                if usage["end_time"] == sentence["end_time"]:
                    found: Dict[str, Any] = usage["usage"]
                    return found
        return None


class RecognitionCallback:
    """What a program does with the results of `Recognition.start`. Derive from it and override what
    you need.

    The order is `on_open`, any number of `on_event`, one of `on_complete` and `on_error`, and
    `on_close`, once and always.

    `on_open` runs in the thread that calls `start`, the others in a thread of the task's own. They
    may call the methods of the recognition; `stop` does not wait there. While one is slow the
    connection is still served: when more than 64 results wait, partials may be left out in favour
    of newer ones of their sentence, finals never are. An exception in a callback goes to
    `threading.excepthook`, and the task goes on; one in `on_open` is raised by `start`.
    """

    def on_open(self) -> None:
        """The task starts. The connection is still being made: when that fails, `on_error` says
        so.
        """

    def on_complete(self) -> None:
        """The task has ended, and all its results came before."""

    def on_error(self, result: RecognitionResult) -> None:
        """The task has failed: see `result.status_code`, `.code` and `.message`. What was
        recognised came as events.
        """

    def on_close(self) -> None:
        """The last call."""

    def on_event(self, result: RecognitionResult) -> None:
        """A sentence has become longer or is final: `result.get_sentence()`,
        `RecognitionResult.is_sentence_end(sentence)`.
        """


class _Event:
    """What of an event's text is shown: Python reads it, so that fields stay in their order and
    numbers as they were.
    """

    def __init__(self, text: str) -> None:
        payload = json.loads(text)["payload"]
        self.output: Dict[str, Any] = payload["output"]
        self.sentence: Dict[str, Any] = self.output["sentence"]
        self.usage: Any = payload.get("usage")


def _usages(events: List[_Event]) -> List[Dict[str, Any]]:
    return [
        {"end_time": event.sentence.get("end_time"), "usage": event.usage}
        for event in events
        if event.usage is not None
    ]


def event_result(request_id: str, text: str) -> RecognitionResult:
    """What `on_event` gets, from the text of an event."""
    event = _Event(text)
    output = RecognitionOutput(**event.output)
    response = RecognitionResponse(HTTPStatus.OK, request_id, output=output)
    return RecognitionResult(response, usages=_usages([event]) or None)


def error_result(request_id: str, error: Dict[str, Any]) -> RecognitionResult:
    """What `on_error` gets."""
    return call_result(request_id, [], error)


def call_result(
    request_id: str, finals: List[str], error: Optional[Dict[str, Any]]
) -> RecognitionResult:
    """What `call` returns, from the texts of its final events, and what it failed with, or None."""
    events = [_Event(text) for text in finals]
    sentences = [event.sentence for event in events]
    if error is None:
        response = RecognitionResponse(HTTPStatus.OK, request_id)
        return RecognitionResult(response, sentences, _usages(events))
    response = RecognitionResponse(
        error["status_code"], request_id, error["code"], error["message"]
    )
    result = RecognitionResult(response, sentences, _usages(events) or None)
    for name in ("close_code", "close_reason", "progress"):
        result[name] = error[name]
    return result
