"""Trains the punctuation network and writes it: `punc.safetensors`, `punc_tokens.json` and the section `punctuation`
of `config.json` in a model folder.

The network is FunASR's CT-Transformer (embedding, SAN-M encoder, linear) with targets that are late: each layer sees
earlier words only, and the output at word `i + look_ahead` is the mark after word `i`. So a mark depends on
`look_ahead` words after it and on no more, whatever comes later. At the end of a text that many `</s>` follow.

    OMP_NUM_THREADS=1 python training/punct.py --data DATA --model models/tiny --minutes 20

The learning rate follows the clock, so on a busy machine less is learnt: `--go-on` trains the network of the folder for
another while (with another --seed, so that it reads other texts). Held-out text decides nothing here; `punct_eval.py` measures on it.
"""

import argparse
import json
import math
import pathlib
import time

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from model import Encoder
from punct_data import ANY_END, CLASSES, END, NONE, QUESTION, STOP, UNKNOWN, Corpus, Errors, Running, vocabulary

LOOK_AHEAD = 5
ENCODER = {
    "input_dim": 64, "dim": 128, "heads": 4, "ffn_dim": 256, "layers": 3, "tp_layers": 0, "kernel": 11, "sanm_shift": 5,
    "position": False, "norm_eps": 1e-5, "left_context": 32,
}
# How the recogniser's own marks count: chosen by punct_weights.py on sets that are not those of the model card.
RECOGNISER = {"place": 6.0, "kind": 1.0, "silence": 3.0}
IGNORED = -1
# Marks are few among words: they count more, or the network leaves out those it is not sure of.
WEIGHT_OF_MARKS = 1.5


class Punctuation(nn.Module):
    """`CTTransformer` by the names of its parts; attention sees earlier words only."""

    def __init__(self, tokens, config=ENCODER):
        super().__init__()
        self.embed = nn.Embedding(tokens, config["input_dim"])
        self.encoder = Encoder(config)
        self.decoder = nn.Linear(config["dim"], len(CLASSES))
        self.left_context = config["left_context"]
        nn.init.normal_(self.embed.weight, std=0.1)

    def forward(self, ids):
        """`ids` [B, T] to class scores [B, T, classes]."""
        seen = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril().triu(-self.left_context)
        valid = torch.ones(1, 1, 1)
        encoded, _ = self.encoder(self.embed(ids), seen[None, None], valid)
        return self.decoder(encoded)


def batches(running, index, words_each):
    """Ids and late targets of texts of alike length, about `words_each` words a batch, for ever."""
    while True:
        texts = sorted((running.draw() for _ in range(800)), key=lambda text: len(text[0]))
        groups, group = [], []
        for text in texts:
            # The longest comes last, and all are padded to it.
            if (len(group) + 1) * (len(text[0]) + LOOK_AHEAD) > words_each and group:
                groups.append(group)
                group = []
            group.append(text)
        for place in running.rng.permutation(len(groups)):
            yield tensors_of(groups[place], index)


def tensors_of(texts, index):
    length = max(len(words) for words, _ in texts) + LOOK_AHEAD
    # Padding is `</s>` like the end itself: what follows a text never changes its marks.
    ids = np.full((len(texts), length), index[END])
    targets = np.full((len(texts), length), IGNORED)
    for row, (words, marks) in enumerate(texts):
        ids[row, : len(words)] = [index.get(word, index[UNKNOWN]) for word in words]
        targets[row, LOOK_AHEAD : LOOK_AHEAD + len(marks)] = marks
    return torch.from_numpy(ids), torch.from_numpy(targets)


def loss_of(scores, targets):
    log_p = scores.log_softmax(-1).flatten(0, 1)
    targets = targets.flatten()
    known = targets != IGNORED
    log_p, targets = log_p[known], targets[known]
    end = torch.logsumexp(log_p[:, [STOP, QUESTION]], -1)
    plain = log_p.gather(1, targets.clamp(max=len(CLASSES) - 1)[:, None])[:, 0]
    value = torch.where(targets == ANY_END, end, plain)
    weight = torch.where(targets == NONE, 1.0, WEIGHT_OF_MARKS)
    return -(value * weight).sum() / weight.sum()


def train(corpus, tokens, minutes, size, rate, seed, start=None):
    torch.manual_seed(seed)
    index = {token: i for i, token in enumerate(tokens)}
    running = Running(corpus, Errors(corpus, tokens), seed)
    network = Punctuation(len(tokens))
    if start:
        network.load_state_dict({name: value.float() for name, value in start.items()})
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    source = batches(running, index, size)
    began, step, shown, sum_of = time.time(), 0, 0, 0.0
    while (spent := (time.time() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 200) * max(0.02, 0.5 + 0.5 * math.cos(math.pi * spent))
        ids, targets = next(source)
        # A recogniser writes words that training has not seen: some known ones are hidden.
        hidden = torch.rand(ids.shape) < 0.03
        ids = torch.where(hidden & (ids != index[END]), index[UNKNOWN], ids)
        loss = loss_of(network(ids), targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step, sum_of = step + 1, sum_of + loss.item()
        decay = min(0.999, step / (step + 20))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                average[name].lerp_(value, 1 - decay)
        if step % 200 == 0:
            print(f"{spent:6.1%} step {step} loss {sum_of / (step - shown):.4f}", flush=True)
            shown, sum_of = step, 0.0
    network.load_state_dict(average)
    return network.eval(), step


def write(network, tokens, folder):
    tensors = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, folder / "punc.safetensors")
    (folder / "punc_tokens.json").write_text(json.dumps(tokens, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["punctuation"] = {
        "encoder": ENCODER, "classes": CLASSES, "look_ahead": LOOK_AHEAD, "recogniser": RECOGNISER,
    }
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with text/ and speech/")
    parser.add_argument("--model", type=pathlib.Path, required=True, help="model folder the files are written to")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--batch", type=int, default=1500, help="words of a batch")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--go-on", action="store_true", help="begin with the network that is in --model")
    args = parser.parse_args()
    torch.set_num_threads(1)
    corpus = Corpus(args.data)
    tokens = vocabulary(corpus)
    print({source: len(lines) for source, lines in corpus.train.items()}, "tokens", len(tokens), flush=True)
    start = load_file(args.model / "punc.safetensors") if args.go_on else None
    if start and tokens != json.loads((args.model / "punc_tokens.json").read_text(encoding="utf-8")):
        parser.error(f"the network in {args.model} was trained on other data: its tokens are others")
    network, steps = train(corpus, tokens, args.minutes, args.batch, args.rate, args.seed, start)
    write(network, tokens, args.model)
    parameters = sum(value.numel() for value in network.parameters())
    print(f"{steps} steps in {args.minutes} minutes, {parameters} parameters, look-ahead {LOOK_AHEAD} words")


if __name__ == "__main__":
    main()
