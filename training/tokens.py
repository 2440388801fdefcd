"""Builds the token set: `<blank>`, four marks, English subwords, kana, and Chinese and Japanese characters.

Writes `tokens.txt` (what the recogniser reads: token TAB languages), `bpe.model`, `phones.json` (the phones of each English
word) and `inter.txt` (targets of the auxiliary loss: toned syllables, morae and phones).
"""

import argparse
import collections
import json
import pathlib

import sentencepiece as spm

import jdic
import text as T
from synth import Espeak


def read_table(path):
    with open(path, encoding="utf-8") as f:
        header = f.readline().rstrip("\n").split("\t")
        return [dict(zip(header, line.rstrip("\n").split("\t"))) for line in f]


def lines(data, lang, held_out=False):
    """Lines of a language, those of the training or those held out: (as published, target)."""
    for line in (data / "text" / f"{lang}.txt").read_text(encoding="utf-8").split("\n"):
        if line.strip() and T.is_held_out(line) == held_out:
            target = T.normalize(line, lang)
            if target:
                yield line.strip(), target


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with text/ and speech/")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where checkpoints and features go")
    parser.add_argument("--subwords", type=int, default=1000)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)

    texts = {lang: list(lines(args.data, lang)) for lang in ("zh", "en", "ja")}
    measured = set()
    for table in sorted((args.data / "speech").glob("*-*.tsv")):
        lang = table.name[:2]
        for row in read_table(table):
            target = T.normalize(row["text"].split("|")[0], lang)
            if target and row["split"] == "train":
                texts[lang].append((None, target))
            elif target:
                measured.add(T.strip_marks(target))
    # Lines of text/ that somebody reads in the split `dev` count for which tokens there are, but neither the synthesizers nor the
    # language model see them: errors are to be those on new sentences.
    kept = {
        lang: [(line, t) for line, t in pairs if line is None or T.strip_marks(t) not in measured] for lang, pairs in texts.items()
    }
    (args.work / "texts.json").write_text(json.dumps(kept, ensure_ascii=False))

    corpus = args.work / "en.txt"
    corpus.write_text("\n".join(T.strip_marks(t) for _, t in texts["en"]))
    spm.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(args.work / "bpe"), vocab_size=args.subwords, model_type="unigram",
        character_coverage=1.0, add_dummy_prefix=True, unk_id=0, bos_id=-1, eos_id=-1, minloglevel=2,
    )
    model = spm.SentencePieceProcessor(model_file=str(args.work / "bpe.model"))
    pieces = [model.id_to_piece(i) for i in range(1, model.get_piece_size())]

    languages = collections.defaultdict(set)
    for lang, least in (("zh", 2), ("ja", 2)):
        counts = collections.Counter(c for _, t in texts[lang] for c in T.strip_marks(t))
        for c, n in counts.items():
            if n >= least:
                languages[c].add(lang)
    # The sentences in Japanese are few: characters that they lack are Japanese all the same.
    for word, _ in jdic.words(jdic.DEAREST):
        for c in word:
            if c in languages:
                languages[c].add("ja")
    tokens = [("<blank>", "")] + [(m, "") for m in T.MARKS] + [(p, "en") for p in pieces]
    tokens += [(c, ",".join(sorted(languages[c]))) for c in sorted(languages)]
    (args.work / "tokens.txt").write_text("".join(f"{t}\t{l}\n" if l else f"{t}\n" for t, l in tokens))

    write_auxiliary(args.work, texts)
    print({k: len(v) for k, v in texts.items()}, "tokens", len(tokens))


def write_auxiliary(work, texts):
    """Sounds are easier to learn than spellings: a middle layer of the network is trained to tell them."""
    espeak = Espeak()
    words = sorted({w for _, t in texts["en"] for w in T.strip_marks(t).split()})
    phones = {w: espeak.phones(w) for w in words}
    (work / "phones.json").write_text(json.dumps(phones, ensure_ascii=False))
    inter = collections.Counter("E" + p for w in words for p in phones[w])
    for _, t in texts["zh"]:
        inter.update("Z" + s for s in T.pinyin(T.strip_marks(t)))
    for _, t in texts["ja"]:
        inter.update("J" + m for m in T.kana(t))
    names = ["<blank>"] + sorted(k for k, n in inter.items() if n >= 2)
    (work / "inter.txt").write_text("\n".join(names) + "\n")


if __name__ == "__main__":
    main()
