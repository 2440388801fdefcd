"""Packs the recordings of the split `train` and the lines to be synthesised for gpu_train.py, which runs where the data is not.

    python training/pack.py --data DATA --work WORK --from-model DIR

Writes `WORK/pack/recordings-N.pkl` of at most `--piece` MB, each with the recordings as published (Opus) and what they say: token ids,
auxiliary ids, and where they can be cut between words or characters (cuts.py says what for), which the model in DIR finds. Recordings whose
transcript that model finds least likely are left out: in a few percent of each collection another text is read. `WORK/pack/lines.pkl` has
the lines of `text/` with the ids of their targets, and what the trainer needs to know of the tokens.
"""

import argparse
import collections
import io
import json
import multiprocessing
import pathlib
import pickle
import tarfile

import numpy as np
import soundfile as sf
import torch
import torch.nn.functional as F

import text as T
from augment import decode, trimmed
from cuts import cuts_of, peaks
from features import fbank, low_frame_rate
from model import CONFIG, Model
from prepare import REAL_SETS, auxiliary, transcript
from tokens import read_table
from train import Targets, flattened, load_model, room_for
from words import as_spoken, english_string, japanese_words, words_to_spell

# Silence before and after a recording where cuts are looked for; samples.
BESIDE = 3200
# Of each set, so many recordings are left out whose transcript is least likely.
DOUBTED = 0.015


def row_of(targets, target, lang):
    """Labels of a target: a dictionary, or None where it cannot be written."""
    row = {"lang": lang, "text": target, "aux": auxiliary(target, lang)}
    found = targets.of(row)
    return found and {"lang": lang, "ids": found[0], "aux": found[1], "units": targets.units(row)}


def portable(data):
    """`data`, or the same sound as libsndfile can read it, which the trainer decodes with."""
    try:
        sf.read(io.BytesIO(data))
        return data
    except (sf.LibsndfileError, ValueError):
        out = io.BytesIO()
        sf.write(out, decode(data), 16000, format="OGG", subtype="OPUS", compression_level=0.94)
        return out.getvalue()


def look(item):
    """Adds to a recording's labels how likely they are per token, and its cuts in samples of what `trimmed` leaves."""
    row = item["row"]
    item["opus"] = portable(item["opus"])
    wave = trimmed(decode(item["opus"]))
    if wave is None:
        return None
    x = low_frame_rate(fbank(np.pad(wave, BESIDE)))[None]
    lengths = torch.tensor([x.shape[1]])
    if not room_for(row["ids"], x.shape[1]):
        return None
    with torch.no_grad():
        logits, sounds, _ = STATE["model"](x, lengths, 0)
    loss = F.ctc_loss(logits[0].log_softmax(-1)[:, None], torch.tensor([row["ids"]]), lengths, torch.tensor([len(row["ids"])]))
    row |= {"loss": float(loss), "seconds": len(wave) / 16000, "cuts": None}
    units = row["units"]
    flat = flattened(units)[1] if units and len(units) > 1 else []
    if flat and room_for(flat, 2 * x.shape[1]):
        places = cuts_of(peaks(sounds.log_softmax(-1).numpy(), 2 * lengths.numpy(), [flat])[0], units)
        cuts = [160 * place - BESIDE for place in places or []]
        if cuts and cuts[0] > 0 and cuts[-1] < len(wave):
            row["cuts"] = cuts
    return item


def start(model):
    global STATE
    torch.set_num_threads(1)
    STATE = {"model": model}


def recordings(speech, name, targets, split):
    """Items of the recordings of a set whose text can be written."""
    rows = {r["id"]: r for r in read_table(speech / f"{name}.tsv")}
    lang = name.removeprefix("synth-")[:2]
    with tarfile.open(speech / f"{name}.tar") as tar:
        for member in tar:
            row = rows.get(member.name.rsplit("/", 1)[-1].rsplit(".", 1)[0])
            if not member.isfile() or not row or row["split"] != split:
                continue
            target = transcript(row, lang)
            labels = row_of(targets, target, lang) if target else None
            if labels:
                yield {"set": name, "opus": tar.extractfile(member).read(), "row": labels}


def noises(speech):
    """The noises of the split `train` as published."""
    table = {r["id"]: r for r in read_table(speech / "noise.tsv")}
    with tarfile.open(speech / "noise.tar") as tar:
        for member in tar:
            row = table.get(member.name.rsplit("/", 1)[-1])
            if member.isfile() and row and row["split"] == "train" and row["kind"] == "noise" and float(row["seconds"]) > 0.05:
                yield portable(tar.extractfile(member).read())


