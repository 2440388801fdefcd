"""Writes the fixtures of `parity.rs`, `punctuation.rs` and `ngram.rs` into `tests/data`, from FunASR's own networks, that of `frontend.rs`
from `training/model.py`, as FunASR's have no convolutions, and that of `recurrent.rs` from `torch.nn.LSTM`.

Needs torch, numpy, safetensors and an unpacked `funasr` wheel (`pip download --no-deps funasr`, version 1.4.16 was
used):

    python make_fixtures.py --funasr FOLDER_WITH_THE_funasr_PACKAGE

The networks are small and have seeded random weights. Of the package, only the modules that define the networks are
imported: its `__init__`, audio loading, beam search and metrics pull in dozens of packages that the networks do not
use, so they are replaced by empty modules. The files hold the weights under FunASR's names, and besides them `test.*` tensors: the
input and what FunASR computed from it.
"""

import argparse
import json
import pathlib
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "training"))
from model import Encoder, attention_mask  # noqa: E402
from ngram_format import write_lm  # noqa: E402


def import_networks(folder):
    package = types.ModuleType("funasr")
    package.__path__ = [str(folder / "funasr")]
    sys.modules["funasr"] = package
    unused = {
        "funasr.utils.load_utils": ["load_audio_text_image_video", "extract_fbank"],
        "funasr.models.paraformer.search": ["Hypothesis"],
        "funasr.metrics.compute_acc": ["compute_accuracy", "th_accuracy"],
        "funasr.train_utils.device_funcs": ["to_device", "force_gatherable"],
        "distutils.version": ["LooseVersion"],
        "jieba": [],
    }
    for name, members in unused.items():
        sys.modules[name] = types.ModuleType(name)
        for member in members:
            setattr(sys.modules[name], member, None)
    sys.modules["distutils.version"].LooseVersion = str
    from funasr.models.ct_transformer.model import CTTransformer
    from funasr.models.ctc.ctc import CTC
    from funasr.models.fsmn_vad_streaming.encoder import FSMN
    from funasr.models.sanm.encoder import SANMEncoder
    from funasr.models.sense_voice.model import SenseVoiceEncoderSmall

    return SANMEncoder, SenseVoiceEncoderSmall, CTC, FSMN, CTTransformer


def randomise(network):
    """Values of an order that keeps every part of the network in play, norms and biases too."""
    for name, value in network.named_parameters():
        spread = value[0].numel() ** -0.5 if value.dim() > 1 else 0.2
        mean = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        value.data = torch.randn_like(value) * spread + mean
    return network.eval()


def prefixed(prefix, network):
    return {prefix + name: value.detach().clone() for name, value in network.state_dict().items()}


def chunk_masked(encoder, x, chunk, left):
    """The encoder of FunASR's layers with a mask by which each frame sees its chunk and `left` frames before it."""
    frames = x.shape[1]
    index = torch.arange(frames)
    start = index // chunk * chunk
    sees = (index[None] < (start + chunk)[:, None]) & (index[None] >= (start - left)[:, None])
    mask = torch.ones(1, 1, frames)
    x = x * encoder.output_size() ** 0.5
    if encoder.embed is not None:
        x = encoder.embed(x)
    for layer in [*encoder.encoders0, *encoder.encoders]:
        x = layer(x, mask, mask_att_chunk_encoder=sees[None].float())[0]
    return encoder.after_norm(x)


def sanm(SANMEncoder, CTC, name, sizes, frames, position, cmvn=False, chunk=None, dtype=torch.float32):
    input_dim, dim, heads, ffn, layers, kernel, shift = sizes
    encoder = randomise(
        SANMEncoder(
            input_dim, dim, heads, ffn, layers, input_layer="pe", kernel_size=kernel, sanm_shfit=shift,
        )
    )
    if not position:
        encoder.embed = None
    ctc = randomise(CTC(13, dim))
    # So that rounding the weights to half precision does not show in the outputs.
    for network in (encoder, ctc):
        network.load_state_dict({k: v.to(dtype).float() for k, v in network.state_dict().items()})
    tensors = prefixed("encoder.", encoder) | prefixed("ctc.", ctc)
    tensors = {k: v.to(dtype) for k, v in tensors.items()}
    x = torch.randn(1, frames, input_dim)
    tensors["test.input"] = x[0].clone()
    if cmvn:
        tensors["cmvn.shift"], tensors["cmvn.scale"] = torch.randn(input_dim), torch.rand(input_dim) + 0.5
        x = (x + tensors["cmvn.shift"]) * tensors["cmvn.scale"]
    encoded = encoder(x.clone(), torch.tensor([frames]))[0]
    tensors["test.encoded"] = encoded[0]
    tensors["test.log_probs"] = ctc.log_softmax(encoded)[0]
    if chunk:
        tensors["test.chunked"] = chunk_masked(encoder, x, *chunk)[0]
    save(name, tensors)


