"""Trains the voice activity detector: an FSMN (FunASR's layer names) that says speech or not for each 10 ms.

Streams are made on the fly from recordings and synthesis with gaps, noises and rooms; a quarter holds no speech at
all. Labels come from the energy of the clean speech before anything is added to it.
"""

import argparse
import json
import pathlib
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

import text as T
from augment import Augmenter, read_tar
from features import fbank, low_frame_rate
from synth import Espeak, random_sentence
from tokens import read_table

CONFIG = {
    "input_dim": 400, "input_affine_dim": 64, "linear_dim": 96, "proj_dim": 48, "layers": 3, "lorder": 20,
    "rorder": 0, "output_affine_dim": 64, "output_dim": 2,
}
RATE = 16000


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
        weight = self.conv_left.weight[:, 0, :, 0]
        order, frames = weight.shape[1], x.shape[1]
        padded = F.pad(x, (0, 0, order - 1, 0))
        for i in range(order):
            x = x + padded[:, i : i + frames] * weight[:, i]
        return x


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.linear = Affine(c["linear_dim"], c["proj_dim"], bias=False)
        self.fsmn_block = Memory(c["proj_dim"], c["lorder"])
        self.affine = Affine(c["proj_dim"], c["linear_dim"])

    def forward(self, x):
        return F.relu(self.affine(self.fsmn_block(self.linear(x))))


class Fsmn(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.in_linear1 = Affine(c["input_dim"], c["input_affine_dim"])
        self.in_linear2 = Affine(c["input_affine_dim"], c["linear_dim"])
        self.fsmn = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.out_linear1 = Affine(c["linear_dim"], c["output_affine_dim"])
        self.out_linear2 = Affine(c["output_affine_dim"], c["output_dim"])

    def forward(self, x):
        x = F.relu(self.in_linear2(self.in_linear1(x)))
        for block in self.fsmn:
            x = block(x)
        return self.out_linear2(self.out_linear1(x))


def frame_count(samples):
    return max(0, 1 + (samples - 400) // 160)


def speech_frames(wave):
    """Booleans per 10 ms frame: the energy is within 32 dB of the loud frames and above the noise floor."""
    count = frame_count(len(wave))
    frames = np.lib.stride_tricks.sliding_window_view(wave, 400)[::160][:count]
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, 1) + 1e-10)
    floor, loud = np.percentile(level, 8), np.percentile(level, 95)
    speech = level > min(max(floor + 9, loud - 32), loud - 18)
    # Gaps inside words and between close words are speech; single clicks are not.
    for value, least in ((False, 12), (True, 5)):
        edges = np.flatnonzero(np.diff(speech.astype(int))) + 1
        for a, b in zip(edges[:-1], edges[1:]):
            if speech[a] == value and b - a < least:
                speech[a:b] = not value
    return speech


def stream(pool, augment, rng, seconds=10.0):
    """(samples, label per frame) of one training stream."""
    total = int(seconds * RATE)
    wave, label = np.zeros(total, np.float32), np.zeros(frame_count(total), bool)
    at = int(rng.uniform(0, 2.5) * RATE)
    gain = 10 ** (rng.uniform(-24, 0) / 20)
    while rng.random() > 0.02 and at < total:
        clip = pool[rng.integers(len(pool))]
        clip = clip[: total - at]
        if len(clip) < 3200:
            break
        speech = speech_frames(clip)
        wave[at : at + len(clip)] += clip / (np.abs(clip).max() + 1e-6) * gain * 10 ** (rng.uniform(-6, 0) / 20)
        first = at // 160
        label[first : first + len(speech)] |= speech[: len(label) - first]
        at += len(clip) + int(rng.choice([rng.uniform(0.1, 0.8), rng.uniform(0.8, 4.0)]) * RATE)
    if rng.random() < 0.25:
        wave, label = np.zeros(total, np.float32), np.zeros_like(label)
    if rng.random() < 0.25:
        wave = augment.room(wave)
    if rng.random() < 0.1:
        wave = augment.telephone(wave)
    level = np.sqrt(np.mean(wave[wave != 0] ** 2)) if label.any() else 10 ** (rng.uniform(-60, -8) / 20)
    for _ in range(rng.integers(0, 3)):
        noise = augment.noise(total)
        noise = noise * level / (np.sqrt(np.mean(noise**2)) + 1e-9) * 10 ** (-rng.uniform(3 if label.any() else -3, 30) / 20)
        if rng.random() < 0.3:  # noises come and go
            a, b = sorted(rng.integers(0, total, 2))
            noise[:a], noise[b:] = 0, 0
        wave = wave + noise
    return np.clip(wave, -1, 1).astype(np.float32), label


def collect(data, work, rng, per_set=350):
    """Clips of speech: recordings of every set, and synthesis."""
    pool = []
    for name in "zh-read zh-read2 en-read en-read2 en-words ja-words".split():
        rows = {r["id"]: r for r in read_table(data / "speech" / f"{name}.tsv")}
        taken = 0
        for file, wave in read_tar(data / "speech" / f"{name}.tar"):
            if rows[file.rsplit(".", 1)[0]]["split"] == "train" and rng.random() < 0.15 and len(wave) > 4800:
                pool.append(wave)
                taken += 1
                if taken == per_set:
                    break
    espeak = Espeak()
    texts = json.loads((work / "texts.json").read_text())
    for lang, count in (("zh", 150), ("en", 150), ("ja", 40)):
        lines = [p[0] for p in texts[lang] if p[0]]
        pool += [random_sentence(espeak, rng, lines[rng.integers(len(lines))], lang)[0] for _ in range(count)]
    return [w for w in pool if np.abs(w).max() > 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="vad.safetensors")
    parser.add_argument("--streams", type=int, default=2400)
    parser.add_argument("--steps", type=int, default=2500)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(5)
    random.seed(0)
    cache = args.work / "vad-streams.pt"
    if cache.exists():
        features, labels = torch.load(cache)
    else:
        pool, augment = collect(args.data, args.work, rng), Augmenter(args.data / "speech", rng)
        made = [stream(pool, augment, rng) for _ in range(args.streams)]
        features = torch.stack([fbank(w).half() for w, _ in made])
        labels = torch.stack([torch.from_numpy(l) for _, l in made])
        torch.save((features, labels), cache)
    held = 160
    model = Fsmn(CONFIG)
    stacked = torch.stack([low_frame_rate(f.float(), 5, 1) for f in features[:200]]).reshape(-1, 400)
    shift, scale = -stacked.mean(0), 1 / stacked.std(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, args.steps)

    def logits(index):
        x = torch.stack([low_frame_rate(features[i].float(), 5, 1) for i in index])
        return model((x + shift) * scale)

    began = time.time()
    for step in range(args.steps):
        index = random.choices(range(held, len(features)), k=10)
        loss = F.cross_entropy(logits(index).reshape(-1, 2), labels[index].reshape(-1).long())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        if step % 250 == 249:
            with torch.no_grad():
                p = torch.cat([logits(range(i, i + 10)).softmax(-1)[..., 1] for i in range(0, held, 10)])
            y = labels[:held]
            print(
                f"step {step + 1}, loss {loss.item():.3f}, miss {(p < 0.5)[y].float().mean():.3%}, "
                f"false alarm {(p >= 0.5)[~y].float().mean():.3%}, {time.time() - began:.0f} s", flush=True,
            )
    tensors = {f"encoder.{k}": v.contiguous() for k, v in model.state_dict().items()}
    save_file(tensors | {"cmvn.shift": shift, "cmvn.scale": scale}, args.out)


if __name__ == "__main__":
    main()
