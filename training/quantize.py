"""Turns the matrices of a model folder to int8, without PyTorch:

    python training/quantize.py --model models/tiny --out DIR

Only `model.safetensors` changes, the other files are copied. Of each linear layer `NAME` of the encoder and of the head, `NAME.weight` becomes
int8 and `NAME.weight_scale` (float32, one number per row) stands beside it: the matrix is `weight_scale[:, None] *
weight`. Norms, biases, convolutions, the taps of the memory blocks and the input norm stay as they are. A folder that is int8 already
stays the same.
"""

import argparse
import pathlib
import shutil

import numpy as np
from safetensors.numpy import load_file, save_file

# What a row may be clipped to, as shares of its largest value. At 8 bits the rows of `tiny` gain less than 1 % of the error by
# it, and none wants to be clipped further.
CLIPS = np.linspace(0.9, 1.0, 21)


def quantize(matrix):
    """int8 weights [rows, columns] and float32 scales [rows] with `scales[:, None] * weights` near `matrix` [rows, columns].

    Of the clippings of each row to 90 to 100 % of its largest value, the one with the least squared error; its scale is then the best for the
    integers that came of it (least squares). -128 is not used. A row of zeros gets the scale 0.
    """
    matrix = np.asarray(matrix, np.float64)
    largest = np.abs(matrix).max(1, keepdims=True)
    least = np.full(len(matrix), np.inf)
    weights, scales = np.zeros(matrix.shape, np.int8), np.zeros(len(matrix))
    for clip in CLIPS:
        step = np.where(largest > 0, clip * largest / 127, 1)
        q = np.clip(np.round(matrix / step), -127, 127)
        scale = (matrix * q).sum(1) / np.maximum((q * q).sum(1), 1)
        error = ((scale[:, None] * q - matrix) ** 2).sum(1)
        better = error < least
        least[better], weights[better], scales[better] = error[better], q[better], scale[better]
    return weights, scales.astype(np.float32)


def is_matrix(name, value):
    """Whether a tensor of `model.safetensors` is the weight of a linear layer. The taps of a memory block have three dimensions,
    the convolutions before the encoder four."""
    return name.endswith(".weight") and value.ndim == 2 and np.issubdtype(value.dtype, np.floating)


def quantized(tensors):
    """The same tensors by name (numpy), with the matrices as int8."""
    result = {}
    for name, value in tensors.items():
        if is_matrix(name, value):
            result[name], result[f"{name}_scale"] = quantize(value)
        else:
            result[name] = value
    return result


def dequantized(tensors):
    """The same tensors by name (numpy or PyTorch), with int8 matrices as float32: what `quantized` made, within its error."""
    result = {k: v for k, v in tensors.items() if not k.endswith(".weight_scale")}
    for name, scale in tensors.items():
        if name.endswith(".weight_scale"):
            weight = name.removesuffix("_scale")
            # An int8 times a float32 is float32 in both.
            result[weight] = scale[:, None] * tensors[weight]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a model folder")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder to write; may be the same")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tensors = load_file(args.model / "model.safetensors")
    small = quantized(tensors)
    for path in args.model.iterdir():
        if args.out.resolve() != args.model.resolve() and path.is_file():
            shutil.copy(path, args.out / path.name)
    save_file(small, args.out / "model.safetensors")
    shutil.copymode(args.model / "config.json", args.out / "model.safetensors")
    restored = dequantized(small)
    for name in tensors:
        if is_matrix(name, tensors[name]):
            before, after = tensors[name].astype(np.float32), restored[name]
            error = np.linalg.norm(after - before) / max(np.linalg.norm(before), 1e-30)
            print(f"{name}: {100 * error:.2f} % off")
    print(f"model.safetensors: {(args.out / 'model.safetensors').stat().st_size} bytes")


if __name__ == "__main__":
    main()
