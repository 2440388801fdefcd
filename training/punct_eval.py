"""F1 of each punctuation mark on held-out text, of the network in a model folder beside the rules of `punct_rules.py`.

    python training/punct_eval.py --data DATA --model models/tiny

Held out are the lines `text.is_held_out` names and the transcripts of the split `dev`. Three tasks: lines one by one;
running text of three lines after one another; the same with a fifth of the words changed as a recogniser might
(`punct_data.Errors`). The end of a line that was published without a mark is not counted.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from safetensors.torch import load_file

from punct import Punctuation
from punct_data import ANY_END, CLASSES, COMMA, END, LANGUAGES, NONE, PAUSE, QUESTION, STOP, UNKNOWN, Corpus, Errors
from punct_rules import fit

MARKS = (COMMA, STOP, QUESTION, PAUSE)
SOURCES = {"zh": ("zh", "zh-read"), "en": ("en", "en-read"), "ja": ("ja",)}


class Network:
    def __init__(self, folder):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))["punctuation"]
        tokens = json.loads((folder / "punc_tokens.json").read_text(encoding="utf-8"))
        self.index = {token: i for i, token in enumerate(tokens)}
        self.late = config["look_ahead"]
        self.network = Punctuation(len(tokens), config["encoder"])
        weights = load_file(folder / "punc.safetensors")
        self.network.load_state_dict({name: value.float() for name, value in weights.items()})
        self.network.eval()

    @torch.no_grad()
    def marks(self, words):
        ids = [self.index.get(word, self.index[UNKNOWN]) for word in words] + [self.index[END]] * self.late
        scores = self.network(torch.tensor([ids]))[0, self.late :]
        scores[:, 0] = -np.inf
        # The text ends with a sentence.
        scores[-1, [NONE, COMMA, PAUSE]] = -np.inf
        return scores.argmax(-1).tolist()


def counts(predict, texts):
    """[marks, 3]: in the text, written, both; for each of MARKS."""
    table = np.zeros((len(MARKS), 3), dtype=int)
    for words, marks in texts:
        for said, written in zip(marks, predict(words)):
            if said == ANY_END:
                continue
            for row, mark in enumerate(MARKS):
                table[row] += [said == mark, written == mark, said == written == mark]
    return table


def f1(row):
    return 2 * row[2] / (row[0] + row[1]) if row[0] + row[1] else float("nan")


def joined(lines, count):
    """Texts of `count` lines each."""
    groups = (lines[at : at + count] for at in range(0, len(lines), count))
    return [([w for words, _ in group for w in words], [m for _, marks in group for m in marks]) for group in groups]


def shuffled(lines, seed):
    return [lines[i] for i in np.random.default_rng(seed).permutation(len(lines))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with text/ and speech/")
    parser.add_argument("--model", type=pathlib.Path, required=True, help="model folder")
    args = parser.parse_args()
    torch.set_num_threads(1)
    corpus, network = Corpus(args.data), Network(args.model)
    errors = Errors(corpus, list(network.index))
    print("| language | text | lines | mark | in the text | rules P | rules R | rules F1 | network P | network R | network F1 |")
    print("|---|---|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for lang in LANGUAGES:
        lines = [line for source in SOURCES[lang] for line in corpus.held_out[source] if set(line[1]) - {NONE, ANY_END}]
        lines = shuffled(lines, 1)
        train = shuffled([line for source in SOURCES[lang] for line in corpus.train[source]], 2)
        macro = lambda rules, texts: np.nansum([f1(row) for row in counts(rules.marks, texts)[:3]])
        running, rng = joined(lines, 3), np.random.default_rng(3)
        changed = [text for text in (errors.apply(*text, 0.2, lang, rng) for text in running) if text[0]]
        tasks = {"lines": (joined(lines, 1), 1), "running": (running, 3), "running, 20 % wrong": (changed, 3)}
        for name, (texts, group) in tasks.items():
            rules = fit(lang, joined(train[:1500], group), macro)
            by_rules, by_network = counts(rules.marks, texts), counts(network.marks, texts)
            all_rules, all_network = by_rules.sum(0, keepdims=True), by_network.sum(0, keepdims=True)
            rows = zip([*(CLASSES[m] for m in MARKS), "all"], [*by_rules, *all_rules], [*by_network, *all_network])
            for mark, r, n in rows:
                if not r[0]:
                    continue
                cells = [f"{100 * v:.1f}" for row in (r, n) for v in (row[2] / max(row[1], 1), row[2] / row[0], f1(row))]
                print(f"| {lang} | {name} | {len(lines)} | {mark} | {r[0]} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
