"""Augmentation of waveforms: speed, rooms, noise, telephone band, low-bit-rate codecs, gain and clipping."""

import io
import subprocess
import tarfile
import tempfile

import numpy as np
import soundfile as sf
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from tokens import read_table

RATE = 16000


def decode(data):
    """Float samples at 16 kHz of an encoded file; by ffmpeg where libsndfile refuses the stream (lengths unset)."""
    try:
        wave, rate = sf.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (sf.LibsndfileError, ValueError):
        command = ["ffmpeg", "-loglevel", "error", "-i", "-", "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"]
        out = subprocess.run(command, input=data, capture_output=True, check=True).stdout
        return np.frombuffer(out, np.float32)
    wave = wave.mean(1)
    return wave if rate == RATE else resample_poly(wave, RATE, rate).astype(np.float32)


def read_tar(path, wanted=None):
    """Yields (name, float samples at 16 kHz) of a tar of recordings; decodes only those whose name is `wanted`."""
    with tarfile.open(path) as tar:
        for member in tar:
            name = member.name.rsplit("/", 1)[-1]
            if member.isfile() and (wanted is None or wanted(name)):
                yield name, decode(tar.extractfile(member).read())


def without_silence(wave):
    """`wave` from the first sample that is not silent to the last."""
    loud = np.flatnonzero(np.abs(wave) > 2e-3 * np.abs(wave).max())
    return wave[loud[0] : loud[-1] + 1] if len(loud) else wave[:0]


def trimmed(wave):
    """`wave` without the silence around it; None where less than 0.15 s or more than 15 s are left."""
    wave = without_silence(wave)
    return wave if 0.15 < len(wave) / RATE < 15 else None


def coloured(rng, length):
    """Noise whose spectrum falls with the frequency, as steeply as that of pink noise in power or less."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    return np.fft.irfft(spectrum * np.arange(1, len(spectrum) + 1) ** -rng.uniform(0, 1.0), length)


def hum(rng, length, base):
    """A tone of `base` Hz with one to three harmonics."""
    t = np.arange(length) / RATE
    return sum(np.sin(2 * np.pi * base * k * t) / k for k in range(1, rng.integers(2, 5)))


class Augmenter:
    """Random distortions, drawn from `rng`; noises and impulse responses come from the noise set's `split`."""

    def __init__(self, speech, rng, split="train"):
        self.rng = rng
        table = {r["id"]: r for r in read_table(speech / "noise.tsv")}
        self.noises, self.rooms = [], []
        for name, wave in read_tar(speech / "noise.tar"):
            row = table[name]
            if row["split"] != split or len(wave) < 800 or not np.abs(wave).max() > 0:
                continue
            (self.noises if row["kind"] == "noise" else self.rooms).append(wave)

    def noise(self, length):
        """Noise of `length` samples: recorded, coloured, hum or a tone."""
        r = self.rng
        kind = r.random()
        if kind < 0.6:
            wave = self.noises[r.integers(len(self.noises))]
            wave = np.tile(wave, length // len(wave) + 2)
            start = r.integers(len(wave) - length)
            return wave[start : start + length]
        if kind < 0.9:
            return coloured(r, length).astype(np.float32)
        return hum(r, length, r.choice([50, 60, 440, r.uniform(100, 3000)])).astype(np.float32)

    def room(self, wave):
        """A synthetic room: direct sound, then exponentially decaying noise; or a recorded response."""
        r = self.rng
        if r.random() < 0.15 and self.rooms:
            response = self.rooms[r.integers(len(self.rooms))][: RATE // 2]
            peak = int(np.abs(response).argmax())
            response = response[peak:] / np.abs(response).max()
        else:
            length = int(RATE * r.uniform(0.1, 0.5))
            t = np.arange(length) / RATE
            response = r.normal(size=length) * np.exp(-6.9 * t / (length / RATE)) * r.uniform(0.02, 0.12)
            response[: int(RATE * 0.003)] = 0
            response[0] = 1
        return fftconvolve(wave, response.astype(np.float32))[: len(wave)].astype(np.float32)

    def telephone(self, wave):
        """300 to 3400 Hz, mu-law."""
        wave = sosfilt(butter(4, [250, 3500], "bandpass", fs=RATE, output="sos"), wave)
        peak = np.abs(wave).max() + 1e-9
        x = wave / peak
        x = np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256)
        x = np.round(x * 127) / 127
        return (np.sign(x) * (256 ** np.abs(x) - 1) / 255 * peak).astype(np.float32)

    def __call__(self, wave, strong=True):
        r = self.rng
        wave = wave * (10 ** (r.uniform(-28, -3) / 20) / (np.abs(wave).max() + 1e-6))
        if r.random() < 0.25:
            wave = self.room(wave)
        if r.random() < 0.08:
            wave = self.telephone(wave)
        if r.random() < (0.45 if strong else 0.25):
            level = np.sqrt(np.mean(wave**2)) * 10 ** (-r.uniform(5, 35) / 20)
            noise = self.noise(len(wave))
            wave = wave + noise * (level / (np.sqrt(np.mean(noise**2)) + 1e-9))
        return np.clip(wave, -1, 1).astype(np.float32)


def change_speed(wave, rng):
    """0.88 to 1.12 times as fast; pitch moves along."""
    down = int(rng.integers(88, 113))
    return resample_poly(wave, 100, down).astype(np.float32)


CODECS = (
    ("libopus", "ogg", "12k"), ("libopus", "ogg", "20k"), ("libmp3lame", "mp3", "24k"),
    ("aac", "adts", "24k"), ("libspeex", "ogg", "12k"),
)


def through_codec(waves, rng):
    """All `waves` through one lossy codec in one run of ffmpeg; the delay of the codec is taken out."""
    codec, container, rate = CODECS[rng.integers(len(CODECS))]
    joined = np.concatenate(waves)
    with tempfile.NamedTemporaryFile(suffix=".wav") as src, tempfile.NamedTemporaryFile(suffix="." + container) as mid:
        sf.write(src.name, joined, RATE)
        quiet = ["ffmpeg", "-y", "-loglevel", "error"]
        subprocess.run([*quiet, "-i", src.name, "-c:a", codec, "-b:a", rate, "-f", container, mid.name], check=True)
        out = subprocess.run(
            [*quiet, "-i", mid.name, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"], check=True, capture_output=True
        )
    coded = np.frombuffer(out.stdout, np.float32)
    n = 1 << int(np.ceil(np.log2(RATE * 20)))
    a, b = joined[:n], coded[:n]
    size = 2 * max(len(a), len(b))
    shift = int(np.argmax(np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)))[:4000]))
    coded = np.pad(coded[shift:], (0, max(0, len(joined) - len(coded) + shift)))
    edges = np.cumsum([len(w) for w in waves])[:-1]
    return np.split(coded[: len(joined)], edges)
