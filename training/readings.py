"""Writes `readings.txt`: how the Chinese characters of a token list are read.

A line is a character, a tab and its toned syllables in pinyin, the commonest first (`行<tab>xing2 hang2`). The
readings are those that pypinyin gives the character in the sentences of `text/zh.txt`, if at least one in twenty is,
and its usual one. The recogniser uses them for hotwords: what sounds like a listed name may be it. Further characters of GB 2312 and
of the text, which are no tokens, are there with their usual reading: names have them.
"""

import argparse
import collections
import pathlib

import text as T

LEAST = 0.05


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with text/")
    parser.add_argument("--tokens", type=pathlib.Path, required=True, help="tokens.txt of the model")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    counts = collections.defaultdict(collections.Counter)
    for line in (args.data / "text" / "zh.txt").read_text(encoding="utf-8").split("\n"):
        line = T.strip_marks(T.normalize(line, "zh") or "")
        syllables = T.pinyin(line)
        if len(syllables) == len(line):
            for character, syllable in zip(line, syllables):
                counts[character][syllable] += 1
    rows = []
    for row in args.tokens.read_text(encoding="utf-8").splitlines():
        token, _, languages = row.partition("\t")
        if "zh" not in languages.split(","):
            continue
        usual = T.pinyin(token)
        seen = counts[token]
        total = sum(seen.values())
        readings = [s for s, n in seen.most_common() if n >= LEAST * total]
        readings += [s for s in usual if s not in readings]
        if readings:
            rows.append(f"{token}\t{' '.join(readings)}")
    known = {row.partition("\t")[0] for row in rows}
    further = {bytes((b, c)).decode("gb2312", "ignore") for b in range(0xB0, 0xF8) for c in range(0xA1, 0xFF)}
    for line in (args.data / "text" / "zh.txt").read_text(encoding="utf-8").split("\n"):
        further.update(c for c in line if "\u4e00" <= c <= "\u9fff")
    for character in sorted(further - known - {""}):
        # A traditional character is read as its simplified one is.
        usual = T.pinyin(character) or T.pinyin(T.to_simplified(character))
        if usual:
            rows.append(f"{character}\t{usual[0]}")
    args.out.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(len(rows), "characters,", sum(len(r.split(" ")) for r in rows), "readings")


if __name__ == "__main__":
    main()
