"""Punctuation by rules: what the network has to be better than.

Question words and particles make a question mark, conjunctions after a clause of some length a comma, words that begin or
end sentences after a sentence of some length a full stop; the text ends with a sentence. The lengths are chosen on training
text, by `fit`.
"""

import dataclasses
import itertools

from punct_data import COMMA, NONE, QUESTION, STOP

ZH_QUESTIONS = ("吗", "呢", "什么", "谁", "哪", "怎么", "怎样", "为何", "多少", "是否", "是不是", "有没有", "能不能", "几个", "几点")
ZH_JOINS = ("但", "所以", "因为", "因此", "如果", "而且", "不过", "然后", "虽然", "并且", "并", "而", "其中", "同时", "由于", "于是")
ZH_BEGINS = ("我", "你", "他", "她", "它", "这", "那", "该")
ZH_ENDS = ("了", "吗", "呢", "吧", "啊", "的")
EN_QUESTIONS = set(
    "what where when why who whom whose which how is are am was were do does did can could will would shall should "
    "have has had may might isn't aren't don't doesn't didn't can't couldn't won't wouldn't haven't".split()
)
EN_JOINS = set("but so because which although while yet though however then and or if".split())
EN_OPENERS = set("well yes no oh however finally now then meanwhile therefore".split())
EN_BEGINS = EN_QUESTIONS | set("i he she it we they you the this that these there a my his her in".split())
JA_ENDS = ("です", "ます", "ました", "でした", "ません", "ください", "だよ", "だね", "ですね", "ですよ", "だった", "である", "った", "いる", "ない")
JA_QUESTIONS = ("か", "の", "かな", "かしら")
JA_ASKS = ("何", "誰", "どこ", "いつ", "なぜ", "どう", "どの", "どんな", "ですか", "ますか", "でしょうか", "ませんか")
JA_PAUSES = ("は", "が", "て", "で", "と", "ら", "ば", "り", "も")


@dataclasses.dataclass
class Rules:
    """Lengths in words: a comma after a clause, a full stop after a sentence."""

    lang: str
    comma: int = 8
    stop: int = 16

    def marks(self, words):
        marks, sentence, clause = [NONE] * len(words), 0, 0
        for i in range(len(words)):
            if i + 1 == len(words):
                marks[i] = self.end(words[sentence:])
                break
            if i + 1 - sentence >= self.stop and self.may_end(words, sentence, i):
                marks[i] = self.end(words[sentence : i + 1])
                sentence = clause = i + 1
            elif self.may_pause(words, sentence, i) and i + 1 - clause >= self.comma:
                marks[i] = COMMA
                clause = i + 1
            elif self.lang == "en" and i == sentence and words[i] in EN_OPENERS:
                marks[i] = COMMA
                clause = i + 1
        return marks

    def end(self, sentence):
        text = "".join(sentence)
        if self.lang == "zh":
            asks = any(word in text for word in ZH_QUESTIONS)
        elif self.lang == "ja":
            asks = text.endswith("か") or (text.endswith(JA_QUESTIONS) and any(word in text for word in JA_ASKS))
        else:
            asks = sentence[0] in EN_QUESTIONS
        return QUESTION if asks else STOP

    def may_end(self, words, sentence, i):
        before, after = "".join(words[max(sentence, i - 3) : i + 1]), "".join(words[i + 1 : i + 4])
        if self.lang == "zh":
            return before.endswith(ZH_ENDS) or after.startswith(ZH_BEGINS)
        if self.lang == "ja":
            return before.endswith(JA_ENDS)
        return words[i + 1] in EN_BEGINS

    def may_pause(self, words, sentence, i):
        before, after = words[i], "".join(words[i + 1 : i + 3])
        if self.lang == "zh":
            return after.startswith(ZH_JOINS)
        if self.lang == "ja":
            return before in JA_PAUSES
        return words[i + 1] in EN_JOINS


def fit(lang, texts, score):
    """The rules of the lengths that score best on `texts`; `score(rules)` is a number."""
    lengths = itertools.product((3, 4, 6, 8, 12, 1000), (4, 6, 8, 12, 16, 24, 1000))
    return max((Rules(lang, *pair) for pair in lengths), key=lambda rules: score(rules, texts))
