"""The SAN-M encoder with CTC, with FunASR's layer names, for training. The recogniser's twin is `ting-models`.

Source of the architecture: Gao et al., "SAN-M: Memory Equipped Self-Attention for End-to-End Speech Recognition"
(2020), and the FunASR reference implementation, whose tensor names are used.
"""

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = {
    "input_dim": 560, "dim": 256, "heads": 4, "ffn_dim": 1024, "layers": 14, "tp_layers": 0,
    "kernel": 11, "sanm_shift": 5, "position": False, "norm_eps": 1e-5, "left_context": 60,
    "frontend": {"frames": 11, "channels": [32, 48]},
}
BANDS = 80
# Sizes of the streaming chunk in frames of 60 ms, and how often each is trained; 0 is the whole segment.
CHUNKS = ((3, 0.35), (4, 0.1), (8, 0.1), (16, 0.05), (0, 0.4))


class Memory(torch.autograd.Function):
    """FSMN memory: `v` [B, T, D] plus its depthwise convolution by `weight` [D, K] over time, `left` frames back.

    As shifted products, on a CPU far faster than grouped convolution; and with its own backward pass, because that of slices
    fills a tensor of zeros for each tap.
    """

    @staticmethod
    def forward(ctx, v, weight, left):
        v, t, k = v.float(), v.shape[1], weight.shape[1]
        padded = F.pad(v, (0, 0, left, k - 1 - left))
        taps = weight.t().contiguous()
        out = v.clone()
        for i in range(k):
            out.addcmul_(padded[:, i : i + t], taps[i])
        ctx.save_for_backward(padded, taps)
        ctx.left = left
        return out

    @staticmethod
    def backward(ctx, grad):
        padded, taps = ctx.saved_tensors
        grad, t, k = grad.float(), grad.shape[1], taps.shape[0]
        behind = F.pad(grad, (0, 0, k - 1 - ctx.left, ctx.left))
        grad_v = grad.clone()
        for i in range(k):
            grad_v.addcmul_(behind[:, k - 1 - i : k - 1 - i + t], taps[i])
        grad_taps = torch.stack([(padded[:, i : i + t] * grad).sum((0, 1)) for i in range(k)])
        return grad_v, grad_taps.t(), None


def memory(v, weight, left):
    """`Memory`, on a GPU by the kernels of memory_gpu.py."""
    if v.is_cuda:
        from memory_gpu import GpuMemory

        return GpuMemory.apply(v, weight, left)
    return Memory.apply(v, weight, left)


