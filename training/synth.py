"""Synthesizers of the training recipe: espeak-ng (library), flite (command), Open JTalk (pyopenjtalk)."""

import ctypes
import re
import subprocess
import tempfile

import numpy as np
import soundfile as sf
from scipy.signal import resample_poly

RATE = 16000
ESPEAK_VARIANTS = (
    "f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 Alex Alicia Andrea Andy Annie belinda benjamin boris caleb david "
    "Denis Diogo ed edward Gene grandma grandpa Henrique Hugo iven iven2 iven3 iven4 Jacky john Lee linda marcelo "
    "marco Mario max michael michel miguel Michael Mike Mr_serious Nguyen norbert pablo paul pedro quincy rob "
    "robert sandro shelby steph steph2 steph3 travis victor zac klatt klatt2 klatt3 klatt4 klatt5"
).split()
ESPEAK_EN = (
    "en-us en-us en-us gmw/en gmw/en en-gb-x-rp en-gb-scotland en-gb-x-gbclan en-gb-x-gbcwmd en-us-nyc en-029"
).split()
FLITE_VOICES = "kal16 awb rms slt".split()


class Espeak:
    """In-process espeak-ng: a hundred times cheaper than starting the command for each sentence."""

    def __init__(self):
        self._lib = ctypes.CDLL("libespeak-ng.so.1")
        self._rate = self._lib.espeak_Initialize(2, 0, None, 0)
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._parts = []

        def on_wave(wave, count, _events):
            if wave and count > 0:
                self._parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
            return 0

        self._callback = callback(on_wave)
        self._lib.espeak_SetSynthCallback(self._callback)

    def phones(self, text, voice="en-us"):
        """The phones of `text` in IPA, without stress and length."""
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        data = ctypes.create_string_buffer(text.encode())
        place = ctypes.c_void_p(ctypes.addressof(data))
        # Mode: IPA (bit 1), with "_" between phones (bits 8 and up).
        found = self._lib.espeak_TextToPhonemes(ctypes.byref(place), 1, 2 | ord("_") << 8) or b""
        return [p for p in re.sub("[ˈˌː]", "", found.decode().replace(" ", "_")).split("_") if p]

    def say(self, text, voice, rate=175, pitch=50, pitch_range=50):
        """Float samples at 16 kHz; `rate` in words a minute, `pitch` and `pitch_range` 0 to 99."""
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((1, rate), (3, pitch), (4, pitch_range)):
            self._lib.espeak_SetParameter(parameter, int(value), 0)
        self._parts = []
        data = text.encode()
        self._lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)
        self._lib.espeak_Synchronize()
        if not self._parts:
            return np.zeros(0, np.float32)
        wave = np.concatenate(self._parts).astype(np.float32) / 32768
        return resample_poly(wave, 320, 441).astype(np.float32)


def flite(text, voice, stretch=1.0):
    with tempfile.NamedTemporaryFile(suffix=".wav") as f:
        subprocess.run(
            ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", text, "-o", f.name],
            check=True, capture_output=True,
        )
        wave, rate = sf.read(f.name, dtype="float32")
    return wave if rate == RATE else resample_poly(wave, RATE, rate).astype(np.float32)


def open_jtalk(text, speed=1.0, half_tone=0.0):
    import pyopenjtalk

    wave, rate = pyopenjtalk.tts(text, speed=speed, half_tone=half_tone)
    return resample_poly(np.asarray(wave, np.float32) / 32768, RATE, rate).astype(np.float32)


def manner(rng, lang):
    """A random way to speak: words a minute, whether the voice is the plain one, the variant of espeak-ng, and the pitch."""
    usual = {"zh": 240, "en": 200, "ja": 200}[lang]
    rate = 175 if rng.random() < 0.25 else int(np.clip(rng.normal(usual, 40), 120, 340))
    plain = rng.random() < 0.35
    variant = "" if plain else "+" + ESPEAK_VARIANTS[rng.integers(len(ESPEAK_VARIANTS))]
    return rate, plain, variant, 50 if plain else int(rng.integers(25, 80))


def espeak_sentence(espeak, rng, text, lang, how=None):
    """`text` by a voice of espeak-ng, in the manner `how` or a random one; Japanese in kana. Returns samples and the name of the voice."""
    rate, plain, variant, pitch = how or manner(rng, lang)
    voice = {"zh": "cmn", "ja": "ja"}.get(lang) or ("en-us" if plain else ESPEAK_EN[rng.integers(len(ESPEAK_EN))])
    return espeak.say(text, voice + variant, rate, pitch), f"espeak:{voice}{variant}"


def random_sentence(espeak, rng, text, lang):
    """`text` (as published) by a random voice. Returns samples and the name of the voice."""
    how = manner(rng, lang)
    if lang == "en" and rng.random() < 0.2:
        voice = FLITE_VOICES[rng.integers(len(FLITE_VOICES))]
        return flite(text, voice, rng.uniform(0.75, 1.15)), "flite:" + voice
    if lang == "ja":
        if rng.random() < 0.65:
            _, plain, _, _ = how
            return open_jtalk(text, rng.uniform(0.85, 1.5), 0.0 if plain else rng.uniform(-6, 6)), "open_jtalk"
        from text import kana

        text = "".join(kana(text))
    return espeak_sentence(espeak, rng, text, lang, how)
