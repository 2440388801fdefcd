#!/usr/bin/env python3
"""Writes the seed corpora, fuzz/corpus/TARGET: a fraction of a second of every kind of file. They are committed; run
this again after adding a kind. The target `any` takes the corpora of all. Needs what tests/setup.sh installs.
"""
import pathlib
import subprocess
import sys
import tempfile

FUZZ = pathlib.Path(__file__).parent
sys.path.insert(0, str(FUZZ.parent / "tests" / "formats"))
import codecs_c  # noqa: E402


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seeds(folder):
    """Names of targets and files."""

    def source(rate, channels, seconds):
        path = folder / f"{rate}-{channels}-{seconds}.wav"
        if not path.exists():
            run("sox", "-R", "-D", "-n", "-r", rate, "-c", channels, "-b", "16", path, "synth", seconds, "sine", "300-900",
                "synth", seconds, "whitenoise", "mix", "vol", "0.5", "pad", "0", seconds / 2)
        return path

    def ffmpeg(name, rate, channels, seconds, *arguments):
        path = folder / name
        run("ffmpeg", "-v", "error", "-y", "-bitexact", "-i", source(rate, channels, seconds), *arguments, path)
        return path

    yield "wav", ffmpeg("u8.wav", 8000, 1, 0.02, "-c:a", "pcm_u8")
    yield "wav", ffmpeg("s24-stereo.wav", 44100, 2, 0.01, "-c:a", "pcm_s24le")
    yield "wav", ffmpeg("f32.wav", 48000, 1, 0.01, "-c:a", "pcm_f32le")
    yield "wav", ffmpeg("alaw.wav", 8000, 1, 0.02, "-c:a", "pcm_alaw")
    yield "wav", ffmpeg("rf64.wav", 16000, 1, 0.02, "-rf64", "always")
    yield "pcm", ffmpeg("samples.pcm", 16000, 1, 0.02, "-f", "s16le")
    yield "pcm", ffmpeg("as-pcm.wav", 16000, 1, 0.02)
    for rate, channels, quality in ((8000, 1, "-b:a 8k"), (16000, 2, "-b:a 32k"), (44100, 1, "-q:a 5")):
        yield "mp3", ffmpeg(f"{rate}-{channels}.mp3", rate, channels, 0.15, "-c:a", "libmp3lame", *quality.split(),
                            "-id3v2_version", "3" if channels == 1 else "0", "-metadata", "title=seed")
    yield "mp3", ffmpeg("layer2.mp3", 32000, 1, 0.1, "-c:a", "mp2", "-b:a", "32k", "-f", "mp2")
    for rate, channels in ((8000, 1), (16000, 2), (44100, 1)):
        yield "aac", ffmpeg(f"{rate}-{channels}.aac", rate, channels, 0.15, "-c:a", "aac", "-b:a", "24k", "-f", "adts")
    for name, flags in {"end": (), "start": ("-movflags", "+faststart"),
                        "fragmented": ("-movflags", "frag_keyframe+empty_moov")}.items():
        yield "m4a", ffmpeg(f"{name}.m4a", 16000, 1, 0.15, "-c:a", "aac", "-b:a", "24k", *flags)
    for name, channels, arguments in (("mono", 1, "--bitrate 12 --framesize 60"), ("stereo", 2, "--bitrate 48 --framesize 5"),
                                      ("hybrid", 1, "--bitrate 24")):
        path = folder / f"{name}.opus"
        run("opusenc", *arguments.split(), "--serial", "1", source(48000, channels, 0.1), path)
        yield "opus", path
    for name, rate, channels, arguments in (("nb", 8000, 1, "-n --quality 4"), ("wb", 16000, 1, "-w --vbr --dtx"),
                                            ("uwb", 32000, 2, "-u --nframes 3")):
        path = folder / f"{name}.spx"
        run("speexenc", *arguments.split(), source(rate, channels, 0.2), path)
        yield "speex", path
    for band, rate, mode, dtx in (("nb", 8000, 7, False), ("nb", 8000, 0, True), ("wb", 16000, 8, False), ("wb", 16000, 0, True)):
        path = folder / f"{band}-{mode}.amr"
        path.write_bytes(codecs_c.amr_encode(source(rate, 1, 0.2), band, mode, dtx))
        yield "amr", path
    for name, rate, channels, bits in (("16", 16000, 1, 16), ("24-stereo", 44100, 2, 24)):
        path = folder / f"{name}.flac"
        run("sox", source(rate, channels, 0.05), "-b", bits, path)
        yield "flac", path
    for rate, channels in ((8000, 1), (44100, 2)):
        yield "vorbis", ffmpeg(f"{rate}-{channels}.ogg", rate, channels, 0.1, "-c:a", "libvorbis", "-q:a", "0")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for target, path in seeds(pathlib.Path(folder)):
            place = FUZZ / "corpus" / target
            place.mkdir(parents=True, exist_ok=True)
            (place / path.name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    main()
