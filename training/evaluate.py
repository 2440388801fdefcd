"""Error rates of a checkpoint on the development sets, by greedy search without a language model.

For a look during training; `ting eval` measures what users get.
"""

import argparse
import pathlib
import time

import torch

import text as T
from augment import read_tar
from features import fbank, low_frame_rate
from model import CONFIG, Model
from tokens import read_table
from train import Targets, load_model


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def utterances(path, limit):
    """(stacked features, target) of `limit` recordings of the split `dev`, spread over the table."""
    rows = {r["id"]: r for r in read_table(path.with_suffix(".tsv"))}
    lang = path.stem.removeprefix("synth-")[:2]
    targets = {i: T.normalize(r["text"].split("|")[0], lang) for i, r in rows.items() if r["split"] == "dev"}
    wanted = [i for i, target in targets.items() if target]
    wanted = set(wanted[:: max(1, len(wanted) // limit)][:limit])
    found = read_tar(path, lambda file: file.rsplit(".", 1)[0] in wanted)
    return [(low_frame_rate(fbank(wave))[None], T.strip_marks(targets[file.rsplit(".", 1)[0]])) for file, wave in found]


def collapsed(best):
    """Token ids of the best label of each frame: repetitions once, without the blank."""
    return [t for t, before in zip(best, [0, *best]) if t and t != before]


def spelled(ids, tokens):
    """The text of token ids, without marks."""
    return T.strip_marks("".join(tokens[i] for i in ids)).replace("▁", " ").strip()


def mistakes(target, output, lang):
    """The errors of `output`, and of how many characters or, in English, words."""
    a, b = (target.split(), output.split()) if lang == "en" else (target, output)
    return distance(a, b), len(a)


def rate(model, tokens, lang, items, chunk, show=0):
    """Percent of errors, and the number of characters or, in English, words that they are of."""
    errors = total = 0
    for i, (x, target) in enumerate(items):
        with torch.no_grad():
            best = model(x, torch.tensor([x.shape[1]]), chunk)[0][0].argmax(-1).tolist()
        output = spelled(collapsed(best), tokens)
        wrong, count = mistakes(target, output, lang)
        errors, total = errors + wrong, total + count
        if i < show:
            print("   ", target, "|", output)
    return 100 * errors / max(total, 1), total


def load_checkpoint(path, model):
    saved = torch.load(path, weights_only=False)
    model.load_state_dict(saved["model"])
    for name, value in model.named_parameters():
        value.data.copy_(saved["average"][name])
    return saved["spent"] / 60, saved["audio"] / 3600


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--chunk", type=int, default=0)
    parser.add_argument("--from-model", type=pathlib.Path, metavar="DIR", help="look at a model folder, not at the checkpoint")
    parser.add_argument("--curve", type=pathlib.Path, metavar="TSV", help="look again and again while train.py runs; a line each time")
    parser.add_argument("--every", type=float, default=10, help="minutes between the lines of --curve")
    parser.add_argument("sets", nargs="+", type=pathlib.Path, help="SET.tar files, with SET.tsv beside them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    targets = Targets(args.work)
    model = Model(CONFIG, len(targets.tokens), len(targets.aux), targets.syllables()).eval()
    path = args.work / "checkpoint.pt"
    spent = heard = 0.0
    if args.from_model:
        load_model(args.from_model, model)
    else:
        spent, heard = load_checkpoint(path, model)
    if not args.curve:
        for each in args.sets:
            name = each.stem.removeprefix("synth-")
            percent, total = rate(model, targets.tokens, name[:2], utterances(each, args.limit), args.chunk, show=3)
            print(f"{each.stem}: {percent:.1f} % of {total}", flush=True)
        return
    items = {each.stem: utterances(each, args.limit) for each in args.sets}
    if not args.curve.exists():
        args.curve.write_text("\t".join(["minutes", "hours heard", *items]) + "\n")
    while True:
        rates = [rate(model, targets.tokens, k.removeprefix("synth-")[:2], v, args.chunk)[0] for k, v in items.items()]
        with args.curve.open("a") as f:
            f.write("\t".join([f"{spent:.1f}", f"{heard:.2f}", *(f"{r:.1f}" for r in rates)]) + "\n")
        changed = path.stat().st_mtime if path.exists() else 0
        time.sleep(60 * args.every)
        while not path.exists() or path.stat().st_mtime == changed:
            time.sleep(10)
        spent, heard = load_checkpoint(path, model)


if __name__ == "__main__":
    main()
