"""Text of the punctuation network: lines as words with marks, running text made of them, errors like a recogniser's.

A word is a Chinese or Japanese character, or an English word in lower case: what FunASR's CT-Transformer reads.
"""

import collections
import csv
import pathlib
import re

import numpy as np

import text as T

# The classes of the published `ct-punc`, in its order.
CLASSES = ["<unk>", "_", "，", "。", "？", "、"]
NONE, COMMA, STOP, QUESTION, PAUSE = 1, 2, 3, 4, 5
# The mark at the end of a line that has none: a full stop or a question mark, nobody says which.
ANY_END = 6
UNKNOWN, END = "<unk>", "</s>"
LANGUAGES = ("zh", "en", "ja")
_PARTS = re.compile(r"[a-z']+|[^a-z' ]")


def words_and_marks(line: str, lang: str):
    """The words of a line as published and the class of the mark after each, or None where it cannot be spoken as
    written. `lang` may also be `yue`, which is read as Chinese."""
    chinese = lang in ("zh", "yue")
    # The normalisation makes a comma of every pause; in Chinese the enumeration comma is a mark of its own.
    parts = line.split("、") if chinese else [line]
    parts = [T.normalize(part, "zh" if chinese else lang) for part in parts if part.strip()]
    if not parts or None in parts:
        return None
    words, marks = [], []
    for piece in _PARTS.findall("、".join(parts).replace("，、", "、")):
        if piece not in "，。？！、":
            words.append(piece)
            marks.append(NONE)
        elif words:
            marks[-1] = CLASSES.index("。" if piece == "！" else piece)
    if not words:
        return None
    if marks[-1] not in (STOP, QUESTION):
        marks[-1] = ANY_END
    return words, marks


def read_lines(path: pathlib.Path):
    return [line.strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def transcripts(table: pathlib.Path):
    with open(table, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


class Corpus:
    """Lines by language, `train` and `held_out`, each a list of `(words, marks)`.

    Held out are the lines that `text.is_held_out` names and the transcripts of the split `dev`; a line that is in both
    parts is not trained on.
    """

    def __init__(self, data: pathlib.Path):
        self.train = collections.defaultdict(list)
        self.held_out = collections.defaultdict(list)
        raw = collections.defaultdict(list)
        for lang in (*LANGUAGES, "yue"):
            path = data / "text" / f"{lang}.txt"
            for line in read_lines(path) if path.exists() else []:
                raw[lang, T.is_held_out(line)].append(line)
        for table in sorted((data / "speech").glob("*-read.tsv")):
            for row in transcripts(table):
                # A transcript without marks tells nothing.
                if re.search("[，。？！、,.?!]", row["text"]):
                    raw[table.name[:2] + "-read", row["split"] != "train"].append(row["text"])
        kept_back = {line for (_, held), lines in raw.items() if held for line in lines}
        for (source, held), lines in raw.items():
            part = self.held_out if held else self.train
            for line in lines:
                entry = words_and_marks(line, source.split("-")[0])
                # Cantonese is mostly without marks at its ends: its commas are what it is read for.
                wanted = entry and (source != "yue" or any(m != NONE for m in entry[1][:-1]))
                if wanted and (held or line not in kept_back):
                    part[source].append(entry)


def vocabulary(corpus: Corpus):
    """The tokens, most general first: what is rarer than this is `<unk>`, of which training sees enough."""
    least = {"zh": 8, "en": 8, "ja": 4, "zh-read": 20, "en-read": 20}
    tokens = {UNKNOWN: 0, END: 0}
    for source, count in least.items():
        counts = collections.Counter(word for words, _ in corpus.train[source] for word in words)
        for word, n in counts.most_common():
            if n >= count:
                tokens.setdefault(word, n)
    return list(tokens)


class Errors:
    """Changes words as a recogniser does: others that sound alike, words left out, words too many."""

    def __init__(self, corpus: Corpus, tokens):
        from pypinyin import lazy_pinyin

        self.alike = {}
        groups = collections.defaultdict(list)
        for token in tokens:
            if len(token) == 1 and "\u3400" <= token <= "\u9fff":
                groups["Z" + lazy_pinyin(token)[0]].append(token)
            elif len(token) == 1 and "\u3040" <= token <= "\u30ff":
                groups["J"].append(token)
            elif token[0].isalpha() and token.isascii():
                # Words of one beginning and about one length are what it mistakes for each other.
                groups[f"E{token[:2]}{len(token) // 3}"].append(token)
        for group in groups.values():
            for token in group:
                self.alike[token] = group
        self.frequent = {}
        for lang in LANGUAGES:
            counts = collections.Counter(word for words, _ in corpus.train[lang] for word in words)
            self.frequent[lang] = [word for word, _ in counts.most_common(300)]

    def apply(self, words, marks, rate, lang, rng):
        """`rate` is the share of words that are changed. The mark of a word that is left out goes to the word before
        it."""
        out_words, out_marks = [], []
        kinds = rng.random(len(words)) < rate
        for word, mark, change in zip(words, marks, kinds):
            kind = rng.random() if change else 1.0
            if kind < 0.22:
                if out_words and mark != NONE:
                    out_marks[-1] = mark
                continue
            if kind < 0.72:
                group = self.alike.get(word) or self.frequent[lang]
                word = group[rng.integers(len(group))]
            elif kind < 0.85:
                word = UNKNOWN
            elif kind < 1.0:
                out_words.append(self.frequent[lang][rng.integers(len(self.frequent[lang]))])
                out_marks.append(NONE)
            out_words.append(word)
            out_marks.append(mark)
        return out_words, out_marks


class Running:
    """Running text: several lines of a language one after the other, with errors in half of them."""

    SHARES = {"zh": 0.2, "zh-read": 0.2, "yue": 0.04, "en": 0.34, "en-read": 0.04, "ja": 0.18}
    LONGEST = 90

    def __init__(self, corpus: Corpus, errors: Errors, seed: int):
        self.lines, self.errors = corpus.train, errors
        self.rng = np.random.default_rng(seed)
        present = {source: share for source, share in self.SHARES.items() if corpus.train[source]}
        self.sources = list(present)
        self.shares = np.array(list(present.values())) / sum(present.values())

    def draw(self):
        """Words and marks; the last word's mark is the end of a sentence."""
        rng = self.rng
        source = self.sources[rng.choice(len(self.sources), p=self.shares)]
        lines = self.lines[source]
        count = rng.choice([1, 2, 3, 4, 6], p=[0.35, 0.25, 0.2, 0.1, 0.1])
        place = rng.integers(len(lines))
        follow = rng.random() < 0.5
        words, marks = [], []
        for _ in range(count):
            more_words, more_marks = lines[place % len(lines)]
            if words and len(words) + len(more_words) > self.LONGEST:
                break
            words, marks = words + more_words, marks + more_marks
            place = place + 1 if follow else rng.integers(len(lines))
        if rng.random() < 0.1 and len(words) > 6:
            # A segment may begin in the middle of a sentence.
            cut = rng.integers(1, len(words) // 2)
            words, marks = words[cut:], marks[cut:]
        rate = 0.0 if rng.random() < 0.5 else rng.uniform(0.02, 0.4)
        lang = "zh" if source == "yue" else source[:2]
        changed = self.errors.apply(words, marks, rate, lang, rng) if rate else (words, marks)
        words, marks = changed if changed[0] else (words, marks)
        return words[: self.LONGEST], marks[: self.LONGEST]
