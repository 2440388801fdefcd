"""The FSMN memory of model.py as Triton kernels: a depthwise convolution over time that reads each number once.

PyTorch's shifted products would pass over the activations some forty times, and take longer than all products of matrices of a layer.
"""

import torch
import triton
import triton.language as tl

_TIMES, _CHANNELS = 32, 64


@triton.jit
def _taps(x, weight, out, frames, first, D: tl.constexpr, K: tl.constexpr, STEP: tl.constexpr, TIMES: tl.constexpr, CHANNELS: tl.constexpr):
    """out[b, t] = x[b, t] + sum over i of weight[:, i] * x[b, t + first + STEP * i]."""
    base = tl.program_id(0) * frames * D
    t = tl.program_id(1) * TIMES + tl.arange(0, TIMES)
    d = tl.program_id(2) * CHANNELS + tl.arange(0, CHANNELS)
    inside = t < frames
    place = base + t[:, None] * D + d[None, :]
    total = tl.load(x + place, mask=inside[:, None], other=0.0).to(tl.float32)
    for i in tl.static_range(K):
        at = t + first + STEP * i
        seen = inside & (at >= 0) & (at < frames)
        value = tl.load(x + base + at[:, None] * D + d[None, :], mask=seen[:, None], other=0.0).to(tl.float32)
        total += value * tl.load(weight + d * K + i)[None, :]
    tl.store(out + place, total.to(out.dtype.element_ty), mask=inside[:, None])


@triton.jit
def _weights(x, grad, out, frames, left, D: tl.constexpr, K: tl.constexpr, TIMES: tl.constexpr, CHANNELS: tl.constexpr):
    """out[b, i] = sum over t of x[b, t + i - left] * grad[b, t]."""
    b, i = tl.program_id(0), tl.program_id(2)
    d = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    base = b * frames * D
    total = tl.zeros([CHANNELS], tl.float32)
    for start in range(0, frames, TIMES):
        t = start + tl.arange(0, TIMES)
        at = t + i - left
        inside = (t < frames) & (at >= 0) & (at < frames)
        value = tl.load(x + base + at[:, None] * D + d[None, :], mask=inside[:, None], other=0.0).to(tl.float32)
        slope = tl.load(grad + base + t[:, None] * D + d[None, :], mask=inside[:, None], other=0.0).to(tl.float32)
        total += tl.sum(value * slope, 0)
    tl.store(out + (b * K + i) * D + d, total)


def _launch_taps(x, weight, first, step):
    batch, frames, d = x.shape
    out = torch.empty_like(x)
    grid = (batch, triton.cdiv(frames, _TIMES), d // _CHANNELS)
    _taps[grid](x, weight, out, frames, first, d, weight.shape[1], step, _TIMES, _CHANNELS)
    return out


class GpuMemory(torch.autograd.Function):
    """`model.Memory`: `v` [B, T, D] plus its convolution by `weight` [D, K], `left` frames back. D is a multiple of 64."""

    @staticmethod
    def forward(ctx, v, weight, left):
        v, weight = v.contiguous(), weight.float().contiguous()
        ctx.save_for_backward(v, weight)
        ctx.left = left
        return _launch_taps(v, weight, -left, 1)

    @staticmethod
    def backward(ctx, grad):
        v, weight = ctx.saved_tensors
        grad = grad.to(v.dtype).contiguous()
        batch, frames, d = v.shape
        taps = weight.shape[1]
        parts = torch.empty(batch, taps, d, device=v.device)
        _weights[(batch, d // _CHANNELS, taps)](v, grad, parts, frames, ctx.left, d, taps, _TIMES, _CHANNELS)
        return _launch_taps(grad, weight, ctx.left, -1), parts.sum(0).t(), None
