"""Speech recognition, with the classes of `dashscope.audio.asr`."""

from ting.audio.asr.recognition import Recognition, RecognitionCallback, RecognitionResult
from ting.audio.asr.transcription import Transcription
from ting.audio.asr.vocabulary import VocabularyService, VocabularyServiceException

__all__ = [
    "Recognition",
    "RecognitionCallback",
    "RecognitionResult",
    "Transcription",
    "VocabularyService",
    "VocabularyServiceException",
]
