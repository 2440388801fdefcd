#!/usr/bin/env python3
"""Writes the Opus files of tests/data.

burst.opus: 1.5 s at 16 kHz, silence but for a 1 kHz tone of amplitude 0.5 from 0.5 s to 1.0 s. Pages of 200 ms, so that a test
can damage one. Needs opusenc (opus-tools).

fec.opus: 1 s of pulses like a voice's, whose pitch and loudness go up and down, with in-band forward error correction and
a page for each packet of 20 ms. Needs ffmpeg with libopus.
"""
import array, math, pathlib, subprocess

DATA = pathlib.Path(__file__).parent / "data"
DATA.mkdir(exist_ok=True)


def s16(samples):
    return array.array("h", (int(x) for x in samples)).tobytes()


burst = [16384 * math.sin(2 * math.pi * 1000 * n / 16000) if 8000 <= n < 16000 else 0 for n in range(24000)]
subprocess.run(
    ["opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "1", "--bitrate", "24",
     "--max-delay", "200", "--serial", "1", "-", str(DATA / "burst.opus")],
    input=s16(burst), check=True)

voice, phase, state = [], 0.0, [0.0, 0.0]
for n in range(16000):
    phase += (140 + 60 * math.sin(2 * math.pi * 3 * n / 16000)) / 16000
    pulse = 1.0 if phase >= 1 else 0.0
    phase %= 1
    # A resonance at 700 Hz, 120 Hz wide.
    r = math.exp(-math.pi * 120 / 16000)
    y = pulse + 2 * r * math.cos(2 * math.pi * 700 / 16000) * state[0] - r * r * state[1]
    state = [y, state[0]]
    voice.append(4000 * y * (1.1 + math.sin(2 * math.pi * 5 * n / 16000)))
subprocess.run(
    ["ffmpeg", "-v", "error", "-y", "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "-", "-c:a", "libopus",
     "-application", "voip", "-b:a", "24k", "-vbr", "off", "-fec", "1", "-packet_loss", "30", "-frame_duration", "20",
     "-page_duration", "1", "-serial_offset", "1", "-fflags", "+bitexact", "-flags:a", "+bitexact", str(DATA / "fec.opus")],
    input=s16(voice), check=True)
