"""Writes how the tokens and the English words are pronounced, for the recogniser's second look at a final: `sounds.txt` and `lexicon.txt.gz`.

    python training/lexicon.py --work WORK --out WORK/model

`sounds.txt` has the labels of the pronunciation head, one a line, the blank first: toned syllables, morae, phones. `lexicon.txt.gz` is packed; a line of it is
a token, or a word as `▁word▁`, then a tab and its pronunciations, the commonest first (`一<tab>yi1|yi2`, `▁and▁<tab>ɐ n d`). Words
are those of the text, as espeak-ng says them. What a token sounds like is learned from whole sentences and words, in Japanese from those of a dictionary (jdic.py) too: each is cut into
as many parts as it has tokens so that the same tokens get the same sounds as often as possible (expectation maximisation along the best
cut, as in Jiampojamarn et al. 2007, "Applying many-to-many alignments and hidden Markov models to letter-to-phoneme conversion").
"""

import argparse
import collections
import gzip
import json
import math
import pathlib

import jdic
import text as T
from train import Targets

# Sounds of one token at most.
LONGEST = 7
# A pronunciation is kept that at least this share of a token's uses has, and no more than so many of a token.
LEAST, MOST = 0.1, 4
ROUNDS = 6
# Morae that no character's reading begins with.
NO_BEGIN = ("ー", "ッ", "ン")


def unseen_ln(token, sounds):
    """ln P of sounds that a token was not seen with: rather few, about one for a letter."""
    if "\u3400" <= token <= "\u9fff":
        # Most are two morae, of which the second may be a long vowel, a double consonant or n; none begins with these.
        return -5 - 4.0 * abs(len(sounds) - 1.7) - (12 if sounds and sounds[0] in NO_BEGIN else 0) - (6 if not sounds else 0)
    letters = len(token.replace("▁", ""))
    return -1 - 4.0 * len(sounds) - 2.0 * abs(len(sounds) - 0.85 * letters)


def cut(tokens, sounds, ln_p):
    """`sounds` as one part for each of `tokens`, the likeliest; None where they are too many."""
    best = [{0: (0.0, 0)}]
    for token in tokens:
        reached = {}
        for start, (score, _) in best[-1].items():
            for end in range(start, min(len(sounds), start + LONGEST) + 1):
                total = score + ln_p(token, sounds[start:end])
                if end not in reached or total > reached[end][0]:
                    reached[end] = (total, start)
        best.append(reached)
    if len(sounds) not in best[-1]:
        return None
    parts, end = [], len(sounds)
    for reached in reversed(best[1:]):
        start = reached[end][1]
        parts.append(sounds[start:end])
        end = start
    return parts[::-1]


def learned(pairs):
    """{token: Counter of its sounds} of (tokens, sounds) pairs."""
    seen = {}
    for _ in range(ROUNDS):
        totals = {token: sum(counts.values()) for token, counts in seen.items()}

        def ln_p(token, sounds):
            unseen = unseen_ln(token, sounds)
            if token not in seen:
                return unseen
            return math.log((seen[token][sounds] + 0.01 * math.exp(unseen)) / (totals[token] + 0.01))

        found = collections.defaultdict(collections.Counter)
        for tokens, sounds in pairs:
            for token, part in zip(tokens, cut(tokens, sounds, ln_p) or ()):
                found[token][part] += 1
        seen = found
    return seen


def common(counts):
    """The pronunciations to keep, the commonest first."""
    total = sum(counts.values())
    return [sounds for sounds, n in counts.most_common(MOST) if n >= LEAST * total]


def chinese(lines, tokens):
    """{token: Counter of its sounds}: a character has one syllable."""
    seen = collections.defaultdict(collections.Counter)
    for line in lines:
        line = T.strip_marks(line)
        syllables = T.pinyin(line)
        if len(syllables) == len(line):
            for character, syllable in zip(line, syllables):
                seen[character][(syllable,)] += 1
    for token in tokens:
        if token not in seen and (usual := T.pinyin(token)):
            seen[token][tuple(usual[:1])] += 1
    return seen


def write_packed(path, lines):
    """A text of `lines`, packed with gzip; the same lines always give the same bytes."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        packed.write(("\n".join(lines) + "\n").encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    targets = Targets(args.work)
    texts = {lang: [target for _, target in pairs] for lang, pairs in json.loads((args.work / "texts.json").read_text()).items()}
    # The first letter of a label of the auxiliary loss is its language's; without it they are different all the same.
    sounds = [targets.aux[0], *(label[1:] for label in targets.aux[1:])]
    assert len(set(sounds)) == len(sounds)
    known = set(sounds)

    words = {word: tuple(s for s in phones if s in known) for word, phones in targets.phones.items()}
    words = {word: phones for word, phones in words.items() if phones}
    # Characters that Chinese and Japanese share have the sounds of both.
    of_token = collections.defaultdict(list)
    zh = [token for token, is_zh in zip(targets.tokens, targets.zh) if is_zh]
    ja = [(T.strip_marks(line), tuple(s for s in T.kana(line) if s in known)) for line in texts["ja"]]
    # The dictionary has each character in many words; sentences have the characters that are said most.
    ja += [(word, tuple(morae)) for word, morae in jdic.words(jdic.DEAREST) if all(m in known for m in morae) and all(c in targets.ids for c in word)]
    english = [(targets.bpe.encode(word, out_type=str), phones) for word, phones in words.items()]
    for seen in (learned(english), chinese(texts["zh"], zh), learned(ja)):
        for token in targets.tokens:
            if token in seen:
                of_token[token] += [p for p in common(seen[token]) if all(s in known for s in p)]

    rows = [f"{token}\t{'|'.join(' '.join(p) for p in of_token[token])}" for token in targets.tokens if of_token[token]]
    rows += [f"▁{word}▁\t{' '.join(phones)}" for word, phones in sorted(words.items())]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "sounds.txt").write_text("\n".join(sounds) + "\n", encoding="utf-8")
    write_packed(args.out / "lexicon.txt.gz", rows)
    print(len(words), "words,", len(rows) - len(words), "of", len(targets.tokens), "tokens have a pronunciation")


if __name__ == "__main__":
    main()
