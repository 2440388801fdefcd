"""What gpu_train.py learns from: samples of recordings and of synthesis, in one place on the GPU, and batches of them.

`decode_all` and `speak` write shards into a folder in memory, `Bank` takes them from there, and `plans` says what is heard in each step.
"""

import multiprocessing
import os
import pickle
import random
import time

import numpy as np
import torch

from augment import RATE, decode, trimmed
from synth import Espeak, espeak_sentence
from train import flattened, is_loud, room_for

# Seconds.
LONGEST = 15


def measured(wave):
    """(int16 samples, facts): where the loud part is, in samples, and how loud it is."""
    peak = np.abs(wave).max()
    wave = wave / peak * 0.9
    frames = len(wave) // 160
    power = np.log((wave[: frames * 160].reshape(frames, 160) ** 2).mean(1) + 1e-8)
    loud = np.flatnonzero(is_loud(power))
    begin, end = (int(loud[0]) * 160, int(loud[-1] + 1) * 160) if len(loud) else (0, len(wave))
    return (wave * 32767).astype(np.int16), {"begin": begin, "end": end, "level": float(np.exp(np.percentile(power, 80) / 2))}


def write_shard(out, name, waves, rows):
    """`out/NAME.npy` with all samples, and `out/NAME.pkl` with what they say, written last."""
    np.save(out / f"{name}.npy", np.concatenate(waves))
    (out / f"{name}.tmp").write_bytes(pickle.dumps(rows))
    (out / f"{name}.tmp").rename(out / f"{name}.pkl")


def decode_part(job):
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
            (args.out / "noise.pkl").write_bytes(pickle.dumps(pool.map(decode, pickle.loads(path.read_bytes()))))


def speak_for_ever(job):
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
    piece = (row["at"] + begin, first, other["at"] + other["cuts"][j], second, row["level"] / max(other["level"], 1e-4))
    return piece, *flattened(row["units"][: i + 1] + other["units"][j + 1 :])


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
