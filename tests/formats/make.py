#!/usr/bin/env python3
"""Makes the files of the format matrix, and what the reference decoders say of each.

    python3 tests/formats/make.py DIR

Writes DIR/NAME.EXT, its reference DIR/NAME.ref (32-bit floats, interleaved), and DIR/matrix.tsv with the columns
name, format, file, rate of headerless samples, rate and channels of the reference, smallest SNR in dB (`exact`: equal
to the bit), and the true number of samples a channel at the reference's rate where the format tells it, else `-`.
crates/ting-audio/tests/matrix.rs reads it.

Encoders: ffmpeg, sox, opusenc, speexenc, opencore-amrnb and vo-amrwbenc. References: ffmpeg, once mpg123; speexdec for Speex; libopus
at 16 kHz mono for Opus, because Ting decodes it to that; opencore for AMR. tests/setup.sh installs them all.
"""
import dataclasses
import multiprocessing.pool
import os
import pathlib
import subprocess
import sys
import typing
import wave

import codecs_c
import source

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclasses.dataclass
class Case:
    """One file of the matrix."""

    name: str
    format: str
    rate: int  # of what is encoded, Hz
    channels: int
    make: typing.Callable[[pathlib.Path, pathlib.Path], None]  # from a WAV of that rate to the file
    suffix: str = ""  # of the file, where the format's name is not what tools expect
    reference: typing.Callable[[pathlib.Path], tuple] = None  # gives (samples, rate, channels) of a file
    snr: str = "60"
    told: bool = False  # the format tells the number of samples, and it is that of the source


def run(*command, **options):
    """Runs a tool; its messages are shown if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def ffmpeg(*arguments):
    """A maker: ffmpeg with these arguments between its input and its output."""
    return lambda wav, out: run("ffmpeg", "-v", "error", "-y", "-bitexact", "-i", wav, *arguments, out)


def ffmpeg_pipe(*arguments):
    """The same to a pipe, where a writer cannot come back to its header."""
    return lambda wav, out: out.write_bytes(run("ffmpeg", "-v", "error", "-i", wav, *arguments, "-"))


def ffmpeg_reference(path):
    """What ffmpeg decodes, at the file's own rate and channels."""
    probe = run("ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", "stream=sample_rate,channels",
                "-of", "csv=p=0", path)
    rate, channels = map(int, probe.decode().strip().strip(",").split(",")[:2])
    samples = run("ffmpeg", "-v", "error", "-i", path, "-map", "a:0", "-f", "f32le", "-c:a", "pcm_f32le", "-")
    return samples, rate, channels


def mpg123_reference(path):
    """What mpg123 decodes, at the file's own rate and channels."""
    _, rate, channels = ffmpeg_reference(path)
    return run("mpg123", "-q", "-e", "f32", "-s", path), rate, channels


def without(count, reference):
    """A reference without its first samples."""
    def trimmed(path):
        samples, rate, channels = reference(path)
        return samples[4 * channels * count:], rate, channels
    return trimmed


# What speexdec trims from the start of a file, by rate: the look-ahead of the encoder and that of the decoder.
SPEEX_DELAYS = {8000: 80, 16000: 223, 32000: 509}


def speexdec_reference(path):
    """What speexdec decodes, the parametric stereo left out.

    It trims the delay only where the audio has more than one page, and sometimes cuts the end 63 samples short.
    """
    decoded = path.with_suffix(".dec.wav")
    run("speexdec", "--mono", path, decoded)
    with wave.open(str(decoded)) as file:
        samples = codecs_c.floats(file.readframes(file.getnframes()))
        rate, channels = file.getframerate(), file.getnchannels()
    decoded.unlink()
    if path.read_bytes().count(b"OggS") == 3:
        samples = samples[4 * SPEEX_DELAYS[rate]:]
    return samples, rate, channels


def wav_cases():
    encodings = ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw")
    for i, encoding in enumerate(encodings):
        for rate, channels in ((RATES[i], 1), (RATES[-1 - i], 2)):
            yield Case(f"wav-{encoding}-{rate}-{channels}", "wav", rate, channels, ffmpeg("-c:a", encoding), told=True)
    for rate in (64000, 88200, 96000, 176400, 192000):
        yield Case(f"wav-{rate}", "wav", rate, 1, ffmpeg("-c:a", "pcm_s16le"), told=True)
    yield Case("wav-rf64", "wav", 44100, 2, ffmpeg("-rf64", "always", "-c:a", "pcm_s24le"), told=True)
    yield Case("wav-piped", "wav", 16000, 1, ffmpeg_pipe("-f", "wav"), told=True)
    yield Case("wav-sox-24", "wav", 48000, 2, lambda wav, out: run("sox", wav, "-b", "24", out), told=True)
    yield Case("wav-sox-piped", "wav", 22050, 1,
               lambda wav, out: out.write_bytes(run("sox", wav, "-t", "wav", "-")), told=True)
    for rate in (8000, 16000, 44100, 48000, 96000):
        yield Case(f"pcm-{rate}", "pcm", rate, 1, ffmpeg("-f", "s16le"), told=True,
                   reference=lambda path, rate=rate: (codecs_c.floats(path.read_bytes()), rate, 1))


