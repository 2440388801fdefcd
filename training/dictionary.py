"""Writes the Japanese words that the recogniser may write by their sounds alone, `dictionary.txt.gz`, and the section of `config.json` that
goes with it.

    python training/dictionary.py --work WORK --data DATA --out WORK/model

Words, costs and what may stand beside what are those of Open JTalk's dictionary (jdic.py), whose costs are MeCab's: the less, the likelier
(Kudo et al. 2004, "Applying Conditional Random Fields to Japanese Morphological Analysis"). To be small:

- the 1377 kinds of words are joined into `--classes` by what their costs beside others are (k-means);
- verbs and adjectives are a stem and endings, each a word of its own; only the ending of its conjugation follows a stem;
- names but the commonest, rare words, rare forms, and spellings in kana of what a commoner spelling writes with characters are left out.

Names that are left out are nothing to write unasked, but what a listed hotword may be: they follow the words, with how they are read.

The format is described with `Dictionary` in `crates/ting-models/src/dictionary.rs`.
"""

import argparse
import collections
import functools
import json
import math
import pathlib
import statistics

import jdic
import numpy as np
import text as T
from lexicon import write_packed
from train import Targets

# Costs of words that are written: nouns are many, of the little words all are.
DEAREST_NOUN, DEAREST_NAME, DEAREST_VERB, DEAREST = 6300, 6000, 8400, 9600
NOUNS = ("一般", "サ変接続", "形容動詞語幹")
NO_WORDS = ("記号", "フィラー")
INFLECTED = ("動詞", "形容詞")
# The forms of verbs and adjectives that are in use. "*" is for words that have no forms.
FORMS = "基本形 連用形 未然形 連用タ接続 仮定形 命令ｅ 命令ｒｏ 未然ウ接続 連用テ接続 ガル接続 未然レル接続 連用デ接続 音便基本形 連用ニ接続".split()
# Conjugations of dialects and of the written language of old.
OLD = ("ウ音便", "文語", "ユク")
# Letters of a name at most: the dictionary has addresses.
LONGEST_NAME = 3
# Of names by their kind, what those cost at most whose readings are written, and their letters.
READ_NAMES = {("人名", "姓"): 8600, ("人名", "名"): 8600, ("地域", "一般"): 8400, ("地域", "国"): 8400}
LONGEST_READ_NAME = 4
# MeCab's costs are 700 times a natural logarithm; the file has quarters of it.
UNIT = 175
# How much what counts in the search; tuned on `ja-words` and synthesised sentences.
CONFIG = {"cost_weight": 0.2, "lm_weight": 0.3, "token_weight": 0.1, "sound_bonus": 1.7, "beam": 800}
# Nothing follows but what has to.
NEVER = 99


def is_han(c):
    return "\u3400" <= c <= "\u9fff" or c == "々"


def is_hiragana(c):
    return "ぁ" <= c <= "ゖ"


def is_katakana(c):
    return "ァ" <= c <= "ヺ"


def is_letter(c):
    return is_han(c) or is_hiragana(c) or is_katakana(c) or c == "ー"


def in_hiragana(word):
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in word)


def writes_less(word, other):
    """Whether `word` is `other` with some of its characters in kana."""

    @functools.lru_cache(None)
    def go(i, j):
        if j == len(other):
            return i == len(word)
        if i < len(word) and word[i] == other[j] and go(i + 1, j + 1):
            return True
        if not is_han(other[j]):
            return False
        kana = 0
        while i + kana < len(word) and not is_han(word[i + kana]) and kana < 5:
            kana += 1
            if go(i + kana, j + 1):
                return True
        return False

    return word != other and go(0, 0)


class Entry(collections.namedtuple("Entry", "word morae left right cost kind finer conjugation form base")):
    """A word of the dictionary, with its morae."""

    @property
    def inflects(self):
        return self.kind in INFLECTED and self.finer == "自立"

    @property
    def dearest(self):
        if self.inflects:
            return DEAREST_VERB
        if self.kind == "名詞" and self.finer == "固有名詞":
            return DEAREST_NAME
        return DEAREST_NOUN if self.kind == "名詞" and self.finer in NOUNS else DEAREST


def morae_heard(targets):
    """The morae that the pronunciation head knows."""
    return {label[1:] for label in targets.aux if label[0] == "J"}


