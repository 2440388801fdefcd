"""The words of the Japanese dictionary that Open JTalk reads text with (naist-jdic, by way of pyopenjtalk), with readings and how common they are.

The file is MeCab's binary dictionary (`sys.dic`): a header of ten 32-bit numbers and the name of the encoding in 32 bytes, a double
array, one record of 16 bytes a word (left and right context, part of speech, cost, where its features are), and the features, each a
row of columns with commas between. Source of the format: MeCab, `dictionary.cpp`.
"""

import functools
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


@functools.cache
def words(dearest=7500):
    """[(word, morae, cost)] of the words in their base form, the cheapest reading first: the lower the cost, the commoner. Words that cost more
    than `dearest`, names, and words that are not written in kana and characters are left out."""
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
    rows = [(word, T.morae(spoken), cost) for (word, spoken), cost in found.items()]
    return sorted((row for row in rows if row[1]), key=lambda row: (row[0], row[2]))
