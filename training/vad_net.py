"""The network of the voice activity detector: an FSMN with FunASR's layer names, and its file."""

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

BANDS = 80
STACK = 25  # frames that a row of the input has: twelve before and twelve after its own, so the answer is 120 ms late
CONFIG = {
    "input_dim": BANDS * STACK, "input_affine_dim": 80, "linear_dim": 128, "proj_dim": 64, "layers": 4, "lorder": 30,
    "output_affine_dim": 64, "out_dim": 2,
}


class Affine(nn.Module):
    def __init__(self, inputs, outputs, bias=True):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=bias)

    def forward(self, x):
        return self.linear(x)


class Memory(nn.Module):
    def __init__(self, dim, order):
        super().__init__()
        self.conv_left = nn.Conv2d(dim, dim, (order, 1), groups=dim, bias=False)

    def forward(self, x):
        weight = self.conv_left.weight
        past = F.pad(x.transpose(1, 2), (weight.shape[2] - 1, 0)).unsqueeze(2)
        return x + F.conv2d(past, weight.transpose(2, 3), groups=len(weight)).squeeze(2).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.linear = Affine(c["linear_dim"], c["proj_dim"], bias=False)
        self.fsmn_block = Memory(c["proj_dim"], c["lorder"])
        self.affine = Affine(c["proj_dim"], c["linear_dim"])

    def forward(self, x):
        return F.relu(self.affine(self.fsmn_block(self.linear(x))))


class Fsmn(nn.Module):
    """Stacked rows [batch, frames, 80 * stack] in, logits of not speech and speech out; looks at no later row."""

    def __init__(self, c):
        super().__init__()
        self.in_linear1 = Affine(c["input_dim"], c["input_affine_dim"])
        self.in_linear2 = Affine(c["input_affine_dim"], c["linear_dim"])
        self.fsmn = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.out_linear1 = Affine(c["linear_dim"], c["output_affine_dim"])
        self.out_linear2 = Affine(c["output_affine_dim"], c["out_dim"])

    def forward(self, x):
        x = F.relu(self.in_linear2(self.in_linear1(x)))
        for block in self.fsmn:
            x = block(x)
        return self.out_linear2(self.out_linear1(x))


def stacked(frames, stack):
    """Rows of `stack` frames for every frame ([batch, T, 80] -> [batch, T, 80 * stack]), edges repeated as FunASR does."""
    around = stack // 2
    first, last = frames[:, :1].expand(-1, around, -1), frames[:, -1:].expand(-1, around, -1)
    return torch.cat([first, frames, last], 1).unfold(1, stack, 1).transpose(2, 3).flatten(2)


class Detector:
    """A network with the shift and scale of its input."""

    def __init__(self, model, shift, scale):
        self.model, self.shift, self.scale = model, shift, scale
        self.stack = len(shift) // BANDS

    @classmethod
    def load(cls, path):
        return cls.of(load_file(path))

    @classmethod
    def of(cls, tensors):
        shift, scale = tensors.pop("cmvn.shift"), tensors.pop("cmvn.scale")
        model = Fsmn(sizes(tensors))
        model.load_state_dict({k.removeprefix("encoder."): v.float() for k, v in tensors.items()})
        return cls(model.eval(), shift, scale)

    def save(self, path, state=None):
        tensors = {f"encoder.{k}": v.contiguous() for k, v in (state or self.model.state_dict()).items()}
        save_file(tensors | {"cmvn.shift": self.shift, "cmvn.scale": self.scale}, path)

    def logits(self, frames):
        """Of unstacked frames [batch, T, 80]."""
        return self.model((stacked(frames, self.stack) + self.shift) * self.scale)

    def probabilities(self, frames):
        """Of speech, of the frames [T, 80] of one stream."""
        with torch.no_grad():
            return self.logits(frames[None])[0].softmax(-1)[:, 1]


def widened(tensors, stack):
    """The same detector with `stack` frames in a row of its input, whose new ones have no weight yet."""
    name = "encoder.in_linear1.linear.weight"
    old = tensors[name].shape[1] // BANDS
    more = (stack - old) // 2 * BANDS
    middle = slice(old // 2 * BANDS, (old // 2 + 1) * BANDS)
    wide = {f"cmvn.{k}": tensors[f"cmvn.{k}"][middle].repeat(stack) for k in ("shift", "scale")}
    for k, value in wide.items():
        value[more : more + old * BANDS] = tensors[k]
    return tensors | wide | {name: F.pad(tensors[name], (more, more))}


def sizes(tensors):
    """The section `vad` of config.json for the tensors of a detector's file: they say all of it."""
    shape = lambda name: tensors[f"encoder.{name}"].shape
    return {
        "input_dim": shape("in_linear1.linear.weight")[1],
        "input_affine_dim": shape("in_linear1.linear.weight")[0],
        "linear_dim": shape("in_linear2.linear.weight")[0],
        "proj_dim": shape("fsmn.0.linear.linear.weight")[0],
        "layers": 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("encoder.fsmn.")),
        "lorder": shape("fsmn.0.fsmn_block.conv_left.weight")[2],
        "output_affine_dim": shape("out_linear1.linear.weight")[0],
        "out_dim": shape("out_linear2.linear.weight")[0],
    }
