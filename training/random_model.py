"""Writes a model folder with random weights: it documents the files, and stands in where no model is trained yet.

    python training/random_model.py models/tiny            # small sizes
    python training/random_model.py /tmp/big --full        # the sizes of the embedded model, to measure speed
    python training/random_model.py /tmp/front --frontend  # with convolutions before the encoder; --full goes with it

The folder holds `config.json`, `model.safetensors`, `vad.safetensors`, `tokens.txt` and `lm.bin`. Same seed, same
bytes.
"""

import argparse
import json
import pathlib

import numpy as np
from ngram_format import write_lm
from safetensors.numpy import save_file

SMALL = {"dim": 64, "ffn_dim": 128, "layers": 3}
FULL = {"dim": 256, "ffn_dim": 1024, "layers": 8}
BANDS = 80


class Random:
    """Tensors of a reproducible spread."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)
        self.tensors = {}

    def linear(self, name, inputs, outputs, bias=True):
        spread = inputs**-0.5
        self.tensor(f"{name}.weight", (outputs, inputs), spread)
        if bias:
            self.tensor(f"{name}.bias", (outputs,), 0.1)

    def convolution(self, name, inputs, outputs, kernel):
        self.tensor(f"{name}.weight", (outputs, inputs, *kernel), (inputs * kernel[0] * kernel[1]) ** -0.5)
        self.tensor(f"{name}.bias", (outputs,), 0.1)

    def norm(self, name, dim):
        self.tensor(f"{name}.weight", (dim,), 0.1, mean=1.0)
        self.tensor(f"{name}.bias", (dim,), 0.1)

    def tensor(self, name, shape, spread, mean=0.0):
        values = self.generator.normal(mean, spread, shape)
        self.tensors[name] = values.astype(np.float16)


def recogniser(config, tokens, seed):
    """The tensors of `model.safetensors`: FunASR's names behind `encoder.` and `ctc.`, and the input norm."""
    c, model = config, Random(seed)
    row = c["input_dim"]
    if "frontend" in c:
        # Bands before and behind the second convolution, which leaves one value in time.
        row, (a, b), bands = c["frontend"]["frames"] * BANDS, c["frontend"]["channels"], ((BANDS - 1) // 2 - 1) // 2
        model.convolution("encoder.frontend.conv1", 1, a, (3, 3))
        model.convolution("encoder.frontend.conv2", a, b, (5, 3))
        model.linear("encoder.frontend.out", b * bands, c["input_dim"])
    for i in range(c["layers"]):
        inputs = c["input_dim"] if i == 0 else c["dim"]
        name = "encoder.encoders0.0" if i == 0 else f"encoder.encoders.{i - 1}"
        model.norm(f"{name}.norm1", inputs)
        model.linear(f"{name}.self_attn.linear_q_k_v", inputs, 3 * c["dim"])
        model.tensor(f"{name}.self_attn.fsmn_block.weight", (c["dim"], 1, c["kernel"]), c["kernel"] ** -0.5)
        model.linear(f"{name}.self_attn.linear_out", c["dim"], c["dim"])
        model.norm(f"{name}.norm2", c["dim"])
        model.linear(f"{name}.feed_forward.w_1", c["dim"], c["ffn_dim"])
        model.linear(f"{name}.feed_forward.w_2", c["ffn_dim"], c["dim"])
    model.norm("encoder.after_norm", c["dim"])
    model.linear("ctc.ctc_lo", c["dim"], tokens)
    # (x + shift) * scale: natural logs of 80 filters lie about 10, with a spread of about 4.
    model.tensor("cmvn.shift", (row,), 0.1, mean=-10.0)
    model.tensor("cmvn.scale", (row,), 0.01, mean=0.25)
    return model.tensors


def detector(c, seed):
    """The tensors of `vad.safetensors`: FunASR's names behind `encoder.`, and the input norm."""
    vad = Random(seed)
    vad.linear("encoder.in_linear1.linear", c["input_dim"], c["input_affine_dim"])
    vad.linear("encoder.in_linear2.linear", c["input_affine_dim"], c["linear_dim"])
    for i in range(c["layers"]):
        name = f"encoder.fsmn.{i}"
        vad.linear(f"{name}.linear.linear", c["linear_dim"], c["proj_dim"], bias=False)
        vad.tensor(f"{name}.fsmn_block.conv_left.weight", (c["proj_dim"], 1, c["lorder"], 1), 0.2)
        vad.linear(f"{name}.affine.linear", c["proj_dim"], c["linear_dim"])
    vad.linear("encoder.out_linear1.linear", c["linear_dim"], c["output_affine_dim"])
    vad.linear("encoder.out_linear2.linear", c["output_affine_dim"], c["out_dim"])
    vad.tensor("cmvn.shift", (c["input_dim"],), 0.1, mean=-10.0)
    vad.tensor("cmvn.scale", (c["input_dim"],), 0.01, mean=0.25)
    return vad.tensors


def token_lines(full):
    """Token, and after a tab its languages; the blank first."""
    lines = ["<blank>", "，", "。", "？", "、"]
    lines += [f"▁{c}\ten" for c in "abcdefghijklmnopqrstuvwxyz"] + [f"{c}\ten" for c in "abcdefghijklmnopqrstuvwxyz"]
    lines += [f"{chr(c)}\tja" for c in range(0x3042, 0x3094)]
    lines += [f"{chr(0x4E00 + i)}\t{'ja,zh' if i % 2 else 'zh'}" for i in range(6000 if full else 200)]
    return lines


def language_model(path, tokens, seed):
    generator = np.random.default_rng(seed)

    def entries(tuples):
        return {t: (float(generator.uniform(-9, -1)), float(generator.uniform(-1, 0))) for t in tuples}

    def draws(length):
        return {tuple(int(t) for t in generator.integers(1, tokens, length)) for _ in range(500)}

    write_lm(path, [entries((t,) for t in range(tokens)), entries(draws(2)), entries(draws(3))])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--frontend", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    config = {
        "encoder": {
            "input_dim": 560, "heads": 4, "tp_layers": 0, "kernel": 11, "sanm_shift": 5, "position": False,
            "norm_eps": 1e-5, "left_context": 60, **(FULL if args.full else SMALL),
        },
        "vad": {
            "input_dim": 400, "input_affine_dim": 140, "linear_dim": 250, "proj_dim": 128, "layers": 4,
            "lorder": 20, "output_affine_dim": 140, "out_dim": 2,
        },
        "ctc": {"blank": 0},
        "features": {"lfr_m": 7, "lfr_n": 6, "vad_lfr_m": 5, "vad_lfr_n": 1},
        "decoder": {"chunk_frames": 3, "lm_weight": 0.3, "beam": 8, "token_bonus": 0.0},
    }
    if not args.full:
        config["vad"].update(input_affine_dim=32, linear_dim=32, proj_dim=16, layers=2, output_affine_dim=32)
    if args.frontend:
        config["encoder"]["frontend"] = {"frames": 11, "channels": [32, 48] if args.full else [4, 6]}
        config["features"]["lfr_m"] = 11
    lines = token_lines(args.full)
    (args.folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (args.folder / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    save_file(recogniser(config["encoder"], len(lines), args.seed), args.folder / "model.safetensors")
    save_file(detector(config["vad"], args.seed + 1), args.folder / "vad.safetensors")
    language_model(args.folder / "lm.bin", len(lines), args.seed + 2)


if __name__ == "__main__":
    main()
