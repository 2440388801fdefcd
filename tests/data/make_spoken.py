"""Makes `spoken.tsv` and `spoken.tar`: sentences of our own, spoken by espeak-ng and Open JTalk, as Ogg-Opus.

No sentence is in the training text. Run with the training venv (training/requirements.txt) and opusenc on the path:
`python tests/data/make_spoken.py`.
"""

import io
import pathlib
import subprocess
import sys
import tarfile

import numpy as np
import soundfile as sf

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "training"))
from synth import RATE, Espeak, open_jtalk  # noqa: E402

SENTENCES = (
    ("zh", "cmn", "今天的天气非常好，我们出去走走吧。"),
    ("zh", "cmn+f2", "请问这里到火车站怎么走？"),
    ("zh", "cmn+m3", "他们明天上午要开一个重要的会议。"),
    ("zh", "cmn", "这本书是我去年在北京买的。"),
    ("zh", "cmn+f4", "中国有很多历史悠久的城市。"),
    ("zh", "cmn+m7", "学生们正在图书馆里看书。"),
    ("en", "en-us", "The weather is very nice today, so we went for a walk."),
    ("en", "gmw/en", "Could you tell me the way to the station?"),
    ("en", "en-us+f3", "They are going to have an important meeting tomorrow."),
    ("en", "en-us+m2", "My brother bought this old book last year."),
    ("en", "en-gb-x-rp", "There are many people in the garden."),
    ("en", "en-us", "I would like a cup of coffee and some bread."),
    ("ja", "jtalk", "今日はとても天気がいいです。"),
    ("ja", "jtalk", "私は昨日、友達と一緒に映画を見ました。"),
    ("ja", "jtalk", "この本はとても面白いと思います。"),
)


def main():
    espeak = Espeak()
    rows = ["id\tsplit\tseconds\tspeaker\ttext\tsource\tlicence"]
    with tarfile.open(HERE / "spoken.tar", "w") as tar:
        for i, (lang, voice, text) in enumerate(SENTENCES):
            wave = open_jtalk(text) if voice == "jtalk" else espeak.say(text, voice)
            pad = np.zeros(RATE // 4, np.float32)
            wave = np.concatenate([pad, wave * (0.5 / np.abs(wave).max()), pad])
            wav = io.BytesIO()
            sf.write(wav, wave, RATE, format="WAV", subtype="PCM_16")
            command = ["opusenc", "--quiet", "--bitrate", "20", "--discard-comments", "--serial", str(i), "-", "-"]
            opus = subprocess.run(command, input=wav.getvalue(), capture_output=True, check=True).stdout
            name = f"{lang}-spoken-{i:02d}"
            info = tarfile.TarInfo(f"{name}.opus")
            info.size = len(opus)
            tar.addfile(info, io.BytesIO(opus))
            rows.append(f"{name}\tdev\t{len(wave) / RATE:.2f}\t{voice}\t{text}\tour own sentences, synthesised\tApache-2.0")
    (HERE / "spoken.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
