#!/usr/bin/env python3
"""The usual encodings of speech for each format, and files of them for `ting bench decode`.

    python3 tests/formats/usual.py WAV DIR

Writes DIR/NAME.EXT for every entry of ENCODERS from a 16 kHz mono WAV, and two of 44.1 kHz stereo.
"""
import pathlib
import subprocess
import sys

import codecs_c


def _run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _ffmpeg(*arguments):
    return lambda wav, out: _run("ffmpeg", "-v", "error", "-y", "-i", wav, *arguments, out)


# Name: format, ending of the file, encoder from a 16 kHz mono WAV (AMR-NB: 8 kHz).
ENCODERS = {
    "wav": ("wav", "wav", lambda wav, out: out.write_bytes(pathlib.Path(wav).read_bytes())),
    "pcm": ("pcm", "raw", _ffmpeg("-f", "s16le", "-c:a", "pcm_s16le")),
    "mp3 64k": ("mp3", "mp3", _ffmpeg("-c:a", "libmp3lame", "-b:a", "64k")),
    "opus 24k": ("opus", "opus", lambda wav, out: _run("opusenc", "--quiet", "--bitrate", "24", wav, out)),
    "speex wb q8": ("speex", "spx", lambda wav, out: _run("speexenc", "-w", "--quality", "8", wav, out)),
    "aac 64k": ("aac", "aac", _ffmpeg("-c:a", "aac", "-b:a", "64k", "-f", "adts")),
    "amr-wb 23.85k": ("amr", "awb", lambda wav, out: out.write_bytes(codecs_c.amr_encode(wav, "wb", 8, False))),
    "flac": ("flac", "flac", lambda wav, out: _run("sox", wav, out)),
    "vorbis q4": ("vorbis", "ogg", _ffmpeg("-c:a", "libvorbis", "-q:a", "4")),
    "m4a 64k": ("m4a", "m4a", _ffmpeg("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart")),
}


def narrow(wav, out):
    """AMR-NB at 12.2 kbit/s."""
    low = out.with_suffix(".8k.wav")
    _run("sox", wav, "-r", "8000", low)
    out.write_bytes(codecs_c.amr_encode(low, "nb", 7, False))
    low.unlink()


STEREO = {
    "mp3-44100-stereo-192k": ("mp3", _ffmpeg("-ar", "44100", "-ac", "2", "-c:a", "libmp3lame", "-b:a", "192k")),
    "aac-44100-stereo-128k": ("aac", _ffmpeg("-ar", "44100", "-ac", "2", "-c:a", "aac", "-b:a", "128k", "-f", "adts")),
    "opus-48000-stereo-64k": ("opus", _ffmpeg("-ar", "48000", "-ac", "2", "-c:a", "libopus", "-b:a", "64k")),
    "wav-44100-stereo": ("wav", _ffmpeg("-ar", "44100", "-ac", "2")),
    "wav-12345": ("wav", _ffmpeg("-ar", "12345")),
    "amr-nb-12.2k": ("amr", narrow),
}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    wav, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (_, suffix, encode) in ENCODERS.items():
        # Headerless samples cannot be told by their first bytes, and are what a WAV holds.
        if suffix != "raw":
            encode(wav, folder / f"{name.replace(' ', '-')}.{suffix}")
    for name, (suffix, encode) in STEREO.items():
        encode(wav, folder / f"{name}.{suffix}")


if __name__ == "__main__":
    main()
