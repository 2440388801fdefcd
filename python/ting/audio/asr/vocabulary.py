"""Hotword lists."""

from typing import Any, Dict, List, Optional

from ting import _http
from ting.api_entities.dashscope_response import DashScopeAPIResponse
from ting.common.error import ConnectionFailed, _exception

__all__ = ["VocabularyService", "VocabularyServiceException"]


class VocabularyServiceException(Exception):
    """A request about hotword lists was refused, or did not get there (status -1).

    Attributes:
        request_id (str), status_code (int), code (str), error_message (str): What the server said.
    """

    def __init__(
        self, request_id: Optional[str], status_code: int, code: Optional[str], error_message: str
    ) -> None:
        super().__init__(request_id, status_code, code, error_message)
        self._request_id = request_id
        self._status_code = status_code
        self._code = code
        self._error_message = error_message

    @property
    def request_id(self) -> Optional[str]:
        """The id of the request."""
        return self._request_id

    @property
    def status_code(self) -> int:
        """The HTTP status, or -1."""
        return self._status_code

    @property
    def code(self) -> Optional[str]:
        """The code of the error."""
        return self._code

    @property
    def error_message(self) -> str:
        """What was wrong."""
        return self._error_message

    def __str__(self) -> str:
        return (
            f"Request: {self._request_id}, Status Code: {self._status_code}, Code: {self._code},"
            f" Error Message: {self._error_message}"
        )


class VocabularyService:
    """Makes and keeps hotword lists; `Recognition(vocabulary_id=...)` prefers the words of one.

    Args:
        api_key (str): Default: `ting.api_key`.
        workspace (str): The workspace of the hosted service.
        model (str): Default: "speech-biasing".
        endpoint (str): An "http://" or "https://" base URL, or "embedded" for the lists of the
            recogniser in this process, which are those of `ting serve` on this machine. Default:
            `ting.base_http_api_url`. `base_address` is the same.
        headers (dict): Sent with every request as well.
        request_timeout (float): Seconds for each request. Default: 300.
        **kwargs: Go into the `parameters` of the requests.

    Every method raises VocabularyServiceException when it is refused, and AuthenticationError
    without an API key.
    """

    MAX_QUERY_TRY_COUNT = 3

    def __init__(
        self,
        api_key: Optional[str] = None,
        workspace: Optional[str] = None,
        model: Optional[str] = None,
        *,
        endpoint: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        self.model = "speech-biasing" if model is None else model
        self._api_key = api_key
        self._workspace = workspace
        self._endpoint = endpoint or kwargs.pop("base_address", None)
        self._headers = kwargs.pop("headers", None)
        self._timeout = kwargs.pop("request_timeout", None)
        self._kwargs = kwargs
        self._last_request_id: Optional[str] = None

    def create_vocabulary(
        self, target_model: str, prefix: str, vocabulary: List[Dict[str, Any]]
    ) -> str:
        """Makes a list.

        Args:
            target_model (str): The model it is for, such as "fun-asr-realtime".
            prefix (str): Up to 10 digits and lower-case letters, by which lists are found again.
            vocabulary (list of dict): `{"text": ..., "weight": 1 to 5, "lang": "zh"}`, up to 500;
                `lang` may be left out.

        Returns:
            str: Its `vocabulary_id`.
        """
        output = self._send(
            action="create_vocabulary",
            target_model=target_model,
            prefix=prefix,
            vocabulary=vocabulary,
        )
        return str(output["vocabulary_id"])

    def list_vocabularies(
        self, prefix: Optional[str] = None, page_index: int = 0, page_size: int = 10
    ) -> List[Dict[str, Any]]:
        """The lists, with `vocabulary_id`, `gmt_create`, `gmt_modified` and `status` each.

        Args:
            prefix (str): Only those made with it.
            page_index (int): Which page, from 0.
            page_size (int): Lists on a page.
        """
        named = {"prefix": prefix} if prefix else {}
        output = self._send(
            action="list_vocabulary", **named, page_index=page_index, page_size=page_size
        )
        lists: List[Dict[str, Any]] = output["vocabulary_list"]
        return lists

    def query_vocabulary(self, vocabulary_id: str) -> Dict[str, Any]:
        """A list: `vocabulary`, `target_model`, `status`, `gmt_create` and `gmt_modified`."""
        output: Dict[str, Any] = self._send(action="query_vocabulary", vocabulary_id=vocabulary_id)
        return output

    def update_vocabulary(self, vocabulary_id: str, vocabulary: List[Dict[str, Any]]) -> None:
        """Replaces all words of a list."""
        self._send(action="update_vocabulary", vocabulary_id=vocabulary_id, vocabulary=vocabulary)

    def delete_vocabulary(self, vocabulary_id: str) -> None:
        """Deletes a list."""
        self._send(action="delete_vocabulary", vocabulary_id=vocabulary_id)

    def get_last_request_id(self) -> Optional[str]:
        """The id of the last request that succeeded; None before the first."""
        return self._last_request_id

    def _send(self, **input_: Any) -> Any:
        """The output of a request, or VocabularyServiceException."""
        body = {"model": self.model, "parameters": self._kwargs, "input": input_}
        try:
            response: DashScopeAPIResponse = _http.send(
                "POST",
                "services/audio/asr/customization",
                body,
                base_address=self._endpoint,
                api_key=self._api_key,
                workspace=self._workspace,
                headers=self._headers,
                timeout=self._timeout,
            )
        except ConnectionFailed as error:
            raise _exception(
                VocabularyServiceException, None, -1, "ClientConnectorError", str(error)
            ) from error
        if response.status_code != 200:
            raise _exception(
                VocabularyServiceException,
                response.request_id,
                response.status_code,
                response.code,
                response.message,
            )
        self._last_request_id = response.request_id
        return response.output
