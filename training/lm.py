"""Estimates the token n-gram model that the beam search adds to the CTC scores, and writes `lm.bin`.

Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999) on the training text: of the orders below the longest it counts
after how many different tokens an n-gram was seen, not how often. For Chinese, the words of the jieba dictionary (MIT
licence) are added with a small weight, for the words that the text lacks.

    python training/lm.py --work WORK --out WORK/model/lm.bin [--data DATA]

With `--data` it also prints the perplexity per token on the transcripts of the split `dev` and on held-out lines of `text/`.
"""

import argparse
import collections
import json
import math
import pathlib

import numpy as np

import text as T
from ngram_format import score, write_lm
from tokens import lines, read_table
from train import Targets
from words import english_string, japanese_words, words_to_spell

# Stands for the start of a sentence: the blank, which no text holds.
START = 0


def pieces(targets, target, lang):
    """Token ids of a normalised text; what is no token is left out."""
    parts = targets.english(target) if lang == "en" else list(target)
    return [targets.ids[p] for p in parts if p in targets.ids]


def sequences(work, targets, strings):
    """Token ids of the texts, of `strings` of spelled names and numbers, which sentences have few of, and of the Japanese words alone."""
    texts = json.loads((work / "texts.json").read_text())
    for lang, pairs in texts.items():
        for _, target in pairs:
            yield pieces(targets, target, lang)
    rng, words = np.random.default_rng(3), words_to_spell(texts["en"])
    for _ in range(strings):
        yield pieces(targets, english_string(rng, words), "en")
    for word in japanese_words(target for line, target in texts["ja"] if line):
        yield pieces(targets, word, "ja")


def dictionary_words(targets):
    """(token ids, how often the dictionary's makers saw the word)"""
    import jieba

    with jieba.get_dict_file() as f:
        for line in f:
            word, count = line.decode().split(" ")[:2]
            ids = [targets.ids.get(c) for c in word]
            if None not in ids:
                yield ids, int(count)


def grams(ids, order):
    """All n-grams of `ids` up to `order` tokens."""
    for i in range(len(ids)):
        for n in range(1, min(order, i + 1) + 1):
            yield tuple(ids[i - n + 1 : i + 1])


def adjusted_counts(sentences, words, vocabulary, order, dictionary):
    """Counters by n (0 is empty): how often, for the longest n-grams and those at the start of a sentence; else after how many tokens."""
    seen = [collections.Counter() for _ in range(order + 1)]
    for ids in sentences:
        for gram in grams([START, *ids], order):
            seen[len(gram)][gram] += 1
    counts = [collections.Counter() for _ in range(order)] + [seen[order]]
    for n in range(1, order):
        for gram in seen[n + 1]:
            counts[n][gram[1:]] += 1
        counts[n].update({gram: k for gram, k in seen[n].items() if gram[0] == START and n > 1})
    # A word of the dictionary counts as seen about once, however frequent it is: what it tells is that it exists.
    extra = collections.Counter()
    for ids, count in words:
        for gram in grams(ids, order):
            extra[gram] += count * dictionary
    for gram, k in extra.items():
        if k >= 0.5:
            counts[len(gram)][gram] += min(k, 3 if len(gram) == 1 else 1)
    for token in range(vocabulary):
        if token != START:
            counts[1][(token,)] += 0.5
    return counts


def discounts(counts):
    """What modified Kneser-Ney takes from counts of one, two and more (Chen and Goodman 1999, equation 26)."""
    kinds = collections.Counter(min(int(k), 4) for k in counts.values() if k >= 1)
    ones, twos, threes, fours = (kinds[i] + 1 for i in (1, 2, 3, 4))
    y = ones / (ones + 2 * twos)
    found = (1 - 2 * y * twos / ones, 2 - 3 * y * threes / twos, 3 - 4 * y * fours / threes)
    return [min(max(d, 0.1), 1.9) for d in found]


def estimate(counts, least):
    """Lists of {n-gram: (ln probability, ln back-off weight)} for orders 1 to `len(counts) - 1`. `least[n]` is what an n-gram's count must
    be for a place of its own; the mass of those that are dropped goes to backing off."""
    order = len(counts) - 1
    probabilities, kept, backoffs = {}, [], {}
    uniform = 1 / len(counts[1])
    for n in range(1, order + 1):
        # Nearly all tokens are in the text, and a token that is not is not half as likely as one seen once.
        taken = discounts(counts[n]) if n > 1 else [0.3] * 3
        totals, free, current = collections.Counter(), collections.Counter(), {}
        for gram, count in counts[n].items():
            history = gram[:-1]
            own = max(count - taken[min(max(int(count), 1), 3) - 1], 0)
            if count < least.get(n, 0) or (n > 1 and history and history not in probabilities):
                own = 0
            else:
                current[gram] = own
            totals[history] += count
            free[history] += count - own
        for gram, own in current.items():
            lower = probabilities[gram[1:]] if n > 1 else uniform
            current[gram] = own / totals[gram[:-1]] + free[gram[:-1]] / totals[gram[:-1]] * lower
        backoffs |= {history: free[history] / totals[history] for history in totals if history}
        probabilities |= current
        # The start of a sentence is a history, never a prediction.
        if n == 1:
            probabilities[(START,)] = math.exp(-20.0)
            current[(START,)] = math.exp(-20.0)
        kept.append(current)
    return [{g: (math.log(p), math.log(min(backoffs.get(g, 1.0), 1.0))) for g, p in current.items()} for current in kept]


def perplexity(orders, sentences):
    """Per token; the tokens of each sentence follow the start."""
    total = count = 0
    for ids in sentences:
        history = (START,)
        for token in ids:
            total += score(orders, history, token)
            history += (token,)
        count += len(ids)
    return math.exp(-total / max(count, 1))


def unseen(data, targets):
    """(name, sentences) of what no training step sees."""
    for table in sorted((data / "speech").glob("*-*.tsv")):
        lang = table.name[:2]
        rows = [T.normalize(r["text"].split("|")[0], lang) for r in read_table(table) if r["split"] == "dev"]
        yield table.stem, [pieces(targets, t, lang) for t in rows if t]
    for lang in ("zh", "en", "ja"):
        yield f"text/{lang}.txt", [pieces(targets, t, lang) for _, t in lines(data, lang, held_out=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, help="print perplexities on this folder's unseen sentences")
    parser.add_argument("--order", type=int, default=4)
    parser.add_argument("--dictionary", type=float, default=0.05, help="weight of a count of the word list")
    parser.add_argument("--strings", type=int, default=3000, help="made-up strings of letters, numbers and dates")
    parser.add_argument("--least", type=int, default=2, help="how often the longest n-grams must have been seen")
    args = parser.parse_args()
    targets = Targets(args.work)
    counts = adjusted_counts(
        sequences(args.work, targets, args.strings), dictionary_words(targets), len(targets.tokens), args.order, args.dictionary
    )
    orders = estimate(counts, {args.order: args.least})
    write_lm(args.out, orders)
    print("n-grams:", [len(o) for o in orders], "bytes:", args.out.stat().st_size)
    for name, sentences in unseen(args.data, targets) if args.data else ():
        print(f"perplexity per token, {name}: {perplexity(orders, sentences):.1f}")


if __name__ == "__main__":
    main()