class Attention(nn.Module):
    def __init__(self, inputs, c):
        super().__init__()
        d = c["dim"]
        self.heads = c["heads"]
        self.linear_q_k_v = nn.Linear(inputs, 3 * d)
        self.fsmn_block = nn.Conv1d(d, d, c["kernel"], groups=d, bias=False)
        self.linear_out = nn.Linear(d, d)
        self.left = (c["kernel"] - 1) // 2 + c["sanm_shift"]
        self.scale = (d // self.heads) ** -0.5

    def forward(self, x, mask, valid):
        b, t, _ = x.shape
        q, k, v = self.linear_q_k_v(x).chunk(3, -1)
        v = v * valid.to(v.dtype)
        remembered = memory(v, self.fsmn_block.weight[:, 0], self.left)
        split = lambda y: y.view(b, t, self.heads, -1).transpose(1, 2)
        if v.is_cuda:
            out = F.scaled_dot_product_attention(split(q), split(k), split(v), mask.to(v.dtype))
        else:
            # Utterances are short (a few dozen frames), where two products and a softmax beat the fused kernel with a mask.
            scores = split(q) @ split(k).transpose(2, 3) * self.scale
            out = (scores.float() + mask).softmax(-1).to(v.dtype) @ split(v)
        out = out.transpose(1, 2).reshape(b, t, -1)
        return self.linear_out(out) + remembered * valid.to(remembered.dtype)


class ChannelDropout(nn.Module):
    """Drops channels of x [B, T, D] for a whole utterance (Gal and Ghahramani 2016, "A Theoretically Grounded Application of Dropout in
    Recurrent Neural Networks"): random numbers for each frame would take a tenth of the time of a step on a CPU."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, x):
        if not self.training or not self.share:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2], device=x.device) >= self.share
        return x * (kept / (1 - self.share)).to(x.dtype)


class FeedForward(nn.Module):
    def __init__(self, c, dropout=0.0):
        super().__init__()
        self.w_1 = nn.Linear(c["dim"], c["ffn_dim"])
        self.dropout = ChannelDropout(dropout)
        self.w_2 = nn.Linear(c["ffn_dim"], c["dim"])

    def forward(self, x):
        return self.w_2(self.dropout(F.relu(self.w_1(x))))


class Layer(nn.Module):
    def __init__(self, inputs, c, dropout=0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(inputs, eps=c["norm_eps"])
        self.self_attn = Attention(inputs, c)
        self.dropout = ChannelDropout(dropout)
        self.norm2 = nn.LayerNorm(c["dim"], eps=c["norm_eps"])
        self.feed_forward = FeedForward(c, dropout)
        self.same = inputs == c["dim"]

    def forward(self, x, mask, valid):
        y = self.dropout(self.self_attn(self.norm1(x), mask, valid))
        x = x + y if self.same else y
        return x + self.feed_forward(self.norm2(x))


class Frontend(nn.Module):
    """Two convolutions over time and mel bands, whose result is added to the stacked frames that the first layer reads.

    Stacked frames alone must learn each sound anew at each place in the row of 60 ms. A row is computed from its own `frames` filter
    bank frames and nothing else, so streaming needs no state. Kernels 3 x 3 and 5 x 3 (time x bands), strides 2 x 2 and 1 x 2, no padding.
    """

    def __init__(self, c):
        super().__init__()
        self.frames = c["frontend"]["frames"]
        a, b = c["frontend"]["channels"]
        self.stacked = c["input_dim"]
        # Whether all frames of a row are normalised alike, so that rows can share what they have in common.
        self.alike = False
        self.conv1 = nn.Conv2d(1, a, 3, stride=2)
        self.conv2 = nn.Conv2d(a, b, (5, 3), stride=(1, 2))
        times = (self.frames - 3) // 2 + 1 - 4
        bands = ((BANDS - 3) // 2 + 1 - 3) // 2 + 1
        self.out = nn.Linear(b * times * bands, c["input_dim"])
        # At first the function without it.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def over_sequence(self, x):
        """The convolutions over all frames at once: rows begin every 6 frames, and of the five places of conv1 in a row three are new."""
        b, t, _ = x.shape
        rows = x.view(b, t, self.frames, BANDS)
        frames = torch.cat([rows[:, :, :6].flatten(1, 2), rows[:, -1, 6:]], 1)
        # As products of matrices: on a GPU the convolutions of cuDNN are planned anew for each size of a batch.
        patches = frames.unfold(1, 3, 2).unfold(2, 3, 2).flatten(3)
        y = F.relu(F.linear(patches, self.conv1.weight.flatten(1), self.conv1.bias))
        patches = y.unfold(1, 5, 3).unfold(2, 3, 2).flatten(3)
        y = F.relu(F.linear(patches, self.conv2.weight.flatten(1), self.conv2.bias))
        return y.transpose(2, 3).flatten(2)

    def forward(self, x):
        b, t, n = x.shape
        if self.alike:
            y = self.over_sequence(x)
        else:
            y = F.relu(self.conv1(x.view(b * t, 1, self.frames, BANDS)))
            y = F.relu(self.conv2(y)).flatten(1).view(b, t, -1)
        start = (n - self.stacked) // 2
        return x[..., start : start + self.stacked] + self.out(y)


class Encoder(nn.Module):
    def __init__(self, c, dropout=0.0):
        super().__init__()
        self.scale = c["dim"] ** 0.5
        self.frontend = Frontend(c)
        self.encoders0 = nn.ModuleList([Layer(c["input_dim"], c)])
        self.encoders = nn.ModuleList([Layer(c["dim"], c, dropout) for _ in range(c["layers"] - 1)])
        self.after_norm = nn.LayerNorm(c["dim"], eps=c["norm_eps"])

    def forward(self, x, mask, valid, middle=None):
        x = self.frontend(x) * self.scale
        between = None
        for i, layer in enumerate([*self.encoders0, *self.encoders]):
            x = layer(x, mask, valid)
            if i == middle:
                between = x
        return self.after_norm(x), between


def attention_mask(lengths, frames, chunk, left):
    """[B, 1, T, T] to add to scores: 0 where a frame sees its chunk, `left` frames before the chunk, and no padding; else -inf."""
    device = lengths.device
    index = torch.arange(frames, device=device)
    seen = torch.ones(frames, frames, dtype=torch.bool, device=device)
    if chunk:
        start = index // chunk * chunk
        seen = (index[None] < (start + chunk)[:, None]) & (index[None] >= (start - left)[:, None])
    inside = index[None] < lengths[:, None]
    # A padded query row must see something, or its softmax is not a number: itself.
    seen = (seen[None] & inside[:, None]) | torch.eye(frames, dtype=torch.bool, device=device)[None]
    return torch.zeros(seen.shape, device=device).masked_fill_(~seen, float("-inf")).unsqueeze(1)


class Model(nn.Module):
    """Encoder, CTC head, and an auxiliary CTC head on a middle layer that is thrown away after training. The latter gives two
    rows per input row.

    `syllable_of` [V, 2] holds up to two rows of a table of syllables per token (-1: none). The weight of a Chinese
    character in the head is its own row plus the rows of its readings, so that rare characters learn from every
    character that sounds alike. The sum is folded into a plain head at export.
    """

    def __init__(self, config, tokens, auxiliary, syllable_of, dropout=0.0):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, dropout)
        self.middle = config["layers"] // 2
        self.head = nn.Linear(config["dim"], tokens)
        # Two labels per frame of 60 ms: English has more phones a second than there are frames.
        self.head_aux = nn.Linear(config["dim"], 2 * auxiliary)
        self.norm_aux = nn.LayerNorm(config["dim"])
        self.head_aux_top = nn.Linear(config["dim"], 2 * auxiliary, bias=False)
        # At first the function of the middle layer alone.
        nn.init.zeros_(self.head_aux_top.weight)
        self.register_buffer("syllable_of", syllable_of)
        self.syllables = nn.Parameter(torch.randn(int(syllable_of.max()) + 2, config["dim"]) * 0.06)
        self.register_buffer("shift", torch.zeros(config["frontend"]["frames"] * BANDS))
        self.register_buffer("scale", torch.ones(config["frontend"]["frames"] * BANDS))

    def head_weight(self):
        table = torch.cat([self.syllables[:-1], torch.zeros_like(self.syllables[:1])])
        return self.head.weight + table[self.syllable_of].sum(1)

    def encode(self, features, lengths, chunk):
        """(last layer, middle layer), [B, T, dim] each."""
        frames = features.shape[1]
        mask = attention_mask(lengths, frames, chunk, self.config["left_context"])
        valid = (torch.arange(frames, device=lengths.device)[None] < lengths[:, None]).unsqueeze(-1).to(features.dtype)
        return self.encoder((features + self.shift) * self.scale, mask, valid, self.middle)

    def auxiliary(self, out, between):
        """Auxiliary logits [B, 2 T, labels] of what `encode` gives."""
        aux = self.head_aux(self.norm_aux(between)) + self.head_aux_top(out)
        return aux.unflatten(-1, (2, -1)).flatten(1, 2)

    def sounds(self, features, lengths):
        """Auxiliary logits with full context, without the tokens."""
        return self.auxiliary(*self.encode(features, lengths, 0))

    def forward(self, features, lengths, chunk, alone=False):
        """(logits, auxiliary logits, middle layer). `alone`: the auxiliary loss does not reach the encoder."""
        out, between = self.encode(features, lengths, chunk)
        aux = self.auxiliary(out.detach(), between.detach()) if alone else self.auxiliary(out, between)
        return F.linear(out, self.head_weight(), self.head.bias), aux, between