def lines_to_speak(texts, targets, strings):
    """(line, labels) of the lines of `text/`, made-up English strings and single Japanese words; Japanese lines in kana, as espeak-ng reads them."""
    found = [(line, target, lang) for lang in ("zh", "en", "ja") for line, target in texts[lang] if line]
    rng, spelled = np.random.default_rng(4), words_to_spell(texts["en"])
    made = [english_string(rng, spelled) for _ in range(strings)]
    found += [(as_spoken(s), s, "en") for s in made]
    found += [(word, word, "ja") for word in japanese_words(t for line, t in texts["ja"] if line)]
    for line, target, lang in found:
        if row := row_of(targets, target, lang):
            row["units"] = None
            yield "".join(T.kana(line)) if lang == "ja" else line, row


def pack_recordings(args, targets, model, out):
    items = (item for name in REAL_SETS for item in recordings(args.data / "speech", name, targets, "train"))
    with multiprocessing.get_context("fork").Pool(args.processes, start, (model,)) as pool:
        found = [item for item in pool.imap_unordered(look, items, 16) if item]
    kept = []
    for name in REAL_SETS:
        own = sorted((item for item in found if item["set"] == name), key=lambda item: item["row"]["loss"])
        own = own[: int(len(own) * (1 - DOUBTED))]
        kept += own
        cut = sum(item["row"]["cuts"] is not None for item in own)
        hours = sum(item["row"]["seconds"] for item in own) / 3600
        losses = [own[int(len(own) * p)]["row"]["loss"] for p in (0.1, 0.5, 0.9, 0.99)]
        print(f"{name}: {len(own)} recordings, {hours:.2f} h, {cut} with cuts, loss per token", *(f"{x:.2f}" for x in losses), flush=True)
    np.random.default_rng(5).shuffle(kept)
    piece, size, count = [], 0, 0
    for item in [*kept, None]:
        if item is None or size + len(item["opus"]) > args.piece * 1e6:
            (out / f"recordings-{count}.pkl").write_bytes(pickle.dumps(piece))
            piece, size, count = [], 0, count + 1
        if item:
            piece.append(item)
            size += len(item["opus"]) + 20 * len(item["row"]["ids"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--from-model", type=pathlib.Path, required=True, metavar="DIR", help="a model folder with a pronunciation head")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--piece", type=float, default=55, help="MB")
    parser.add_argument("--strings", type=int, default=6000, help="made-up strings of English letters, numbers and dates")
    parser.add_argument("--dev", type=int, default=100, help="recordings of the split dev per set, to look at during training")
    parser.add_argument("sets", nargs="*", type=pathlib.Path, help="more SET.tar files to look at, with SET.tsv beside them")
    args = parser.parse_args()
    out = args.work / "pack"
    out.mkdir(exist_ok=True)
    targets = Targets(args.work)
    lines = list(lines_to_speak(json.loads((args.work / "texts.json").read_text()), targets, args.strings))
    known = {"tokens": targets.tokens, "aux": targets.aux, "syllables": targets.syllables().tolist()}
    (out / "lines.pkl").write_bytes(pickle.dumps(known | {"lines": lines}))
    print(f"{len(lines)} lines", collections.Counter(row["lang"] for _, row in lines), flush=True)
    (out / "noise.pkl").write_bytes(pickle.dumps(list(noises(args.data / "speech"))))
    dev = []
    for path in [*(args.data / "speech" / f"{name}.tar" for name in REAL_SETS), *args.sets]:
        own = list(recordings(path.parent, path.stem, targets, "dev"))
        for item in own[:: max(1, len(own) // args.dev)][: args.dev]:
            item["row"] |= {"whole": True, "cuts": None, "units": None}
            dev.append(item | {"opus": portable(item["opus"])})
    (out / "dev.pkl").write_bytes(pickle.dumps(dev))
    model = Model(CONFIG, len(targets.tokens), len(targets.aux), targets.syllables()).eval()
    if not load_model(args.from_model, model):
        raise SystemExit(f"{args.from_model} has no pronunciation head")
    state = {k: v.half() if v.is_floating_point() and k not in ("shift", "scale") else v for k, v in model.state_dict().items()}
    torch.save(state, out / "start.pt")
    if not (out / "recordings-0.pkl").exists():
        pack_recordings(args, targets, model, out)


if __name__ == "__main__":
    main()
