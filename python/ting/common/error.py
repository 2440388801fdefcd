"""The exceptions of the package, under the names that the `dashscope` SDK gives them.

A program which catches `dashscope.common.error.InvalidParameter` catches ours too when it has
imported `dashscope`: what is raised is then a subclass of both.
"""

import json
import sys
from typing import Any, Dict, Optional, Tuple, Type, TypeVar

__all__ = [
    "AssistantError",
    "AsyncTaskCreateFailed",
    "AuthenticationError",
    "ConnectionFailed",
    "DashScopeException",
    "InputDataRequired",
    "InputRequired",
    "InvalidFileFormat",
    "InvalidInput",
    "InvalidModel",
    "InvalidParameter",
    "InvalidTask",
    "ModelRequired",
    "MultiInputsWithBinaryNotSupported",
    "NotImplemented",
    "RequestFailure",
    "ServiceUnavailableError",
    "TimeoutException",
    "UnexpectedMessageReceived",
    "UnknownMessageReceived",
    "UnsupportedApiProtocol",
    "UnsupportedData",
    "UnsupportedDataType",
    "UnsupportedHTTPMethod",
    "UnsupportedModel",
    "UnsupportedTask",
    "UploadFileException",
]


class DashScopeException(Exception):
    """The base of all the others."""


class AuthenticationError(DashScopeException):
    """No API key was found, and the endpoint is not the embedded one."""


class InvalidParameter(DashScopeException):
    """An argument is wrong, or the call does not fit the state: the message says which and what is
    allowed.
    """


class InvalidTask(DashScopeException):
    """The task could not be created."""


class UnsupportedModel(DashScopeException):
    """The model is not served."""


class UnsupportedTask(DashScopeException):
    """The task is not served."""


class ModelRequired(DashScopeException):
    """`model` is missing or empty."""


class InvalidModel(DashScopeException):
    """The model is wrong."""


class InvalidInput(DashScopeException):
    """The input is wrong."""


class InvalidFileFormat(DashScopeException):
    """The format of the file is wrong."""


class UnsupportedApiProtocol(DashScopeException):
    """The address has a scheme that is not served."""


class NotImplemented(DashScopeException):  # The name is the SDK's.
    """Not there yet."""


class MultiInputsWithBinaryNotSupported(DashScopeException):
    """More than one input, one of them binary."""


class UnexpectedMessageReceived(DashScopeException):
    """The server sent what does not belong there."""


class UnsupportedData(DashScopeException):
    """Data of a kind that is not served."""


class AssistantError(DashScopeException):
    """An error of the assistants API; here so that programs which import the name load."""

    def __init__(self, **kwargs: Any) -> None:
        details: Dict[str, Any] = json.loads(kwargs["message"]) if "message" in kwargs else {}
        self.message = details.get("message")
        self.code = details.get("code")
        self.request_id = details.get("request_id")

    def __str__(self) -> str:
        return f"Request failed, request_id: {self.request_id}, code: {self.code}, message: {self.message}"


class RequestFailure(DashScopeException):
    """The server refused a request."""

    def __init__(
        self,
        request_id: Optional[str] = None,
        message: Optional[str] = None,
        name: Optional[str] = None,
        http_code: Optional[int] = None,
    ) -> None:
        self.request_id = request_id
        self.message = message
        self.name = name
        self.http_code = http_code

    def __str__(self) -> str:
        return (
            f"Request failed, request_id: {self.request_id}, http_code: {self.http_code}"
            f" error_name: {self.name}, error_message: {self.message}"
        )


class UnknownMessageReceived(DashScopeException):
    """The server sent an event of a name that is not known."""


class InputDataRequired(DashScopeException):
    """The file or the data is empty."""


class InputRequired(DashScopeException):
    """A required argument is missing."""


class UnsupportedDataType(DashScopeException):
    """Data of a type that is not served."""


class ServiceUnavailableError(DashScopeException):
    """The service does not answer."""


class UnsupportedHTTPMethod(DashScopeException):
    """An HTTP method that is not served."""


class AsyncTaskCreateFailed(DashScopeException):
    """The asynchronous task could not be created."""


class UploadFileException(DashScopeException):
    """A file could not be uploaded."""


class TimeoutException(DashScopeException):
    """No answer came in time."""


class ConnectionFailed(DashScopeException, ConnectionError):
    """No connection to the HTTP address, or it broke before the answer was whole.

    Ting's own. In a program that has imported `requests` it is a
    `requests.exceptions.ConnectionError` too, which is what the hosted SDK raises here.
    """


_Error = TypeVar("_Error", bound=Exception)
_joined: Dict[Tuple[Type[Exception], Type[Exception]], Type[Exception]] = {}


def _twin(kind: Type[Exception]) -> Optional[Type[Exception]]:
    """The class that other programs know `kind` by, if its module is loaded."""
    names = {
        "VocabularyServiceException": "dashscope.audio.asr.vocabulary",
        "ConnectionFailed": "requests.exceptions",
    }
    module = sys.modules.get(names.get(kind.__name__, "dashscope.common.error"))
    name = "ConnectionError" if kind is ConnectionFailed else kind.__name__
    twin = getattr(module, name, None)
    return twin if isinstance(twin, type) and not issubclass(kind, twin) else None


def _exception(kind: Type[_Error], *arguments: Any) -> _Error:
    """An exception of `kind`, and of the class of that name in `dashscope` if that is loaded.

    Made when it is raised, not when the class is: `dashscope` may be imported after us.
    """
    twin = _twin(kind)
    if twin is None:
        return kind(*arguments)
    joined = _joined.get((kind, twin))
    if joined is None:
        try:
            joined = type(kind.__name__, (kind, twin), {"__module__": kind.__module__})
        except TypeError:  # The two have layouts or orders of bases that do not join.
            joined = kind
        _joined[kind, twin] = joined
    return joined(*arguments)  # type: ignore[return-value]
