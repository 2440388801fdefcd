"""What the voice activity detector is trained on: streams of speech with gaps, noises, and labels."""

import json

import numpy as np

from augment import read_tar
from prepare import REAL_SETS
from synth import Espeak, random_sentence
from tokens import read_table

RATE = 16000


def frame_count(samples):
    return max(0, 1 + (samples - 400) // 160)


def levels(wave):
    """Decibels of each frame."""
    total = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
    begin = np.arange(frame_count(len(wave))) * 160
    return 10 * np.log10(np.maximum(total[begin + 400] - total[begin], 0) / 400 + 1e-10)


def speech_frames(wave):
    """Booleans per 10 ms frame: the energy is within 32 dB of the loud frames and above the noise floor."""
    level = levels(wave)
    floor, loud = np.percentile(level, 8), np.percentile(level, 95)
    speech = level > min(max(floor + 9, loud - 32), loud - 18)
    # Gaps inside words and between close words are speech; single clicks are not.
    for value, least in ((False, 12), (True, 5)):
        edges = np.flatnonzero(np.diff(speech.astype(int))) + 1
        for a, b in zip(edges[:-1], edges[1:]):
            if speech[a] == value and b - a < least:
                speech[a:b] = not value
    return speech


def active_power(wave, speech):
    """Mean power of the frames of speech."""
    inside = np.repeat(speech, 160)
    return float(np.mean(wave[: len(inside)][inside] ** 2))


def collect(data, work, rng, per_set=900):
    """Clips of speech with their labels: recordings of every set, evenly over its table, and synthesis."""
    pool = []
    for name in REAL_SETS:
        rows = [r["id"] for r in read_table(data / "speech" / f"{name}.tsv") if r["split"] == "train"]
        wanted = {rows[int(i)] for i in np.linspace(0, len(rows) - 1, min(per_set, len(rows)))}
        tar = data / "speech" / f"{name}.tar"
        pool += [w for _, w in read_tar(tar, lambda file: file.rsplit(".", 1)[0] in wanted)]
    espeak = Espeak()
    texts = json.loads((work / "texts.json").read_text())
    for lang, count in (("zh", 150), ("en", 150), ("ja", 60)):
        lines = [p[0] for p in texts[lang] if p[0]]
        pool += [random_sentence(espeak, rng, lines[rng.integers(len(lines))], lang)[0] for _ in range(count)]
    pool = [w.astype(np.float32) for w in pool if len(w) > 4800 and np.abs(w).max() > 0]
    labelled = [(w, speech_frames(w)) for w in pool]
    return [(w, s) for w, s in labelled if s.any()]


def speech_stream(pool, augment, rng, seconds):
    """(samples, label per frame) of clips with gaps, all within 6 dB of each other where they are speech."""
    total = int(seconds * RATE)
    wave, label = np.zeros(total, np.float32), np.zeros(frame_count(total), bool)
    at = int(rng.uniform(0, 2.5) * RATE)
    while at < total - RATE // 4:
        clip, speech = pool[rng.integers(len(pool))]
        gain = 10 ** (rng.uniform(-29, -23) / 20) / active_power(clip, speech) ** 0.5
        clip = clip[: total - at]
        wave[at : at + len(clip)] += np.clip(clip * gain, -1, 1)
        first = at // 160
        speech = speech[: len(label) - first]
        label[first : first + len(speech)] |= speech
        at += len(clip) + int(rng.choice([rng.uniform(0.1, 0.8), rng.uniform(0.8, 4.0)]) * RATE)
    kind = rng.random()
    if kind < 0.25:
        wave = augment.room(wave)
    elif kind < 0.35:
        wave = augment.telephone(wave)
    return wave.astype(np.float32), label


def notes(rng, length):
    """Beeps, sirens and notes: harmonic sounds that start suddenly and die away, which is what a vowel is not."""
    wave = np.zeros(length, np.float32)
    at, base = 0, rng.uniform(150, 1500)
    slow = rng.uniform(0.1, 0.8)
    while at < length:
        count = min(int(rng.uniform(0.5, 1.5) * slow * RATE) + 400, length - at)
        t = np.arange(count) / RATE
        pitch = base * 2 ** (rng.integers(-12, 13) / 12) * (1 + rng.choice([0, rng.uniform(-0.3, 0.3)]) * t / t[-1])
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        tone = sum(np.sin(k * phase) * rng.random() / k for k in range(1, 6))
        wave[at : at + count] += tone * np.exp(-t * rng.choice([0.1, rng.uniform(1, 20)]))
        at += count + int(rng.choice([0, rng.uniform(0, 1)]) * RATE)
    return wave


def knocks(rng, length):
    """Bursts of coloured noise: knocks, keys, steps, rustling."""
    wave = np.zeros(length, np.float32)
    pause = rng.choice([rng.uniform(0.05, 0.2), rng.uniform(0.2, 2)])
    at = int(rng.uniform(0, pause) * RATE)
    while at < length:
        count = min(int(rng.uniform(0.01, 0.5) * RATE), length - at)
        burst = np.fft.rfft(rng.normal(size=count))
        centre = rng.uniform(0, len(burst))
        burst *= np.exp(-(((np.arange(len(burst)) - centre) / (len(burst) * rng.uniform(0.05, 1))) ** 2))
        burst = np.fft.irfft(burst, count) if count > 1 else np.zeros(count)
        burst *= np.exp(-np.arange(count) / (RATE * rng.uniform(0.003, 0.2)))
        wave[at : at + count] += burst / (np.abs(burst).max() + 1e-9) * rng.uniform(0.2, 1)
        at += int(rng.exponential(pause) * RATE) + 160
    return wave


def noise_stream(augment, rng, seconds):
    """Samples of one noise, of power 0.0001 over all of it."""
    length, kind = int(seconds * RATE), rng.random()
    if kind < 0.6:
        # Recordings are few, so they are played faster and slower, too.
        wave = augment.noises[rng.integers(len(augment.noises))]
        speed = rng.choice([1.0, rng.uniform(0.7, 1.4)])
        wave = np.interp(np.arange(0, len(wave) - 1, speed), np.arange(len(wave)), wave)
        wave = np.roll(np.resize(wave, length), rng.integers(length))
    elif kind < 0.85:
        wave = augment.noise(length)
    elif kind < 0.93:
        wave = notes(rng, length)
    else:
        wave = knocks(rng, length)
    if rng.random() < 0.15:
        # Wind, waves, traffic: slow changes of level.
        swell = np.interp(np.arange(length), np.linspace(0, length, 12), rng.uniform(-25, 0, 12))
        wave = wave * 10 ** (swell / 20)
    return (wave * (0.01 / (np.sqrt(np.mean(wave**2)) + 1e-9))).astype(np.float32)
