"""Kaldi filter banks, as the recogniser computes them (crate `ting-features`), on whole utterances."""

import numpy as np
import torch

_FFT = 512


def _mel(hz):
    return 1127.0 * np.log(1.0 + hz / 700.0)


def _mel_banks(bins=80, rate=16000, low=20.0):
    edges = np.linspace(_mel(low), _mel(rate / 2), bins + 2)
    mels = _mel(np.arange(_FFT // 2 + 1) * rate / _FFT)
    up = (mels[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - mels[None]) / (edges[2:] - edges[1:-1])[:, None]
    banks = np.maximum(0, np.minimum(up, down))
    banks[:, -1] = 0  # Kaldi leaves the Nyquist bin out
    return torch.tensor(banks.T, dtype=torch.float32)


MEL_BANKS = _mel_banks()
WINDOW = torch.tensor(0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 399), dtype=torch.float32)


def fbank(wave):
    """80 log mel energies per 10 ms of `wave` (float samples in [-1, 1], 16 kHz), as [frames, 80] float32."""
    x = torch.as_tensor(np.asarray(wave, np.float32)) * 32768.0
    if len(x) < 400:
        return torch.zeros(0, 80)
    x = x.unfold(0, 400, 160)
    x = x - x.mean(1, keepdim=True)
    previous = torch.cat([x[:, :1], x[:, :-1]], 1)
    x = (x - 0.97 * previous) * WINDOW
    power = torch.fft.rfft(x, _FFT).abs().square()
    return (power @ MEL_BANKS).clamp_min(torch.finfo(torch.float32).eps).log()


def low_frame_rate(frames, stack=11, hop=6):
    """Stacks `stack` frames every `hop` ([T, 80] -> [ceil(T / hop), 80 * stack]), edges repeated as FunASR does."""
    count = (len(frames) + hop - 1) // hop
    left = frames[:1].expand((stack - 1) // 2, -1)
    need = (count - 1) * hop + stack - (len(frames) + (stack - 1) // 2)
    right = frames[-1:].expand(max(need, 0), -1)
    padded = torch.cat([left, frames, right])
    return padded.unfold(0, stack, hop)[:count].transpose(1, 2).reshape(count, -1)
