"""Trains the recogniser on the shards of prepare.py. Stops after `--minutes` of training in all; can be resumed.

The learning rate follows the share of the time that is spent (warm-up, level, then down to zero), so that a run uses
the time it is given, however busy the machine is.
"""

import argparse
import collections
import copy
import json
import pathlib
import random
import time
import zlib

import numpy as np
import sentencepiece as spm
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

import text as T
from features import low_frame_rate
from model import BANDS, CHUNKS, CONFIG, Model
from muon import Muon
from quantize import dequantized


# Steps with the flat-start loss.
FLAT_STEPS = 2500


# Shards of each kind in a pool, until a share of the time is spent. Synthesis teaches the sounds and the spelling first, English
# most, whose spelling is the hardest to learn; then recordings of people, which are harder still, get the greater part.
MIXES = (
    (0.15, {"synth-en": 6, "synth-zh": 5, "synth-ja": 2, "real": 3, "words": 2, "noise": 1}),
    (2.0, {"real": 10, "synth-en": 4, "synth-zh": 3, "synth-ja": 2, "words": 3, "noise": 1}),
)
# From a model that is there already (`--from-model`), which knows the synthesizers better than people.
MIXES_ON = ((2.0, {"real": 5, "synth-en": 2, "synth-zh": 2, "synth-ja": 1, "words": 2, "noise": 1}),)
# The learning rate falls linearly over this last share of the time.
FALL = 0.35
# Steps in which the new auxiliary head of a loaded model learns what the encoder offers, before it may change the encoder.
ALONE_STEPS = 300


class Targets:
    """Token ids of targets, and the readings that tie the rows of the head."""

    def __init__(self, work):
        rows = [line.split("\t") for line in (work / "tokens.txt").read_text().splitlines()]
        self.tokens = [r[0] for r in rows]
        self.ids = {t: i for i, t in enumerate(self.tokens)}
        self.aux = (work / "inter.txt").read_text().splitlines()
        self.aux_ids = {t: i for i, t in enumerate(self.aux)}
        self.phones = json.loads((work / "phones.json").read_text())
        self.bpe = spm.SentencePieceProcessor(model_file=str(work / "bpe.model"))
        self.zh, self.ja = ([len(r) > 1 and lang in r[1] for r in rows] for lang in ("zh", "ja"))

    def syllables(self):
        from pypinyin import Style, pinyin

        table, names = torch.full((len(self.tokens), 2), -1), {}
        for i, token in enumerate(self.tokens):
            if self.zh[i] and "\u3400" <= token <= "\u9fff":
                first = pinyin(token, style=Style.TONE3, neutral_tone_with_five=True)[0][0]
                for k, name in enumerate((first, first.rstrip("12345"))):
                    table[i, k] = names.setdefault(name, len(names))
        return table

    def english(self, text):
        """Pieces of English words with marks between them."""
        pieces, word = [], ""
        for c in text + "。":
            if c in T.MARKS:
                pieces += self.bpe.encode(word, out_type=str)
                pieces.append(c)
                word = ""
            else:
                word += c
        return pieces[:-1]

    def of(self, row):
        """(token ids, auxiliary ids) or None where a character is not in the set."""
        if row["lang"] == "en":
            pieces = self.english(row["text"])
            sounds = ["E" + p for word in T.strip_marks(row["text"]).split() for p in self.phones.get(word, [])]
            aux = [self.aux_ids[s] for s in sounds if s in self.aux_ids]
        else:
            pieces = list(row["text"])
            aux = [self.aux_ids[a] for a in row["aux"] if a in self.aux_ids]
        if any(p not in self.ids for p in pieces):
            return None
        return [self.ids[p] for p in pieces], aux

    def units(self, row):
        """[(token ids, auxiliary ids)] of the characters of a Chinese sentence or the words of an English one, each with the mark after it;
        None where a unit has no sounds or a character is not in the set."""
        if row["lang"] == "en":
            pieces = [self.english(word) for word in row["text"].split()]
            sounds = [["E" + p for p in self.phones.get(T.strip_marks(word).strip(), [])] for word in row["text"].split()]
        elif row["lang"] == "zh":
            pieces, sounds = [], [[a] for a in row["aux"] or []]
            for c in row["text"]:
                if c in T.MARKS and pieces:
                    pieces[-1].append(c)
                else:
                    pieces.append([c])
        else:
            return None
        units = [
            ([self.ids[p] for p in of if p in self.ids], [self.aux_ids[a] for a in by if a in self.aux_ids]) for of, by in zip(pieces, sounds)
        ]
        # Together they must be what the whole sentence is.
        whole = self.of(row)
        return units if all(aux for _, aux in units) and whole == flattened(units) else None


