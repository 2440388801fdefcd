"""Makes a set of running speech out of an evaluation set: three recordings after one another, with short pauses.

    python training/join_eval.py SET.tsv SET.tar OUT.tsv OUT.tar

The pauses are of 100 to 700 ms, shorter than what ends a sentence, so that its ends have to be found in the text.
"""

import argparse
import io
import pathlib
import tarfile

import numpy as np
import soundfile as sf

from punct_data import transcripts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("paths", type=pathlib.Path, nargs=4, metavar="PATH")
    parser.add_argument("--count", type=int, default=3, help="recordings joined to one")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    table, archive, out_table, out_archive = args.paths
    # What a text ends with has to be known where another follows.
    rows = [row for row in transcripts(table) if row["text"][-1] in "。？！.?!"]
    rng, lines = np.random.default_rng(args.seed), ["\t".join(rows[0])]
    with tarfile.open(archive) as source, tarfile.open(out_archive, "w") as target:
        members = {pathlib.Path(name).stem: name for name in source.getnames()}
        for at in range(0, len(rows) - args.count + 1, args.count):
            group, parts = rows[at : at + args.count], []
            for row in group:
                wave, rate = sf.read(io.BytesIO(source.extractfile(members[row["id"]]).read()), dtype="float32")
                parts += [wave, np.zeros(int(rate * rng.uniform(0.1, 0.7)), dtype=np.float32)]
            wave, data = np.concatenate(parts[:-1]), io.BytesIO()
            sf.write(data, wave, rate, format="WAV", subtype="PCM_16")
            info = tarfile.TarInfo(f"{group[0]['id']}-joined.wav")
            info.size = data.tell()
            data.seek(0)
            target.addfile(info, data)
            gap = " " if group[0]["text"].isascii() else ""
            joined = {"id": f"{group[0]['id']}-joined", "text": gap.join(row["text"] for row in group)}
            joined |= {"seconds": f"{len(wave) / rate:.2f}", "speaker": "several"}
            lines.append("\t".join((group[0] | joined).values()))
    out_table.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