def mp3_cases():
    def case(name, rate, channels, *arguments, **options):
        lame = ("-c:a", "libmp3lame", *arguments)
        return Case(f"mp3-{name}", "mp3", rate, channels, ffmpeg(*lame), **({"told": True} | options))

    # ffmpeg trims nothing where no tag tells the delay; Ting trims what LAME and a decoder add, 576 + 529.
    untagged = {"told": False, "reference": without(1105, ffmpeg_reference)}

    for i, rate in enumerate(RATES):
        # MPEG-2.5 to 12 kHz, MPEG-2 to 24 kHz, MPEG-1 above.
        for channels, kbit in ((1, (16, 24, 32)[i // 3]), (2, (32, 64, 160)[i // 3])):
            # In one frame of this file ffmpeg's own decoder differs from mpg123 and libmad, which agree.
            judge = {"reference": mpg123_reference} if (rate, channels) == (24000, 2) else {}
            yield case(f"{rate}-{channels}-{kbit}k", rate, channels, "-b:a", f"{kbit}k", **judge)
    for rate, channels, quality in ((16000, 1, 9), (22050, 2, 6), (44100, 1, 4), (44100, 2, 0), (48000, 2, 2)):
        yield case(f"vbr{quality}-{rate}-{channels}", rate, channels, "-q:a", str(quality))
    yield case("abr-44100-2", 44100, 2, "-abr", "1", "-b:a", "96k")
    yield case("44100-2-320k", 44100, 2, "-b:a", "320k")
    yield case("no-reservoir", 32000, 2, "-b:a", "96k", "-reservoir", "0")
    yield case("plain-stereo", 44100, 2, "-b:a", "128k", "-joint_stereo", "0")
    yield case("tags", 16000, 1, "-b:a", "32k", "-write_id3v1", "1", "-id3v2_version", "4",
               "-metadata", "title=" + "标题" * 2000)
    yield case("no-xing", 44100, 1, "-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0", **untagged)
    yield Case("mp3-shine", "mp3", 44100, 2, ffmpeg("-c:a", "libshine", "-b:a", "128k", "-write_xing", "0"),
               **untagged)


def aac_cases():
    for i, rate in enumerate(RATES + (64000, 96000)):
        for channels in (1, 2):
            kbit = (16, 32, 64, 96)[min(i // 3, 3)] * channels
            aac = ("-c:a", "aac", "-b:a", f"{kbit}k")
            # ADTS does not tell the encoder's delay; Ting trims the usual 1024 samples, and ffmpeg nothing.
            yield Case(f"aac-{rate}-{channels}-{kbit}k", "aac", rate, channels, ffmpeg(*aac, "-f", "adts"),
                       reference=without(1024, ffmpeg_reference))
    boxes = {
        "end": (),
        "faststart": ("-movflags", "+faststart"),
        "fragmented": ("-movflags", "frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "500000"),
        "mov": ("-f", "mov"),
    }
    for layout, flags in boxes.items():
        for rate, channels in ((16000, 1), (44100, 2)):
            # As ADTS, it does not tell the delay where ffmpeg may not come back to write an edit list.
            untold = {"reference": without(1024, ffmpeg_reference)} if layout == "fragmented" else {"told": True}
            yield Case(f"m4a-{layout}-{rate}-{channels}", "m4a", rate, channels,
                       ffmpeg("-c:a", "aac", "-b:a", "64k", *flags), **untold)


def opus_cases():
    def case(name, rate, channels, *arguments):
        def make(wav, out):
            run("opusenc", "--quiet", *arguments, wav, out)
        return Case(f"opus-{name}", "opus", rate, channels, make, reference=codecs_c.opus_reference)

    for kbit, framesize in ((6, "60"), (8, "40"), (12, "20"), (16, "20"), (24, "10"), (32, "20"), (48, "5"), (64, "2.5")):
        for channels in (1, 2):
            yield case(f"{kbit}k-{framesize}ms-{channels}", 16000 if kbit < 20 else 48000, channels,
                       "--bitrate", str(kbit), "--framesize", framesize)
    for rate in (8000, 11025, 22050, 24000, 44100, 48000):
        yield case(f"{rate}", rate, 1, "--bitrate", "24")
    yield case("cbr", 16000, 1, "--hard-cbr", "--bitrate", "20")
    yield case("delay-1000", 48000, 2, "--bitrate", "32", "--max-delay", "1000")
    yield case("tags", 48000, 1, "--bitrate", "24", "--comment", "title=" + "标题" * 20000)
    for name, arguments in {
        "120ms": ("-b:a", "24k", "-frame_duration", "120"),
        "lowdelay": ("-b:a", "48k", "-application", "lowdelay", "-frame_duration", "10"),
        "fec-voip": ("-b:a", "16k", "-application", "voip", "-fec", "1", "-packet_loss", "20"),
    }.items():
        yield Case(f"opus-ffmpeg-{name}", "opus", 48000, 1, ffmpeg("-c:a", "libopus", *arguments), suffix="opus",
                   reference=codecs_c.opus_reference)


def speex_cases():
    def case(name, rate, channels, *arguments):
        def make(wav, out):
            run("speexenc", *arguments, wav, out)
        return Case(f"speex-{name}", "speex", rate, channels, make, suffix="spx", reference=speexdec_reference,
                    told=True)

    for band, rate, option in (("nb", 8000, "-n"), ("wb", 16000, "-w"), ("uwb", 32000, "-u")):
        for quality in (0, 2, 4, 6, 8, 10):
            yield case(f"{band}-q{quality}", rate, 1, option, "--quality", str(quality))
        yield case(f"{band}-vbr", rate, 1, option, "--vbr", "--quality", "7")
        yield case(f"{band}-dtx", rate, 1, option, "--vbr", "--dtx", "--vad", "--quality", "5")
        yield case(f"{band}-frames", rate, 1, option, "--nframes", "5", "--quality", "8")
        yield case(f"{band}-stereo", rate, 2, option, "--quality", "8")
    yield case("wb-44100", 44100, 1, "-w", "--quality", "8")


def amr_cases():
    for band, rate, modes in (("nb", 8000, 8), ("wb", 16000, 9)):
        for mode in range(modes):
            for dtx in (False, True):
                # Ting trims the delay of the encoder, which every AMR has; opencore does not.
                def make(wav, out, band=band, mode=mode, dtx=dtx):
                    out.write_bytes(codecs_c.amr_encode(wav, band, mode, dtx))
                yield Case(f"amr-{band}-{mode}{'-dtx' if dtx else ''}", "amr", rate, 1, make, told=False,
                           reference=without(40 if band == "nb" else 95, codecs_c.amr_reference), snr="exact")


def file_cases():
    for i, (rate, channels, bits) in enumerate(((8000, 1, 16), (16000, 1, 24), (44100, 2, 16), (48000, 2, 24), (96000, 1, 24),
                                                (22050, 2, 8))):
        yield Case(f"flac-{rate}-{channels}-{bits}", "flac", rate, channels,
                   lambda wav, out, i=i, bits=bits: run("sox", wav, "-b", bits, "-C", (0, 5, 8)[i % 3], out), told=True)
    yield Case("flac-ffmpeg", "flac", 44100, 2, ffmpeg("-c:a", "flac", "-compression_level", "12"), told=True)
    for rate, channels, quality in ((8000, 1, 1), (16000, 1, 4), (22050, 2, 3), (44100, 2, 6), (48000, 1, 9), (48000, 2, -1)):
        yield Case(f"vorbis-{rate}-{channels}-q{quality}", "vorbis", rate, channels,
                   ffmpeg("-c:a", "libvorbis", "-q:a", str(quality)), suffix="ogg", told=True)


def build(case, sources, folder):
    """Makes the file and the reference of a case; gives its line of the table."""
    wav = sources.wav(case.rate, case.channels)
    path = folder / f"{case.name}.{case.suffix or {'pcm': 'raw'}.get(case.format, case.format)}"
    case.make(wav, path)
    samples, rate, channels = (case.reference or ffmpeg_reference)(path)
    (folder / f"{case.name}.ref").write_bytes(samples)
    told = "-"
    if case.told:
        told = round(sources.samples(case.rate) * rate / case.rate)
    columns = (case.name, case.format, path.name, case.rate, rate, channels, case.snr, told)
    return "\t".join(map(str, columns))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    sources = source.Sources(folder)
    makers = (wav_cases, mp3_cases, aac_cases, opus_cases, speex_cases, amr_cases, file_cases)
    cases = [case for maker in makers for case in maker()]
    # Made before, because several cases share one and run side by side.
    for case in cases:
        sources.wav(case.rate, case.channels)
    with multiprocessing.pool.ThreadPool(os.cpu_count()) as pool:
        lines = pool.map(lambda case: build(case, sources, folder), cases, chunksize=1)
    (folder / "matrix.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} files in {folder}")


if __name__ == "__main__":
    main()
