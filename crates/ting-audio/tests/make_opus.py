#!/usr/bin/env python3
"""Writes tests/data/burst.opus: 1.5 s at 16 kHz, silence but for a 1 kHz tone of amplitude 0.5 from 0.5 s to 1.0 s.

Needs opusenc (opus-tools). Pages of 200 ms, so that a test can damage one.
"""
import array, math, pathlib, subprocess

samples = [
    int(16384 * math.sin(2 * math.pi * 1000 * n / 16000)) if 8000 <= n < 16000 else 0 for n in range(24000)
]
raw = array.array("h", samples).tobytes()
target = pathlib.Path(__file__).parent / "data" / "burst.opus"
target.parent.mkdir(exist_ok=True)
subprocess.run(
    ["opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "1", "--bitrate", "24",
     "--max-delay", "200", "--serial", "1", "-", str(target)],
    input=raw, check=True)
