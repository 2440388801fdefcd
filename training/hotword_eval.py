"""Makes the sets that hotwords are measured on: rare names in carrier sentences, synthesised.

For each language, under `--out`:

- `hotwords-LANG.txt`: a list of 500 names (Japanese 200), for `ting eval --hotwords`;
- `LANG-names-VOICES-HALF.tsv` and `.tar`: sentences with names of the list. `VOICES` is plain (one voice, several
  speeds) or random (the voices of the training); `HALF` is tune or test: no name is in both halves;
- `LANG-decoys-plain-HALF.tsv` and `.tar`: the same kind of sentences with names that are not in the list.

The names are put together at random from the parts below. The other names of a list have no audio: they can only
be inserted by mistake.
"""

import argparse
import io
import pathlib
import tarfile

import numpy as np
import soundfile as sf

from prepare import surround
from synth import RATE, Espeak, open_jtalk, random_sentence

ZH_FAMILY = (
    "欧阳 慕容 上官 司徒 诸葛 夏侯 皇甫 尉迟 端木 闻人 褚 卫 蒋 沈 韩 秦 尤 许 吕 戚 喻 柏 窦 章 苏 潘 葛 奚 范 彭 郎 鲁 韦 "
    "昌 苗 凤 花 方 俞 任 袁 柳 鲍 史 唐 费 廉 岑 薛 雷 贺 倪 汤 滕 殷 罗 毕 郝 邬 安 常 于 傅 卞 齐 康 伍 余 元 顾 孟 黄 穆 萧"
).split()
ZH_GIVEN = (
    "嘉 琪 睿 博 雅 静 梓 涵 浩 然 思 远 晓 彤 雨 桐 志 强 若 曦 景 行 书 瑶 子 墨 怀 瑾 秋 实 云 帆 鹏 程 佳 怡 文 轩 沛 霖 泽 "
    "楷 皓 宸 奕 辰 芷 兰 凌 霄 明 哲 致 和 舒 畅 昭 宁 宇 航 丹 青 峻 岭 惠 卿 翰 林 婉 清 诗 涛 振 邦 德 海 向 晨 贻 弓 彦 斌 "
    "冠 廷 敬 亭 慧 敏 骏 驰 铭 恩 颖 楠 锦 程 尧 旭 燕 翔 蕾 萌 耀 祖 豪 杰 纯 钰 岚 菲 淑 贞 坤 仪 宏 毅 盈 朔"
).split()
ZH_CARRIERS = (
    "请帮我联系{}的助理。|我昨天在车站见到了{}。|{}是我们公司的工程师。|会议由{}主持。|你认识{}吗？|这本书的作者是{}。|"
    "下一位发言的是{}。|{}的电话一直打不通。|我们明天去拜访{}。|他的老师叫{}。|请把这份文件交给{}。|{}今年考上了大学。|"
    "昨天的比赛{}得了第一名。|我想找{}谈一谈。|大家都很喜欢{}。|听说{}已经回国了。|这个问题要问{}。|医生的名字叫{}。|"
    "{}和他的朋友住在一起。|新来的同学叫{}。"
).split("|")

EN_GIVEN = (
    "Marek Ingrid Soren Beatrix Caspian Delphine Eamon Fiorella Gideon Henrik Imogen Jarek Kirsten Leopold Magnus Nadia "
    "Octavia Pascal Quentin Rowena Sigrid Tobias Ursula Viktor Wanda Xavier Yolanda Zoltan Anton Bettina Conrad Dorian"
).split()
EN_FAMILY = (
    "Kowalski Lindqvist Abernathy Vandermeer Okafor Szymanski Halvorsen Petrosyan Fitzgerald Montague Nakamura Delacroix "
    "Rasmussen Villanueva Thornberry Castellano Brandvold Ferreira Gallagher Hofstadter Ivanenko Jovanovic Kruger "
    "Lombardi Mbeki Novotny Oppenheim Pellegrino Quimby Rosenthal Saltzman Takahashi Ulrich Vasquez Wainwright "
    "Yamamoto Zimmerman Ashworth Blackwood Carrington Dunwoody Eastwick Fairbanks Grimaldi Hathaway Isherwood Jankowski "
    "Kingsley Lockhart Mandelbaum Nightingale Ostrander Pemberton Quigley Ravenscroft Silverstein Templeton Underhill "
    "Vanderbilt Whitlock Yarborough Zabriskie Aldridge Bergstrom Calloway Devereaux Ellsworth Fontaine Garibaldi "
    "Holloway Ingersoll Jorgensen Kensington Lagerfeld Mercado Norwood Orlando Prescott Rutherford Stavros Tennyson "
    "Valentino Worthington Zeller Arceneaux Bartholomew Cavanaugh Dimitriou Espinoza Finnegan Goldberg Hernandez "
    "Ibanez Jefferson Kaminski Lancaster McAllister Nethercott Ogilvie Pankhurst Rothschild Stradivari Trevelyan "
    "Urquhart Vaughan Winterbourne Zamboni Armitage Bainbridge Coppola Donovan Everdeen Falconer Greenwald Huxley "
    "Kimball Lovelace Monroe Newcastle Osborne Plantagenet Redgrave Sutherland Thackeray Vandenberg Weatherby "
    "Applegate Birmingham Cromwell Dillinger Farnsworth Gunderson Hemingway Kilpatrick Livingston Marchetti Nicholson "
    "Pendleton Remington Sandoval Tarkovsky Vespucci Westergaard Balthazar Corleone Doppler Feynman Galileo Heisenberg"
).split()
EN_CARRIERS = (
    "Please call {} tomorrow morning.|I met {} at the station yesterday.|Our new manager is {}.|The letter was written by {}.|"
    "Do you know where {} lives?|She went to school with {}.|The prize was given to {} last year.|I would like to speak to {}.|"
    "{} has not arrived yet.|This song was written for {}.|We are waiting for {} and his brother.|He told {} about the house.|"
    "The doctor asked {} to come back.|My friend {} is from the north.|They will visit {} in the summer.|{} is playing in the garden."
).split("|")

