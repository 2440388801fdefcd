"""Writes a checkpoint whose averaged weights are a mean of those of two: of the start of a run, and of its end.

    python training/blend.py START.pt END.pt --share 0.4 --out WORK/blend.pt
    python training/export.py --work WORK --checkpoint blend.pt --out WORK/model

Between two networks of which one went on from the other there are often some with fewer errors than both (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models"). The rest of the checkpoint is END's, without the state of its optimizers: it is for export.
"""

import argparse
import pathlib

import torch


def blended(start, end, share):
    """`share` of the weights `end` and the rest of `start`, by name."""
    if {k: v.shape for k, v in start.items()} != {k: v.shape for k, v in end.items()}:
        raise SystemExit("the checkpoints are of different networks")
    return {name: (1 - share) * start[name] + share * value for name, value in end.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=pathlib.Path)
    parser.add_argument("end", type=pathlib.Path)
    parser.add_argument("--share", type=float, default=0.4, help="of END, 0 to 1")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    start, end = (torch.load(path, weights_only=False) for path in (args.start, args.end))
    end["average"] = blended(start["average"], end["average"], args.share)
    end |= {"optimizer": None, "muon": None}
    torch.save(end, args.out)


if __name__ == "__main__":
    main()
