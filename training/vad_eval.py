"""Measures the voice activity detector frame by frame, on speakers and noises that no training heard.

    python training/vad_eval.py --data DATA --model models/tiny

Streams are made of recordings of the split `dev` of every set with gaps of 0.3 to 3 s between them, as they are ("clean")
and with noise of the noise set's split `dev` (and coloured noise, hum and tones, as in the training) at 20, 15, 10 and 5 dB
below the speech, over the whole stream; the recordings of a stream are equally loud. The truth is `vad_data.speech_frames` of
the clean recordings: energy. A recording's own noise is in it as it is, so some of the truth is wrong, the same for every
detector.

"Miss" is the share of the frames of speech that are below the threshold, "false alarm" the share of the other frames that
are not. Where speech begins or ends to 10 ms is a matter of taste; with the collar, frames within 50 ms of a change of the
truth are not counted. "Not opened" are recordings in which the recogniser would not have opened a sentence (8 frames of
speech out of 14), "late" is the time from the begin of the others' speech to the opening, without the frames that the
detector looks ahead. The last table says how much of the missed speech lies under the noise. Seeds are fixed.

With `--save`, the output's bias is moved so that `--alarm` percent of the other frames are false alarms at 5 to 20 dB (with
the collar), and the detector is written: one number that is chosen on what measures, before it is measured.
"""

import argparse
import pathlib

import numpy as np
import torch

from augment import Augmenter, read_tar
from features import fbank
from prepare import REAL_SETS
from tokens import read_table
from vad_data import RATE, active_power, frame_count, levels, speech_frames
from vad_net import Detector

SNRS = (20, 15, 10, 5)
COLLAR = 5  # frames
STREAM_S = 30