JA_FAMILY = "小笠原 長谷川 五十嵐 久保田 大久保 佐々木 渡辺 中島 松本 青木 西村 岡田 藤原 石川 前田 小野 高木 安藤 丸山 河野".split()
JA_GIVEN = "健一 美咲 花子 太郎 陽子 直樹 和子 大輔 真理子 正明 明美 一郎 ひろし さくら ゆかり マリア ケン".split()
JA_CARRIERS = (
    "{}さんに電話してください。|昨日、駅で{}さんに会いました。|{}さんは医者です。|この本は{}さんのです。|"
    "{}さんはまだ来ていません。|先生の名前は{}です。|明日{}さんの家に行きます。|{}さんを知っていますか。"
).split("|")


def names(rng, lang, count):
    """`count` different names."""
    found = {}
    while len(found) < count:
        if lang == "zh":
            given = "".join(rng.choice(ZH_GIVEN, 1 if rng.random() < 0.15 else 2, replace=False))
            name = rng.choice(ZH_FAMILY) + given
            if len(name) < 3:
                continue
        elif lang == "en":
            name = rng.choice(EN_FAMILY)
            # Family names alone run out: two of three names are whole ones.
            if rng.random() < 0.67 or name in found:
                name = f"{rng.choice(EN_GIVEN)} {name}"
        else:
            name = rng.choice(JA_FAMILY) + rng.choice(JA_GIVEN)
        found[str(name)] = None
    return list(found)


def speak(espeak, rng, text, lang, voices):
    if voices == "random":
        return random_sentence(espeak, rng, text, lang)
    if lang == "ja":
        return open_jtalk(text, rng.uniform(0.9, 1.2)), "open_jtalk"
    voice = {"zh": "cmn", "en": "en-us"}[lang]
    rate = int(rng.choice([160, 175, 190, 205]))
    return espeak.say(text, voice, rate), f"espeak:{voice}"


def write_set(out, name, sentences, lang, voices, espeak, rng):
    rows = ["id\tsplit\tseconds\tspeaker\ttext\tsource\tlicence"]
    with tarfile.open(out / f"{name}.tar", "w") as tar:
        for i, line in enumerate(sentences):
            wave, voice = speak(espeak, rng, line, lang, voices)
            wave = surround(wave, rng) * (0.5 / np.abs(wave).max())
            data = io.BytesIO()
            sf.write(data, wave, RATE, format="WAV", subtype="PCM_16")
            info = tarfile.TarInfo(f"{name}-{i:04d}.wav")
            info.size = data.tell()
            data.seek(0)
            tar.addfile(info, data)
            rows.append(f"{name}-{i:04d}\tdev\t{len(wave) / RATE:.2f}\t{voice}\t{line}\tsynthesis of made-up names\tCC0-1.0")
    (out / f"{name}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=100, help="sentences with names per half (Japanese: half as many)")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--language", choices=("zh", "en", "ja"), action="append", help="default: all")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    espeak = Espeak()
    carriers = {"zh": ZH_CARRIERS, "en": EN_CARRIERS, "ja": JA_CARRIERS}
    for lang in args.language or ("zh", "en", "ja"):
        rng = np.random.default_rng([args.seed, ord(lang[0])])
        size, count = (200, args.count // 2) if lang == "ja" else (500, args.count)
        # The names beyond the list are the decoys.
        every = names(rng, lang, size + 2 * count if lang != "ja" else size + count)
        listed, decoys = every[:size], every[size:]
        (args.out / f"hotwords-{lang}.txt").write_text(
            "# Made by training/hotword_eval.py: one name a line.\n" + "\n".join(listed) + "\n", encoding="utf-8"
        )
        for h, half in enumerate(("tune", "test")):
            def sentences(pool, each):
                part = pool[h * each : (h + 1) * each]
                order = rng.permutation(len(part))
                return [carriers[lang][i % len(carriers[lang])].format(part[o]) for i, o in enumerate(order)]

            for voices in ("plain", "random"):
                text = sentences(listed, count)
                write_set(args.out, f"{lang}-names-{voices}-{half}", text, lang, voices, espeak, rng)
            text = sentences(decoys, len(decoys) // 2)
            write_set(args.out, f"{lang}-decoys-plain-{half}", text, lang, "plain", espeak, rng)


if __name__ == "__main__":
    main()
