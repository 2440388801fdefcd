"""Trains the recogniser on one GPU, from what pack.py packed: all recordings lie in its memory, and each time they are heard differently.

    python training/gpu_train.py decode --pack WORK/pack --out FAST [--processes 14]
    python training/gpu_train.py speak --pack WORK/pack --out FAST [--processes 8] &
    python training/gpu_train.py train --pack WORK/pack --fast FAST --start WORK/pack/start.pt --out OUT --seconds 540
    python training/gpu_train.py collect --pack WORK/pack --start WORK/pack/start.pt --out OUT --checkpoint WORK/checkpoint.pt

`start.pt` are the weights that training goes on from, as pack.py writes them. `decode` makes samples of the recordings; `speak` synthesises lines of text by espeak-ng for as long as it runs, and `train` takes what
there is. FAST is a folder in memory. Rooms, noise, bands, gain, spectral masks and the warping of voices are computed on the GPU. `collect` makes a checkpoint for export.py of
the averaged weights, which `train` writes in small files.

Each utterance is heard twice in a step, with different masks and channels dropped, and what the network says of the two is drawn together
(Yao et al. 2024, "CR-CTC: Consistency regularization on CTC for improved speech recognition").
"""

import argparse
import json
import math
import multiprocessing
import os
import pathlib
import pickle
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

from features import _BANKS, _WINDOW
from model import BANDS, CHUNKS, CONFIG, Model
from muon import Muon
from rooms import response

RATE = 16000
# Seconds.
LONGEST = 15
# Weight of the consistency of two hearings beside the CTC loss.
CONSISTENCY = 0.2
AUXILIARY = 0.3


# ---- samples -------------------------------------------------------------------------------------------------------------------------

def measured(wave):
    """(int16 samples, facts): where the loud part is, in samples, and how loud it is."""
    peak = np.abs(wave).max()
    wave = wave / peak * 0.9
    frames = len(wave) // 160
    power = np.log((wave[: frames * 160].reshape(frames, 160) ** 2).mean(1) + 1e-8)
    loud = np.flatnonzero(power > power.min() + 0.4 * (power.max() - power.min()))
    begin, end = (int(loud[0]) * 160, int(loud[-1] + 1) * 160) if len(loud) else (0, len(wave))
    return (wave * 32767).astype(np.int16), {"begin": begin, "end": end, "level": float(np.exp(np.percentile(power, 80) / 2))}


def write_shard(out, name, waves, rows):
    """`out/NAME.npy` with all samples, and `out/NAME.pkl` with what they say, written last."""
    np.save(out / f"{name}.npy", np.concatenate(waves))
    (out / f"{name}.tmp").write_bytes(pickle.dumps(rows))
    (out / f"{name}.tmp").rename(out / f"{name}.pkl")


def decode_part(job):
    from augment import decode, trimmed

    path, part, parts, out = job
    waves, rows = [], []
    for item in pickle.loads(path.read_bytes())[part::parts]:
        wave = decode(item["opus"])
        wave = wave if item["row"].get("whole") else trimmed(wave)
        if wave is not None:
            wave, facts = measured(wave)
            waves.append(wave)
            rows.append(item["row"] | facts | {"set": item["set"], "size": len(wave)})
    write_shard(out, f"{path.stem}.{part}", waves, rows)


def decode_all(args):
    parts = args.processes
    jobs = [(path, k, parts, args.out) for path in sorted(args.pack.glob("*.pkl")) if path.stem not in ("lines", "noise") for k in range(parts)]
    jobs = [job for job in jobs if not (args.out / f"{job[0].stem}.{job[1]}.pkl").exists()]
    with multiprocessing.Pool(args.processes) as pool:
        pool.map(decode_part, jobs, 1)
        if (path := args.pack / "noise.pkl").exists() and not (args.out / "noise.pkl").exists():
            from augment import decode

            (args.out / "noise.pkl").write_bytes(pickle.dumps(pool.map(decode, pickle.loads(path.read_bytes()))))


