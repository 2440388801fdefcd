"""Trains the recurrent language model that the recogniser weighs the texts of a final with, and writes `recurrent_lm.safetensors` and
the section of `config.json` that goes with it.

    python training/recurrent_lm.py --work WORK --model WORK/model [--minutes M] [--data DATA]

A long short-term memory with a projection (Sak et al. 2014, "Long Short-Term Memory Based Recurrent Neural Network Architectures for Large Scale
Acoustic Modeling") over the tokens of the recogniser; the output shares the embedding (Press and Wolf 2017, "Using the Output Embedding to
Improve Language Models"). On a few million tokens of text it predicts better than n-grams as far as it is kept from learning them by heart:
channels of the embedding, of the recurrent input and of the output are dropped for a whole sentence (Gal and Ghahramani 2016). Trains on the
text of lm.py. Stops after `--minutes` in all, and goes on from `WORK/recurrent_lm.pt`.
"""

import argparse
import json
import math
import pathlib
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import nn

from lm import START, sequences, unseen
from muon import Muon
from quantize import quantized
from train import Targets

DIM, CELLS = 192, 640
# Tokens in a batch, and the longest sentence that is read.
BATCH, LONGEST = 2400, 120
DROPOUT = 0.2
# How the recogniser weighs it; chosen on the split `dev`.
WEIGHT, BONUS = 0.7, 1.4
# The learning rate falls over this last share of the time.
FALL = 0.6
# Names in the file by names of parameters.
FILE_NAMES = {
    "embedding": "embedding.weight", "weight_ih": "input.weight", "bias": "input.bias", "weight_hh": "recurrent.weight",
    "weight_hr": "projection.weight", "output_bias": "output.bias",
}


class TiedLoss(torch.autograd.Function):
    """Sum of -ln P of `wanted` [N] under softmax(x · embeddingᵀ + bias). The gradient of the logits is made in place with the loss: most of a
    step on a CPU would else be spent on passes over the [N, tokens] numbers."""

    @staticmethod
    def forward(ctx, x, embedding, bias, wanted):
        kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else x.dtype
        x, rows = x.to(kind), embedding.to(kind)
        logits = (x @ rows.t()).float().add_(bias)
        logits -= logits.amax(1, keepdim=True)
        at = logits.gather(1, wanted[:, None]).sum()
        sums = logits.exp_().sum(1, keepdim=True)
        grad = logits.div_(sums)
        grad[torch.arange(len(wanted)), wanted] -= 1
        ctx.save_for_backward(x, rows, grad.to(kind))
        return sums.log().sum() - at

    @staticmethod
    def backward(ctx, outer):
        x, rows, grad = ctx.saved_tensors
        return (grad @ rows).float() * outer, (grad.t() @ x).float() * outer, grad.float().sum(0) * outer, None


class RecurrentLm(nn.Module):
    """ln P of each token after those before it. Names and gate order (input, forget, cell, output) are those of torch.nn.LSTM."""

    def __init__(self, tokens, dim=DIM, cells=CELLS, dropout=0.0):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(tokens, dim) * 0.05)
        self.weight_ih = nn.Parameter(torch.randn(4 * cells, dim) / math.sqrt(dim))
        self.weight_hh = nn.Parameter(torch.randn(4 * cells, dim) / math.sqrt(dim) * 0.5)
        # The forget gate begins open (Jozefowicz et al. 2015).
        self.bias = nn.Parameter(torch.cat([torch.zeros(cells), torch.ones(cells), torch.zeros(2 * cells)]))
        self.weight_hr = nn.Parameter(torch.randn(dim, cells) / math.sqrt(cells))
        self.output_bias = nn.Parameter(torch.zeros(tokens))
        self.dropout, self.cells = dropout, cells

    def kept(self, *size):
        """Factors: 0 for a channel that is dropped."""
        if not self.training or not self.dropout:
            return 1.0
        return (torch.rand(*size) >= self.dropout).float() / (1 - self.dropout)

    def forward(self, ids):
        """Hidden states [B, T, dim] after each of `ids` [B, T]."""
        rows, dim = len(ids), self.embedding.shape[1]
        x = F.embedding(ids, self.embedding) * self.kept(rows, 1, dim)
        gates_in = F.linear(x, self.weight_ih, self.bias.to(x.dtype)).unbind(1)
        h, c, states = torch.zeros(rows, dim), torch.zeros(rows, self.cells), []
        keep = self.kept(rows, dim)
        for own in gates_in:
            gates = own + F.linear(h * keep, self.weight_hh)
            i, f, g, o = gates.float().chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = F.linear(o.sigmoid() * c.tanh(), self.weight_hr).float()
            states.append(h)
        return torch.stack(states, 1)

    def loss(self, ids):
        """(sum of -ln P, tokens) of sentences [B, T] that begin with START and are filled up with -1."""
        inputs, wanted = ids[:, :-1].clamp(min=0), ids[:, 1:]
        states = self(inputs) * self.kept(len(ids), 1, self.embedding.shape[1])
        seen = wanted >= 0
        return TiedLoss.apply(states[seen], self.embedding, self.output_bias, wanted[seen]), int(seen.sum())


def batches(sentences):
    """Tensors [B, T] of sentences of like length, in random order."""
    order = sorted(sentences, key=lambda s: len(s) + random.random())
    found, batch = [], []
    for ids in order:
        if batch and (len(ids) + 1) * (len(batch) + 1) > BATCH:
            found.append(batch)
            batch = []
        batch.append(ids)
    found.append(batch)
    random.shuffle(found)
    return found


