"""Text of the training recipe: one normalisation for every source, the held-out rule, readings.

Targets are what the network writes: lower-case words, Simplified Chinese, and four punctuation marks
(`，。？！`) that the recogniser renders in the script of the words around them.
"""

import hashlib
import re
import unicodedata

_PUNCT = {
    ",": "，", "，": "，", "、": "，", ";": "，", "；": "，", ":": "，", "：": "，",
    ".": "。", "。": "。", "?": "？", "？": "？", "!": "！", "！": "！", "…": "。",
}
MARKS = "，。？！"
# Quotes, brackets and dashes are not spoken.
_DROP = re.compile(r"[\"“”„‟«»()（）\[\]「」『』《》〈〉【】〔〕*_~～〜·・—–―‥]")
_HAN = re.compile(r"[\u3400-\u9fff々〇]")
_KANA = re.compile(r"[\u3040-\u30ffー]")
_converter = None


def is_held_out(line: str) -> bool:
    """Whether a line of text belongs to the development part (about 2 % of the lines, for ever the same)."""
    return hashlib.sha1(line.strip().encode()).digest()[0] < 5


def to_simplified(text: str) -> str:
    global _converter
    if _converter is None:
        from opencc import OpenCC

        _converter = OpenCC("t2s")
    return _converter.convert(text)


def _marks(text: str) -> str:
    text = "".join(_PUNCT.get(c, c) for c in text)
    text = re.sub(r"([，。？！])[，。？！ ]*(?=[，。？！])", "", text)
    return text.lstrip(MARKS + " ")


def normalize(text: str, lang: str):
    """The target of `text` (`lang` is zh, en or ja), or None where it cannot be spoken as written."""
    text = unicodedata.normalize("NFKC", text.strip())
    text = text.replace("’", "'").replace("‘", "'").replace("`", "'")
    text = _DROP.sub(" ", text)
    if lang == "en":
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c)).lower().replace("-", " ")
        text = _marks(text)
        text = re.sub(r"(?<![a-z])'|'(?![a-z])", " ", text)
        text = re.sub(r"\s+", " ", text).strip()
        text = re.sub(r" ([，。？！])", r"\1", text)
        return text if re.fullmatch(r"[a-z' ，。？！]+", text) and re.search("[a-z]", text) else None
    text = re.sub(r"\s+", "", _marks(text))
    if lang == "zh":
        text = to_simplified(text)
        ok = re.fullmatch(r"[\u3400-\u9fff〇，。？！]+", text)
        return text if ok and _HAN.search(text) else None
    ok = re.fullmatch(r"[\u3040-\u30ffー\u3400-\u9fff々，。？！]+", text)
    return text if ok and (_KANA.search(text) or _HAN.search(text)) else None


def with_final_mark(text: str) -> str:
    """Adds the full stop that sources without any punctuation leave out."""
    return text if text[-1] in MARKS else text + "。"


def strip_marks(text: str) -> str:
    return "".join(c for c in text if c not in MARKS)


def pinyin(text: str):
    """Toned syllables of Chinese `text`, one per character (`ni3`); neutral tone is 5."""
    from pypinyin import Style, lazy_pinyin

    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")


_SMALL = "ァィゥェォャュョヮ"


def kana(text: str):
    """Morae of Japanese `text` in katakana, by Open JTalk."""
    import pyopenjtalk

    return morae(pyopenjtalk.g2p(strip_marks(text), kana=True))


def morae(reading: str):
    """The morae of a text in kana, in katakana; what is no kana is left out."""
    reading = "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in reading)
    found = []
    for c in reading:
        if c in _SMALL and found:
            found[-1] += c
        elif "ァ" <= c <= "ヴ" or c == "ー":
            found.append(c)
    return found
