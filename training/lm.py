"""Estimates the token n-gram model that the beam search adds to the CTC scores, and writes `lm.bin`.

Interpolated absolute discounting (Ney, Essen and Kneser 1994) on the training text. For Chinese, the words of the
jieba dictionary (MIT licence) with their frequencies are added with a small weight, for the words that the text lacks.
"""

import argparse
import collections
import json
import math
import pathlib

import text as T
from ngram_format import write_lm
from train import Targets


def sequences(work, targets):
    texts = json.loads((work / "texts.json").read_text())
    for lang, pairs in texts.items():
        for _, target in pairs:
            pieces = targets.english(target) if lang == "en" else list(target)
            yield [targets.ids[p] for p in pieces if p in targets.ids]


def dictionary_words(targets):
    import jieba

    with jieba.get_dict_file() as f:
        for line in f:
            word, count = line.decode().split(" ")[:2]
            ids = [targets.ids.get(c) for c in word]
            if None not in ids:
                yield ids, int(count)


def estimate(counts, order, discount=0.8):
    """Lists of {n-gram: (ln probability, ln back-off weight)} for orders 1 to `order`."""
    probabilities, result = {}, []
    totals, kinds = collections.Counter(), collections.Counter()
    for n in range(1, order + 1):
        for gram, count in counts[n].items():
            totals[gram[:-1]] += count
            kinds[gram[:-1]] += min(discount, count)
    vocabulary = len(counts[1])
    for n in range(1, order + 1):
        current = {}
        for gram, count in counts[n].items():
            lower = probabilities[gram[1:]] if n > 1 else 1 / vocabulary
            history = gram[:-1]
            p = max(count - discount, 0) / totals[history] + kinds[history] / totals[history] * lower
            current[gram] = p
        probabilities |= current
        result.append(current)
    return [
        {
            gram: (math.log(p), math.log(kinds[gram] / totals[gram]) if gram in totals else 0.0)
            for gram, p in grams.items()
        }
        for grams in result
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--dictionary", type=float, default=0.01, help="weight of a count of the word list")
    args = parser.parse_args()
    targets = Targets(args.work)
    counts = [collections.Counter() for _ in range(args.order + 1)]
    start = 0  # the blank stands for the start of a sentence
    for ids in sequences(args.work, targets):
        ids = [start] + ids
        for i in range(1, len(ids)):
            for n in range(1, args.order + 1):
                if i - n + 1 >= 0:
                    counts[n][tuple(ids[i - n + 1 : i + 1])] += 1
    for ids, count in dictionary_words(targets):
        for i in range(len(ids)):
            for n in range(1, args.order + 1):
                if i - n + 1 >= 0:
                    counts[n][tuple(ids[i - n + 1 : i + 1])] += count * args.dictionary
    for i in range(1, len(targets.tokens)):
        counts[1][(i,)] += 0.5
    for n in range(3, args.order + 1):
        counts[n] = collections.Counter({g: c for g, c in counts[n].items() if c > 1})
    for n in range(2, args.order + 1):  # a history must be an n-gram itself
        counts[n] = collections.Counter({g: c for g, c in counts[n].items() if c >= 0.5 and (n == 2 or g[:-1] in counts[n - 1])})
    orders = estimate(counts, args.order)
    # The start of a sentence is a history, never a prediction.
    if (start,) not in orders[0]:
        total = sum(c for g, c in counts[2].items() if g[0] == start)
        kinds = sum(min(0.8, c) for g, c in counts[2].items() if g[0] == start)
        orders[0][(start,)] = (-20.0, math.log(kinds / total))
    write_lm(args.out, orders)
    print("n-grams:", [len(o) for o in orders], "bytes:", args.out.stat().st_size)


if __name__ == "__main__":
    main()
