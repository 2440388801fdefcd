#!/usr/bin/env python3
"""Does the same recording give the same text in every format?

    python3 tests/formats/same_text.py TING [--count N] [--formats PART...] [--work DIR] SET...

TING is the binary (target/release/ting). A SET is a table and tar as ../shared/speech has them (`PATH/NAME` for NAME.tsv
and NAME.tar; rows of the dev split only), or `voices`, sentences read by espeak-ng. The first N recordings of a set with
text in their WAV are taken (100). For each format at its usual bit rate (usual.py) it counts the recordings with the
text of their 16 kHz WAV, the share of the WAV's words that are there too, and those words within 40 ms of the
WAV's times. Texts that differ are listed in DIR/differences.tsv.
"""
import argparse
import difflib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import usual


def noisy(wav, out):
    """White noise of -60 dB of full scale: what no ear hears, to tell the codecs' part from the recogniser's."""
    subprocess.run(["sox", "-R", "-D", str(wav), "-p", "synth", "whitenoise", "vol", "0.001"], check=True, stdout=open(f"{out}.noise", "wb"))
    subprocess.run(["sox", "-D", "-m", "-v", "1", str(wav), "-v", "1", "-t", "sox", f"{out}.noise", str(out)], check=True)


ENCODERS = usual.ENCODERS | {"control: wav with faint noise": ("wav", "wav", noisy)}

TOLERANCE_MS = 40
SENTENCES = (
    "The train to London leaves at nine in the morning.", "Please call me back when you have time.",
    "We are going to the park with our friends.", "My brother bought a new red car last week.",
    "Can you tell me how to get to the station?", "She reads a book every night before bed.",
    "The weather will be warm and sunny tomorrow.", "I would like a cup of coffee with milk.",
    "There are seven people waiting in the room.", "He closed the door and walked down the street.",
    "今天的天气非常好。", "我们明天去北京开会。", "请你给我打一个电话。", "他每天早上六点起床。", "这个问题我不知道怎么回答。",
    "火车站离这里有多远？", "我的妹妹在学校学习英语。", "晚上我们一起吃饭吧。", "老师让我们写一篇文章。", "这本书的内容很有意思。",
)


def sets(names, count, folder):
    """Names of the sets, and their recordings as 16 kHz mono WAV, more than `count` of them."""
    for name in names:
        target = folder / pathlib.Path(name).name
        target.mkdir(parents=True, exist_ok=True)
        if name == "voices":
            yield "synthesised", list(voices(target))
            continue
        rows = pathlib.Path(f"{name}.tsv").read_text(encoding="utf-8").splitlines()
        wanted = {row.split("\t")[0] for row in rows[1:] if row.split("\t")[1] == "dev"}
        recordings = []
        with tarfile.open(f"{name}.tar") as tar:
            for member in tar:
                stem = pathlib.Path(member.name).stem
                if stem in wanted and len(recordings) < 2 * count:
                    source = target / pathlib.Path(member.name).name
                    source.write_bytes(tar.extractfile(member).read())
                    recordings.append(to_wav(source, target / f"{stem}.wav"))
        yield target.name, recordings


def voices(folder):
    for i, text in enumerate(SENTENCES):
        language = "en" if text.isascii() else "cmn"
        for j, (variant, speed) in enumerate((("", 150), ("+f2", 140), ("+m3", 160), ("+f4", 150), ("+m7", 145))):
            raw = folder / f"{i:02}-{j}.raw.wav"
            subprocess.run(["espeak-ng", "-v", language + variant, "-s", str(speed), "-w", str(raw), text], check=True)
            yield to_wav(raw, folder / f"{i:02}-{j}.wav")


def to_wav(source, path):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(source), "-ar", "16000", "-ac", "1", "-c:a", "pcm_s16le", str(path)],
                   check=True)
    return path


def transcribe(ting, paths, raw):
    """The text of each file, and its words as (text, begin in ms, end in ms)."""
    results = []
    # The command line has its limit.
    for at in range(0, len(paths), 50):
        some = paths[at : at + 50]
        command = [ting, "transcribe", "--format", "json", *(["--raw", "16000"] if raw else []), *map(str, some)]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command[:6])} …\n{done.stderr}")
        results += [(document["text"], words_of(document)) for document in map(json.loads, done.stdout.splitlines())]
    if len(results) != len(paths):
        sys.exit(f"{len(results)} transcripts of {len(paths)} files")
    return results


def words_of(document):
    return [(word["text"], word["begin_time"], word["end_time"])
            for sentence in document["sentences"] for word in sentence["words"]]


def compare(reference, other):
    """Whether the texts are equal; how many words of the reference the other has; how many of those in time."""
    (text, reference), (other_text, other) = reference, other
    a, b = [word[0] for word in reference], [word[0] for word in other]
    found = timely = 0
    for block in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        for x, y in zip(reference[block.a : block.a + block.size], other[block.b : block.b + block.size]):
            found += 1
            timely += abs(x[1] - y[1]) <= TOLERANCE_MS and abs(x[2] - y[2]) <= TOLERANCE_MS
    return text == other_text, found, timely


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ting")
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--formats", nargs="+", default=[""], help="only formats with one of these in their name")
    parser.add_argument("--work", type=pathlib.Path, default=None)
    args = parser.parse_args()
    work = args.work or pathlib.Path(tempfile.mkdtemp(prefix="ting-formats-"))
    differences = []
    print(f"| set | format | same text | words found | of those within {TOLERANCE_MS} ms |\n|---|---|--:|--:|--:|")
    for name, recordings in sets(args.sets, args.count, work):
        reference = transcribe(args.ting, recordings, False)
        kept = [i for i, (_, words) in enumerate(reference) if words][: args.count]
        recordings, reference = [recordings[i] for i in kept], [reference[i] for i in kept]
        total = sum(len(words) for _, words in reference)
        for encoder, (_, suffix, encode) in ENCODERS.items():
            if not any(part in encoder for part in args.formats):
                continue
            folder = work / "encoded" / name / encoder.replace(" ", "-")
            folder.mkdir(parents=True, exist_ok=True)
            paths = [folder / f"{wav.stem}.{suffix}" for wav in recordings]
            for wav, path in zip(recordings, paths):
                encode(wav, path)
            texts = transcribe(args.ting, paths, suffix == "raw")
            results = [compare(*pair) for pair in zip(reference, texts)]
            same, found, timely = (sum(column) for column in zip(*results))
            print(f"| {name} | {encoder} | {same} of {len(results)} | {found / total:.1%} | {timely / max(found, 1):.1%} |", flush=True)
            differences += [
                "\t".join((name, encoder, wav.stem, a[0], b[0]))
                for wav, a, b, result in zip(recordings, reference, texts, results) if not result[0]
            ]
    (work / "differences.tsv").write_text("\n".join(differences) + "\n", encoding="utf-8")
    print(f"\n{len(differences)} texts that differ: {work / 'differences.tsv'}")


if __name__ == "__main__":
    main()