def sense_voice(SenseVoiceEncoderSmall, name):
    encoder = randomise(
        SenseVoiceEncoderSmall(20, 16, 2, 24, num_blocks=3, tp_blocks=2, kernel_size=11, sanm_shfit=0)
    )
    x = torch.randn(1, 17, 20)
    encoded = encoder(x.clone(), torch.tensor([17]))[0]
    save(name, prefixed("encoder.", encoder) | {"test.input": x[0], "test.encoded": encoded[0]})


def frontend(name):
    frames, config = 9, {
        "input_dim": 80, "dim": 24, "heads": 2, "ffn_dim": 32, "layers": 2, "kernel": 5, "sanm_shift": 2, "norm_eps": 1e-5,
        "frontend": {"frames": 11, "channels": [4, 6]},
    }
    encoder = randomise(Encoder(config))
    tensors = prefixed("encoder.", encoder)
    x = torch.randn(1, frames, 11 * 80)
    tensors["test.input"] = x[0].clone()
    tensors["cmvn.shift"], tensors["cmvn.scale"] = torch.randn(11 * 80), torch.rand(11 * 80) + 0.5
    x = (x + tensors["cmvn.shift"]) * tensors["cmvn.scale"]
    for key, chunk in (("test.encoded", 0), ("test.chunked", 3)):
        mask = attention_mask(torch.tensor([frames]), frames, chunk, 7)
        tensors[key] = encoder(x, mask, torch.ones(1, frames, 1))[0][0]
    save(name, tensors)


def recurrent(name):
    """`test.text` are tokens, the first for the start; `test.ln_p` the log probabilities of all tokens after each."""
    tokens, dim, cells, length = 29, 8, 20, 12
    lstm = randomise(torch.nn.LSTM(dim, cells, proj_size=dim, batch_first=True))
    embedding, bias = torch.randn(tokens, dim), torch.randn(tokens) * 0.3
    text = torch.cat([torch.zeros(1, dtype=torch.long), torch.randint(1, tokens, (length,))])
    hidden = lstm(embedding[text][None])[0][0]
    save(name, {
        "embedding.weight": embedding, "input.weight": lstm.weight_ih_l0, "input.bias": lstm.bias_ih_l0 + lstm.bias_hh_l0,
        "recurrent.weight": lstm.weight_hh_l0, "projection.weight": lstm.weight_hr_l0, "output.bias": bias,
        "test.text": text.float(), "test.ln_p": (hidden @ embedding.t() + bias).log_softmax(-1),
    })


def vad(FSMN, name, cmvn):
    network = randomise(FSMN(20, 14, 3, 25, 12, 6, 0, 1, 0, 14, 2))
    tensors = prefixed("encoder.", network)
    x = torch.randn(1, 40, 20)
    tensors["test.input"] = x[0].clone()
    if cmvn:
        tensors["cmvn.shift"], tensors["cmvn.scale"] = torch.randn(20), torch.rand(20) + 0.5
        x = (x + tensors["cmvn.shift"]) * tensors["cmvn.scale"]
    tensors["test.probabilities"] = network(x)[0]
    save(name, tensors)


PUNCTUATION = ["<unk>", "_", "，", "。", "？", "、"]


def punctuation(CTTransformer, name, sizes, tokens, words, look_ahead=None):
    """`ct-punc` as FunASR builds and runs it; with `look_ahead` its layers under a mask by which each word sees those
    before it, on a text that as many `</s>` follow."""
    embed, dim, heads, ffn, layers, kernel, shift = sizes
    network = randomise(
        CTTransformer(
            encoder="SANMEncoder",
            encoder_conf={
                "input_size": embed, "output_size": dim, "attention_heads": heads, "linear_units": ffn,
                "num_blocks": layers, "dropout_rate": 0.1, "input_layer": "pe", "kernel_size": kernel,
                "sanm_shfit": shift,
            },
            vocab_size=len(tokens), punc_list=PUNCTUATION, embed_unit=embed, att_unit=dim,
        )
    )
    tensors = prefixed("", network)
    ids = torch.randint(0, len(tokens), (1, words))
    tensors["test.ids"] = ids[0].float()
    if look_ahead is None:
        scores = network.punc_forward(ids, torch.tensor([words]))[0][0]
    else:
        network.encoder.embed = None
        ended = torch.cat([ids, torch.full((1, look_ahead), tokens.index("</s>"))], 1)
        encoded = chunk_masked(network.encoder, network.embed(ended), 1, 160)
        scores = network.decoder(encoded)[0, look_ahead:]
    tensors["test.log_probs"] = scores.log_softmax(-1)
    save(name, tensors)
    (HERE / "data" / f"{name}.json").write_text(json.dumps(tokens, ensure_ascii=False) + "\n")


