"""How much the marks of the recogniser should weigh beside those of the punctuation network.

    ting eval --punctuation --json OUT.json --model-dir MODEL_WITHOUT_punc.safetensors SET.tsv SET.tar ...
    python training/punct_weights.py --model models/tiny OUT.json ...

Takes the words and marks the recogniser alone wrote, and prints the F1 of all marks together, per file and language, and
their mean, for a grid of what is added to the network's ln P: `place` to that of every mark where the recogniser wrote one,
`kind` besides to that of the same mark, `silence` to that of no mark where it wrote none. With 0 the network decides
alone. The best are printed, and the two alone.
"""

import argparse
import collections
import itertools
import json
import pathlib

import numpy as np
import torch

from punct_data import ANY_END, COMMA, NONE, PAUSE, QUESTION, STOP, UNKNOWN, END, words_and_marks
from punct_eval import Network

PLACES = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 100.0)
KINDS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0)
SILENCES = (0.0, 1.0, 2.0, 3.0, 4.0, 100.0)
SHOWN = 15


def aligned(left, right):
    """Pairs of places of the words of two texts that stand for each other (Levenshtein)."""
    cost = np.zeros((len(left) + 1, len(right) + 1), dtype=int)
    cost[:, 0], cost[0] = np.arange(len(left) + 1), np.arange(len(right) + 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            cost[i + 1, j + 1] = min(cost[i, j] + (a != b), cost[i, j + 1] + 1, cost[i + 1, j] + 1)
    i, j, pairs = len(left), len(right), []
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + (left[i - 1] != right[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def score(reference, bounds, marks):
    """Said, written, both; marks between the same two aligned words are at the same place."""
    total = np.zeros(3, dtype=int)
    for (i, j), (k, l) in zip(bounds, bounds[1:]):
        said = collections.Counter(m for m in reference[i:k] if m not in (NONE, ANY_END))
        written = collections.Counter(m for m in marks[j:l] if m != NONE)
        if ANY_END in reference[i:k]:
            written.pop(STOP, None), written.pop(QUESTION, None)
        total += [said.total(), written.total(), (said & written).total()]
    return total


@torch.no_grad()
def log_probs(network, words):
    ids = [network.index.get(word, network.index[UNKNOWN]) for word in words]
    ids += [network.index[END]] * network.late
    return network.network(torch.tensor([ids]))[0, network.late :].log_softmax(-1).numpy()


def decide(scores, written, place, kind, silence):
    scores = scores.copy()
    scores[:, 0] = -np.inf
    for row, mark in zip(scores, written):
        if mark == NONE:
            row[NONE] += silence
        else:
            row[NONE + 1 :] += place
            row[mark] += kind
    scores[-1, [NONE, COMMA, PAUSE]] = -np.inf
    return scores.argmax(-1).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", type=pathlib.Path, nargs="+", help="what ting eval --json wrote")
    parser.add_argument("--model", type=pathlib.Path, required=True, help="model folder with the network")
    args = parser.parse_args()
    torch.set_num_threads(1)
    network, texts = Network(args.model), collections.defaultdict(list)
    for path in args.results:
        for utterance in json.loads(path.read_text(encoding="utf-8"))["utterances"]:
            lang = utterance["language"]
            reference = words_and_marks(utterance["reference"], lang)
            written = words_and_marks(utterance["hypothesis"], lang)
            if reference and written and set(reference[1]) - {NONE, ANY_END}:
                words, marks = written[0], [NONE if m == ANY_END else m for m in written[1]]
                pairs = aligned(reference[0], words)
                bounds = [(0, 0), *pairs, (len(reference[0]), len(words))]
                texts[path.stem, lang].append((reference[1], bounds, marks, log_probs(network, words)))
    groups = sorted(texts)
    f1 = lambda total: 2 * total[2] / max(total[0] + total[1], 1)
    measure = lambda decide: [f1(sum(score(r, b, decide(m, p)) for r, b, m, p in texts[group])) for group in groups]
    results = []
    for place, kind, silence in itertools.product(PLACES, KINDS, SILENCES):
        name = f"{place:g} | {kind:g} | {silence:g}"
        results.append((name, measure(lambda marks, p: decide(p, marks, place, kind, silence))))
    alone = [results[0], ("recogniser | alone | ", measure(lambda marks, _: marks))]
    print("| place | kind | silence | " + " | ".join(" ".join(group) for group in groups) + " | mean |")
    print("|---:|---:|---:|" + "---:|" * (len(groups) + 1))
    for name, each in [*alone, *sorted(results, key=lambda r: -np.mean(r[1]))[:SHOWN]]:
        print(f"| {name} | " + " | ".join(f"{100 * v:.1f}" for v in [*each, np.mean(each)]) + " |")


if __name__ == "__main__":
    main()
