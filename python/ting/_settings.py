"""Where to connect and with which key.

In this order: the argument of the call; `ting.api_key`, `ting.base_websocket_api_url` and
`ting.base_http_api_url` where a program has set them; the same attributes of `dashscope` where that
is imported, so that a program keeps its settings when only the import of `Recognition` changes; the
environment; `~/.dashscope/api_key`; the hosted service's international site.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any, Dict, Optional

from ting.common.error import AuthenticationError, InputRequired, InvalidParameter, _exception

EMBEDDED = "embedded"
"""The endpoint that is no server: the recogniser runs in this process."""

WEBSOCKET_URL = "wss://dashscope-intl.aliyuncs.com/api-ws/v1/inference"
HTTP_URL = "https://dashscope-intl.aliyuncs.com/api/v1"

_NO_KEY = (
    "No api key provided. Pass api_key=, set ting.api_key (or dashscope.api_key), set the environment variable"
    " DASHSCOPE_API_KEY, or name a file that holds it with DASHSCOPE_API_KEY_FILE_PATH (or write ~/.dashscope/api_key)."
    ' endpoint="embedded" needs no key.'
)
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def _set_on_modules(name: str) -> Optional[str]:
    """What the program has set as `ting.<name>` or `dashscope.<name>`."""
    for module in ("ting", "dashscope"):
        # vars, not getattr: the attributes of `ting` that nobody has set are computed by this very
        # module.
        value = vars(sys.modules.get(module, object)).get(name)
        if value:
            return str(value)
    return None


def _key_file() -> Optional[str]:
    """The content of the key file, if there is one."""
    named = _set_on_modules("api_key_file_path") or os.environ.get("DASHSCOPE_API_KEY_FILE_PATH")
    path = Path(named) if named else Path.home() / ".dashscope" / "api_key"
    if named or path.exists():
        return path.read_text(encoding="utf-8").strip() or None
    return None


def find_api_key() -> Optional[str]:
    """The key that a call without `api_key=` uses, or None."""
    return _set_on_modules("api_key") or os.environ.get("DASHSCOPE_API_KEY") or _key_file()


def api_key(explicit: Optional[str], endpoint: str) -> Optional[str]:
    """The key for a connection to `endpoint`; AuthenticationError where one is needed and none is
    found.
    """
    found = explicit or find_api_key()
    if not found and endpoint.split("/")[0] != EMBEDDED:
        raise _exception(AuthenticationError, _NO_KEY)
    return found


def websocket_url(explicit: Optional[str] = None, workspace: Optional[str] = None) -> str:
    """The address of the WebSocket, or "embedded"."""
    url = explicit or _set_on_modules("base_websocket_api_url")
    return _with_workspace(
        url or os.environ.get("DASHSCOPE_WEBSOCKET_BASE_URL") or WEBSOCKET_URL, workspace
    )


def http_url(explicit: Optional[str] = None, workspace: Optional[str] = None) -> str:
    """The base address of HTTP requests without a slash at its end, or "embedded"."""
    url = explicit or _set_on_modules("base_http_api_url")
    url = url or os.environ.get("DASHSCOPE_HTTP_BASE_URL") or HTTP_URL
    return _with_workspace(url, workspace).rstrip("/")


def _with_workspace(url: str, workspace: Optional[str]) -> str:
    """`url` with the workspace in the place that regional addresses keep for it."""
    if "{workspace_id}" not in url:
        return url
    workspace = workspace or os.environ.get("DASHSCOPE_WORKSPACE_ID")
    if not workspace:
        raise _exception(
            InputRequired,
            f"The base URL {url!r} contains '{{workspace_id}}': pass workspace= or set DASHSCOPE_WORKSPACE_ID.",
        )
    if not _WORKSPACE.fullmatch(workspace):
        raise _exception(
            InvalidParameter,
            f"workspace: {workspace!r} cannot be part of a host name; letters, digits, '-' and '_', up to 64, can",
        )
    return url.replace("{workspace_id}", workspace)


def string_headers(headers: Optional[Dict[str, Any]]) -> Dict[str, str]:
    """A program's own headers as text; None leaves one out."""
    return {str(name): str(value) for name, value in (headers or {}).items() if value is not None}
