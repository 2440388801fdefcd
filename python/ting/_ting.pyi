"""The native half: `ting-client` for Python. Not for programs, which use `ting.audio.asr`."""

from typing import Any, Dict, List, Optional, Tuple

__version__: str

class Task:
    """One task: from a connection to its end. All waiting is done without the GIL and ends with
    signals.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        api_key: Optional[str],
        workspace: Optional[str],
        headers: Dict[str, str],
        model: str,
        parameters: str,
        phrase_id: Optional[str],
        request_id: str,
        timeouts: Dict[str, Optional[float]],
        connect_attempts: Optional[int],
    ) -> None: ...
    def start(self) -> None: ...
    def next(self) -> Optional[Tuple[str, Any]]: ...
    def send(self, frame: bytes) -> bool: ...
    def update_context(self, messages: str) -> bool: ...
    def finish(self) -> None: ...
    def cancel(self) -> None: ...
    def call(self, path: str) -> Tuple[List[str], Optional[Dict[str, Any]]]: ...
    @property
    def first_package_delay(self) -> Optional[float]: ...
    @property
    def last_package_delay(self) -> Optional[float]: ...

def request(
    method: str,
    endpoint: str,
    path: str,
    api_key: Optional[str],
    headers: Dict[str, str],
    body: Optional[bytes],
    timeout: float,
) -> Tuple[int, Dict[str, str], bytes]: ...
def configure_embedded(
    *,
    model_dir: Optional[str] = None,
    threads: Optional[int] = None,
    max_sessions: Optional[int] = None,
    data_dir: Optional[str] = None,
) -> None: ...
