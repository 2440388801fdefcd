"""Codecs of the system's C libraries, called through ctypes: libopus, opencore-amrnb, opencore-amrwb, vo-amrwbenc."""
import array
import ctypes
import ctypes.util
import sys
import wave

# Bytes of an AMR frame after its first, by the frame type in it (RFC 4867 section 5.3).
AMR_SIZES = {
    "nb": (12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0),
    "wb": (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0),
}
AMR_MAGIC = {"nb": b"#!AMR\n", "wb": b"#!AMR-WB\n"}


def library(name):
    """A shared library, or the end of the program."""
    found = ctypes.util.find_library(name)
    if not found:
        sys.exit(f"missing: lib{name}; run tests/setup.sh")
    return ctypes.CDLL(found)


def floats(pcm: bytes) -> bytes:
    """16-bit samples as 32-bit floats in [-1, 1)."""
    samples = array.array("h")
    samples.frombytes(pcm[: len(pcm) // 2 * 2])
    return array.array("f", (sample / 32768 for sample in samples)).tobytes()


def amr_encode(wav, band, mode, dtx) -> bytes:
    """A WAV of 8 kHz (nb) or 16 kHz (wb) as an AMR file in one mode."""
    with wave.open(str(wav)) as file:
        pcm = file.readframes(file.getnframes())
    size = 320 if band == "nb" else 640
    out = bytearray(AMR_MAGIC[band])
    packet = ctypes.create_string_buffer(128)
    if band == "nb":
        lib = library("opencore-amrnb")
        lib.Encoder_Interface_init.restype = ctypes.c_void_p
        state = ctypes.c_void_p(lib.Encoder_Interface_init(int(dtx)))
    else:
        lib = library("vo-amrwbenc")
        lib.E_IF_init.restype = ctypes.c_void_p
        state = ctypes.c_void_p(lib.E_IF_init())
    for at in range(0, len(pcm) - size + 1, size):
        frame = ctypes.create_string_buffer(pcm[at : at + size], size)
        if band == "nb":
            length = lib.Encoder_Interface_Encode(state, mode, frame, packet, 0)
        else:
            length = lib.E_IF_encode(state, mode, frame, packet, int(dtx))
        out += packet.raw[:length]
    (lib.Encoder_Interface_exit if band == "nb" else lib.E_IF_exit)(state)
    return bytes(out)


def amr_reference(path):
    """What opencore decodes of an AMR file."""
    data = path.read_bytes()
    band = "wb" if data.startswith(AMR_MAGIC["wb"]) else "nb"
    lib = library(f"opencore-amr{band}")
    if band == "nb":
        begin, decode, end, samples = lib.Decoder_Interface_init, lib.Decoder_Interface_Decode, lib.Decoder_Interface_exit, 160
    else:
        begin, decode, end, samples = lib.D_IF_init, lib.D_IF_decode, lib.D_IF_exit, 320
    begin.restype = ctypes.c_void_p
    state = ctypes.c_void_p(begin())
    pcm, at = bytearray(), len(AMR_MAGIC[band])
    frame = ctypes.create_string_buffer(2 * samples)
    while at < len(data):
        size = 1 + AMR_SIZES[band][data[at] >> 3 & 15]
        decode(state, data[at : at + size].ljust(size, b"\0"), frame, 0)
        pcm += frame.raw
        at += size
    end(state)
    return floats(bytes(pcm)), 50 * samples, 1


def ogg_packets(data):
    """The packets of the one logical stream in an Ogg file, and the granule position of its last page."""
    packets, partial, granule, at = [], b"", 0, 0
    while at < len(data):
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        granule = int.from_bytes(data[at + 6 : at + 14], "little", signed=True)
        at += 27 + len(lacing)
        for value in lacing:
            partial += data[at : at + value]
            at += value
            if value < 255:
                packets.append(partial)
                partial = b""
    return packets, granule


def opus_reference(path):
    """What libopus decodes to 16 kHz mono, without the pre-skip and up to the length the last page gives."""
    packets, granule = ogg_packets(path.read_bytes())
    skip = int.from_bytes(packets[0][10:12], "little")
    lib = library("opus")
    lib.opus_decoder_create.restype = ctypes.c_void_p
    state = ctypes.c_void_p(lib.opus_decoder_create(16000, 1, ctypes.byref(ctypes.c_int())))
    samples = array.array("f")
    frame = (ctypes.c_float * 1920)()
    for packet in packets[2:]:
        length = lib.opus_decode_float(state, packet, len(packet), frame, 1920, 0)
        if length < 0:
            sys.exit(f"{path}: libopus gives error {length}")
        samples.extend(frame[:length])
    lib.opus_decoder_destroy(state)
    begin, end = round(skip / 3), round(granule / 3)
    return samples[begin:end].tobytes(), 16000, 1
