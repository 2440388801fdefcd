#!/usr/bin/env python3
"""Writes tests/data/*.spx and what the reference decoder makes of them, *.spx.s16 (mono, little-endian, at the file's rate).

Needs speexenc and speexdec 1.2.1. Pages are cut to 8 packets, so that a test can damage one; speexdec trims the start of a file only if its
first page of audio is not its last.
"""
import array, pathlib, struct, subprocess, tempfile

from voice import voice

DATA = pathlib.Path(__file__).parent / "data"
# name, rate, channels, seconds, options of speexenc
CASES = [
    ("nb", 8000, 1, 0.8, ["--narrowband", "--quality", "5"]),
    ("wb", 16000, 1, 0.8, ["--wideband", "--quality", "8"]),
    ("uwb", 32000, 1, 0.5, ["--ultra-wideband", "--quality", "7"]),
    ("stereo_vbr_3", 16000, 2, 0.8, ["--wideband", "--vbr", "--dtx", "--quality", "6", "--nframes", "3"]),
    ("rate_11025", 11025, 1, 0.7, ["--narrowband", "--quality", "3"]),
]


CRC = []
for i in range(256):
    crc = i << 24
    for _ in range(8):
        crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
    CRC.append(crc)


def page(flags, granule, sequence, packets):
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, 1, sequence, 0) + bytes([len(lacing)])
    whole = bytearray(head + lacing + b"".join(packets))
    crc = 0
    for byte in whole:
        crc = (crc << 8 & 0xFFFFFFFF) ^ CRC[crc >> 24 ^ byte]
    whole[22:26] = struct.pack("<I", crc)
    return bytes(whole)


def packets_of(ogg):
    """All packets, and the last granule position."""
    packets, at, open_packet = [], 0, b""
    while at < len(ogg):
        granule, count = struct.unpack_from("<q", ogg, at + 6)[0], ogg[at + 26]
        body = at + 27 + count
        for value in ogg[at + 27 : body]:
            open_packet += ogg[body : body + value]
            body += value
            if value < 255:
                packets.append(open_packet)
                open_packet = b""
        at = body
    return packets, granule


def repage(ogg, look_ahead):
    packets, total = packets_of(ogg)
    frame, frames = struct.unpack_from("<I", packets[0], 56)[0], struct.unpack_from("<I", packets[0], 64)[0]
    out = [page(2, 0, 0, packets[:1]), page(0, 0, 1, packets[1:2])]
    audio = packets[2:]
    for first in range(0, len(audio), 8):
        end = min(first + 8, len(audio))
        last = end == len(audio)
        granule = total if last else end * frame * frames - look_ahead
        out.append(page(4 if last else 0, granule, len(out), audio[first:end]))
    return b"".join(out)


DATA.mkdir(exist_ok=True)
for name, rate, channels, seconds, options in CASES:
    sides = [voice(rate, seconds, seed) for seed in range(channels)]
    if channels == 2:
        sides[1] = [0.5 * x for x in sides[1]]
    samples = array.array("h", (int(32767 * x) for frame in zip(*sides) for x in frame))
    with tempfile.TemporaryDirectory() as scratch:
        raw, spx = f"{scratch}/in.raw", f"{scratch}/out.spx"
        pathlib.Path(raw).write_bytes(samples.tobytes())
        subprocess.run(
            ["speexenc", "--quiet", "--rate", str(rate), "--16bit", "--le", *(["--stereo"] if channels == 2 else []), *options, raw, spx],
            check=True)
        look_ahead = 349 if "--ultra-wideband" in options else 143 if "--wideband" in options else 40
        ogg = repage(pathlib.Path(spx).read_bytes(), look_ahead)
        target = DATA / f"{name}.spx"
        target.write_bytes(ogg)
        subprocess.run(["speexdec", "--mono", str(target), str(target) + ".raw"], check=True, stderr=subprocess.DEVNULL)
        pathlib.Path(str(target) + ".raw").rename(str(target) + ".s16")
        packets, total = packets_of(ogg)
        print(name, len(ogg), "bytes,", len(packets) - 2, "packets,", total, "samples,",
              (DATA / f"{name}.spx.s16").stat().st_size // 2, "decoded")
