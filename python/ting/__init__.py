"""Speech recognition with Ting: in this process, through a Ting server, or through the hosted service.

`ting.audio.asr` has the classes of `dashscope.audio.asr`, so that one line of a program changes:

    from ting.audio.asr import *

    recognition = Recognition("fun-asr-realtime", None, "wav", 16000, endpoint="embedded")
    for sentence in recognition.call("hello.wav").get_sentence() or []:
        print(sentence["begin_time"], sentence["text"])

`import ting as dashscope` works as well. What a program may set here, instead of passing it to each
call:

- `ting.api_key`: the API key. Not needed for the embedded recogniser.
- `ting.base_websocket_api_url`: where `Recognition` connects: a `ws://` or `wss://` URL, or
  "embedded".
- `ting.base_http_api_url`: where `VocabularyService` and `Transcription` send: an `http://` or
  `https://` URL, or "embedded".

Read without being set, they are what would be used: that of the environment (DASHSCOPE_API_KEY,
DASHSCOPE_WEBSOCKET_BASE_URL, DASHSCOPE_HTTP_BASE_URL), of `~/.dashscope/api_key`, or the hosted
service's international site.
"""

from pathlib import Path
from typing import Any, Optional

from ting import _settings, _ting
from ting._ting import __version__
from ting.common.error import InvalidParameter, _exception

__all__ = [
    "__version__",
    "api_key",
    "api_key_file_path",
    "base_http_api_url",
    "base_websocket_api_url",
    "configure_embedded",
    "save_api_key",
]

# Without values: what a program has not set is found by __getattr__ when it is asked for.
api_key: Optional[str]
api_key_file_path: Optional[str]
base_http_api_url: str
base_websocket_api_url: str


def __getattr__(name: str) -> Any:
    """The settings that the program has not set."""
    if name == "api_key":
        return _settings.find_api_key()
    if name == "api_key_file_path":
        return None
    if name == "base_http_api_url":
        return _settings.http_url()
    if name == "base_websocket_api_url":
        return _settings.websocket_url()
    raise AttributeError(f"module 'ting' has no attribute {name!r}")


def configure_embedded(
    *,
    model_dir: Optional[str] = None,
    threads: Optional[int] = None,
    max_sessions: Optional[int] = None,
    data_dir: Optional[str] = None,
) -> None:
    """Sets what the recogniser in this process (`endpoint="embedded"`) is like; before its first
    use.

    Args:
        model_dir (str): A folder with a model. Default: the one that is built in.
        threads (int): Threads that recognise. Default: one for each processor.
        max_sessions (int): Tasks at once; another one fails with "Throttling". Default: as many as
            this machine was measured to serve.
        data_dir (str): Where hotword lists are kept. Default: where `ting serve` keeps them.

    Raises:
        InvalidParameter: The recogniser runs already, with other options.
    """
    try:
        _ting.configure_embedded(
            model_dir=model_dir, threads=threads, max_sessions=max_sessions, data_dir=data_dir
        )
    except (OverflowError, TypeError, ValueError) as error:
        raise _exception(InvalidParameter, str(error)) from error


def save_api_key(api_key: str, api_key_file_path: Optional[str] = None) -> None:
    """Writes the key to a file, by default `~/.dashscope/api_key`, which is then found without
    being set.
    """
    path = Path(api_key_file_path) if api_key_file_path else Path.home() / ".dashscope" / "api_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Readable by its owner only, from its first moment.
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(api_key, encoding="utf-8")