def entries(targets):
    """The words that may be written, of each (spelling, reading, kind) the commonest."""
    sounds = morae_heard(targets)
    letters = {token for token, is_ja in zip(targets.tokens, targets.ja) if is_ja}
    found = {}
    for word, left, right, cost, row in jdic.entries():
        if len(row) <= jdic.SPOKEN or row[jdic.KIND] in NO_WORDS or not letters.issuperset(word):
            continue
        entry = Entry(word, tuple(T.morae(row[jdic.SPOKEN])), left, right, cost, row[jdic.KIND], row[jdic.FINER], row[jdic.KIND_OF_FORMS], row[jdic.FORM], row[jdic.BASE])
        if entry.finer == "固有名詞" and len(word) > LONGEST_NAME:
            continue
        if not entry.morae or cost > entry.dearest or any(m not in sounds for m in entry.morae):
            continue
        if entry.form not in FORMS and (entry.inflects or entry.form != "*"):
            continue
        if entry.inflects and any(old in entry.conjugation for old in OLD):
            continue
        key = entry.word, entry.morae, left
        if key not in found or cost < found[key].cost:
            found[key] = entry
    return list(found.values())


def read_names(targets, known):
    """Sorted [(morae, name, left, right)] of the names that are not among the `known` (morae, name)."""
    sounds, found = morae_heard(targets), {}
    for word, left, right, cost, row in jdic.entries():
        if len(row) <= jdic.SPOKEN or row[jdic.FINER] != "固有名詞" or cost > READ_NAMES.get((row[jdic.FINEST], row[jdic.OF_NAME]), -1):
            continue
        morae = tuple(T.morae(row[jdic.SPOKEN]))
        if len(word) > LONGEST_READ_NAME or not all(map(is_letter, word)) or not morae or not sounds.issuperset(morae):
            continue
        key = morae, word
        if key not in known and cost < found.get(key, (math.inf,))[0]:
            found[key] = cost, left, right
    return [(*name, left, right) for name, (_, left, right) in sorted(found.items())]


def usual(entries, text):
    """`entries` without the spellings that nobody uses. `text` is what people write."""
    # Of spellings that differ in how many kana are written between the same characters, the fullest of the commonest.
    fullest = {}
    for entry in entries:
        characters = "".join(filter(is_han, entry.word))
        key = (entry.morae, entry.left, characters or entry.word)
        if key not in fullest or (entry.cost, -len(entry.word)) < (fullest[key].cost, -len(fullest[key].word)):
            fullest[key] = entry
    entries = list(fullest.values())
    by_morae, by_kind = collections.defaultdict(set), collections.defaultdict(list)
    for entry in entries:
        by_morae[entry.morae].add(entry.word)
        by_kind[entry.morae, entry.left].append(entry)

    def keep(entry):
        word = entry.word
        if any(map(is_katakana, word)) and in_hiragana(word) in by_morae[entry.morae]:
            # What is spelled in both is no foreign word, unless people say so.
            mixed = any(is_hiragana(c) or is_han(c) for c in word)
            if mixed or ("ー" not in word and word not in text):
                return False
        if not any(map(is_han, word)):
            return True
        characters = sum(map(is_han, word))
        return not any(
            len(other.word) <= len(word) and sum(map(is_han, other.word)) > characters and other.cost <= entry.cost and writes_less(word, other.word)
            for other in by_kind[entry.morae, entry.left]
        )

    return list(filter(keep, entries))


def classes(costs, weights, count):
    """For each kind of word its class, from 1; kind 0, the ends of a sentence, is class 0. k-means over what each costs beside the others."""
    random = np.random.default_rng(0)
    scale = np.sqrt(weights) / np.sqrt(weights).sum()
    points = np.concatenate([costs, costs.T], 1) * np.concatenate([scale, scale])
    squares = (points**2).sum(1)

    def distances(centres):
        return squares[:, None] - 2 * points @ centres.T + (centres**2).sum(1)

    centres = points[random.choice(len(points), 1, p=weights / weights.sum())]
    while len(centres) < count - 1:
        far = np.maximum(distances(centres).min(1), 0) * weights
        centres = np.concatenate([centres, points[random.choice(len(points), 1, p=far / far.sum())]])
    for _ in range(30):
        nearest = distances(centres).argmin(1)
        for i in range(len(centres)):
            if (mine := nearest == i).any():
                centres[i] = (points[mine] * weights[mine, None]).sum(0) / weights[mine].sum()
    nearest += 1
    nearest[0] = 0
    return nearest