def clips(data, per_set):
    """(set, samples), `per_set` of each set's split `dev`, evenly over its table."""
    found = []
    for name in REAL_SETS:
        rows = [r["id"] for r in read_table(data / "speech" / f"{name}.tsv") if r["split"] == "dev"]
        wanted = {rows[i * len(rows) // per_set] for i in range(per_set)} if len(rows) > per_set else set(rows)
        tar = data / "speech" / f"{name}.tar"
        found += [(name, w) for _, w in read_tar(tar, lambda file: file.rsplit(".", 1)[0] in wanted)]
    return [(name, w) for name, w in found if len(w) > 3200 and speech_frames(w).any()]


class Stream:
    """Recordings of one set one after another, equally loud where there is speech, and where they are."""

    def __init__(self, name, rng):
        self.name, self.rng = name, rng
        self.level = 10 ** (-rng.uniform(20, 45) / 20)
        self.parts, self.places, self.at = [], [], 0
        self.pause()

    def pause(self):
        self.parts.append(np.zeros(int(self.rng.uniform(0.3, 3) * RATE), np.float32))
        self.at += len(self.parts[-1])

    def add(self, wave):
        self.places.append((self.at, speech_frames(wave)))
        self.parts.append(np.clip(wave * (self.level / active_power(wave, self.places[-1][1]) ** 0.5), -1, 1))
        self.at += len(wave)
        self.pause()

    def close(self):
        self.wave = np.concatenate(self.parts)
        self.truth = np.zeros(frame_count(len(self.wave)), bool)
        self.spans = []
        for at, speech in self.places:
            first = at // 160
            self.truth[first : first + len(speech)] |= speech[: len(self.truth) - first]
            self.spans.append((first, first + len(speech) + 30))
        return self


def streams(data, per_set, rng):
    made, current = [], None
    for name, wave in clips(data, per_set):
        if current is not None and (current.name != name or current.at > STREAM_S * RATE):
            made.append(current.close())
            current = None
        current = current or Stream(name, rng)
        current.add(wave)
    return made + [current.close()]


def noisy(stream, noise, snr):
    gain = np.sqrt(active_power(stream.wave, stream.truth) / (np.mean(noise**2) + 1e-12)) * 10 ** (-snr / 20)
    return np.clip(stream.wave + gain * noise, -1, 1).astype(np.float32)


def counted(truth):
    """Frames that are not within the collar of a change."""
    keep = np.ones(len(truth), bool)
    for edge in np.flatnonzero(np.diff(truth.astype(int))) + 1:
        keep[max(0, edge - COLLAR) : edge + COLLAR] = False
    return keep


def rates(p, truth, threshold=0.5):
    """(miss, false alarm) in percent."""
    return 100 * np.mean(p[truth] < threshold), 100 * np.mean(p[~truth] >= threshold)


def equal_error(p, truth):
    speech, other = np.sort(p[truth]), np.sort(p[~truth])
    miss = np.searchsorted(speech, speech) / len(speech)
    alarm = 1 - np.searchsorted(other, speech) / len(other)
    at = np.abs(miss - alarm).argmin()
    return 50 * (miss[at] + alarm[at])


def openings(results):
    """Share of recordings in which nothing opens (%), and median and 95th percentile of the delay of the others (ms)."""
    lost, late, count = 0, [], 0
    for stream, p in results:
        recent = np.convolve(p > 0.5, np.ones(14, int))[: len(p)]
        for a, b in stream.spans:
            begin = a + int(stream.truth[a:b].argmax())
            if not stream.truth[a:b].any():
                continue
            count += 1
            opened = np.flatnonzero(recent[begin:b] >= 8)
            lost += not len(opened)
            late += [10 * (opened[0] + 1)] if len(opened) else []
    return 100 * lost / count, *np.percentile(late, (50, 95)), count


def row(name, results):
    p = np.concatenate([p for _, p in results])
    truth = np.concatenate([s.truth for s, _ in results])
    keep = np.concatenate([counted(s.truth) for s, _ in results])
    lost, median, late, count = openings(results)
    figures = [*rates(p, truth), equal_error(p, truth), *rates(p[keep], truth[keep]), equal_error(p[keep], truth[keep])]
    print(f"| {name} | " + " | ".join(f"{x:.2f}" for x in figures) + f" | {lost:.1f} of {count} | {median:.0f} | {late:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, nargs="+", required=True, help="model folders, or detectors' files")
    parser.add_argument("--per-set", type=int, default=40)
    parser.add_argument("--save", type=pathlib.Path, help="write the (one) detector with its bias moved")
    parser.add_argument("--alarm", type=float, default=2.8)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(11)
    made, augment = streams(args.data, args.per_set, rng), Augmenter(args.data / "speech", rng, split="dev")
    conditions, above = {"clean": [(s, fbank(s.wave)) for s in made]}, []
    for snr in SNRS:
        waves = [noisy(s, augment.noise(len(s.wave)), snr) for s in made]
        conditions[f"{snr} dB"] = [(s, fbank(w)) for s, w in zip(made, waves)]
        above += [levels(s.wave) - levels(w - s.wave) for s, w in zip(made, waves)]
    # Noise alone: recordings only, because the made-up kinds are easy; 12 minutes at many levels.
    alone = []
    for i in range(144):
        wave = augment.noises[i % len(augment.noises)]
        level = 10 ** (rng.uniform(-45, -12) / 20) / (np.sqrt(np.mean(wave**2)) + 1e-9)
        alone.append(fbank(np.clip(np.resize(wave, 5 * RATE) * level, -1, 1)))
    frames = sum(len(s.truth) for s in made)
    print(
        f"{sum(len(s.spans) for s in made)} recordings, {frames / 6000:.1f} minutes a condition, "
        f"{100 * np.mean(np.concatenate([s.truth for s in made])):.0f} % speech"
    )
    for path in args.model:
        detector = Detector.load(path / "vad.safetensors" if path.is_dir() else path)
        if args.save:
            calibrate(detector, [pair for snr in SNRS for pair in conditions[f"{snr} dB"]], args.alarm)
            detector.save(args.save)
        measure(path, detector, conditions, alone, np.concatenate(above))


def calibrate(detector, pairs, alarm):
    """Moves the output's bias so that `alarm` percent of the frames of no speech, within no collar, are at 0.5 or above."""
    p = np.concatenate([detector.probabilities(f).numpy()[counted(s.truth) & ~s.truth] for s, f in pairs])
    level = float(np.quantile(p.astype(np.float64), 1 - alarm / 100))
    with torch.no_grad():
        detector.model.out_linear2.linear.bias[1] -= np.log(level / (1 - level))


def measure(path, detector, conditions, alone, above):
    heard = {name: [(s, detector.probabilities(f).numpy()) for s, f in pairs] for name, pairs in conditions.items()}
    mixed = [r for snr in SNRS for r in heard[f"{snr} dB"]]
    print(f"\n{path}: {sum(p.numel() for p in detector.model.parameters())} parameters. All in %, at the threshold 0.5\n")
    print("| | miss | false alarm | equal error | miss, collar | false alarm, collar | equal error, collar "
          "| not opened | late, median ms | late, 95 % |\n|---|" + "---:|" * 9)
    row("**5 to 20 dB**", mixed)
    for name, results in heard.items():
        row(name, results)
    for name in REAL_SETS:
        row(f"{name}, 5 to 20 dB", [r for r in mixed if r[0].name == name])
    p, truth = np.concatenate([p for _, p in mixed]), np.concatenate([s.truth for s, _ in mixed])
    keep = np.concatenate([counted(s.truth) for s, _ in mixed])
    noise = np.concatenate([detector.probabilities(f).numpy() for f in alone])
    print("\n| speech_noise_threshold | probability | miss, collar | false alarm, collar | false alarm, noise alone |\n|---|" + "---:|" * 4)
    for value in (-1.0, -0.5, 0.0, 0.5, 1.0):
        threshold = 0.5 + 0.45 * value
        miss, alarm = rates(p[keep], truth[keep], threshold)
        print(f"| {value:+.1f} | {threshold:.3f} | {miss:.2f} | {alarm:.2f} | {100 * np.mean(noise >= threshold):.2f} |")
    print("\n| speech over noise in the frame, dB | of the speech | missed | of all that is missed |\n|---|" + "---:|" * 3)
    missed, spoken = (p < 0.5) & truth & keep, truth & keep
    edges = (-np.inf, -10, 0, 10, np.inf)
    for low, high in zip(edges, edges[1:]):
        here = spoken & (above >= low) & (above < high)
        share = 100 * np.array([here.sum() / spoken.sum(), np.mean(missed[here]), missed[here].sum() / missed.sum()])
        print(f"| {low:g} to {high:g} | " + " | ".join(f"{x:.1f}" for x in share) + " |")


if __name__ == "__main__":
    main()
