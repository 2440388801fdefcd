"""Distortions of speech, computed for a whole batch on the GPU: rooms, bands, noise, clipping, warped voices and masks."""

import math
import multiprocessing
import random

import numpy as np
import torch
import torch.nn.functional as F

from augment import RATE, coloured, hum
from bank import LONGEST, frames_of
from features import MEL_BANKS, WINDOW
from model import BANDS
from rooms import response


class Studio:
    """Turns plans into features, on `device`."""

    def __init__(self, device, noises):
        self.device = device
        rng = np.random.default_rng(0)
        with multiprocessing.Pool() as pool:
            rooms = pool.map(response, [np.random.default_rng(k) for k in range(400)])
        # The first is none.
        rooms = np.stack([np.eye(1, len(rooms[0]), dtype=np.float32)[0], *rooms])
        self.rooms = torch.from_numpy(rooms).to(device)
        made = [coloured(rng, RATE * 16) for _ in range(40)]
        made += [hum(rng, RATE * 16, base) for base in (50, 60, 440, *rng.uniform(100, 3000, 5))]
        # Each of the recordings is repeated to the longest utterance, and counts by its own length.
        longest = (LONGEST + 2) * RATE
        recorded = [np.tile(w, longest // len(w) + 1)[:longest] for w in noises]
        weights = [min(len(w), longest) for w in noises]
        made = [np.tile(w, 2)[:longest] for w in made]
        weights += [sum(weights) * 0.65 / len(made)] * len(made)
        self.noises = torch.from_numpy(np.stack([w / (np.sqrt((w**2).mean()) + 1e-9) for w in recorded + made]).astype(np.float16)).to(device)
        self.weights = np.array(weights) / sum(weights)
        self.banks = MEL_BANKS.to(device)
        # The windowed Fourier transform as one matrix, in full float32: what is 60 dB below the rest of a frame counts.
        angle = 2 * np.pi * np.outer(np.arange(400), np.arange(257)) / 512
        both = np.concatenate([np.cos(angle), np.sin(angle)], 1) * WINDOW.numpy()[:, None]
        self.fourier = torch.from_numpy(both.astype(np.float32)).to(device)

    def to(self, values, kind=torch.float32):
        return torch.as_tensor(np.asarray(values), dtype=kind).to(self.device, non_blocking=True)

    def waves(self, bank, places, ratios, length):
        """[B, length] of the pieces at `places`, peaks at most 1."""
        before, at, first, second_at, second = (x[:, None] for x in self.to(places, torch.long).unbind(1))
        t = torch.arange(length, device=self.device)[None] - before
        in_second = t >= first
        place = torch.where(in_second, second_at + t - first, at + t)
        inside = (t >= 0) & (t < first + second)
        wave = bank.samples[place.clamp(0, len(bank.samples) - 1)] / 32768 * inside
        return torch.where(in_second, wave * self.to(ratios)[:, None], wave)

    def distorted(self, wave, sizes):
        """Gain, rooms, bands, noise, clipping and coarse samples, each for some utterances."""
        count, length = wave.shape
        r = np.random.default_rng(random.getrandbits(48))
        wave = wave * self.to(10 ** (r.uniform(-28, -1, count) / 20))[:, None]
        # Rooms and bands in the frequency domain. As few sizes as can be: each is planned by cuFFT once.
        some = r.permutation(count)[: round(0.42 * count / 16) * 16]
        if len(some):
            rooms = np.where(r.random(len(some)) < 0.65, r.integers(1, len(self.rooms), len(some)), 0)
            where = self.to(some, torch.long)
            n = 1 << math.ceil(math.log2(length + self.rooms.shape[1]))
            strength = self.to(r.uniform(0.3, 1.0, len(some)))[:, None]
            echo = self.rooms[self.to(rooms, torch.long)] * strength
            echo[:, 0] = 1
            spectrum = torch.fft.rfft(wave[where], n) * torch.fft.rfft(echo, n)
            hz = torch.linspace(0, RATE / 2, spectrum.shape[1], device=self.device)[None]
            kind = r.random(len(some))
            low = self.to(np.where(kind < 0.2, r.uniform(150, 350, len(some)), r.uniform(-200, 60, len(some))))[:, None]
            high = np.where(kind < 0.2, r.uniform(3300, 3800, len(some)), np.where(kind < 0.45, r.uniform(3400, 7500, len(some)), 9000))
            tilt = self.to(r.uniform(-0.4, 0.4, len(some)))[:, None]
            band = torch.sigmoid((hz - low) / 30) * torch.sigmoid((self.to(high)[:, None] - hz) / 60) * ((hz + 100) / 1000) ** tilt
            wave = wave.index_copy(0, where, torch.fft.irfft(spectrum * band, n)[:, :length])
        # Noise 3 to 35 dB below the speech.
        some = np.flatnonzero(r.random(count) < 0.45)
        if len(some):
            where = self.to(some, torch.long)
            noise = self.noises[self.to(r.choice(len(self.weights), len(some), p=self.weights), torch.long)]
            place = torch.arange(length, device=self.device)[None] + self.to(r.integers(0, noise.shape[1], len(some)), torch.long)[:, None]
            noise = noise.gather(1, place % noise.shape[1]).float()
            speech = wave[where]
            active = self.to(np.array(sizes)[some])[:, None]
            level = (speech.square().sum(1, keepdim=True) / active).sqrt() * self.to(10 ** (-r.uniform(3, 35, len(some)) / 20))[:, None]
            wave = wave.index_copy(0, where, speech + noise * level)
        top = torch.where(self.to(r.random(count) < 0.03, torch.bool)[:, None], wave.abs().amax(1, keepdim=True) * 0.4, 1.0)
        wave = wave.clamp(-top, top)
        # mu-law of 8 bits.
        some = np.flatnonzero(r.random(count) < 0.04)
        if len(some):
            where = self.to(some, torch.long)
            x = wave[where]
            peak = x.abs().amax(1, keepdim=True) + 1e-6
            y = (x / peak).sign() * torch.log1p(255 * (x / peak).abs()) / math.log(256)
            y = (y * 127).round() / 127
            wave = wave.index_copy(0, where, y.sign() * (256 ** y.abs() - 1) / 255 * peak)
        return wave

    def fbank(self, wave):
        """[B, frames, 80]; features.fbank for many."""
        x = (wave * 32768).unfold(1, 400, 160)
        x = x - x.mean(2, keepdim=True)
        x = torch.cat([x[..., :1] * 0.03, x[..., 1:] - 0.97 * x[..., :-1]], 2) @ self.fourier
        power = x[..., :257].square() + x[..., 257:].square()
        return (power @ self.banks).clamp_min(torch.finfo(torch.float32).eps).log()

    def warped(self, x, frames, counts):
        """The mel axis scaled, and the time axis of each from `frames` to `counts` frames."""
        scale = self.to([random.uniform(0.9, 1.12) for _ in frames])[:, None]
        last = self.to(frames) - 1
        width = max(counts)
        steps = (last / (self.to(counts) - 1).clamp(min=1))[:, None]
        t = torch.minimum(torch.arange(width, device=self.device)[None] * steps, last[:, None])
        bands = (torch.arange(BANDS, device=self.device)[None] * scale).clamp(max=BANDS - 1)
        # grid_sample has both axes in -1 to 1.
        y = t * (2 / max(x.shape[1] - 1, 1)) - 1
        z = bands * (2 / (BANDS - 1)) - 1
        grid = torch.stack([z[:, None].expand(-1, width, -1), y[:, :, None].expand(-1, -1, BANDS)], -1)
        return F.grid_sample(x[:, None], grid, mode="bilinear", padding_mode="border", align_corners=True)[:, 0]

    def masked(self, x, counts):
        """SpecAugment (Park et al. 2019): up to two masks of bands, and one of up to 300 ms per second or so."""
        batch, width, _ = x.shape
        inside = torch.arange(width, device=self.device)[None] < counts[:, None]
        mean = (x * inside[..., None]).sum((1, 2)) / (counts * BANDS)
        rand = lambda *size: torch.rand(*size, device=self.device)
        low_width = (rand(batch, 2, 1) * 20 * (rand(batch, 2, 1) < 0.8)).floor()
        low = (rand(batch, 2, 1) * (BANDS - low_width)).floor()
        bands = torch.arange(BANDS, device=self.device)
        hidden = ((bands >= low) & (bands < low + low_width)).any(1)
        most = 12
        many = (rand(batch, 1) * 1.6 * counts[:, None] / 100).round().clamp(max=most)
        long = rand(batch, most) * (counts[:, None] / 10).clamp(max=30)
        long = long * (torch.arange(most, device=self.device) < many)
        start = rand(batch, most) * (counts[:, None] - long)
        t = torch.arange(width, device=self.device)
        silent = ((t >= start[..., None]) & (t < (start + long)[..., None])).any(1)
        return torch.where(silent[..., None] | hidden[:, None], mean[:, None, None], x)

    def rows(self, x, counts):
        """features.low_frame_rate for many: [B, T, 880]."""
        rows = (int(max(counts)) + 5) // 6
        place = torch.arange(rows, device=self.device)[:, None] * 6 - 5 + torch.arange(11, device=self.device)[None]
        place = torch.minimum(place.flatten()[None].clamp(min=0), self.to(counts, torch.long)[:, None] - 1)
        return x.gather(1, place[..., None].expand(-1, -1, BANDS)).view(len(x), rows, 11 * BANDS)

    def heard(self, bank, plan):
        """Two hearings of each utterance, [2 B, T, 880], and the numbers of rows [2 B] on the CPU."""
        wave = self.distorted(self.waves(bank, plan.places, plan.ratios, int(plan.sizes.max())), plan.sizes)
        x = self.warped(self.fbank(wave), plan.frames, plan.counts)
        lengths = self.to(plan.counts)
        both = torch.cat([self.rows(self.masked(x, lengths), plan.counts) for _ in range(2)])
        return both, torch.from_numpy(np.tile((plan.counts + 5) // 6, 2))

    def plain(self, bank, chosen):
        """Features of utterances as they are, and the numbers of rows on the CPU."""
        sizes = np.array([bank.rows[i]["size"] for i in chosen])
        places = np.array([(0, bank.rows[i]["at"], size, 0, 0) for i, size in zip(chosen, sizes)])
        wave = self.waves(bank, places, np.ones(len(chosen)), int(sizes.max())) * 0.5
        frames = np.array([frames_of(size) for size in sizes])
        return self.rows(self.fbank(wave), frames), torch.from_numpy((frames + 5) // 6)
