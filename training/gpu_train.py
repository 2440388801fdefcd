"""Trains the recogniser on one GPU, from what pack.py packed: all recordings lie in its memory, and each time they are heard differently.

    python training/gpu_train.py decode --pack WORK/pack --out FAST [--processes 14]
    python training/gpu_train.py speak --pack WORK/pack --out FAST [--processes 8] &
    python training/gpu_train.py train --pack WORK/pack --fast FAST --start WORK/pack/start.pt --out OUT --seconds 540
    python training/gpu_train.py collect --pack WORK/pack --start WORK/pack/start.pt --out OUT --checkpoint WORK/checkpoint.pt

`decode` makes samples of the recordings; `speak` synthesises lines of text by espeak-ng for as long as it runs, and `train` takes what there is
(bank.py). FAST is a folder in memory. `start.pt` are the weights to go on from, which pack.py writes. Rooms, noise, bands, gain, masks and warped voices
are computed on the GPU (studio.py). `collect` makes a checkpoint for export.py of the averaged weights, which `train` writes in small files.

Each utterance is heard twice in a step, with different masks and channels dropped, and what the network says of the two is drawn together
(Yao et al. 2024, "CR-CTC: Consistency regularization on CTC for improved speech recognition").
"""

import argparse
import copy
import json
import pathlib
import pickle
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

from augment import RATE
from bank import LONGEST, Bank, batches, decode_all, plans, speak
from evaluate import collapsed, mistakes, spelled
from model import BANDS, CHUNKS, CONFIG, Model
from muon import Muon
from studio import Studio
from train import few_labels_ctc

# Weight of the consistency of two hearings beside the CTC loss.
CONSISTENCY = 0.2
AUXILIARY = 0.3


class TwiceCtc(torch.autograd.Function):
    """(CTC loss, inconsistency), sums over raw `logits` [2 B, T, V] of which the second half are other hearings of the first.

    The labels of the batch alone go through the recursion (train.SmallCtc says why). The inconsistency is what each half's frames cost
    under the other's distribution, less their entropy; the other is taken as given.
    """

    @staticmethod
    def forward(ctx, logits, used, flat, lengths, on_device, sizes, weight):
        log_probs = F.log_softmax(logits.float(), -1)
        losses, grad = few_labels_ctc(log_probs, used, flat, lengths, sizes)
        half = len(logits) // 2
        inside = torch.arange(logits.shape[1], device=logits.device)[None] < on_device[:, None]
        counted = inside & (losses > 0)[:, None]
        other = log_probs.roll(half, 0)
        target = other.exp()
        apart = ((target * (other - log_probs)).sum(-1) * inside).sum()
        del other
        probs = log_probs.exp_()
        pull = (probs - target).mul_(inside.unsqueeze(-1) * weight)
        del target
        probs.mul_(counted.unsqueeze(-1))
        probs[..., used] = grad
        ctx.save_for_backward(probs.add_(pull).to(logits.dtype))
        return losses.sum(), apart

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


def errors(model, studio, bank, tokens):
    """Percent of errors by set, by greedy search with full context: of characters, or of words in English."""
    found = {}
    for name, indices in bank.sets.items():
        wrong = total = 0
        for batch in batches(bank, indices, 1200, 60):
            x, lengths = studio.plain(bank, batch)
            with torch.no_grad(), torch.autocast(studio.device.type, torch.bfloat16):
                best = model(x, lengths.to(studio.device), 0)[0].argmax(-1).cpu()
            for i, n, own in zip(batch, lengths.tolist(), best.tolist()):
                row = bank.rows[i]
                counts = mistakes(spelled(row["ids"], tokens), spelled(collapsed(own[:n]), tokens), row["lang"])
                wrong, total = wrong + counts[0], total + counts[1]
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
    judge = copy.deepcopy(model).eval()
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
