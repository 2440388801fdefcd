"""Makes the training shards: recordings and synthesis, augmented, as filter banks on disk.

Each shard is `NAME.npy` (all frames, [N, 80] float16) and `NAME.json` (per utterance: language, frames, target,
auxiliary target). The trainer may start while shards are still being made.
"""

import argparse
import json
import multiprocessing
import pathlib
import re
import zlib

import numpy as np

import text as T
from augment import Augmenter, change_speed, read_tar, through_codec, without_silence
from features import fbank
from synth import Espeak, random_sentence
from tokens import read_table
from words import as_spoken, english_string, japanese_words, words_to_spell

REAL_SETS = "zh-read zh-read2 en-read en-read2 en-words ja-words".split()
# Sets of single words, of which each utterance is short: they get turns of their own.
WORD_SETS = "en-words ja-words".split()
# Sources without punctuation.
UNMARKED = ("jimbozhang/speechocean762", "QianZ423/kaldi-asr-aishell-sample")
SILENCE = 16000


def auxiliary(target, lang):
    plain = T.strip_marks(target)
    if lang == "zh":
        return ["Z" + s for s in T.pinyin(plain)]
    if lang == "ja":
        return ["J" + m for m in T.kana(plain)]
    return None  # English: the subwords themselves


def jobs(data, texts, passes):
    """(name, kind, payload), mixed so that any prefix is a fair sample of the whole."""
    result = []
    rng = np.random.default_rng(1)
    for name in REAL_SETS:
        parts = 1 + (name in ("zh-read", "en-read", "en-read2")) * 9
        for turn in range(passes["real"]):
            result += [(f"real-{name}-{turn}-{k}", "real", (name, turn, k, parts)) for k in range(parts)]
    for lang in ("zh", "en", "ja"):
        lines = [pair for pair in texts[lang] if pair[0]]
        for turn in range(passes[lang]):
            order = rng.permutation(len(lines))
            size = 400
            for k in range(0, len(order), size):
                result.append((f"synth-{lang}-{turn}-{k // size}", "synth", (lang, [lines[i] for i in order[k : k + size]])))
    rng.shuffle(result)
    # Last, so that the rest stays as it was. What is no speech has no text.
    return result + [(f"noise-{k}", "noise", (300,)) for k in range(2)] + word_jobs(texts, passes.get("words", 0))


def word_jobs(texts, turns):
    """For each turn: the recordings of words once more, 1600 English strings and the words of the Japanese lines."""
    result = []
    rng = np.random.default_rng(2)
    spelled = words_to_spell(texts["en"])
    japanese = japanese_words(t for line, t in texts["ja"] if line) if turns else []
    for turn in range(turns):
        result += [(f"words-{s}-{turn}-{k}", "real", (s, turn + 1, k, 3)) for s in WORD_SETS for k in range(3)]
        strings = [english_string(rng, spelled) for _ in range(1600)]
        order = rng.permutation(len(japanese))
        for lang, pairs in (
            ("en", [(as_spoken(s), s) for s in strings]),
            ("ja", [(japanese[i], japanese[i]) for i in order]),
        ):
            result += [(f"words-synth-{lang}-{turn}-{k // 800}", "synth", (lang, pairs[k : k + 800])) for k in range(0, len(pairs), 800)]
    rng.shuffle(result)
    return result


def transcript(row, lang):
    """The target of a recording's row, or None where it cannot be spoken as written."""
    target = T.normalize(row["text"].split("|")[0], lang)
    return T.with_final_mark(target) if target and row["source"] in UNMARKED else target


def real_utterances(speech, payload):
    name, turn, part, parts = payload
    rows = {r["id"]: r for r in read_table(speech / f"{name}.tsv")}
    lang = name[:2]

    def wanted(file):
        return rows[file.rsplit(".", 1)[0]]["split"] == "train" and zlib.crc32(file.encode()) % parts == part

    # Decoding is the greater part of the work: each part decodes its own recordings only.
    for file, wave in read_tar(speech / f"{name}.tar", wanted):
        row = rows[file.rsplit(".", 1)[0]]
        if target := transcript(row, lang):
            yield wave, target, lang


