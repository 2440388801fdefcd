"""Trains the voice activity detector: an FSMN that says speech or not for each 10 ms.

Streams of speech and streams of noise are made once (`vad_data.py`), as power per mel band; each step adds some of them
anew at random levels, so the same speech is never heard in the same noise. Labels come from the energy of the clean speech.
The averaged weights are kept, with the output's bias moved so that at the probability of 0.5, on streams that were not trained
on, there are 3 false alarms for 2 misses. Their noises are cut from recordings that the training hears, so with others there
are more false alarms: `vad_eval.py --save` sets the bias with those.
"""

import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from augment import Augmenter
from features import fbank
from vad_data import collect, noise_stream, speech_stream
from vad_net import CONFIG, STACK, Detector, Fsmn, stacked, widened

SECONDS = 10.0
HELD = 80  # streams of speech and of noise that only measure
FLOOR = torch.finfo(torch.float32).eps  # of the power of a band, as in `features.fbank`
BATCH = 8


def make(args, rng):
    """Log power of the bands of the streams of speech, their labels, and the same of the noises; from the cache if it is there."""
    cache = args.work / "vad-streams.pt"
    if not cache.exists():
        pool, augment = collect(args.data, args.work, rng), Augmenter(args.data / "speech", rng)
        spoken = [speech_stream(pool, augment, rng, SECONDS) for _ in range(args.streams)]
        speech = torch.stack([fbank(w).half() for w, _ in spoken])
        labels = torch.stack([torch.from_numpy(l) for _, l in spoken])
        noise = [fbank(noise_stream(augment, rng, SECONDS)).half() for _ in range(args.noises)]
        torch.save((speech, labels, torch.stack(noise)), cache)
    return torch.load(cache)


def decibels(rng, low, high, count):
    """Random factors of power, for [count, frames, bands]."""
    return torch.tensor(10 ** (rng.uniform(low, high, count) / 10), dtype=torch.float32)[:, None, None]


def tilt(rng, count):
    """Microphones and rooms: each band up to about 10 dB more or less, neighbours alike. As factors of power."""
    points = rng.normal(0, 3, (count, 5)) * (rng.random((count, 1)) < 0.6)
    curves = np.stack([np.interp(np.linspace(0, 4, 80), np.arange(5), p) for p in points])
    return torch.tensor(10 ** (curves / 10), dtype=torch.float32)[:, None]


def gate(rng, count, frames):
    """Noises come and go: for three in ten, ones for a random stretch and zeros around it."""
    mask = torch.ones(count, frames, 1)
    for one in mask:
        if rng.random() < 0.3:
            a, b = sorted(rng.integers(0, frames, 2))
            one[:a], one[b:] = 0, 0
    return mask


def mix(rng, speech, labels, noise, noises, only=(3, 30)):
    """Frames [count, T, 80] and labels of a batch. `noise` are all streams of noise, `noises` the rows that may be taken."""
    count, frames = labels.shape
    power = speech.float().exp() * tilt(rng, count)
    silent = torch.tensor(rng.random(count) < 0.25)
    power, labels = power * ~silent[:, None, None], labels & ~silent[:, None]
    # Streams have about -26 dB where there is speech and noises -40, so 14 dB more are as loud.
    for chance in (0.75, 0.35):
        more = noise[torch.tensor(rng.choice(noises, count))].float().exp() * tilt(rng, count)
        heard = torch.tensor(rng.random(count) < chance) | silent
        level = decibels(rng, 14 - only[1], 14 - only[0], count) * (1 + silent[:, None, None] * decibels(rng, 0, 15, count))
        power = power + more * gate(rng, count, frames) * level * heard[:, None, None]
    power = power * decibels(rng, -30, 12, count)
    return power.clamp_min(FLOOR).log(), labels


def balance(p, y):
    """The shift of the logits with which there are 3 false alarms (in %) for 2 misses at 0.5, and both in %."""
    odds = torch.logit(p.double().clamp(1e-9, 1 - 1e-9))
    speech, other = odds[y].sort().values, odds[~y].sort().values
    at = torch.linspace(-8, 8, 3201, dtype=torch.double)
    miss = torch.searchsorted(speech, at) / len(speech)
    alarm = 1 - torch.searchsorted(other, at) / len(other)
    best = (alarm - 1.5 * miss).abs().argmin()
    return -float(at[best]), 100 * float(miss[best]), 100 * float(alarm[best])


def fresh(rng, speech, labels, noise):
    """A detector that knows nothing but the mean and deviation of its input."""
    first = torch.cat([mix(rng, speech[i : i + 20], labels[i : i + 20], noise, np.arange(HELD, len(noise)))[0]
                       for i in range(HELD, HELD + 100, 20)])
    rows = stacked(first, STACK).reshape(-1, CONFIG["input_dim"])
    return Detector(Fsmn(CONFIG), -rows.mean(0), 1 / rows.std(0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="vad.safetensors")
    parser.add_argument("--streams", type=int, default=2600)
    parser.add_argument("--noises", type=int, default=1300)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=4e-3, help="highest learning rate")
    parser.add_argument("--from-vad", type=pathlib.Path, help="a detector's file to go on from; it may see fewer frames at once")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(5)
    speech, labels, noise = make(args, rng)
    detector = Detector.of(widened(load_file(args.from_vad), STACK)) if args.from_vad else fresh(rng, speech, labels, noise)
    model, average = detector.model.train(), {}
    # What measures is the same at every look: 5 to 20 dB.
    look = np.random.default_rng(6)
    measured = [mix(look, speech[i : i + 8], labels[i : i + 8], noise, np.arange(HELD), (5, 20)) for i in range(0, HELD, 8)]

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.rate, args.steps, pct_start=0.1)
    began, losses = time.process_time(), []
    for step in range(1, args.steps + 1):
        index = torch.tensor(rng.integers(HELD, len(speech), BATCH))
        x, y = mix(rng, speech[index], labels[index], noise, np.arange(HELD, len(noise)))
        loss = F.cross_entropy(detector.logits(x).flatten(0, 1), y.flatten().long(), label_smoothing=0.01)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        keep = min(0.995, step / (step + 10))
        for name, value in model.state_dict().items():
            average[name] = value.clone() if step == 1 else average[name].lerp(value, 1 - keep)
        if step % 500 == 0 or step == args.steps:
            averaged = Fsmn(CONFIG)
            averaged.load_state_dict(average)
            judge = Detector(averaged.eval(), detector.shift, detector.scale)
            with torch.no_grad():
                p = torch.cat([judge.logits(x).softmax(-1)[..., 1] for x, _ in measured])
                y = torch.cat([y for _, y in measured])
                shift, miss, alarm = balance(p, y)
                averaged.out_linear2.linear.bias[1] += shift
            judge.save(args.out)
            print(
                f"step {step}, loss {np.mean(losses[-500:]):.4f}, balanced: miss {miss:.2f} %, false alarm {alarm:.2f} %, "
                f"bias moved by {shift:+.2f}, {time.process_time() - began:.0f} s of processor time", flush=True,
            )


if __name__ == "__main__":
    main()