def speak_for_ever(job):
    from augment import trimmed
    from synth import Espeak, espeak_sentence

    os.nice(10)
    lines, out, rank = job
    rng, espeak = np.random.default_rng([rank, int(time.time())]), Espeak()
    kinds = [[line for line in lines if line[1]["lang"] == lang] for lang in ("en", "zh", "ja")]
    count = 0
    while True:
        waves, rows = [], []
        while len(waves) < 200:
            own = kinds[rng.choice(3, p=(0.45, 0.4, 0.15))]
            line, row = own[rng.integers(len(own))]
            wave, _ = espeak_sentence(espeak, rng, line, row["lang"])
            wave = trimmed(wave) if len(wave) and np.abs(wave).max() > 0 else None
            if wave is not None:
                wave, facts = measured(wave)
                waves.append(wave)
                rows.append(row | facts | {"set": "espeak", "size": len(wave), "seconds": len(wave) / RATE, "cuts": None})
        while len(list(out.glob("espeak-*.pkl"))) > 600:
            time.sleep(1)
        write_shard(out, f"espeak-{rank}-{count}", waves, rows)
        count += 1


def speak(args):
    lines = pickle.loads((args.pack / "lines.pkl").read_bytes())["lines"]
    workers = [multiprocessing.Process(target=speak_for_ever, args=((lines, args.out, k),)) for k in range(args.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


# ---- batches -------------------------------------------------------------------------------------------------------------------------

class Bank:
    """All samples as int16 on the device, and what they say."""

    def __init__(self, device, hours):
        self.samples = torch.zeros(int(hours * 3600 * RATE), dtype=torch.int16, device=device)
        self.end, self.rows, self.sets, self.taken, self.full = RATE, [], {}, set(), False

    def load(self, folder, pattern, remove=False):
        for path in sorted(folder.glob(pattern)):
            if path.name in self.taken:
                continue
            waves, rows = np.load(path.with_suffix(".npy")), pickle.loads(path.read_bytes())
            if self.end + len(waves) + LONGEST * RATE > len(self.samples):
                self.full = True
                return
            self.taken.add(path.name)
            self.samples[self.end : self.end + len(waves)] = torch.from_numpy(waves).to(self.samples.device)
            at = self.end
            for row in rows:
                self.sets.setdefault(row["set"], []).append(len(self.rows))
                self.rows.append(row | {"at": at})
                at += row["size"]
            self.end += len(waves)
            if remove:
                path.unlink()
                path.with_suffix(".npy").unlink()


def frames_of(samples):
    return max((samples - 400) // 160 + 1, 1)


def room_for(ids, frames):
    return len(ids) + sum(a == b for a, b in zip(ids, ids[1:])) <= frames


class Plan:
    """What a batch is made of, as arrays: per utterance two pieces of the bank, silence around them, and the labels."""

    def __init__(self, rows, chosen, splice):
        pieces, labels = [], []
        for k, index in enumerate(chosen):
            row = rows[index]
            begin, end = 0, row["size"]
            if random.random() < 0.5:
                begin = max(0, row["begin"] - int(random.uniform(0.2, 0.7) * RATE))
                end = min(end, row["end"] + int(random.uniform(0.2, 0.7) * RATE))
            piece = (row["at"] + begin, end - begin, 0, 0, 1.0)
            ids, aux = row["ids"], row["aux"]
            if row["cuts"] and random.random() < splice:
                found = spliced(row, [rows[i] for i in chosen[max(0, k - 40) : k + 40]], begin)
                if found:
                    piece, ids, aux = found
            before, after = int(random.uniform(0.05, 0.4) * RATE), int(random.uniform(0.1, 0.6) * RATE)
            size = before + piece[1] + piece[3] + after
            frames = frames_of(size)
            count = int(frames * random.uniform(0.85, 1.2))
            if not room_for(ids, (count + 5) // 6):
                count = frames
            if room_for(ids, (count + 5) // 6):
                pieces.append((before, *piece, size, frames, count))
                labels.append((ids, aux if room_for(aux, 2 * ((count + 5) // 6)) else []))
        self.places = np.array([p[:5] for p in pieces], np.int64).reshape(-1, 5)
        self.ratios = np.array([p[5] for p in pieces], np.float32)
        self.sizes, self.frames, self.counts = (np.array([p[k] for p in pieces], np.int64) for k in (6, 7, 8))
        self.text, self.sounds = (Labels([label[k] for label in labels]) for k in (0, 1))


class Labels:
    """The labels of a batch of which each utterance is heard twice, as the loss wants them."""

    def __init__(self, labels):
        keep = [i for i, ids in enumerate(labels) if ids]
        # Which of the 2 B hearings have labels; None: all.
        self.keep = None if len(keep) == len(labels) else np.array(keep + [i + len(labels) for i in keep], np.int64)
        flat = np.array([t for i in keep for t in labels[i]] * 2, np.int64)
        self.sizes = np.array([len(labels[i]) for i in keep] * 2, np.int64)
        self.used = np.unique(np.append(flat, 0))
        self.flat = np.searchsorted(self.used, flat)


def spliced(row, others, begin):
    """The beginning of `row` and the end of another of its language (see cuts.py): (piece, token ids, auxiliary ids); or None."""
    others = [o for o in others if o is not row and o["cuts"] and o["lang"] == row["lang"]]
    if not others:
        return None
    other = random.choice(others)
    share = random.uniform(0.15, 0.85)
    i, j = int(share * len(row["cuts"])), int(share * len(other["cuts"]))
    begin = min(begin, row["cuts"][0] // 2)
    first, second = row["cuts"][i] - begin, other["size"] - other["cuts"][j]
    if first < 1600 or second < 1600 or first + second > LONGEST * RATE:
        return None
    units = row["units"][: i + 1] + other["units"][j + 1 :]
    piece = (row["at"] + begin, first, other["at"] + other["cuts"][j], second, row["level"] / max(other["level"], 1e-4))
    return piece, [t for ids, _ in units for t in ids], [a for _, aux in units for a in aux]


def plans(rows, queue, splice, seed):
    """The plans of batches, made by a process of its own."""

    def work(end):
        random.seed(seed)
        for chosen in queue:
            end.send(Plan(rows, chosen, splice))

    own, other = multiprocessing.Pipe(duplex=False)
    worker = multiprocessing.get_context("fork").Process(target=work, args=(other,), daemon=True)
    worker.start()
    for chosen in queue:
        # Should the process hang, as forked ones may.
        plan = own.recv() if own.poll(15) else Plan(rows, chosen, splice)
        if len(plan.sizes):
            yield plan
    worker.kill()
    worker.join()


def batches(bank, indices, seconds, longest):
    """Lists of indices of utterances of like length, of about `seconds` of audio each, in random order."""
    indices = [i for i in indices if bank.rows[i]["size"] <= longest * RATE]
    random.shuffle(indices)
    indices.sort(key=lambda i: bank.rows[i]["size"] * random.uniform(0.93, 1.07))
    found, batch, width = [], [], 0
    for i in indices:
        width = max(width, bank.rows[i]["size"] + RATE // 2)
        if batch and width * (len(batch) + 1) > seconds * RATE:
            found.append(batch)
            batch, width = [], bank.rows[i]["size"] + RATE // 2
        batch.append(i)
    found.append(batch)
    random.shuffle(found)
    return found


# ---- distortions, on the device ------------------------------------------------------------------------------------------------------

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
        made = []
        for _ in range(40):
            spectrum = np.fft.rfft(rng.normal(size=RATE * 16)) * np.arange(1, RATE * 8 + 2) ** -rng.uniform(0, 1.0)
            made.append(np.fft.irfft(spectrum))
        t = np.arange(RATE * 16) / RATE
        for base in (50, 60, 440, *rng.uniform(100, 3000, 5)):
            made.append(sum(np.sin(2 * np.pi * base * k * t) / k for k in range(1, rng.integers(2, 5))))
        # Each of the recordings is repeated to the longest utterance, and counts by its own length.
        longest = (LONGEST + 2) * RATE
        recorded = [np.tile(w, longest // len(w) + 1)[:longest] for w in noises]
        weights = [min(len(w), longest) for w in noises]
        made = [np.tile(w, 2)[:longest] for w in made]
        weights += [sum(weights) * 0.65 / len(made)] * len(made)
        self.noises = torch.from_numpy(np.stack([w / (np.sqrt((w**2).mean()) + 1e-9) for w in recorded + made]).astype(np.float16)).to(device)
        self.weights = np.array(weights) / sum(weights)
        self.banks = _BANKS.to(device)
        # The windowed Fourier transform as one matrix, in full float32: what is 60 dB below the rest of a frame counts.
        angle = 2 * np.pi * np.outer(np.arange(400), np.arange(257)) / 512
        both = np.concatenate([np.cos(angle), np.sin(angle)], 1) * _WINDOW.numpy()[:, None]
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


# ---- loss ----------------------------------------------------------------------------------------------------------------------------

class TwiceCtc(torch.autograd.Function):
    """(CTC loss, inconsistency), sums over raw `logits` [2 B, T, V] of which the second half are other hearings of the first.

    The labels of the batch alone go through the recursion (train.SmallCtc says why). The inconsistency is what each half's frames cost
    under the other's distribution, less their entropy; the other is taken as given.
    """

    @staticmethod
    def forward(ctx, logits, used, flat, lengths, on_device, sizes, weight):
        log_probs = F.log_softmax(logits.float(), -1)
        few = log_probs[..., used].transpose(0, 1).contiguous().requires_grad_()
        with torch.enable_grad():
            losses = F.ctc_loss(few, flat, lengths, sizes, reduction="none", zero_infinity=True)
            (grad,) = torch.autograd.grad(losses.sum(), few)
        half = len(logits) // 2
        inside = torch.arange(logits.shape[1], device=logits.device)[None] < on_device[:, None]
        counted = inside & (losses.detach() > 0)[:, None]
        other = log_probs.roll(half, 0)
        target = other.exp()
        apart = ((target * (other - log_probs)).sum(-1) * inside).sum()
        del other
        probs = log_probs.exp_()
        pull = (probs - target).mul_(inside.unsqueeze(-1) * weight)
        del target
        probs.mul_(counted.unsqueeze(-1))
        probs[..., used] = grad.transpose(0, 1)
        ctx.save_for_backward(probs.add_(pull).to(logits.dtype))
        return losses.detach().sum(), apart

    @staticmethod
    def backward(ctx, grad, _):
        return ctx.saved_tensors[0] * grad.to(ctx.saved_tensors[0].dtype), None, None, None, None, None, None


def twice(logits, lengths, on_device, labels):
    """TwiceCtc of logits whose halves both say `labels`; per token, as one hearing. Utterances without labels are left out."""
    to = lambda values: torch.from_numpy(values).to(logits.device, non_blocking=True)
    if labels.keep is not None:
        where = to(labels.keep)
        logits, lengths, on_device = logits[where], lengths[torch.from_numpy(labels.keep)], on_device[where]
    sizes = torch.from_numpy(labels.sizes)
    loss, apart = TwiceCtc.apply(logits, to(labels.used), to(labels.flat), lengths, on_device, sizes, CONSISTENCY)
    tokens = max(len(labels.flat), 1)
    return loss / tokens, apart / tokens


# ---- training ------------------------------------------------------------------------------------------------------------------------

def grown(state, layers):
    """The weights of `state` with new layers between the old ones from the third on, that at first change nothing: their values are zero, so that
    attention and memory give nothing, and so are the outputs of their feed-forward parts."""
    old = 2 + max(int(k.split(".")[2]) for k in state if k.startswith("encoder.encoders."))
    extra = layers - old
    if extra <= 0:
        return state
    # Old layers k of `encoders` (the first layer is `encoders0`), with `extra` new ones spread after them.
    after = set(np.linspace(1, old - 2, extra).round().astype(int)) if extra <= old - 2 else set(range(old - 1))
    while len(after) < extra:
        after.add(next(k for k in range(old - 1) if k not in after))
    result = {k: v for k, v in state.items() if not k.startswith("encoder.encoders.")}
    place = 0
    for k in range(old - 1):
        own = {name.split(".", 3)[3]: v for name, v in state.items() if name.startswith(f"encoder.encoders.{k}.")}
        for new in (False, True) if k in after else (False,):
            for name, v in own.items():
                v = v.clone()
                if new and name.endswith(("q_k_v.weight", "q_k_v.bias")):
                    third = len(v) // 3
                    v[2 * third :] = 0
                    if name.endswith("weight"):
                        v[: 2 * third] = torch.randn_like(v[: 2 * third]) / v.shape[1] ** 0.5
                elif new and name in ("self_attn.linear_out.bias", "feed_forward.w_2.weight", "feed_forward.w_2.bias", "self_attn.fsmn_block.weight"):
                    v = torch.zeros_like(v)
                elif new and v.ndim == 2:
                    v = torch.randn_like(v) / v.shape[1] ** 0.5
                result[f"encoder.encoders.{place}.{name}"] = v
            place += 1
    return result


def network(known, layers, start, dropout=0.0):
    """The network with the weights of the file `start`, with new layers up to `layers`, and with the frames of a row normalised alike."""
    model = Model(CONFIG | {"layers": layers}, len(known["tokens"]), len(known["aux"]), torch.as_tensor(known["syllables"]), dropout)
    saved = torch.load(start, weights_only=False, map_location="cpu")
    state = grown({k: v.float() if v.is_floating_point() else v for k, v in saved.items()}, layers)
    for name in ("shift", "scale"):
        state[name] = state[name].view(-1, BANDS).mean(0).repeat(CONFIG["frontend"]["frames"])
    model.load_state_dict(state)
    model.encoder.frontend.alike = True
    return model


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def errors(model, studio, bank, tokens):
    """Percent of errors by set, by greedy search with full context: of characters, or of words in English."""
    found = {}
    said = lambda ids: "".join(tokens[i] for i in ids if tokens[i] not in "，。？！").replace("▁", " ").strip()
    for name, indices in bank.sets.items():
        wrong = total = 0
        for batch in batches(bank, indices, 1200, 60):
            x, lengths = studio.plain(bank, batch)
            with torch.no_grad(), torch.autocast(studio.device.type, torch.bfloat16):
                best = model(x, lengths.to(studio.device), 0)[0].argmax(-1).cpu()
            for i, n, own in zip(batch, lengths.tolist(), best.tolist()):
                ids = [t for t, last in zip(own[:n], [0, *own]) if t and t != last]
                a, b = said(bank.rows[i]["ids"]), said(ids)
                if bank.rows[i]["lang"] == "en":
                    a, b = a.split(), b.split()
                wrong, total = wrong + distance(a, b), total + len(a)
        found[name] = 100 * wrong / max(total, 1)
    return found


def save(out, average, half=14 * 2**20):
    """`average` as float16 in files of at most 14 MiB: `out/weights-N.pt`."""
    part, size, count = {}, 0, 0
    for name, value in [*average.items(), (None, None)]:
        bytes_of = 0 if name is None else value.numel() * 2
        if part and (name is None or size + bytes_of > half):
            torch.save(part, out / f"weights-{count}.pt.tmp")
            (out / f"weights-{count}.pt.tmp").rename(out / f"weights-{count}.pt")
            part, size, count = {}, 0, count + 1
        if name is not None:
            part[name] = value.half().cpu()
            size += bytes_of


def train(args):
    device = torch.device(args.device)
    began = time.time()
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    # cuDNN would plan its attention anew for each size of a batch.
    torch.backends.cuda.enable_cudnn_sdp(False)
    known = pickle.loads((args.pack / "lines.pkl").read_bytes())
    studio = Studio(device, pickle.loads((args.fast / "noise.pkl").read_bytes()))
    bank, dev = Bank(device, args.hours), Bank(device, 3)
    dev.load(args.fast, "dev*.pkl")
    model = network(known, args.layers, args.start, args.dropout).to(device)
    judge = network(known, args.layers, args.start).eval()
    judge.load_state_dict(model.state_dict())
    judge.to(device)
    average = dict(judge.named_parameters())
    for p in average.values():
        p.requires_grad_(False)

    inner = {name: p for name, p in model.encoder.named_parameters() if p.ndim == 2 and not name.startswith("frontend")}
    matrices = set(map(id, inner.values()))
    adam = torch.optim.AdamW(
        [p for p in model.parameters() if id(p) not in matrices], lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=device.type == "cuda",
    )
    muon = Muon([{"params": [p], "parts": 3 if "q_k_v" in name else 1} for name, p in inner.items()], lr=args.rate, weight_decay=args.decay)
    groups = [*adam.param_groups, *muon.param_groups]
    own, mean = zip(*[(p, average[name]) for name, p in model.named_parameters()])

    log = (args.out / "log.txt").open("a")

    def say(*words):
        print(*words, flush=True)
        print(*words, file=log, flush=True)

    say(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters; ready after {time.time() - began:.0f} s")
    chunks, weights = zip(*CHUNKS)
    step, heard, queue, sums, shown, looked = 0, 0.0, iter(()), torch.zeros(4, device=device), time.time(), time.time()
    first = time.time()
    if args.look:
        say("start", {k: round(v, 1) for k, v in errors(judge, studio, dev, known["tokens"]).items()})
    while (done := (time.time() - first) / args.seconds) < 1:
        if (plan := next(queue, None)) is None:
            bank.load(args.fast, "recordings-*.pkl")
            bank.load(args.fast, "synth.*.pkl")
            bank.load(args.fast, "espeak-*.pkl", remove=True)
            indices = [i for name, found in bank.sets.items() if name != "espeak" and not name.startswith("synth") for i in found]
            for name in ("synth-ja", "synth-en"):
                indices += random.sample(found, min(len(found), 1500)) if (found := bank.sets.get(name)) else []
            # `--spoken` hours of the whole are by espeak: what it said last, and once the bank is full any.
            seconds = 0
            spoken = bank.sets.get("espeak", [])
            for i in random.sample(spoken, len(spoken)) if bank.full else reversed(spoken):
                if (seconds := seconds + bank.rows[i]["seconds"]) > args.spoken * 3600:
                    break
                indices.append(i)
            found = batches(bank, indices, args.batch, LONGEST)
            queue = plans(bank.rows, found, args.splice, step)
            say(f"{time.time() - first:.0f} s: {len(indices)} utterances, {len(found)} batches; of {bank.end / RATE / 3600:.1f} h, {seconds / 3600:.1f} h by espeak now")
            continue
        rate = args.rate * min(1, (step + 1) / args.warm, max((1 - done) / args.fall, 0.005))
        for group in groups:
            group["lr"] = rate
        x, lengths = studio.heard(bank, plan)
        on_device = lengths.to(device)
        chunk = random.choices(chunks, weights)[0]
        with torch.autocast(device.type, torch.bfloat16):
            logits, aux, _ = model(x, on_device, chunk)
        loss, apart = twice(logits, lengths, on_device, plan.text)
        loss_aux, apart_aux = twice(aux, 2 * lengths, 2 * on_device, plan.sounds)
        ((1 - AUXILIARY) * loss + AUXILIARY * loss_aux).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        adam.step()
        muon.step()
        adam.zero_grad(set_to_none=True)
        muon.zero_grad(set_to_none=True)
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(mean, own, 1 - min(args.average, (step + 1) / (step + 20)))
        heard += plan.sizes.sum() / RATE
        sums += torch.stack([loss, loss_aux, apart, apart_aux]).detach()
        if step % 100 == 0:
            now = time.time()
            a, b, c, d = (sums / 100).tolist()
            memory = torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else 0
            say(f"{now - first:.0f} s, step {step}, {heard / 3600:.1f} h heard twice, loss {a:.3f} {b:.3f}, apart {c:.3f} {d:.3f}, "
                f"{(now - shown) * 10:.1f} ms a step, rate {rate:.5f}, {memory:.1f} GiB")
            sums.zero_()
            shown = now
        if args.look and time.time() - looked > args.look:
            looked = time.time()
            say(f"{heard / 3600:.1f} h", {k: round(v, 1) for k, v in errors(judge, studio, dev, known["tokens"]).items()})
            save(args.out, average)
    say(f"end: step {step}, {heard / 3600:.1f} h heard twice", {k: round(v, 1) for k, v in errors(judge, studio, dev, known["tokens"]).items()})
    save(args.out, {**average, "shift": model.shift, "scale": model.scale})
    # Both hearings of an utterance are counted, in seconds.
    (args.out / "end.json").write_text(json.dumps({"step": step, "audio": float(2 * heard), "spent": args.seconds}))
    log.close()


def collect(args):
    known = pickle.loads((args.pack / "lines.pkl").read_bytes())
    average = {}
    for path in args.out.glob("weights-*.pt"):
        average |= {k: v.float() for k, v in torch.load(path, weights_only=False, map_location="cpu").items()}
    layers = 2 + max(int(k.split(".")[2]) for k in average if k.startswith("encoder.encoders."))
    model = network(known, layers, args.start)
    shift, scale = average.pop("shift"), average.pop("scale")
    model.load_state_dict(model.state_dict() | average | {"shift": shift, "scale": scale})
    end = json.loads((args.out / "end.json").read_text())
    torch.save(
        {"model": model.state_dict(), "average": average, "optimizer": None, "muon": None, "used": {}, "config": CONFIG | {"layers": layers}} | end,
        args.checkpoint,
    )
    print(f"{args.checkpoint}: {layers} layers, {end}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("decode", "speak"):
        verb = verbs.add_parser(name)
        verb.add_argument("--pack", type=pathlib.Path, required=True)
        verb.add_argument("--out", type=pathlib.Path, required=True)
        verb.add_argument("--processes", type=int, default=8)
    verb = verbs.add_parser("collect")
    verb.add_argument("--pack", type=pathlib.Path, required=True)
    verb.add_argument("--start", type=pathlib.Path, required=True)
    verb.add_argument("--out", type=pathlib.Path, required=True, help="folder of train")
    verb.add_argument("--checkpoint", type=pathlib.Path, required=True)
    verb = verbs.add_parser("train")
    verb.add_argument("--pack", type=pathlib.Path, required=True)
    verb.add_argument("--fast", type=pathlib.Path, required=True, help="folder of decode and speak")
    verb.add_argument("--start", type=pathlib.Path, required=True, help="weights to begin with, by name")
    verb.add_argument("--out", type=pathlib.Path, required=True)
    verb.add_argument("--seconds", type=float, default=540)
    verb.add_argument("--device", default="cuda")
    verb.add_argument("--layers", type=int, default=14)
    verb.add_argument("--batch", type=float, default=1000, help="seconds of audio in a step, each heard twice")
    verb.add_argument("--rate", type=float, default=2e-3)
    verb.add_argument("--warm", type=int, default=300, help="steps")
    verb.add_argument("--fall", type=float, default=0.75, help="last share of the time, in which the learning rate falls to zero")
    verb.add_argument("--decay", type=float, default=0.05, help="weight decay of the matrices")
    verb.add_argument("--dropout", type=float, default=0.1)
    verb.add_argument("--splice", type=float, default=0.35)
    verb.add_argument("--spoken", type=float, default=10, help="hours of new synthesis per time through the recordings")
    verb.add_argument("--average", type=float, default=0.998)
    verb.add_argument("--hours", type=float, default=180, help="room for samples")
    verb.add_argument("--look", type=float, default=60, help="seconds between two measurements on dev; 0: none")
    verb.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    {"decode": decode_all, "speak": speak, "train": train, "collect": collect}[args.verb](args)


if __name__ == "__main__":
    main()
