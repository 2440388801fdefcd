"""The words of the Japanese dictionary that Open JTalk reads text with (naist-jdic, by way of pyopenjtalk), with readings.

The file is MeCab's binary dictionary (`sys.dic`): a header of ten 32-bit numbers and the name of the encoding in 32 bytes, a double
array, one record of 16 bytes a word (left and right context, part of speech, cost, where its features are), and the features, each a
row of columns with commas between. Source of the format: MeCab, `dictionary.cpp`.
"""

import pathlib
import struct

import text as T

HEADER = 72
# Names are more than all other words together, and most of them are rare.
LEFT_OUT = ("固有名詞", "数")
KINDS = ("名詞", "動詞", "形容詞", "副詞", "感動詞", "接続詞", "連体詞")
# Columns of the features.
KIND, FINER, FORM, BASE, SPOKEN = 0, 1, 5, 6, 8
# The forms of a word that are the word itself.
BASE_FORMS = ("*", "基本形")


def words(dearest):
    """[(word, morae)] of the words in their base form, the commonest reading first. Words that cost more than `dearest` (the lower the cost, the
    commoner), names, and words that are not written in kana and characters are left out."""
    import pyopenjtalk

    data = (pathlib.Path(pyopenjtalk.OPEN_JTALK_DICT_DIR.decode()) / "sys.dic").read_bytes()
    arrays, records, _ = struct.unpack_from("<3I", data, 24)
    at = HEADER + arrays
    features = data[at + records :]
    found = {}
    for _, _, _, cost, start, _ in struct.iter_unpack("<HHHhII", data[at : at + records]):
        if cost > dearest:
            continue
        row = features[start : features.index(b"\0", start)].decode().split(",")
        if len(row) <= SPOKEN or row[KIND] not in KINDS or row[FINER] in LEFT_OUT or row[FORM] not in BASE_FORMS:
            continue
        key = row[BASE], row[SPOKEN]
        if T.normalize(row[BASE], "ja") == row[BASE] and cost < found.get(key, dearest + 1):
            found[key] = cost
    rows = [(word, T.morae(spoken)) for word, spoken in sorted(found, key=lambda key: (key[0], found[key]))]
    return [(word, morae) for word, morae in rows if morae]