def flattened(units):
    """(token ids, auxiliary ids) of `Targets.units` after one another."""
    return [t for ids, _ in units for t in ids], [a for _, aux in units for a in aux]


def room_for(ids, frames):
    return len(ids) + sum(a == b for a, b in zip(ids, ids[1:])) <= frames


class Data:
    """Batches of about `seconds` of audio, utterances of like length together, least-used shards first."""

    def __init__(self, work, targets, seconds, part=0, parts=1, mixes=MIXES):
        self.folder, self.cuts, self.targets, self.seconds, self.mixes = work / "shards", work / "cuts", targets, seconds, mixes
        self.part, self.parts = part, parts
        self.used = collections.Counter()
        # Frames without speech of the last pool.
        self.noises = []

    def pool(self, done, longest=1500):
        """Utterances of up to `longest` frames of some shards, as batches, mixed as fits the share of time `done`."""
        mix = next(mix for until, mix in self.mixes if done < until)
        while not (names := [p.stem for p in self.folder.glob("*.json")]):
            time.sleep(5)
        # Each worker has its part; of noise there is little, and all have it.
        own = [n for n in names if n.startswith("noise") or zlib.crc32(n.encode()) % self.parts == self.part]
        names = own if any(not n.startswith("noise") for n in own) else names
        random.shuffle(names)
        names.sort(key=lambda n: self.used[n])
        names = [n for kind, count in mix.items() for n in [n for n in names if n.startswith(kind)][:count]]
        items = []
        for name in names:
            self.used[name] += 1
            frames = np.load(self.folder / f"{name}.npy")
            start = 0
            rows = json.loads((self.folder / f"{name}.json").read_text())
            cuts = self.cuts / f"{name}.json"
            for row, places in zip(rows, json.loads(cuts.read_text()) if cuts.exists() else [None] * len(rows)):
                x = frames[start : start + row["frames"]]
                start += row["frames"]
                ids = self.targets.of(row)
                count = (len(x) + 5) // 6
                if ids and len(x) <= longest and room_for(ids[0], count):
                    parts = (row["lang"], places, self.targets.units(row)) if places else None
                    items.append((x, ids[0], ids[1] if room_for(ids[1], 2 * count) else [], parts))
        self.noises = [x for x, ids, *_ in items if not ids and len(x) > 20]
        items.sort(key=lambda i: len(i[0]) * random.uniform(0.95, 1.05))
        batches, batch, width = [], [], 0
        for item in items:
            width = max(width, len(item[0]))
            if batch and width * (len(batch) + 1) > self.seconds * 100:
                batches.append(batch)
                batch, width = [], len(item[0])
            batch.append(item)
        batches.append(batch)
        random.shuffle(batches)
        return batches


