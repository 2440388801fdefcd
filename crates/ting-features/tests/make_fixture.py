#!/usr/bin/env python3
"""Writes what kaldi-native-fbank (PyPI, made with 1.23.0) computes for `signal()`: 98 rows of 80 little-endian f32.

tests/data/fbank.f32 is its own output. tests/data/fbank_f64_fft.f32 has its window and mel filters around a
transform in f64, because its own is in f32 and leaves noise in the quiet bins that nobody can reproduce.
 `tests/fbank.rs` makes the same signal; it is integers only, so that no
library's sine can make the two differ.
"""
import pathlib

import kaldi_native_fbank as knf
import numpy as np


def wave(phase):
    """A sine made of two parabolas: phase in 1/65536 of a turn, result within +-16384."""
    phase &= 0xFFFF
    half = phase & 0x7FFF
    value = (half * (0x8000 - half)) >> 14
    return -value if phase >= 0x8000 else value


def signal():
    """1 s at 16 kHz, 16-bit: every kind of sound in which rounding shows."""
    state, phase, samples = 1, 0, []
    for n in range(16000):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        noise = (state >> 48) - 32768
        part = n // 2000
        phase += 100 + n  # a chirp from 24 Hz to 3.9 kHz
        samples.append([
            lambda: 0,                                          # silence: the floor
            lambda: noise >> 15,                                # one bit of noise
            lambda: wave(phase),                                # a chirp alone: quiet bins beside loud ones
            lambda: wave(n * 4096) * 2 - 1,                     # a full-scale tone at 1 kHz
            lambda: wave(phase) // 2 + noise // 8,              # chirp in noise
            lambda: 20000 + wave(n * 1000) // 64,               # a whisper on a large offset
            lambda: noise,                                      # full-scale noise
            lambda: 32767 if (n // 80) % 2 else -32768,         # a full-scale square wave
        ][part]())
    return np.clip(np.array(samples), -32768, 32767).astype(np.float32)


options = knf.FbankOptions()
options.frame_opts.samp_freq = 16000
options.frame_opts.dither = 0
options.frame_opts.window_type = "hamming"
options.frame_opts.snip_edges = True
options.mel_opts.num_bins = 80
options.energy_floor = 0
fbank = knf.OnlineFbank(options)
fbank.accept_waveform(16000, signal().tolist())
fbank.input_finished()
frames = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


def with_exact_transform(samples):
    window = np.array(knf.FeatureWindowFunction(options.frame_opts).window, np.float32)
    mel = knf.MelBanks(options.mel_opts, options.frame_opts)
    rows = []
    for start in range(0, len(samples) - 399, 160):
        x = samples[start : start + 400]
        x = x - np.cumsum(x, dtype=np.float32)[-1] / np.float32(400)
        x = x - np.float32(0.97) * np.concatenate([x[:1], x[:-1]])
        spectrum = np.fft.rfft((x * window).astype(np.float64), 512).astype(np.complex64)
        energies = mel.compute(spectrum.real**2 + spectrum.imag**2)
        rows.append(np.log(np.maximum(energies, np.finfo(np.float32).eps)))
    return np.array(rows)


data = pathlib.Path(__file__).parent / "data"
data.mkdir(exist_ok=True)
(data / "fbank.f32").write_bytes(frames.astype("<f4").tobytes())
exact = with_exact_transform(signal())
(data / "fbank_f64_fft.f32").write_bytes(exact.astype("<f4").tobytes())
print(frames.shape, "largest difference of the two:", np.abs(frames - exact).max())
