"""HTTP requests with JSON, answered as the `dashscope` SDK answers."""

import json
import time
from http import HTTPStatus
from typing import Any, Dict, Optional
from urllib.parse import urlencode

from ting import _settings
from ting._ting import __version__, request
from ting.api_entities.dashscope_response import DashScopeAPIResponse
from ting.common.error import ConnectionFailed, InvalidParameter, _exception

TIMEOUT_S = 300.0
# A connection that fails is tried again after these pauses, in seconds.
_PAUSES_S = [0.5, 1.0, 2.0]


def send(
    method: str,
    path: str,
    body: Optional[Dict[str, Any]] = None,
    *,
    base_address: Optional[str] = None,
    api_key: Optional[str] = None,
    workspace: Optional[str] = None,
    headers: Optional[Dict[str, Any]] = None,
    query: Optional[Dict[str, Any]] = None,
    timeout: Optional[float] = None,
) -> DashScopeAPIResponse:
    """Sends `body` to `path` below the base address.

    Whatever HTTP status comes back is in the response, with `code` and `message` of the body.

    Raises:
        AuthenticationError: There is no API key.
        InvalidParameter: The address or a header is wrong.
        ConnectionFailed: There was no connection, or no whole answer, in the end.
    """
    base = _settings.http_url(base_address, workspace)
    path = f"/{path}" + (f"?{urlencode(query)}" if query else "")
    sent = {
        "accept": "application/json; charset=utf-8",
        "user-agent": f"ting-python/{__version__}",
        **_settings.string_headers(headers),
    }
    key = _settings.api_key(api_key, base)
    if workspace:
        sent["x-dashscope-workspace"] = workspace
    content = None
    if body is not None:
        sent["content-type"] = "application/json; charset=utf-8"
        content = json.dumps(body, ensure_ascii=False).encode("utf-8")
    for pause in [*_PAUSES_S, None]:
        try:
            return _response(*request(method, base, path, key, sent, content, timeout or TIMEOUT_S))
        except ValueError as error:
            raise _exception(InvalidParameter, str(error)) from error
        except ConnectionError as error:
            # A request that may have got there is not made twice: it may make a list, for example.
            repeatable = method == "GET" or isinstance(error, ConnectionRefusedError)
            if pause is None or not repeatable:
                raise _exception(ConnectionFailed, str(error)) from error
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _response(status: int, headers: Dict[str, str], content: bytes) -> DashScopeAPIResponse:
    text = content.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return DashScopeAPIResponse(status, code="Unknown", message=text, headers=headers)
    request_id = answer.get("request_id") or ""
    code, message = answer.get("code"), answer.get("message") or answer.get("msg") or ""
    if status not in (HTTPStatus.OK, HTTPStatus.CREATED):
        return DashScopeAPIResponse(status, request_id, code, message, headers=headers)
    output = answer.get("output", answer.get("data"))
    if "output" not in answer and "data" not in answer:
        output = {name: value for name, value in answer.items() if name != "request_id"}
    return DashScopeAPIResponse(
        status, request_id, code, message, output, answer.get("usage"), headers
    )