def spec_augment(x, often):
    """Park et al. 2019, lightly: masks in frequency and in time (10 ms frames), each with the probability `often`, and then perhaps another.

    The full dose (two and two, always) took a model that had heard 113 hours from a loss of 3.4 to 5.3 per token: a network of
    this size that hears its data two or three times is far from learning it by heart, and learns slower from what is hidden.
    """
    x = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    mean = x.mean()
    while random.random() < often:
        width = random.randint(1, 16)
        low = random.randint(0, 80 - width)
        x[:, low : low + width] = mean
        if random.random() < 0.5:
            break
    while random.random() < often:
        width = random.randint(0, min(30, len(x) // 10))
        start = random.randint(0, len(x) - width)
        x[start : start + width] = mean
        if random.random() < 0.5:
            break
    return x


def resampled(size, positions):
    """[len(positions), size]: rows that interpolate linearly between `size` values at fractional `positions`."""
    positions = np.clip(positions, 0, size - 1)
    low = np.minimum(positions.astype(int), size - 2)
    matrix = np.zeros((len(positions), size), np.float32)
    rows = np.arange(len(positions))
    matrix[rows, low] = 1 - (positions - low)
    matrix[rows, low + 1] = positions - low
    return matrix


def warp(x, ids):
    """Another speaker of the same words: the mel axis scaled (as by the length of the vocal tract, Jaitly and Hinton 2013)
    and the time axis, as far as the labels still fit."""
    x = x.astype(np.float32)
    x = x @ resampled(80, np.arange(80) * random.uniform(0.91, 1.1)).T
    count = int(len(x) * random.uniform(0.85, 1.18))
    if len(x) < 4 or not room_for(ids, (count + 5) // 6):
        return x
    at = np.linspace(0, len(x) - 1, count, dtype=np.float32)
    low = np.minimum(at.astype(int), len(x) - 2)
    return x[low] + (at - low)[:, None] * (x[low + 1] - x[low])


def is_loud(energy):
    """Which frames stand out of the softest, by their mean log energies (numpy or PyTorch): 0.4 of the way to the loudest."""
    return energy > energy.min() + 0.4 * (energy.max() - energy.min())


def loudness(x):
    """Mean log energy of the loud frames of `x` [frames, bands]."""
    return np.percentile(x.mean(1), 80)


def with_noise(x, noises):
    """`x` with a stretch of noise added in power, 5 to 30 dB below it."""
    noise = noises[random.randrange(len(noises))].astype(np.float32)
    noise = noise[(np.arange(len(x)) + random.randrange(len(noise))) % len(noise)]
    loud = loudness(x) - loudness(noise)
    return np.logaddexp(x, noise + loud - random.uniform(5, 30) / 10 * np.log(10))


def cropped(x, ids):
    """Without some of the silence before and after the loud part: a recogniser hears what its voice activity detector lets through,
    which begins and ends closer to the words than recordings do."""
    loud = np.flatnonzero(is_loud(x.mean(1, dtype=np.float32)))
    if not len(loud):
        return x
    # Soft beginnings and ends lie within 200 ms of what is loud.
    start, end = max(loud[0] - random.randint(20, 70), 0), loud[-1] + random.randint(20, 70)
    return x[start:end] if room_for(ids, (min(end, len(x)) - start + 5) // 6) else x


def varied(x, ids, noises):
    """A random variation of an utterance's frames; what is no speech (no `ids`) stays as it is."""
    if not ids:
        return x.astype(np.float32)
    if random.random() < 0.5:
        x = cropped(x, ids)
    x = warp(x, ids)
    return with_noise(x, noises) if noises and random.random() < 0.2 else x


def spliced(item, others):
    """The beginning of one utterance and the end of another, of the same language and about as far through; the item where none fits.

    Where to cut is from cuts.py, which says what it is good for. The end is made as loud as the beginning.
    """
    x, _, _, parts = item
    fitting = [o for o in others if o is not item and parts and o[3] and o[3][0] == parts[0]]
    if not fitting:
        return item
    other = random.choice(fitting)
    share = random.uniform(0.15, 0.85)
    (_, cuts, units), (_, cuts_of_other, units_of_other) = parts, other[3]
    i, j = int(share * len(cuts)), int(share * len(cuts_of_other))
    begin, end = x[: cuts[i]].astype(np.float32), other[0][cuts_of_other[j] :].astype(np.float32)
    if len(begin) < 10 or len(end) < 10:
        return item
    louder = loudness(begin) - loudness(end)
    ids, aux = flattened(units[: i + 1] + units_of_other[j + 1 :])
    x = np.concatenate([begin, end + louder])
    frames = (len(x) + 5) // 6
    return (x, ids, aux if room_for(aux, 2 * frames) else [], None) if room_for(ids, frames) else item


def collate(batch, noises, augment=True, masks=0.33):
    if augment:
        rows = [low_frame_rate(spec_augment(varied(x, ids, noises), masks)) for x, ids, *_ in batch]
    else:
        rows = [low_frame_rate(torch.from_numpy(x.astype(np.float32))) for x, *_ in batch]
    lengths = torch.tensor([len(r) for r in rows])
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths


def few_labels_ctc(log_probs, used, flat, lengths, sizes):
    """CTC losses [B] of `log_probs` [B, T, V], and their gradient [B, T, used] with respect to the logits of the labels `used`, blank first:
    probability less posterior, as PyTorch defines it. `flat` indexes `used`."""
    few = log_probs[..., used].transpose(0, 1).contiguous().requires_grad_()
    with torch.enable_grad():
        losses = F.ctc_loss(few, flat, lengths, sizes, reduction="none", zero_infinity=True)
        (grad,) = torch.autograd.grad(losses.sum(), few)
    return losses.detach(), grad.transpose(0, 1)


class SmallCtc(torch.autograd.Function):
    """Sum of the CTC losses of raw `logits` [B, T, V]. `used` are the labels of the batch, blank first; `flat` indexes them.

    PyTorch's own loss walks through all labels of each frame one by one, forwards, backwards and through the softmax again. Of
    the 6232 labels a batch uses some hundred: the recursion gets those, and the gradient of all others is their probability.
    """

    @staticmethod
    def forward(ctx, logits, used, flat, lengths, sizes):
        log_probs = F.log_softmax(logits.float(), -1)
        losses, grad = few_labels_ctc(log_probs, used, flat, lengths, sizes)
        counted = (torch.arange(logits.shape[1])[None] < lengths[:, None]) & (losses > 0)[:, None]
        probs = log_probs.exp_().mul_(counted.unsqueeze(-1))
        probs[..., used] = grad
        ctx.save_for_backward(probs.to(logits.dtype))
        return losses.sum()

    @staticmethod
    def backward(ctx, grad):
        return ctx.saved_tensors[0] * grad.to(ctx.saved_tensors[0].dtype), None, None, None, None


def ctc(logits, lengths, ids, empty=False):
    """CTC loss per token. Utterances without labels are left out, unless `empty` says that they hold no speech."""
    keep = [i for i, t in enumerate(ids) if t or empty]
    if not keep:
        return logits.sum() * 0
    if len(keep) < len(ids):
        logits, lengths = logits[keep], lengths[keep]
    sizes = torch.tensor([len(ids[i]) for i in keep])
    flat = [t for i in keep for t in ids[i]]
    used = [0, *sorted(set(flat))]
    place = {t: i for i, t in enumerate(used)}
    flat = torch.tensor([place[t] for t in flat], dtype=torch.long)
    return SmallCtc.apply(logits, torch.tensor(used), flat, lengths, sizes) / max(int(sizes.sum()), 10)


def flat_alignment(features, weights):
    """A label index for each frame, as if the labels followed each other evenly: -1 outside the loud part.

    HMM recognisers start like this ("flat start"); it leads CTC out of the plateau where it only writes blanks.
    """
    loud = is_loud(features[:, 240:320].mean(1)).nonzero()[:, 0]
    result = torch.full((len(features),), -1)
    if len(loud) < 2:
        return result
    first, last = int(loud[0]), int(loud[-1]) + 1
    ends = np.cumsum(weights) / sum(weights)
    middles = (np.arange(last - first) + 0.5) / (last - first)
    result[first:last] = torch.from_numpy(np.minimum(np.searchsorted(ends, middles), len(weights) - 1))
    return result


def flat_loss(head, between, features, lengths, batch, targets):
    """Cross-entropy of the auxiliary labels against their flat alignment."""
    rows, labels = [], []
    for i, (_, _, aux, _) in enumerate(batch):
        if not aux:
            continue
        index = flat_alignment(features[i, : lengths[i]], [1] * len(aux))
        keep = index >= 0
        rows.append(between[i, : lengths[i]][keep])
        labels.append(torch.tensor(aux)[index[keep]])
    if not rows:
        return between.sum() * 0
    return F.cross_entropy(head(torch.cat(rows)).float(), torch.cat(labels), label_smoothing=0.1)


def statistics(batches):
    """Global shift and scale of the stacked features."""
    rows = torch.cat([low_frame_rate(torch.from_numpy(x.astype(np.float32))) for b in batches for x, *_ in b])
    return -rows.mean(0), 1 / rows.std(0)


def load_model(folder, model):
    """Fills `model` from a model folder as export.py writes it. The folded head becomes the tokens' own rows, and the rows of the
    readings begin at zero: the same function, and what it learns from now on characters that sound alike share again. Of int8 the
    training begins with what the int8 stands for. Returns whether the folder has the auxiliary head, as pronunciation head."""
    config = json.loads((folder / "config.json").read_text())["encoder"]
    # A folder from before the convolutions: they begin as zero, so the function is the same.
    without = "frontend" not in config
    if {"frontend": CONFIG["frontend"]} | config != CONFIG:
        raise SystemExit(f"{folder} has other sizes than model.py")
    tensors = dequantized(load_file(folder / "model.safetensors"))
    # What export.py measures on the result.
    tensors.pop("ctc.log_prior", None)
    if without:
        beside = (CONFIG["frontend"]["frames"] * BANDS - CONFIG["input_dim"]) // BANDS // 2
        for name in ("cmvn.shift", "cmvn.scale"):
            tensors[name] = F.pad(tensors[name].view(1, -1, BANDS), (0, 0, beside, beside), "replicate").flatten()
    names = {"ctc.ctc_lo.weight": "head.weight", "ctc.ctc_lo.bias": "head.bias", "cmvn.shift": "shift", "cmvn.scale": "scale"}
    aux = {
        f"{aux}.{kind}": f"pronunciation.{layer}.{kind}"
        for aux, layer in (("norm_aux", "norm"), ("head_aux", "middle"), ("head_aux_top", "top")) for kind in ("weight", "bias")
        if (aux, kind) != ("head_aux_top", "bias")
    }
    known = all(name in tensors for name in aux.values())
    names |= {name: own for own, name in aux.items()}
    left = model.load_state_dict({names.get(k, k): v.float() for k, v in tensors.items()}, strict=False)
    new = {"syllable_of", "syllables"} | (set() if known else set(aux))
    new |= {k for k in model.state_dict() if without and k.startswith("encoder.frontend.")}
    if left.unexpected_keys or set(left.missing_keys) != new:
        raise SystemExit(f"{folder} does not fit model.py: {left}")
    torch.nn.init.zeros_(model.syllables)
    return known


def learn(rank, args, model, targets, saved, began):
    """One worker's life. Workers update the same weights without waiting for each other (Recht et al. 2011, "Hogwild!").

    The first also averages and saves. Each has its own optimiser state and its own part of the shards.
    """
    torch.set_num_threads(args.threads)
    torch.manual_seed(rank + 2 * saved["step"])
    random.seed(rank + 2 * saved["step"])
    np.random.seed(rank)
    loaded = args.from_model is not None
    alone_steps = saved.get("alone_steps", 0)
    data = Data(args.work, targets, args.seconds, rank, args.workers, MIXES_ON if loaded else MIXES)
    data.used.update(saved["used"])
    flat_head = torch.nn.Linear(CONFIG["dim"], len(targets.aux))
    # The front end's matrix is so square that its Newton-Schulz iterations would cost as much as four layers'.
    inner = {
        name: p for name, p in model.encoder.named_parameters() if args.muon and p.ndim == 2 and not name.startswith("frontend")
    }
    matrices = set(map(id, inner.values()))
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in model.parameters() if id(p) not in matrices]}, {"params": list(flat_head.parameters())}],
        lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01, eps=1e-8, fused=True,
    )
    muon = Muon(
        [{"params": [p], "parts": 3 if "q_k_v" in name else 1} for name, p in inner.items()], lr=args.rate
    ) if inner else None
    if saved["optimizer"]:
        optimizer.load_state_dict(copy.deepcopy(saved["optimizer"]))
        if muon and saved.get("muon"):
            muon.load_state_dict(copy.deepcopy(saved["muon"]))
    average = {k: v.clone() for k, v in saved["average"].items()}
    step, audio, path = saved["step"], saved["audio"], args.work / "checkpoint.pt"

    def save(spent):
        torch.save(
            {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "average": average, "step": step,
             "spent": spent, "audio": audio, "used": data.used, "config": CONFIG,
             "muon": muon.state_dict() if muon else None, "alone_steps": alone_steps},
            path.with_suffix(".tmp"),
        )
        path.with_suffix(".tmp").rename(path)

    # Short utterances first: alignments are easier to find.
    batches = data.pool(0, longest=350) if step == 0 and not loaded else data.pool(saved["spent"] / (args.minutes * 60))
    shown, saved_at, heard, losses = 0.0, 0.0, 0.0, []
    chunks, weights = zip(*CHUNKS)
    while (passed := time.time() - began) + saved["spent"] < args.minutes * 60:
        done = (passed + saved["spent"]) / (args.minutes * 60)
        if not batches:
            batches = data.pool(done)
        batch = batches.pop()
        if args.splice:
            batch = [spliced(item, batch) if random.random() < args.splice else item for item in batch]
        features, lengths = collate(batch, data.noises, augment=args.vary, masks=args.masks)
        # A run that goes on has what the optimizers know.
        warm = 1.0 if saved["optimizer"] else min(1.0, (step - saved["step"] + 1) / 200)
        for group in [*optimizer.param_groups, *(muon.param_groups if muon else ())]:
            group["lr"] = args.rate * warm * min(1.0, (1 - done) / args.fall + 0.01)
        chunk = random.choices(chunks, weights)[0]
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            logits, aux, between = model(features, lengths, chunk, alone=step < alone_steps)
            flat = None
            if step < FLAT_STEPS and not loaded:
                flat = flat_loss(flat_head, between, features, lengths, batch, targets)
        loss = ctc(logits, lengths, [b[1] for b in batch], empty=True)
        loss_aux = ctc(aux, 2 * lengths, [b[2] for b in batch])
        share = 0.5 if done < 0.2 and not loaded else 0.3
        total = (1 - share) * loss + share * loss_aux + (0 if flat is None else flat)
        model.zero_grad(set_to_none=True)
        flat_head.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if muon:
            muon.step()
        step += 1
        seconds = sum(len(b[0]) for b in batch) / 100
        heard += seconds * args.workers
        audio += seconds * args.workers
        losses.append((loss.item(), loss_aux.item()))
        if rank > 0:
            continue
        decay = min(args.average, (step + 1) / (step + 20))
        with torch.no_grad():
            for name, value in model.named_parameters():
                average[name].lerp_(value, 1 - decay)
        if passed - shown > 20:
            a, b = np.mean(losses, 0)
            spent = saved["spent"] + passed
            print(
                f"{spent / 60:.1f} min, step {step}, {audio / 3600:.2f} h heard, loss {a:.3f}, auxiliary {b:.3f}, "
                f"{heard / passed:.0f} audio-s/s, {len(data.used)} shards, most used {max(data.used.values())}",
                flush=True,
            )
            shown, losses = passed, []
        if passed - saved_at > 240:
            saved_at = passed
            save(saved["spent"] + passed)
    if rank == 0:
        save(args.minutes * 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=110, help="of training in all, earlier runs counted in")
    parser.add_argument("--seconds", type=float, default=30, help="audio in one batch")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=2, help="processes that train the same weights")
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker")
    parser.add_argument("--fall", type=float, default=FALL, help="last share of the time, in which the learning rate falls to zero")
    parser.add_argument("--from-model", type=pathlib.Path, metavar="DIR", help="begin with the weights of a model folder of the same tokens")
    parser.add_argument("--vary", action="store_true", help="vary each utterance anew; for runs that see their data many times")
    parser.add_argument("--muon", action="store_true", help="update the encoder's matrices with Muon")
    parser.add_argument("--masks", type=float, default=0.33, help="probability of a SpecAugment mask, with --vary")
    parser.add_argument("--dropout", type=float, default=0.0, help="share of channels dropped in each layer but the first; for long runs")
    parser.add_argument("--splice", type=float, default=0.0, help="share of the utterances that end with another's end, where cuts.py has been run")
    parser.add_argument("--average", type=float, default=0.9995, help="decay of the averaged weights at a step")
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16: faster where the CPU has it")
    args = parser.parse_args()
    torch.manual_seed(0)
    random.seed(0)

    targets = Targets(args.work)
    model = Model(CONFIG, len(targets.tokens), len(targets.aux), targets.syllables(), args.dropout)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    path = args.work / "checkpoint.pt"
    if path.exists():
        saved = torch.load(path, weights_only=False)
        model.load_state_dict(saved["model"])
    elif args.from_model:
        if (args.from_model / "tokens.txt").read_bytes() != (args.work / "tokens.txt").read_bytes():
            raise SystemExit(f"the tokens of {args.from_model} are not those of {args.work}; copy its tokens.txt")
        alone_steps = 0 if load_model(args.from_model, model) else ALONE_STEPS
        average = {k: v.detach().clone() for k, v in model.named_parameters()}
        saved = {"optimizer": None, "average": average, "step": 0, "spent": 0.0, "audio": 0.0, "used": {}, "alone_steps": alone_steps}
    else:
        model.shift, model.scale = statistics(Data(args.work, targets, args.seconds).pool(0)[:200])
        average = {k: v.detach().clone() for k, v in model.named_parameters()}
        saved = {"optimizer": None, "average": average, "step": 0, "spent": 0.0, "audio": 0.0, "used": {}}
    saved["model"] = None
    model.share_memory()
    began = time.time()
    torch.multiprocessing.spawn(learn, (args, model, targets, saved, began), nprocs=args.workers)


if __name__ == "__main__":
    main()
