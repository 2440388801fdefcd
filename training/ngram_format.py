"""Writes the token n-gram language model `lm.bin` that `ting_models::NgramLm` reads.

The file, all numbers little-endian:

    "TNG2"                     4 bytes
    order N                    u8, 1 to 4
    reserved                   u8, 0
    start                      u16, the token that stands for the start of a sentence, 65535 for none
    unknown                    f32, natural log probability of a token without a unigram
    count[N]                   u32 each, the number of n-grams of each length
    for each length n = 1..N:
        prob_table[256]        f32 each, natural log probabilities
        backoff_table[256]     f32 each, natural log backoff weights        (not for n = N)
        token[count]           u16 each, the last token of each n-gram
        prob[count]            u8 each, index into prob_table
        backoff[count]         u8 each, index into backoff_table            (not for n = N)
        children[count]        unsigned LEB128 each, how many (n+1)-grams extend the n-gram:
                               those of the first come first in the next length's arrays, and
                               together they are all of them                (not for n = N)

The n-grams of each length are sorted by their tokens, first token first. Every n-gram's beginning (all tokens but
the last) has to be an n-gram of its own; `write_lm` adds those that are missing with the probability they have by
backing off, and a backoff weight of 1, which changes no score.

As a command it prints what a file holds: `python ngram_format.py lm.bin`.
"""

import struct
import sys

import numpy as np

MAX_ORDER = 4
NO_TOKEN = 65535


def score(orders, context, token, unknown=-20.0):
    """Natural log probability of `token` after the tuple `context`, by backing off over `orders`."""
    context = tuple(context)[-(len(orders) - 1) :] if len(orders) > 1 else ()
    total = 0.0
    while True:
        entry = orders[len(context)].get(context + (token,))
        if entry is not None:
            return total + entry[0]
        if not context:
            return total + unknown
        total += orders[len(context) - 1].get(context, (0.0, 0.0))[1]
        context = context[1:]


def write_lm(path, orders, start=0, unknown=-20.0):
    """Writes `orders` to `path`.

    `orders[n - 1]` maps tuples of n token ids to (natural log probability, natural log backoff weight). The
    backoff weights of the longest n-grams are not used. Values are rounded to the best 256 of each length.
    `start` is the token that stands for the start of a sentence (the blank, which no text holds), or None.
    """
    if not 1 <= len(orders) <= MAX_ORDER:
        raise ValueError(f"{len(orders)} orders; there should be 1 to {MAX_ORDER}")
    orders = [dict(order) for order in orders]
    for n in range(len(orders), 1, -1):
        shorter = orders[n - 2]
        for ngram in orders[n - 1]:
            if ngram[:-1] not in shorter:
                shorter[ngram[:-1]] = (score(orders, ngram[:-2], ngram[-2], unknown), 0.0)
    ngrams = [sorted(order) for order in orders]
    with open(path, "wb") as file:
        first = NO_TOKEN if start is None else start
        file.write(b"TNG2" + struct.pack("<BBHf", len(orders), 0, first, unknown))
        file.write(struct.pack(f"<{len(orders)}I", *(len(level) for level in ngrams)))
        for n, level in enumerate(ngrams):
            values = np.array([orders[n][ngram][:2] for ngram in level], np.float64).reshape(-1, 2)
            longest = n + 1 == len(ngrams)
            prob_table, probs = quantise(values[:, 0])
            backoff_table, backoffs = quantise(values[:, 1])
            file.write(prob_table.tobytes())
            if not longest:
                file.write(backoff_table.tobytes())
            file.write(np.array([ngram[-1] for ngram in level], "<u2").tobytes())
            file.write(probs.tobytes())
            if longest:
                continue
            file.write(backoffs.tobytes())
            parent_of = {ngram: i for i, ngram in enumerate(level)}
            children = [0] * len(level)
            for ngram in ngrams[n + 1]:
                children[parent_of[ngram[:-1]]] += 1
            file.write(b"".join(map(leb128, children)))


def leb128(number):
    """`number` in groups of seven bits, the lowest first; all but the last byte have the highest bit set."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def quantise(values):
    """The 256 values that stand for `values` best (Lloyd's algorithm, 0 kept exact), and each one's index."""
    values = np.asarray(values, np.float64)
    distinct = np.unique(values)
    if len(distinct) > 256:
        # Half of them from groups of equal size, for the many, and half at equal distances, for the far ones.
        groups = [part.mean() for part in np.array_split(np.sort(values), 128)]
        centres = np.unique(np.append(groups, np.linspace(values.min(), values.max(), 127)))
        for _ in range(20):
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, values)
            sums = np.bincount(nearest, values, len(centres))
            counts = np.bincount(nearest, minlength=len(centres))
            centres = np.unique(sums[counts > 0] / counts[counts > 0])
        # 0 stays 0: it is the backoff weight of every n-gram that nothing extends.
        distinct = np.unique(np.append(centres, 0.0))
    nearest = np.searchsorted((distinct[1:] + distinct[:-1]) / 2, values) if len(distinct) else values
    table = np.zeros(256, "<f4")
    table[: len(distinct)] = distinct
    return table, nearest.astype(np.uint8)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as lm:
        magic, order, _, first, floor = struct.unpack("<4sBBHf", lm.read(12))
        sizes = struct.unpack(f"<{order}I", lm.read(4 * order))
    print(f"{magic.decode()}: n-grams of each length {sizes}, start {first}, unknown {floor:g}")