def split(forms):
    """(stem, its morae, {form: (ending, its morae)}) of the entries of one verb; None where nothing is the same in all."""
    words, morae = [e.word for e in forms], [e.morae for e in forms]

    def common(texts):
        n = 0
        while all(len(t) > n for t in texts) and len({t[n] for t in texts}) == 1:
            n += 1
        return n

    letters, sounds = common(words), common(morae)
    # Such as those of 来る.
    if not letters or not sounds:
        return None
    return words[0][:letters], morae[0][:sounds], {e.form: (e.word[letters:], e.morae[sounds:]) for e in forms}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--classes", type=int, default=100)
    args = parser.parse_args()
    text = (args.data / "text" / "ja.txt").read_text(encoding="utf-8")
    targets = Targets(args.work)
    words = usual(entries(targets), text)

    costs = jdic.connections()
    kinds = sorted({0, *(e.left for e in words), *(e.right for e in words)})
    place = {kind: i for i, kind in enumerate(kinds)}
    costs = costs[np.ix_(kinds, kinds)].astype(np.float64)
    weights = np.full(len(kinds), 0.05)
    for e in words:
        weights[place[e.left]] += 1e5 * np.exp(-e.cost / 700)
    weights = np.minimum(weights, np.percentile(weights, 95))
    of_kind = classes(costs, weights, args.classes)
    count = int(of_kind.max()) + 1
    share = np.zeros((count, len(kinds)))
    share[of_kind, np.arange(len(kinds))] = weights
    share /= share.sum(1, keepdims=True)
    between = share @ costs @ share.T

    # Verbs: by base form and conjugation.
    verbs, rows = collections.defaultdict(dict), []
    for e in words:
        if e.inflects:
            verbs[e.base, e.conjugation].setdefault(e.form, e)
        else:
            rows.append((e.word, e.morae, of_kind[place[e.left]], of_kind[place[e.right]], e.cost))
    conjugations = sorted({conjugation for _, conjugation in verbs})
    stem = {conjugation: count + i for i, conjugation in enumerate(conjugations)}
    ending_of = {conjugation: count + len(conjugations) + i for i, conjugation in enumerate(conjugations)}
    endings, lefts = collections.defaultdict(list), collections.defaultdict(set)
    for (base, conjugation), forms in verbs.items():
        cut = split(list(forms.values())) if len(forms) > 1 else None
        if cut is None:
            rows += [(e.word, e.morae, of_kind[place[e.left]], of_kind[place[e.right]], e.cost) for e in forms.values()]
            continue
        letters, morae, parts = cut
        least = min(e.cost for e in forms.values())
        rows.append((letters, morae, stem[conjugation], stem[conjugation], least))
        for form, (ending, sounds) in parts.items():
            e = forms[form]
            if ending and sounds:
                endings[conjugation, ending, sounds, e.right].append(e.cost - least)
                lefts[conjugation].add(e.left)
            else:
                rows.append((e.word, e.morae, of_kind[place[e.left]], of_kind[place[e.right]], e.cost))
    for (conjugation, ending, sounds, right), added in endings.items():
        # A reading that is cut elsewhere than the spelling gives an ending that hardly any verb has.
        if len(added) > 1:
            rows.append((ending, sounds, ending_of[conjugation], of_kind[place[right]], statistics.median(added)))

    total = count + 2 * len(conjugations)
    table = np.full((total, total), NEVER * UNIT, dtype=np.float64)
    table[:count, :count] = between
    for conjugation in conjugations:
        of = [place[left] for left in lefts[conjugation]]
        if of:
            table[:count, stem[conjugation]] = (share @ costs[:, of]).mean(1)
            table[stem[conjugation], ending_of[conjugation]] = 0

    rows = sorted({(morae, word, left, right): round(cost / UNIT) for word, morae, left, right, cost in sorted(rows, key=lambda row: -row[4])}.items())
    lines = [str(total), *(" ".join(str(round(cost / UNIT)) for cost in row) for row in table)]
    names = read_names(targets, {(morae, word) for (morae, word, *_), _ in rows})
    rows = [(morae, (word, left, right, cost)) for (morae, word, left, right), cost in rows]
    rows += [(morae, (name, of_kind[place[left]], of_kind[place[right]])) for morae, name, left, right in names]
    before = None
    for morae, fields in rows:
        reading = "" if morae == before else " ".join(morae)
        before = morae
        lines.append("\t".join(map(str, [reading, *fields])))
    args.out.mkdir(parents=True, exist_ok=True)
    write_packed(args.out / "dictionary.txt.gz", lines)
    path = args.out / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["dictionary"] = CONFIG
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(len(rows) - len(names), "words,", len(names), "names to be read,", total, "classes,", (args.out / "dictionary.txt.gz").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
