"""The words of the Japanese dictionary that Open JTalk reads text with (naist-jdic, by way of pyopenjtalk), with readings.

The files are MeCab's. `sys.dic`: a header of ten 32-bit numbers and the name of the encoding in 32 bytes; a double array (Aoe 1989) whose
keys are the spellings; one record of 16 bytes a word (left and right context, part of speech, cost, where its features are); and the
features, each a row of columns with commas between. `matrix.bin`: two 16-bit sizes, and what each left context costs after each right
one. Source of the formats: MeCab, `dictionary.cpp`, `darts.h` and `connector.cpp`.
"""

import pathlib
import struct

import numpy as np
import text as T

HEADER = 72
# Names are more than all other words together, and most of them are rare.
LEFT_OUT = ("固有名詞", "数")
KINDS = ("名詞", "動詞", "形容詞", "副詞", "感動詞", "接続詞", "連体詞")
# Words that cost more (the lower the cost, the commoner) are rare.
DEAREST = 7000
# Columns of the features.
KIND, FINER, FINEST, OF_NAME, KIND_OF_FORMS, FORM, BASE, SPOKEN = 0, 1, 2, 3, 4, 5, 6, 8
# The forms of a word that are the word itself.
BASE_FORMS = ("*", "基本形")


def folder():
    import pyopenjtalk

    return pathlib.Path(pyopenjtalk.OPEN_JTALK_DICT_DIR.decode())


def parts():
    """(double array, records, a function that reads features) of `sys.dic`."""
    data = (folder() / "sys.dic").read_bytes()
    arrays, records, _ = struct.unpack_from("<3I", data, 24)
    at = HEADER + arrays
    features = data[at + records :]

    def row(start):
        return features[start : features.index(b"\0", start)].decode().split(",")

    return data[HEADER:at], data[at : at + records], row


def keys(array):
    """(spelling, number of its words, number of the first) of the double array."""
    base, check = np.frombuffer(array, np.int32).reshape(-1, 2).T
    nodes, spelled = np.zeros(1, np.int64), [b""]
    while len(nodes):
        begin = base[nodes].astype(np.int64)
        # The end of a key is the child 0, whose base is the negative value.
        for i in np.flatnonzero((check[begin] == begin) & (base[begin] < 0)):
            value = -int(base[begin[i]]) - 1
            yield spelled[i].decode(), value & 0xFF, value >> 8
        children, names = [], []
        for byte in range(256):
            child = begin + byte + 1
            there = child < len(base)
            there[there] = check[child[there]] == begin[there]
            found = np.flatnonzero(there)
            children.append(child[found])
            names += [spelled[i] + bytes([byte]) for i in found]
        nodes, spelled = np.concatenate(children), names


def entries():
    """(spelling, left context, right context, cost, features) of all words, inflected forms each for itself."""
    array, records, row = parts()
    records = list(struct.iter_unpack("<HHHhII", records))
    for word, count, first in keys(array):
        for left, right, _, cost, start, _ in records[first : first + count]:
            yield word, left, right, cost, row(start)


def connections():
    """What a word costs after another, `[right context of the first][left context of the second]`."""
    sizes = np.fromfile(folder() / "matrix.bin", np.uint16, 2)
    costs = np.fromfile(folder() / "matrix.bin", np.int16, offset=4)
    return costs.reshape(int(sizes[1]), int(sizes[0])).T


def words(dearest):
    """[(word, morae)] of the words in their base form, the commonest reading first. Words that cost more than `dearest` (the lower the cost, the
    commoner), names, and words that are not written in kana and characters are left out."""
    _, records, features = parts()
    found = {}
    for _, _, _, cost, start, _ in struct.iter_unpack("<HHHhII", records):
        if cost > dearest:
            continue
        row = features(start)
        if len(row) <= SPOKEN or row[KIND] not in KINDS or row[FINER] in LEFT_OUT or row[FORM] not in BASE_FORMS:
            continue
        key = row[BASE], row[SPOKEN]
        if T.normalize(row[BASE], "ja") == row[BASE] and cost < found.get(key, dearest + 1):
            found[key] = cost
    rows = [(word, T.morae(spoken)) for word, spoken in sorted(found, key=lambda key: (key[0], found[key]))]
    return [(word, morae) for word, morae in rows if morae]
