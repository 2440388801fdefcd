//! One sample of each uncompressed encoding to `f32`, and interleaved frames to mono.

/// How one sample is stored. All multi-byte encodings are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    U8,
    S16,
    S24,
    S32,
    F32,
    F64,
    /// G.711 A-law.
    Alaw,
    /// G.711 µ-law.
    Mulaw,
}

impl Encoding {
    /// Bytes of one sample of one channel.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Encoding::U8 | Encoding::Alaw | Encoding::Mulaw => 1,
            Encoding::S16 => 2,
            Encoding::S24 => 3,
            Encoding::S32 | Encoding::F32 => 4,
            Encoding::F64 => 8,
        }
    }
}

/// Cuts a byte stream into interleaved frames and averages each to one mono sample in [-1, 1].
pub(crate) struct FrameReader {
    encoding: Encoding,
    channels: usize,
    /// The bytes of a frame that the last push ended in; always shorter than one frame.
    partial: Vec<u8>,
}

impl FrameReader {
    pub(crate) fn new(encoding: Encoding, channels: usize) -> Self {
        Self {
            encoding,
            channels,
            partial: Vec::new(),
        }
    }

    /// Appends one mono sample to `out` for each whole frame.
    pub(crate) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<f32>) {
        let frame = self.encoding.bytes() * self.channels;
        if !self.partial.is_empty() {
            let take = bytes.len().min(frame - self.partial.len());
            self.partial.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.partial.len() < frame {
                return;
            }
            let whole = std::mem::take(&mut self.partial);
            self.mix(&whole, out);
        }
        let whole = bytes.len() / frame * frame;
        self.mix(&bytes[..whole], out);
        self.partial.extend_from_slice(&bytes[whole..]);
    }

    fn mix(&self, frames: &[u8], out: &mut Vec<f32>) {
        match self.encoding {
            Encoding::U8 => self.mix_with(frames, out, |[b]| (f32::from(b) - 128.0) / 128.0),
            Encoding::S16 => {
                self.mix_with(frames, out, |b| f32::from(i16::from_le_bytes(b)) / 32768.0);
            }
            Encoding::S24 => self.mix_with(frames, out, |[a, b, c]| {
                // In the upper three bytes, so that the sign is that of the i32.
                i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0
            }),
            Encoding::S32 => {
                self.mix_with(frames, out, |b| {
                    i32::from_le_bytes(b) as f32 / 2_147_483_648.0
                });
            }
            Encoding::F32 => self.mix_with(frames, out, |b| sane(f32::from_le_bytes(b))),
            Encoding::F64 => self.mix_with(frames, out, |b| sane(f64::from_le_bytes(b) as f32)),
            Encoding::Alaw => self.mix_with(frames, out, |[b]| f32::from(alaw(b)) / 32768.0),
            Encoding::Mulaw => self.mix_with(frames, out, |[b]| f32::from(mulaw(b)) / 32768.0),
        }
    }

    fn mix_with<const N: usize>(
        &self,
        frames: &[u8],
        out: &mut Vec<f32>,
        decode: impl Fn([u8; N]) -> f32,
    ) {
        let (samples, _) = frames.as_chunks::<N>();
        if self.channels == 1 {
            out.extend(samples.iter().map(|&s| decode(s)));
            return;
        }
        let share = 1.0 / self.channels as f32;
        out.extend(
            samples
                .chunks_exact(self.channels)
                .map(|frame| frame.iter().map(|&s| decode(s)).sum::<f32>() * share),
        );
    }
}

/// A float sample from a file: full scale is ±1, and a file may hold anything at all.
fn sane(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(-1.0, 1.0) }
}

/// ITU-T G.711 table 1a: sign, three bits of segment, four of mantissa, even bits inverted.
fn alaw(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let segment = (bits >> 4) & 7;
    let mantissa = i16::from(bits & 0x0F) << 4;
    let magnitude = match segment {
        0 => mantissa + 8,
        _ => (mantissa + 0x108) << (segment - 1),
    };
    if bits & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// ITU-T G.711 table 2a: as A-law with all bits inverted and a bias of 33 (here in 1/4 steps).
fn mulaw(byte: u8) -> i16 {
    const BIAS: i16 = 33 << 2;
    let bits = !byte;
    let magnitude = (((i16::from(bits & 0x0F) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
    if bits & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    }
}
