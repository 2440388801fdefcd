"""What calls answer with: dictionaries whose items are attributes too, under the names of the
`dashscope` SDK.
"""

import json
from http import HTTPStatus
from typing import Any, Dict, List, Optional, Type, TypeVar, Union

__all__ = [
    "DashScopeAPIResponse",
    "DictMixin",
    "RecognitionOutput",
    "RecognitionResponse",
    "RecognitionUsage",
    "TranscriptionOutput",
    "TranscriptionResponse",
    "TranscriptionUsage",
]

_Mixin = TypeVar("_Mixin", bound="DictMixin")


class DictMixin(Dict[str, Any]):
    """A dictionary whose items are attributes too: `r.output` is `r["output"]`. `str()` is its
    JSON.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __reduce__(self) -> Any:
        # The constructors of subclasses take other things than a dictionary does.
        return (_restore, (type(self), dict(self)))

    def __copy__(self: _Mixin) -> _Mixin:
        return _restore(type(self), dict(self))

    def copy(self: _Mixin) -> _Mixin:
        """A shallow copy."""
        return self.__copy__()

    def getattr(self, attr: str) -> Any:
        """The item, or None."""
        return self.get(attr)

    def setattr(self, attr: str, value: Any) -> None:
        """Sets the item."""
        self[attr] = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    def __str__(self) -> str:
        return json.dumps(self, ensure_ascii=False)


def _restore(kind: Type[_Mixin], items: Dict[str, Any]) -> _Mixin:
    restored = kind.__new__(kind)
    dict.update(restored, items)
    return restored


class DashScopeAPIResponse(DictMixin):
    """The answer to a request.

    Items, and attributes of the same names:
        status_code (int): 200 (`HTTPStatus.OK`), else the status of the error.
        request_id (str): The id of the request.
        code (str): The code of the error, else empty.
        message (str): What the error was, else empty.
        output (Any): What was asked for.
        usage (Any): What it costs.
        headers (dict): The headers of the HTTP answer, where there was one.
    """

    status_code: int
    request_id: Optional[str]
    code: Any
    message: Any
    output: Any
    usage: Any
    headers: Optional[Dict[str, str]]

    def __init__(
        self,
        status_code: int,
        request_id: Optional[str] = "",
        code: Any = "",
        message: Any = "",
        output: Any = None,
        usage: Any = None,
        headers: Optional[Dict[str, str]] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            status_code=status_code,
            request_id=request_id,
            code=code,
            message=message,
            output=output,
            usage=usage,
            headers=headers,
            **kwargs,
        )

    def _shown(self) -> Dict[str, Any]:
        names = ["status_code", "request_id", "code", "message", "output", "usage"]
        return {name: self.get(name) for name in names}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown()})"

    def __str__(self) -> str:
        return json.dumps(self._shown(), ensure_ascii=False)


class RecognitionOutput(DictMixin):
    """What was recognised: `sentence`, one in a callback, the list of them from `call`."""

    sentence: Union[Dict[str, Any], List[Any]]

    def __init__(self, sentence: Union[Dict[str, Any], List[Any]], **kwargs: Any) -> None:
        super().__init__(sentence=sentence, **kwargs)


class RecognitionUsage(DictMixin):
    """`duration`: seconds of audio that are billed so far in the task."""

    duration: int

    def __init__(self, duration: int = 0, **kwargs: Any) -> None:
        super().__init__(duration=duration, **kwargs)


class RecognitionResponse(DashScopeAPIResponse):
    """The answer of a recognition."""

    @staticmethod
    def from_api_response(api_response: DashScopeAPIResponse) -> "RecognitionResponse":
        """The same answer with typed output and usage; an error has neither."""
        output = api_response.output if api_response.status_code == HTTPStatus.OK else None
        usage = api_response.usage if api_response.status_code == HTTPStatus.OK else None
        return RecognitionResponse(
            status_code=api_response.status_code,
            request_id=api_response.request_id,
            code=api_response.code,
            message=api_response.message,
            output=RecognitionOutput(**output) if output and "sentence" in output else None,
            usage=RecognitionUsage(**usage) if usage is not None else None,
            headers=api_response.get("headers"),
        )

    @staticmethod
    def is_sentence_end(sentence: Optional[Dict[str, Any]]) -> bool:
        """Whether the sentence is final: its `end_time` is there and not None."""
        return sentence is not None and sentence.get("end_time") is not None


class TranscriptionOutput(DictMixin):
    """The state of a transcription task: `task_id`, `task_status`, and `results` once it has
    ended.
    """

    task_id: str
    task_status: str

    def __init__(
        self, task_id: Optional[str] = None, task_status: Optional[str] = None, **kwargs: Any
    ) -> None:
        super().__init__(task_id=task_id, task_status=task_status, **kwargs)


class TranscriptionUsage(DictMixin):
    """`duration`: seconds of audio that are billed."""


class TranscriptionResponse(DashScopeAPIResponse):
    """The answer about a transcription task."""

    @staticmethod
    def from_api_response(api_response: DashScopeAPIResponse) -> "TranscriptionResponse":
        """The same answer with typed output and usage; an error has neither."""
        output = api_response.output if api_response.status_code == HTTPStatus.OK else None
        usage = api_response.usage if api_response.status_code == HTTPStatus.OK else None
        return TranscriptionResponse(
            status_code=api_response.status_code,
            request_id=api_response.request_id,
            code=api_response.code,
            message=api_response.message,
            output=TranscriptionOutput(**output) if output is not None else None,
            usage=TranscriptionUsage(**usage) if usage is not None else None,
            headers=api_response.get("headers"),
        )
