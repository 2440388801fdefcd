"""Makes an evaluation set of synthesised sentences that no training step has seen: SET.tsv and SET.tar.

The sentences are the held-out lines of `text/` (see text.is_held_out), spoken by random voices.
"""

import argparse
import io
import pathlib
import tarfile

import numpy as np
import soundfile as sf

import text as T
from prepare import surround
from synth import RATE, Espeak, random_sentence
from tokens import lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for synth-zh.tsv, synth-zh.tar, ...")
    parser.add_argument("--count", type=int, default=150, help="sentences per language")
    parser.add_argument("--skip", type=int, default=0, help="sentences left out first, such as those tuned on")
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    espeak, rng, order = Espeak(), np.random.default_rng(args.seed), np.random.default_rng(0)
    for lang in ("zh", "en", "ja"):
        held_out = [line for line, _ in lines(args.data, lang, held_out=True)]
        order.shuffle(held_out)
        rows = ["id\tsplit\tseconds\tspeaker\ttext\tsource\tlicence"]
        with tarfile.open(args.out / f"synth-{lang}.tar", "w") as tar:
            for i, line in enumerate(held_out[args.skip : args.skip + args.count]):
                wave, voice = random_sentence(espeak, rng, line, lang)
                wave = surround(wave, rng) * (0.5 / np.abs(wave).max())
                data = io.BytesIO()
                sf.write(data, wave, RATE, format="WAV", subtype="PCM_16")
                name = f"synth-{lang}-{i:05d}"
                info = tarfile.TarInfo(f"{name}.wav")
                info.size = data.tell()
                data.seek(0)
                tar.addfile(info, data)
                reference = T.to_simplified(line) if lang == "zh" else line
                rows.append(f"{name}\tdev\t{len(wave) / RATE:.2f}\t{voice}\t{reference}\tsynthesis over text/{lang}.txt\tCC0-1.0")
        (args.out / f"synth-{lang}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
