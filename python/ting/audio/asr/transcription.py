"""Transcription of files by URL, as the hosted service offers it. Ting itself does not serve it
yet.
"""

import time
from http import HTTPStatus
from typing import Any, Dict, List, Optional, Union

from ting import _http
from ting.api_entities.dashscope_response import DashScopeAPIResponse, TranscriptionResponse
from ting.common.error import InvalidParameter, InvalidTask, ModelRequired, _exception

__all__ = ["Transcription", "TranscriptionResponse"]

_ENDED = ["SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN"]
_BUSY = [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT]
# How an address and a key are named in the calls below; everything else is a parameter of the task.
_ADDRESS = ["base_address", "endpoint", "headers", "request_timeout"]

Task = Union[str, DashScopeAPIResponse]


class Transcription:
    """Recognises files by their URLs: `async_call` begins a task, `wait` waits for it, `call` does
    both.

    Every method takes `api_key`, `workspace`, `endpoint` (or `base_address`; default:
    `ting.base_http_api_url`) and `headers`, and answers with the status of the server in
    `status_code`, `code` and `message`. It raises ConnectionFailed when there is no connection and
    AuthenticationError without an API key.
    """

    MAX_QUERY_TRY_COUNT = 3

    class Models:
        """Names of older models."""

        paraformer_v1 = "paraformer-v1"
        paraformer_8k_v1 = "paraformer-8k-v1"
        paraformer_mtl_v1 = "paraformer-mtl-v1"

    @classmethod
    def call(
        cls,
        model: str,
        file_urls: List[str],
        phrase_id: Optional[str] = None,
        api_key: Optional[str] = None,
        workspace: Optional[str] = None,
        **kwargs: Any,
    ) -> TranscriptionResponse:
        """Begins a task and waits for its end.

        Args:
            model (str): "fun-asr", for example.
            file_urls (list of str): Where the files are.
            phrase_id (str): A hotword list.
            wait_timeout (float): Seconds to wait; default: without end.
            **kwargs: Parameters, such as `language_hints`, `channel_id`, `diarization_enabled`,
                `speaker_count`, `vocabulary_id`.

        Returns:
            TranscriptionResponse: `output.task_status` and `output.results`, each with its
                `transcription_url`.
        """
        wait_timeout = kwargs.pop("wait_timeout", -1)
        task = cls.async_call(model, file_urls, phrase_id, api_key, workspace, **kwargs)
        address = {name: kwargs[name] for name in _ADDRESS if name in kwargs}
        return cls.wait(task, api_key, workspace, wait_timeout, **address)

    @classmethod
    def async_call(
        cls,
        model: str,
        file_urls: List[str],
        phrase_id: Optional[str] = None,
        api_key: Optional[str] = None,
        workspace: Optional[str] = None,
        **kwargs: Any,
    ) -> TranscriptionResponse:
        """Begins a task; arguments as those of `call`. `output.task_id` is what `fetch` and `wait`
        want.
        """
        if not model:
            raise _exception(ModelRequired, "Model is required!")
        parameters = {name: value for name, value in kwargs.items() if value is not None}
        address = _address(parameters)
        address["headers"] = {"x-dashscope-async": "enable", **(address.get("headers") or {})}
        resources = parameters.pop("resources", None)
        if phrase_id:
            resources = [{"resource_id": phrase_id, "resource_type": "asr_phrase"}]
        body: Dict[str, Any] = {"model": model, "parameters": parameters}
        if resources:
            body["resources"] = resources
        body["input"] = {"file_urls": file_urls}
        path = "services/audio/asr/transcription"
        response = _http.send("POST", path, body, api_key=api_key, workspace=workspace, **address)
        return TranscriptionResponse.from_api_response(response)

    @classmethod
    def fetch(
        cls,
        task: Task,
        api_key: Optional[str] = None,
        workspace: Optional[str] = None,
        **kwargs: Any,
    ) -> TranscriptionResponse:
        """The state of a task, given by its id or by the answer of `async_call`."""
        path = f"tasks/{_task_id(task)}"
        response = _http.send("GET", path, api_key=api_key, workspace=workspace, **_address(kwargs))
        return TranscriptionResponse.from_api_response(response)

    @classmethod
    def wait(
        cls,
        task: Task,
        api_key: Optional[str] = None,
        workspace: Optional[str] = None,
        wait_timeout: float = -1,
        **kwargs: Any,
    ) -> TranscriptionResponse:
        """Asks until the task has ended, or for `wait_timeout` seconds if that is above 0 (status
        408, "WaitTaskTimeout").
        """
        task_id = _task_id(task)
        begun = time.monotonic()
        pause = 1.0
        asked = 0
        while True:
            response = cls.fetch(task_id, api_key, workspace, **kwargs)
            asked += 1
            ended = response.output is None or response.output.get("task_status") in _ENDED
            if response.status_code == HTTPStatus.OK and ended:
                return response
            if response.status_code != HTTPStatus.OK and response.status_code not in _BUSY:
                return response
            if asked % 3 == 2:
                pause = min(2 * pause, 5.0)
            if wait_timeout is not None and wait_timeout > 0:
                left = begun + wait_timeout - time.monotonic()
                if left <= 0:
                    return TranscriptionResponse(
                        status_code=HTTPStatus.REQUEST_TIMEOUT,
                        request_id=task_id,
                        code="WaitTaskTimeout",
                        message=f"Wait task: {task_id} timeout after {wait_timeout} seconds.",
                    )
                time.sleep(min(pause, left))
            else:
                time.sleep(pause)

    @classmethod
    def cancel(
        cls,
        task: Task,
        api_key: Optional[str] = None,
        workspace: Optional[str] = None,
        **kwargs: Any,
    ) -> DashScopeAPIResponse:
        """Takes a task back that has not begun."""
        path = f"tasks/{_task_id(task)}/cancel"
        return _http.send("POST", path, api_key=api_key, workspace=workspace, **_address(kwargs))

    @classmethod
    def list(
        cls,
        start_time: Optional[str] = None,
        end_time: Optional[str] = None,
        model_name: Optional[str] = None,
        api_key_id: Optional[str] = None,
        region: Optional[str] = None,
        status: Optional[str] = None,
        page_no: int = 1,
        page_size: int = 10,
        api_key: Optional[str] = None,
        workspace: Optional[str] = None,
        **kwargs: Any,
    ) -> DashScopeAPIResponse:
        """The account's tasks, `page_size` on each page from 1; the other arguments select."""
        selected = {
            "page_no": page_no,
            "page_size": page_size,
            "start_time": start_time,
            "end_time": end_time,
            "model_name": model_name,
            "api_key_id": api_key_id,
            "region": region,
            "status": status,
        }
        query = {name: value for name, value in selected.items() if value is not None}
        return _http.send(
            "GET", "tasks", api_key=api_key, workspace=workspace, query=query, **_address(kwargs)
        )


def _address(kwargs: Dict[str, Any]) -> Dict[str, Any]:
    """Takes out of `kwargs` where to send, for `_http.send`."""
    found = {name: kwargs.pop(name, None) for name in _ADDRESS}
    return {
        "base_address": found["endpoint"] or found["base_address"],
        "headers": found["headers"],
        "timeout": found["request_timeout"],
    }


def _task_id(task: Task) -> str:
    """The id of a task, given itself or as an answer that has it."""
    if isinstance(task, DashScopeAPIResponse):
        if task.status_code != HTTPStatus.OK:
            raise _exception(InvalidTask, f"Invalid task, task create failed: {task}")
        task = task.output["task_id"]
    if not isinstance(task, str):
        raise _exception(InvalidParameter, "Task invalid!")
    if not task:
        raise _exception(InvalidParameter, "Task id required!")
    return task
