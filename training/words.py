"""Texts of single words and of what is spelled: what sentences hardly teach.

English strings are letters, numbers, dates and words of command, as people say them to machines.
"""

import text as T

DIGITS = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = "january february march april may june july august september october november december".split()
DAYS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
).split()
COMMANDS = "go stop yes no help start repeat enter erase rubout".split()


def two_digits(rng):
    """10 to 99 in words."""
    if rng.random() < 0.2:
        return TEENS[rng.integers(10)]
    unit = "" if rng.random() < 0.15 else " " + DIGITS[rng.integers(1, 10)]
    return TENS[rng.integers(8)] + unit


def digits(rng, count):
    zero = "oh" if rng.random() < 0.5 else "zero"
    return " ".join(zero if d == 0 else DIGITS[d] for d in rng.integers(0, 10, count))


def number(rng):
    kind = rng.random()
    if kind < 0.5:
        return digits(rng, int(rng.integers(1, 8)))
    return " ".join(two_digits(rng) for _ in range(rng.integers(1, 3)))


def date(rng):
    day = DAYS[rng.integers(len(DAYS))] if rng.random() < 0.75 else TENS[rng.integers(2)] + " " + DAYS[rng.integers(9)]
    if rng.random() < 0.25:
        day = two_digits(rng)
    century = "nineteen " if rng.random() < 0.6 else ""
    return f"{MONTHS[rng.integers(12)]} {day} {century}{two_digits(rng)}"


def words_to_spell(pairs):
    """Words of three to ten letters of the English `pairs` (line, target) of texts.json that have a line."""
    found = {w for line, t in pairs if line for w in T.strip_marks(t).split()}
    return sorted(w for w in found if 3 <= len(w) <= 10 and "'" not in w)


def spelled(rng, words):
    """A name letter by letter, or letters at random. `words` are what is spelled."""
    if rng.random() < 0.6:
        return " ".join(words[rng.integers(len(words))])
    return " ".join(chr(97 + i) for i in rng.integers(0, 26, rng.integers(1, 7)))


def english_string(rng, words):
    """A string in lower case, such as "erase c k c w fourteen eighty five"."""
    kind = rng.random()
    if kind < 0.3:
        return spelled(rng, words)
    if kind < 0.5:
        return number(rng)
    if kind < 0.62:
        return date(rng)
    if kind < 0.7:
        return COMMANDS[rng.integers(len(COMMANDS))]
    command = COMMANDS[rng.integers(len(COMMANDS))] + " " if rng.random() < 0.6 else ""
    return f"{command}{spelled(rng, words)} {number(rng)}" if rng.random() < 0.7 else f"{command}{number(rng)}"


def as_spoken(string):
    """The string as a synthesizer reads it right: a capital alone is a letter's name, where `a` would be an article."""
    return " ".join(w.upper() if len(w) == 1 else w for w in string.split())


def japanese_words(sentences):
    """The nouns, verbs, adjectives and adverbs of Japanese `sentences` in their base form, by Open JTalk, in the order they come."""
    import pyopenjtalk

    found = {}
    for sentence in sentences:
        for node in pyopenjtalk.run_frontend(T.strip_marks(sentence)):
            if node["pos"] in ("名詞", "動詞", "形容詞", "副詞") and T.normalize(node["orig"], "ja") == node["orig"]:
                found[node["orig"]] = None
    return list(found)
