"""Writes the model folder that the recogniser loads, from a checkpoint of train.py and the output of vad.py.

The matrices of the encoder and the head are stored as int8 with a scale per row (`quantize.py`), and the recogniser computes
with them so; the rest, and with `--no-int8` all, as float16, computed in float32. The tied rows of the head are folded into a
plain one; the head of the auxiliary loss is kept as the pronunciation head, which `lexicon.py` writes the files for. The averaged
weights are used. How frequent the tokens are (`ctc.log_prior`) is what the network itself says on average on shards of recordings.
"""

import argparse
import json
import pathlib
import shutil

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

from evaluate import load_checkpoint
from features import low_frame_rate
from model import CONFIG, Model
from quantize import quantized
from train import Targets
from vad_net import sizes as vad_sizes


def recogniser(checkpoint, int8):
    """The tensors of `model.safetensors`, as numpy arrays."""
    state = dict(checkpoint["model"])
    state.update(checkpoint["average"])
    table = torch.cat([state["syllables"][:-1], torch.zeros_like(state["syllables"][:1])])
    tensors = {k: v for k, v in state.items() if k.startswith("encoder.")}
    tensors["ctc.ctc_lo.weight"] = state["head.weight"] + table[state["syllable_of"]].sum(1)
    tensors["ctc.ctc_lo.bias"] = state["head.bias"]
    names = {"norm_aux": "norm", "head_aux": "middle", "head_aux_top": "top"}
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        if layer in names:
            tensors[f"pronunciation.{names[layer]}.{kind}"] = value
    tensors = {k: v.float().contiguous().numpy() for k, v in tensors.items()}
    if int8:
        tensors = quantized(tensors)
    # The scales stay float32: there are few, and they count for whole rows.
    tensors = {
        k: v if v.dtype == np.int8 or k.endswith(".weight_scale") else v.astype(np.float16) for k, v in tensors.items()
    }
    # Silence lies 16 below the mean: these need the range and precision of float32.
    return tensors | {"cmvn.shift": state["shift"].float().numpy(), "cmvn.scale": state["scale"].float().numpy()}


def log_prior(work, model, every=8):
    """[V]: ln of each token's mean probability on one in `every` utterances of two shards of recordings of each set of sentences, less
    its mean over tokens as they come; 0 for the blank."""
    total = torch.zeros(model.head.out_features, dtype=torch.float64)
    for kind in ("zh-read", "en-read", "en-read2"):
        for path in sorted((work / "shards").glob(f"real-{kind}-*.json"))[:2]:
            frames, start = np.load(path.with_suffix(".npy"), mmap_mode="r"), 0
            for i, row in enumerate(json.loads(path.read_text())):
                x = frames[start : start + row["frames"]]
                start += row["frames"]
                if i % every == 0 and len(x):
                    x = low_frame_rate(torch.from_numpy(np.array(x, np.float32)))[None]
                    with torch.no_grad():
                        total += model(x, torch.tensor([x.shape[1]]), 0)[0][0].softmax(-1).sum(0)
    # A token that is never expected must not become likely by it.
    prior = total / total.sum() + 1e-6
    of_tokens = prior[1:] / prior[1:].sum()
    ln = prior.log() - (of_tokens * prior[1:].log()).sum()
    ln[0] = 0
    return ln.float().numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--checkpoint", default="checkpoint.pt")
    parser.add_argument("--lm-weight", type=float, default=0.6)
    parser.add_argument("--token-bonus", type=float, default=3.2)
    parser.add_argument("--prior-weight", type=float, default=0.5)
    parser.add_argument("--pronunciation-weight", type=float, default=1.0)
    parser.add_argument("--pronunciation-bonus", type=float, default=2.0)
    parser.add_argument(
        "--int8", action=argparse.BooleanOptionalAction, default=True, help="store matrices as int8, else as float16"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = torch.load(args.work / args.checkpoint, weights_only=False)
    targets = Targets(args.work)
    model = Model(CONFIG, len(targets.tokens), len(targets.aux), targets.syllables()).eval()
    load_checkpoint(args.work / args.checkpoint, model)
    tensors = recogniser(checkpoint, args.int8) | {"ctc.log_prior": log_prior(args.work, model)}
    save_arrays(tensors, args.out / "model.safetensors")
    vad = load_file(args.work / "vad.safetensors")
    save_file(vad, args.out / "vad.safetensors")
    shutil.copy(args.work / "tokens.txt", args.out / "tokens.txt")
    config = {
        "encoder": checkpoint["config"],
        "vad": vad_sizes(vad),
        "ctc": {"blank": 0},
        "features": {
            "lfr_m": checkpoint["config"]["frontend"]["frames"], "lfr_n": 6, "vad_lfr_m": vad["cmvn.shift"].numel() // 80,
            "vad_lfr_n": 1,
        },
        "decoder": {
            "chunk_frames": 3, "beam": 64, "lm_weight": args.lm_weight, "token_bonus": args.token_bonus,
            "prior_weight": args.prior_weight,
        },
        "pronunciation": {"layer": model.middle, "weight": args.pronunciation_weight, "bonus": args.pronunciation_bonus},
    }
    path = args.out / "config.json"
    if path.exists():
        # What dictionary.py, recurrent_lm.py and punct.py wrote there goes with files that stay.
        before = json.loads(path.read_text(encoding="utf-8"))
        config |= {name: before[name] for name in ("dictionary", "recurrent_lm", "punctuation") if name in before}
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"step {checkpoint['step']}, {checkpoint['audio'] / 3600:.1f} h heard, {checkpoint['spent'] / 60:.0f} min")


if __name__ == "__main__":
    main()
