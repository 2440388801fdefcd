#!/usr/bin/env python3
"""Writes tests/data/*.amr and what the reference decoders make of them, *.amr.s16 (mono, little-endian, at the file's rate).

Needs the shared libraries of opencore-amr (libopencore-amrnb0, libopencore-amrwb0) and vo-amrwbenc (libvo-amrwbenc0).
"""
import ctypes, pathlib

from voice import voice

DATA = pathlib.Path(__file__).parent / "data"
nb = ctypes.CDLL("libopencore-amrnb.so.0")
wb = ctypes.CDLL("libopencore-amrwb.so.0")
wb_encoder = ctypes.CDLL("libvo-amrwbenc.so.0")
for function in (nb.Encoder_Interface_init, nb.Decoder_Interface_init, wb.D_IF_init, wb_encoder.E_IF_init):
    function.restype = ctypes.c_void_p

# Bytes of a frame behind its first, by frame type (RFC 4867 section 5.3; 3GPP TS 26.101 and 26.201).
SIZES = {8000: [12, 13, 15, 17, 19, 20, 26, 31, 5] + [0] * 7, 16000: [17, 23, 32, 36, 40, 46, 50, 58, 60, 5] + [0] * 6}


def encode(rate, samples, modes, dtx):
    frame, out = rate // 50, []
    state = ctypes.c_void_p(nb.Encoder_Interface_init(int(dtx)) if rate == 8000 else wb_encoder.E_IF_init())
    packet = ctypes.create_string_buffer(64)
    for index in range(len(samples) // frame):
        pcm = (ctypes.c_short * frame)(*samples[index * frame : (index + 1) * frame])
        mode = modes(index)
        if rate == 8000:
            size = nb.Encoder_Interface_Encode(state, mode, pcm, packet, 0)
        else:
            size = wb_encoder.E_IF_encode(state, mode, pcm, packet, int(dtx))
        out.append(packet.raw[:size])
    return out


def decode(rate, frames):
    count, out = rate // 50, []
    state = ctypes.c_void_p(nb.Decoder_Interface_init() if rate == 8000 else wb.D_IF_init())
    function = nb.Decoder_Interface_Decode if rate == 8000 else wb.D_IF_decode
    for frame in frames:
        pcm = (ctypes.c_short * count)()
        function(state, frame, pcm, 0)
        out.append(bytes(pcm))
    return b"".join(out)


def write(name, rate, samples, modes, dtx=False, lost=()):
    frames = encode(rate, samples, modes, dtx)
    for index in lost:
        # NO_DATA: what a recorder of a call writes for a packet that did not come.
        frames[index] = b"\x7c"
    assert all(len(frame) == 1 + SIZES[rate][frame[0] >> 3 & 15] for frame in frames)
    head = b"#!AMR\n" if rate == 8000 else b"#!AMR-WB\n"
    (DATA / f"{name}.amr").write_bytes(head + b"".join(frames))
    (DATA / f"{name}.amr.s16").write_bytes(decode(rate, frames))
    types = sorted({frame[0] >> 3 & 15 for frame in frames})
    print(f"{name}: {len(frames)} frames of types {types}, {sum(map(len, frames))} bytes")


DATA.mkdir(exist_ok=True)
for rate, name, modes in [(8000, "amr_nb", 8), (16000, "amr_wb", 9)]:
    speech = [int(32767 * x) for x in voice(rate, 1.0, 3)]
    # Every mode, changing every fifth frame.
    write(f"{name}_modes", rate, speech, lambda index: index // 5 % modes)
    # Speech, a pause long enough for comfort noise, and speech again. Not in the mode of 23.85 kbit/s: in its comfort noise
    # opencore and the decoder tested differ by one step of their 14 bits, over a gain of the upper band that opencore never sets.
    pause = speech[: rate * 3 // 10] + [0] * (rate * 7 // 10) + speech[: rate // 5]
    write(f"{name}_dtx", rate, pause, lambda index: 2 if index < 30 else 7, dtx=True)
write("amr_nb_lost", 8000, [int(32767 * x) for x in voice(8000, 0.5, 4)], lambda _: 7, lost=(3, 9, 10, 17))