def save(name, tensors):
    path = HERE / "data" / f"{name}.safetensors"
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, path)
    print(path.name, path.stat().st_size)


def ngrams(name, order, counts, values):
    """A model file, and its n-grams as JSON: [[tokens], ln probability, ln backoff weight]."""
    generator = np.random.default_rng(len(name))
    tokens = 9
    orders = []
    for n in range(1, order + 1):
        grams = {tuple(int(t) for t in generator.integers(0, tokens, n)) for _ in range(counts[n - 1])}
        draw = lambda low, high: float(np.float32(np.round(generator.uniform(low, high) * values) / values))
        orders.append({gram: (draw(-8, -0.5), draw(-1.5, 0)) for gram in sorted(grams)})
    write_lm(HERE / "data" / f"{name}.bin", orders, start=0)
    rows = [[list(gram), *entry] for grams in orders for gram, entry in grams.items()]
    (HERE / "data" / f"{name}.json").write_text(json.dumps(rows) + "\n")
    print(name, [len(o) for o in orders])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--funasr", type=pathlib.Path, required=True)
    args = parser.parse_args()
    (HERE / "data").mkdir(exist_ok=True)
    torch.set_num_threads(1)
    SANMEncoder, SenseVoiceEncoderSmall, CTC, FSMN, CTTransformer = import_networks(args.funasr)
    cases = [
        # sizes are input, dim, heads, ffn, layers, kernel, shift
        ("sanm_causal", (28, 32, 4, 48, 3, 11, 5), 23, False, True, (3, 7), torch.float32),
        ("sanm_causal_position", (16, 24, 2, 20, 2, 5, 2), 14, True, False, (4, 2), torch.float32),
        ("sanm_same_width", (16, 16, 1, 20, 2, 3, 1), 9, True, False, (2, 1), torch.float32),
        ("sanm_centred", (20, 16, 2, 24, 3, 11, 0), 19, True, False, None, torch.float32),
        ("sanm_one_frame", (20, 16, 2, 24, 1, 11, 5), 1, False, False, (3, 60), torch.float32),
        ("sanm_f16", (12, 8, 2, 16, 2, 5, 2), 7, False, False, (3, 60), torch.float16),
        ("sanm_bf16", (12, 8, 2, 16, 2, 5, 1), 7, False, False, None, torch.bfloat16),
    ]
    with torch.no_grad():
        for seed, (name, sizes, frames, position, cmvn, chunk, dtype) in enumerate(cases):
            torch.manual_seed(seed)
            sanm(SANMEncoder, CTC, name, sizes, frames, position, cmvn, chunk, dtype)
        torch.manual_seed(100)
        sense_voice(SenseVoiceEncoderSmall, "sense_voice")
        torch.manual_seed(101)
        vad(FSMN, "fsmn_vad", cmvn=False)
        torch.manual_seed(102)
        vad(FSMN, "fsmn_vad_cmvn", cmvn=True)
        torch.manual_seed(105)
        frontend("frontend")
        torch.manual_seed(106)
        recurrent("recurrent_lm")
        tokens = ["<blank>", "<s>", "</s>", *"今天气很好吗我们去", "hello", "world", "it's", "<unk>"]
        torch.manual_seed(103)
        punctuation(CTTransformer, "ct_punc", (24, 24, 4, 32, 3, 11, 0), tokens, 17)
        torch.manual_seed(104)
        punctuation(CTTransformer, "punc_late", (12, 16, 2, 24, 3, 5, 2), tokens, 21, look_ahead=4)
    # With few distinct values the file is exact; with many it rounds.
    ngrams("lm_exact", 3, (20, 60, 150), 10)
    ngrams("lm_unigram", 1, (20,), 10)
    ngrams("lm_rounded", 4, (20, 60, 300, 600), 1e6)


if __name__ == "__main__":
    main()
