"""Finds where recordings can be cut between characters or words, for train.py to splice: `WORK/cuts/SHARD.json`.

    python training/cuts.py --work WORK --from-model DIR

An utterance's beginning with another's end is a sentence that nobody said, so that a network cannot learn the few thousand sentences of the
recordings by heart (Lam et al. 2021, "On-the-Fly Aligned Data Augmentation for Sequence-to-Sequence ASR"). The places come from the
auxiliary head of a model that is there, by the best path through its syllables and phones. Per utterance: a list of frames of 10 ms, one
between each two of its units, or null where there is none.
"""

import argparse
import json
import pathlib

import numpy as np
import torch

from features import low_frame_rate
from model import CONFIG, Model
from train import Targets, flattened, load_model, room_for

# The sets that have whole sentences of people.
SHARDS = ("real-zh-read", "real-en-read")
# The network writes a label about so many frames of 10 ms after the middle of its sound: of 0 to 240 ms and of the quietest frame near by, spliced
# recordings of `train` had the lowest loss with this.
LATE = 9
# Seconds of audio in a batch.
BATCH = 60


def peaks(log_probs, lengths, labels):
    """The frame at which each label is written along the best CTC path, for a batch: `log_probs` [B, T, V] of `lengths` frames and a list of
    `labels` per utterance, of which each must have some that fit."""
    batch, frames, _ = log_probs.shape
    most = 2 * max(map(len, labels)) + 1
    states = np.zeros((batch, most), int)
    for row, own in zip(states, labels):
        row[1 : 2 * len(own) : 2] = own
    # A label may follow the one before without a blank where they differ.
    skip = np.zeros((batch, most), bool)
    skip[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    scores = np.take_along_axis(log_probs, np.repeat(states[:, None], frames, 1), 2)
    before = np.full((batch, most + 2), -np.inf, np.float32)
    before[:, 2:4] = scores[:, 0, :2]
    back = np.zeros((batch, frames, most), np.int8)
    ends = np.zeros((batch, most), np.float32)
    for t in range(1, frames + 1):
        over = lengths == t
        ends[over] = before[over, 2:]
        if t == frames:
            break
        choices = np.stack([before[:, 2:], before[:, 1:-1], np.where(skip, before[:, :-2], -np.inf)])
        back[:, t] = choices.argmax(0)
        before[:, 2:] = choices.max(0) + scores[:, t]
    result = []
    for i, own in enumerate(labels):
        state = 2 * len(own) - int(ends[i, 2 * len(own)] < ends[i, 2 * len(own) - 1])
        path = np.zeros(lengths[i], int)
        for t in range(lengths[i] - 1, -1, -1):
            path[t] = state
            state -= int(back[i, t, state])
        # The frame of a label is the surest of those on which the path stays.
        stays = [np.flatnonzero(path == 2 * k + 1) for k in range(len(own))]
        result.append([int(at[scores[i, at, 2 * k + 1].argmax()]) for k, at in enumerate(stays)])
    return result


def cuts_of(found, units):
    """Frames of 10 ms at which an utterance can be cut between its `units`, whose labels are `found` at places in 30 ms; or None."""
    result, at = [], 0
    for _, aux in units[:-1]:
        at += len(aux)
        result.append(3 * (found[at - 1] + found[at]) // 2 - LATE)
    return result if result[:1] > [0] and result == sorted(set(result)) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--from-model", type=pathlib.Path, required=True, metavar="DIR", help="a model folder with a pronunciation head")
    args = parser.parse_args()
    torch.set_num_threads(1)
    targets = Targets(args.work)
    model = Model(CONFIG, len(targets.tokens), len(targets.aux), targets.syllables()).eval()
    if not load_model(args.from_model, model):
        raise SystemExit(f"{args.from_model} has no pronunciation head")
    out = args.work / "cuts"
    out.mkdir(exist_ok=True)
    for path in sorted((args.work / "shards").glob("*.json")):
        if not path.name.startswith(SHARDS) or (out / path.name).exists():
            continue
        rows, frames = json.loads(path.read_text()), np.load(path.with_suffix(".npy"))
        ends = np.cumsum([row["frames"] for row in rows])
        items = [(i, frames[end - row["frames"] : end], targets.units(row)) for i, (row, end) in enumerate(zip(rows, ends))]
        items = [(i, x, units, flattened(units)[1]) for i, x, units in items if units and len(units) > 1]
        items = sorted((item for item in items if room_for(item[3], 2 * ((len(item[1]) + 5) // 6))), key=lambda item: len(item[1]))
        result = [None] * len(rows)
        while items:
            count = max(1, min(len(items), int(100 * BATCH / len(items[0][1]))))
            batch, items = items[:count], items[count:]
            rows_of = [low_frame_rate(torch.from_numpy(x.astype(np.float32))) for _, x, _, _ in batch]
            lengths = torch.tensor([len(x) for x in rows_of])
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                sounds = model.sounds(torch.nn.utils.rnn.pad_sequence(rows_of, batch_first=True), lengths)
            found = peaks(sounds.float().log_softmax(-1).numpy(), 2 * lengths.numpy(), [labels for *_, labels in batch])
            for (i, _, units, _), at in zip(batch, found):
                result[i] = cuts_of(at, units)
        (out / path.name).write_text(json.dumps(result))
        print(f"{path.stem}: {sum(r is not None for r in result)} of {len(result)}", flush=True)


if __name__ == "__main__":
    main()
