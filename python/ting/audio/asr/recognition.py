"""Recognition of speech: one file with `call`, or audio as it comes with `start`."""

import json
import os
import threading
import uuid
from typing import Any, Dict, List, Mapping, Optional, Union

from ting import _settings
from ting._ting import Task, __version__
from ting.audio.asr import _tasks
from ting.audio.asr._results import (
    RecognitionCallback,
    RecognitionResult,
    call_result,
)
from ting.common.error import (
    InputDataRequired,
    InputRequired,
    InvalidParameter,
    ModelRequired,
    _exception,
)

__all__ = ["Recognition", "RecognitionCallback", "RecognitionResult"]

_STOPPED = "Speech recognition has stopped."
# Options of the hosted SDK's requests that are no parameters of a task and mean nothing here.
_NO_PARAMETERS = [
    "async_request",
    "enable_encryption",
    "extra_url_parameters",
    "flattened_output",
    "form",
    "is_service",
    "query",
    "request_timeout",
    "session",
    "task_id",
]
# Limits of the client, in seconds; None leaves one at its default.
_TIMEOUTS = [
    "connect_timeout",
    "start_timeout",
    "peer_timeout",
    "finish_timeout",
    "silence_timeout",
]


class Recognition:
    """Speech recognition: `call` for a file, or `start`, `send_audio_frame` and `stop` for audio as
    it comes.

    One task runs at a time; an object may be used again after its end, with a new request id each
    time.

    Args:
        model (str): "fun-asr-realtime", for example.
        callback (RecognitionCallback): Gets the results of `start`. None if only `call` is used.
        format (str): What the audio is: "pcm" (16-bit little-endian mono), "wav", "mp3", "opus" or
            "speex" (both in Ogg), "aac" (ADTS), "amr".
        sample_rate (int): Of the audio, in Hz.
        workspace (str): The workspace of the hosted service.
        disfluency_removal_enabled (bool): Leave out fillers such as "um". Default: False.
        diarization_enabled, speaker_count, timestamp_alignment_enabled,
            audio_event_detection_enabled: Parameters of models of the hosted service; Ting accepts
            and ignores them.
        special_word_filter (str): JSON which says what words to replace or leave out.
        vocabulary_id (str): A hotword list, made with `VocabularyService`.
        semantic_punctuation_enabled (bool): End sentences by meaning instead of by silence.
            Default: False.
        max_sentence_silence (int): Silence that ends a sentence, in ms, 200 to 6000. Default: 1300.
        multi_threshold_mode_enabled (bool): The longer a sentence, the shorter the silence that
            ends it. Default: False.
        punctuation_prediction_enabled (bool): Punctuate. Default: True.
        inverse_text_normalization_enabled (bool): Write numbers as figures. Default: True.
        heartbeat (bool): Do not end the task after 60 s of silent audio. Default: False.
        language_hints (list of str): "zh", "en", "ja"; default: found out.
        speech_noise_threshold (float): -1.0 (more is taken for speech) to 1.0 (less is).
        endpoint (str): A "ws://" or "wss://" URL, or "embedded": recognise in this process, without
            a server and a key. Default: `ting.base_websocket_api_url`.
        api_key (str): Default: `ting.api_key`.
        headers (dict): Sent with the handshake as well.
        connect_timeout (float): Seconds for each try to connect. Default: 10.
        start_timeout (float): Seconds for the server to accept the task. Default: 15.
        peer_timeout (float): Seconds without a sign of life from the server, which is asked for
            one. Default: 60.
        finish_timeout (float): Seconds without a result once the audio has ended. Default: 300.
        silence_timeout (float): A task of `start` that gets no audio for so many seconds is ended
            as `stop` would; `math.inf`: never.
            Default: 23.
        connect_attempts (int): Tries to connect, until the first audio is sent, when a failure may
            pass. Default: 3.
        **kwargs: Any other parameter; goes as it is into the `parameters` of the request.
            `base_address` is the same as `endpoint`.

    Parameters that are None are not sent. Those of the recognition are judged by the server: a
    wrong one comes as an error (status 44) that names it.

    Raises:
        ModelRequired: `model` is None.
        InputRequired: `format` or `sample_rate` is None.
    """

    SILENCE_TIMEOUT_S = 23

    def __init__(
        self,
        model: str,
        callback: Optional[RecognitionCallback],
        format: str,
        sample_rate: int,
        workspace: Optional[str] = None,
        disfluency_removal_enabled: Optional[bool] = None,
        diarization_enabled: Optional[bool] = None,
        speaker_count: Optional[int] = None,
        timestamp_alignment_enabled: Optional[bool] = None,
        special_word_filter: Optional[str] = None,
        audio_event_detection_enabled: Optional[bool] = None,
        *,
        vocabulary_id: Optional[str] = None,
        semantic_punctuation_enabled: Optional[bool] = None,
        max_sentence_silence: Optional[int] = None,
        multi_threshold_mode_enabled: Optional[bool] = None,
        punctuation_prediction_enabled: Optional[bool] = None,
        inverse_text_normalization_enabled: Optional[bool] = None,
        heartbeat: Optional[bool] = None,
        language_hints: Optional[List[str]] = None,
        speech_noise_threshold: Optional[float] = None,
        endpoint: Optional[str] = None,
        api_key: Optional[str] = None,
        headers: Optional[Dict[str, str]] = None,
        connect_timeout: Optional[float] = None,
        start_timeout: Optional[float] = None,
        peer_timeout: Optional[float] = None,
        finish_timeout: Optional[float] = None,
        silence_timeout: Optional[float] = None,
        connect_attempts: Optional[int] = None,
        **kwargs: Any,
    ) -> None:
        if model is None:
            raise _exception(ModelRequired, "Model is required!")
        if format is None:
            raise _exception(InputRequired, "format is required!")
        if sample_rate is None:
            raise _exception(InputRequired, "sample_rate is required!")
        self.model = model
        self.format = format
        self.sample_rate = sample_rate
        self.last_request_id = uuid.uuid4().hex
        self._callback = callback
        self._workspace = workspace
        self._options: Dict[str, Any] = {}
        self._set(
            kwargs,
            vocabulary_id=vocabulary_id,
            semantic_punctuation_enabled=semantic_punctuation_enabled,
            max_sentence_silence=max_sentence_silence,
            multi_threshold_mode_enabled=multi_threshold_mode_enabled,
            punctuation_prediction_enabled=punctuation_prediction_enabled,
            inverse_text_normalization_enabled=inverse_text_normalization_enabled,
            heartbeat=heartbeat,
            language_hints=language_hints,
            speech_noise_threshold=speech_noise_threshold,
            disfluency_removal_enabled=disfluency_removal_enabled,
            diarization_enabled=diarization_enabled,
            speaker_count=speaker_count,
            timestamp_alignment_enabled=timestamp_alignment_enabled,
            special_word_filter=special_word_filter,
            audio_event_detection_enabled=audio_event_detection_enabled,
            endpoint=endpoint,
            api_key=api_key,
            headers=headers,
            connect_timeout=connect_timeout,
            start_timeout=start_timeout,
            peer_timeout=peer_timeout,
            finish_timeout=finish_timeout,
            silence_timeout=silence_timeout,
            connect_attempts=connect_attempts,
        )
        # Taken by whoever begins a task. The methods may be called by several threads, and by a
        # signal handler in the midst of any of them, so nothing waits for it.
        self._claim = threading.Lock()
        self._id_used = False
        self._delivery: Optional[_tasks.Delivery] = None
        self._task: Optional[Task] = None

    def call(
        self,
        file: Union[str, "os.PathLike[str]"],
        phrase_id: Optional[str] = None,
        disfluency_removal_enabled: Optional[bool] = None,
        diarization_enabled: Optional[bool] = None,
        speaker_count: Optional[int] = None,
        timestamp_alignment_enabled: Optional[bool] = None,
        special_word_filter: Optional[str] = None,
        audio_event_detection_enabled: Optional[bool] = None,
        **kwargs: Any,
    ) -> RecognitionResult:
        """Recognises a file and waits for the end. Ctrl+C interrupts it.

        Args:
            file (str): The path of the audio file.
            phrase_id (str): A hotword list, the older way to name it.
            **kwargs: Any parameter of the constructor, from now on.

        Returns:
            RecognitionResult: The final sentences, or an error: see its `status_code`. An error
                also has the sentences that were final before it, if there were any.

        Raises:
            InvalidParameter: A task is running.
            FileNotFoundError, IsADirectoryError: There is no such file.
            InputDataRequired: The file is empty.
            AuthenticationError: There is no API key.
        """
        path = os.fspath(file)
        self._begin("Speech recognition has been called.")
        try:
            if os.path.isdir(path):
                raise IsADirectoryError("Is a directory: " + path)
            if not os.path.exists(path):
                raise FileNotFoundError("No such file or directory: " + path)
            with open(path, "rb"):
                pass  # What cannot be read raises the error that says why.
            if os.path.getsize(path) == 0:
                raise _exception(InputDataRequired, "The supplied file was empty (zero bytes long)")
            self._set(
                kwargs,
                disfluency_removal_enabled=disfluency_removal_enabled,
                diarization_enabled=diarization_enabled,
                speaker_count=speaker_count,
                timestamp_alignment_enabled=timestamp_alignment_enabled,
                special_word_filter=special_word_filter,
                audio_event_detection_enabled=audio_event_detection_enabled,
            )
            task = self._new_task(phrase_id)
            finals, error = _tasks.call(task, path)
        finally:
            self._claim.release()
        return call_result(self.last_request_id, finals, error)

    def start(
        self,
        phrase_id: Optional[str] = None,
        disfluency_removal_enabled: Optional[bool] = None,
        diarization_enabled: Optional[bool] = None,
        speaker_count: Optional[int] = None,
        timestamp_alignment_enabled: Optional[bool] = None,
        special_word_filter: Optional[str] = None,
        audio_event_detection_enabled: Optional[bool] = None,
        **kwargs: Any,
    ) -> None:
        """Starts a task for audio that comes with `send_audio_frame`, and returns at once.

        `on_open` of the callback has run when it returns. What fails later is told to `on_error`.
        Audio is kept until the connection is there.

        Args:
            phrase_id (str): A hotword list, the older way to name it.
            **kwargs: Any parameter of the constructor, from now on.

        Raises:
            InvalidParameter: A task is running, or an option of the client is wrong.
            AuthenticationError: There is no API key.
            AssertionError: There is no callback.
        """
        callback = self._callback
        assert callback is not None, "Please set the callback to get the speech recognition result."
        self._begin("Speech recognition has started.")
        try:
            self._set(
                kwargs,
                disfluency_removal_enabled=disfluency_removal_enabled,
                diarization_enabled=diarization_enabled,
                speaker_count=speaker_count,
                timestamp_alignment_enabled=timestamp_alignment_enabled,
                special_word_filter=special_word_filter,
                audio_event_detection_enabled=audio_event_detection_enabled,
            )
            delivery = _tasks.Delivery(self._new_task(phrase_id), callback, self.last_request_id)
            delivery.start()
            self._delivery = delivery
        finally:
            self._claim.release()
        delivery.open()

    def send_audio_frame(self, buffer: Union[bytes, bytearray, memoryview]) -> None:
        """Sends audio of the task that `start` began: about 100 ms at a time, 1 to 16 KB; any size
        works.

        Returns at once; the bytes are copied. Only when 8 MiB wait to be sent it waits for room.

        Raises:
            InvalidParameter: No task is running.
        """
        delivery = self._delivery
        frame = buffer if type(buffer) is bytes else bytes(buffer)
        if delivery is None or not delivery.running or not delivery.task.send(frame):
            raise _exception(InvalidParameter, _STOPPED)

    def update_context(self, payload_input: Dict[str, Any]) -> None:
        """Sends what the conversation is about, for the audio that follows.

        Args:
            payload_input (dict): `{"context": [messages]}`.

        Raises:
            InvalidParameter: No task is running, or the context is None.
        """
        delivery = self._delivery
        if delivery is None or not delivery.running:
            raise _exception(InvalidParameter, _STOPPED)
        if payload_input is None:
            raise _exception(InvalidParameter, "Context is required.")
        messages = (
            payload_input.get("context") if isinstance(payload_input, dict) else payload_input
        )
        if not isinstance(messages, list):
            raise _exception(
                InvalidParameter, "payload_input: must have a list of messages, its 'context'"
            )
        if not delivery.task.update_context(_json("context", messages)):
            raise _exception(InvalidParameter, _STOPPED)

    def stop(self) -> None:
        """Ends the audio, and waits until all is recognised and `on_close` has returned. In a
        callback it does not wait.

        Ctrl+C interrupts it; the task is then given up.

        Raises:
            InvalidParameter: No task is running.
        """
        delivery = self._delivery
        if delivery is None or not delivery.ask_to_stop():
            raise _exception(InvalidParameter, _STOPPED)
        delivery.wait()

    def get_last_request_id(self) -> str:
        """The id of the last task, or of the first one before it is started."""
        return self.last_request_id

    def get_first_package_delay(self) -> float:
        """Milliseconds from the first audio (`call`: from its start) to the first result with text;
        -1.0 if none came.
        """
        return _milliseconds(self._task.first_package_delay if self._task else None)

    def get_last_package_delay(self) -> float:
        """Milliseconds from the end of the audio to the end of the task; -1.0 if it has not ended
        by itself.
        """
        return _milliseconds(self._task.last_package_delay if self._task else None)

    def _begin(self, refusal: str) -> None:
        """Claims the object for a new task, or raises InvalidParameter."""
        if not self._claim.acquire(blocking=False):
            raise _exception(InvalidParameter, refusal)
        if self._delivery is not None and self._delivery.running:
            self._claim.release()
            raise _exception(InvalidParameter, refusal)

    def _set(self, kwargs: Mapping[str, Any], **named: Any) -> None:
        """Options from now on; of the named ones only those that were given."""
        self._options.update(kwargs)
        self._options.update((name, value) for name, value in named.items() if value is not None)

    def _new_task(self, phrase_id: Optional[str]) -> Task:
        """The native task, from what is set now."""
        if not self.model:
            raise _exception(ModelRequired, "Model is required!")
        options = {name: value for name, value in self._options.items() if value is not None}
        for name in _NO_PARAMETERS:
            options.pop(name, None)
        workspace = options.pop("workspace", self._workspace)
        base_address = options.pop("base_address", None)
        endpoint = _settings.websocket_url(options.pop("endpoint", None) or base_address, workspace)
        headers = _settings.string_headers(options.pop("headers", None))
        agent = f"ting-python/{__version__}"
        more = [headers.pop("user-agent", None), options.pop("user_agent", None)]
        headers["user-agent"] = "; ".join([agent, *(text for text in more if text)])
        key = _settings.api_key(options.pop("api_key", None), endpoint)
        timeouts = {name: options.pop(name, None) for name in _TIMEOUTS}
        attempts = options.pop("connect_attempts", None)
        # What the official SDK makes of `phrase_id`; it may be given so as well.
        resources = options.pop("resources", None)
        if not phrase_id and resources:
            phrase_id = resources[0]["resource_id"]
        if self._id_used:
            self.last_request_id = uuid.uuid4().hex
        parameters = {"sample_rate": self.sample_rate, "format": self.format, **options}
        try:
            task = Task(
                endpoint=endpoint,
                api_key=key,
                workspace=workspace,
                headers=headers,
                model=self.model,
                parameters=_json("parameters", parameters),
                phrase_id=phrase_id or None,
                request_id=self.last_request_id,
                timeouts=timeouts,
                connect_attempts=attempts,
            )
        except (OverflowError, TypeError, ValueError) as error:
            raise _exception(InvalidParameter, str(error)) from error
        self._id_used = True
        self._task = task
        return task


def _json(name: str, value: Any) -> str:
    """`value` as JSON; InvalidParameter where it has none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _exception(InvalidParameter, f"{name}: {error}") from error


def _milliseconds(seconds: Optional[float]) -> float:
    return -1.0 if seconds is None else seconds * 1000.0