def stacked(batch):
    width = max(map(len, batch)) + 1
    return torch.tensor([[START, *ids] + [-1] * (width - 1 - len(ids)) for ids in batch])


def perplexity(model, sentences):
    total = count = 0
    with torch.no_grad():
        for batch in batches([ids[:LONGEST] for ids in sentences if ids]):
            loss, tokens = model.loss(stacked(batch))
            total, count = total + loss.item(), count + tokens
    return math.exp(total / max(count, 1))


def write(path, state):
    """The file that `ting_models::RecurrentLm` reads, with the matrices as int8."""
    tensors = quantized({FILE_NAMES[name]: value.float().numpy() for name, value in state.items()})
    for name in ("input.bias", "output.bias"):
        tensors[name] = tensors[name].astype(np.float16)
    save_file(tensors, path)
    print(f"{path}: {path.stat().st_size} bytes")


class Run:
    """The state of a training run, which `path` keeps."""

    def __init__(self, path, tokens, dropout, rate):
        self.path, self.rate = path, rate
        self.model = RecurrentLm(tokens, dropout=dropout)
        m = self.model
        # The embedding is also the output layer: its rows are tokens, not a map to be made orthogonal.
        self.muon = Muon([{"params": [p], "parts": n} for p, n in ((m.weight_ih, 4), (m.weight_hh, 4), (m.weight_hr, 1))], lr=rate)
        self.adam = torch.optim.AdamW(
            [m.embedding, m.bias, m.output_bias], lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.average = {k: v.clone() for k, v in m.state_dict().items()}
        self.spent, self.step, self.epoch = 0.0, 0, 0.0
        if path.exists():
            saved = torch.load(path, weights_only=False)
            for name in ("model", "muon", "adam"):
                getattr(self, name).load_state_dict(saved[name])
            self.average, self.spent, self.step, self.epoch = (saved[k] for k in ("average", "spent", "step", "epoch"))

    def begin(self, sentences):
        """The model's output begins as the frequency of the tokens."""
        counts = torch.bincount(torch.tensor([i for ids in sentences for i in ids]), minlength=len(self.model.output_bias))
        with torch.no_grad():
            self.model.output_bias.copy_(((counts + 0.5) / (counts + 0.5).sum()).log())
            self.average["output_bias"].copy_(self.model.output_bias)

    def learn(self, batch, share, bf16):
        """One step at the `share` of the highest learning rate; the loss and the number of tokens."""
        for group in [*self.muon.param_groups, *self.adam.param_groups]:
            group["lr"] = self.rate * min(1, (self.step + 1) / 100, share)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss, tokens = self.model.loss(stacked(batch))
        self.model.zero_grad(set_to_none=True)
        (loss / tokens).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.muon.step()
        self.adam.step()
        self.step += 1
        decay = min(0.998, self.step / (self.step + 20))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)
        return loss.item(), tokens

    def save(self, spent):
        state = {name: getattr(self, name).state_dict() for name in ("model", "muon", "adam")}
        state |= {"average": self.average, "spent": spent, "step": self.step, "epoch": self.epoch}
        torch.save(state, self.path.with_suffix(".tmp"))
        self.path.with_suffix(".tmp").rename(self.path)

    def seen(self, looks):
        """Perplexities of the averaged weights as text."""
        judge = RecurrentLm(len(self.model.output_bias)).eval()
        judge.load_state_dict(self.average)
        return "unseen: " + " ".join(f"{name} {perplexity(judge, found):.1f}" for name, found in looks.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="model folder the file is written to")
    parser.add_argument("--data", type=pathlib.Path, help="print perplexities on this folder's unseen sentences")
    parser.add_argument("--minutes", type=float, default=60, help="of training in all, earlier runs counted in")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=DROPOUT)
    parser.add_argument("--strings", type=int, default=3000, help="made-up strings of letters, numbers and dates")
    parser.add_argument("--weight", type=float, default=WEIGHT, help="of its log probabilities in a final's score")
    parser.add_argument("--bonus", type=float, default=BONUS, help="added per token")
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16: faster where the CPU has it")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    random.seed(1)
    targets = Targets(args.work)
    sentences = [ids[:LONGEST] for ids in sequences(args.work, targets, args.strings) if ids]
    total = sum(map(len, sentences))
    looks = {name: found[:400] for name, found in unseen(args.data, targets)} if args.data else {}
    run = Run(args.work / "recurrent_lm.pt", len(targets.tokens), args.dropout, args.rate)
    if run.step == 0:
        run.begin(sentences)
    print(f"{sum(p.numel() for p in run.model.parameters()) / 1e6:.2f} M parameters, {total / 1e6:.2f} M tokens", flush=True)
    began = saved_at = shown = time.time()
    losses, queue = [], []
    while (spent := run.spent + (time.time() - began) / 60) < args.minutes:
        queue = queue or batches(sentences)
        batch = queue.pop()
        losses.append(run.learn(batch, (1 - spent / args.minutes) / FALL + 0.01, args.bf16))
        run.epoch += sum(map(len, batch)) / total
        if time.time() - shown > 60:
            shown = time.time()
            said = math.exp(sum(a for a, _ in losses) / sum(b for _, b in losses))
            print(f"{spent:.1f} min, step {run.step}, {run.epoch:.2f} times through, perplexity with dropout {said:.1f}", flush=True)
            losses = []
        if time.time() - saved_at > 300:
            saved_at = time.time()
            run.save(spent)
            print(run.seen(looks), flush=True)
    run.save(spent)
    print(run.seen(looks))
    write(args.model / "recurrent_lm.safetensors", run.average)
    path = args.model / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["recurrent_lm"] = {"weight": args.weight, "bonus": args.bonus}
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
