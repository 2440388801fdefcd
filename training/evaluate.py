"""Error rates of a checkpoint on the development sets, by greedy search without a language model.

For a look during training; `ting eval` measures what users get.
"""

import argparse
import pathlib

import torch

import text as T
from augment import read_tar
from features import fbank, low_frame_rate
from model import Model
from tokens import read_table
from train import Targets


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--chunk", type=int, default=0)
    parser.add_argument("sets", nargs="+", type=pathlib.Path, help="SET.tar files, with SET.tsv beside them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    saved = torch.load(args.work / "checkpoint.pt", weights_only=False)
    targets = Targets(args.work)
    model = Model(saved["config"], len(targets.tokens), len(targets.aux), targets.syllables())
    model.load_state_dict(saved["model"])
    for name, value in model.named_parameters():
        value.data.copy_(saved["average"][name])
    model.eval()
    for path in args.sets:
        rows = {r["id"]: r for r in read_table(path.with_suffix(".tsv"))}
        errors = total = seen = 0
        for file, wave in read_tar(path):
            row = rows[file.rsplit(".", 1)[0]]
            name = path.stem.removeprefix("synth-")
            target = T.normalize(row["text"].split("|")[0], name[:2])
            if row["split"] != "dev" or not target:
                continue
            x = low_frame_rate(fbank(wave))[None]
            with torch.no_grad():
                best = model(x, torch.tensor([x.shape[1]]), args.chunk)[0][0].argmax(-1).tolist()
            ids = [t for t, before in zip(best, [0, *best]) if t and t != before]
            output = T.strip_marks("".join(targets.tokens[i] for i in ids)).replace("▁", " ").strip()
            target = T.strip_marks(target)
            a, b = (target.split(), output.split()) if name[:2] == "en" else (target, output)
            errors, total, seen = errors + distance(a, b), total + len(a), seen + 1
            if seen <= 3:
                print("   ", target, "|", output)
            if seen >= args.limit:
                break
        print(f"{path.stem}: {100 * errors / max(total, 1):.1f} % of {total}", flush=True)


if __name__ == "__main__":
    main()