def synthetic_utterances(espeak, rng, payload):
    lang, pairs = payload
    for line, target in pairs:
        wave, _ = random_sentence(espeak, rng, line, lang)
        yield wave, target, lang


def noises(augment, rng, payload):
    """Stretches without speech. Their text is empty."""
    for _ in range(payload[0]):
        wave = augment.noise(int(rng.uniform(0.6, 6) * SILENCE))
        yield wave / (np.abs(wave).max() + 1e-6), "", "zh"


def surround(wave, rng):
    """Digital or faint silence before and after, as a segment of the recogniser has it."""
    wave = without_silence(wave)
    before, after = (int(SILENCE * x) for x in (rng.uniform(0.05, 0.4), rng.uniform(0.1, 0.6)))
    return np.concatenate([np.zeros(before, np.float32), wave, np.zeros(after, np.float32)])


def make_shard(job):
    name, kind, payload = job
    out = OPTIONS.work / "shards" / name
    if out.with_suffix(".json").exists():
        return name, 0.0
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    STATE.setdefault("augment", None)
    if STATE["augment"] is None:
        STATE["augment"] = Augmenter(OPTIONS.data / "speech", rng)
        STATE["espeak"] = Espeak()
    augment = STATE["augment"]
    augment.rng = rng
    real = kind == "real"
    source = {
        "real": lambda: real_utterances(OPTIONS.data / "speech", payload),
        "synth": lambda: synthetic_utterances(STATE["espeak"], rng, payload),
        "noise": lambda: noises(augment, rng, payload),
    }[kind]()
    waves, rows = [], []
    for wave, target, lang in source:
        if not 0.15 < len(wave) / SILENCE < 15 or not np.abs(wave).max() > 0:
            continue
        if real and payload[1] > 0:
            wave = change_speed(wave, rng)
        if not real and rng.random() < 0.3:
            wave = change_speed(wave, rng)
        waves.append(augment(surround(wave, rng), strong=not (real and payload[1] == 0)))
        rows.append((lang, target))
    if rng.random() < 0.06 and waves:
        waves = through_codec(waves, rng)
    frames, meta = [], []
    for wave, (lang, target) in zip(waves, rows):
        x = fbank(wave).numpy().astype(np.float16)
        meta.append({"lang": lang, "frames": len(x), "text": target, "aux": auxiliary(target, lang), "real": real})
        frames.append(x)
    if not frames:
        return name, 0.0
    np.save(out.with_suffix(".npy"), np.concatenate(frames))
    out.with_suffix(".tmp").write_text(json.dumps(meta, ensure_ascii=False))
    out.with_suffix(".tmp").rename(out.with_suffix(".json"))
    return name, sum(m["frames"] for m in meta) / 360000


def start(options):
    global OPTIONS, STATE
    import torch

    torch.set_num_threads(1)
    OPTIONS, STATE = options, {}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="make only the shards whose names match this pattern")
    parser.add_argument("--passes", default="real=2,zh=1,en=1,ja=2,words=2", help="how often each source is used")
    options = parser.parse_args()
    (options.work / "shards").mkdir(parents=True, exist_ok=True)
    texts = json.loads((options.work / "texts.json").read_text())
    passes = {k: int(v) for k, v in (p.split("=") for p in options.passes.split(","))}
    todo = [job for job in jobs(options.data, texts, passes) if re.search(options.only, job[0])]
    hours = 0.0
    with multiprocessing.Pool(options.processes, start, (options,)) as pool:
        for done, (name, h) in enumerate(pool.imap_unordered(make_shard, todo), 1):
            hours += h
            print(f"{done}/{len(todo)} {name} {h:.2f} h, {hours:.1f} h in all", flush=True)


if __name__ == "__main__":
    main()
