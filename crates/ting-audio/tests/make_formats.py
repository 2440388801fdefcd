#!/usr/bin/env python3
"""Writes the files of tests/data/formats with ffmpeg (made with 5.1): the signal of tests/common/signal.rs in every format.

0.8 s of three tones that swell and fall, so that only one alignment fits; in stereo the right channel has half the
amplitude. Encoders are told to be bit-exact, so that no date or version gets into the files.
"""
import array, math, pathlib, subprocess

SECONDS = 0.8
target = pathlib.Path(__file__).parent / "data" / "formats"
target.mkdir(parents=True, exist_ok=True)


def signal(rate, channels):
    samples = array.array("h")
    for n in range(int(SECONDS * rate)):
        t = n / rate
        swell = 0.6 + 0.4 * math.sin(2 * math.pi * 3.1 * t)
        x = 0.3 * math.sin(2 * math.pi * 437 * t) + 0.2 * math.sin(2 * math.pi * 1310 * t + 1) \
            + 0.1 * math.sin(2 * math.pi * 2903 * t + 2)
        for channel in range(channels):
            samples.append(round(32767 * swell * x / (1 + channel)))
    return samples.tobytes()


FILES = {
    "16k.mp3": (16000, 1, "-c:a libmp3lame -b:a 32k"),
    "44k-stereo-vbr.mp3": (44100, 2, "-c:a libmp3lame -q:a 5"),
    "8k.mp3": (8000, 1, "-c:a libmp3lame -b:a 16k"),
    "22k-no-tag.mp3": (22050, 1, "-c:a libmp3lame -b:a 32k -write_xing 0 -id3v2_version 0"),
    "48k-layer2.mp3": (48000, 1, "-c:a mp2 -b:a 64k -f mp2"),
    "16k.aac": (16000, 1, "-c:a aac -b:a 32k -f adts"),
    "44k-stereo.aac": (44100, 2, "-c:a aac -b:a 96k -f adts"),
    "index-last.m4a": (16000, 1, "-c:a aac -b:a 32k -f ipod"),
    "index-first.m4a": (44100, 2, "-c:a aac -b:a 96k -movflags +faststart -f ipod"),
    "fragments.m4a": (16000, 1, "-c:a aac -b:a 32k -movflags empty_moov+default_base_moof -frag_duration 200000 -f mp4"),
    "alac.m4a": (16000, 1, "-c:a alac -t 0.1 -f ipod"),
    "16k.flac": (16000, 1, "-c:a flac -compression_level 8"),
    "44k-stereo.flac": (44100, 2, "-c:a flac -t 0.4"),
    "16k.ogg": (16000, 1, "-c:a libvorbis -q:a 3 -serial_offset 1"),
    "44k-stereo.ogg": (44100, 2, "-c:a libvorbis -q:a 3 -serial_offset 1"),
}

for name, (rate, channels, options) in FILES.items():
    subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "s16le", "-ar", str(rate), "-ac", str(channels),
         "-i", "-", "-bitexact", *options.split(), str(target / name)],
        input=signal(rate, channels), check=True)
