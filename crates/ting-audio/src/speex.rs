//! Speex in Ogg ("The Speex Codec Manual", version 1.2, sections 6.6 and 7): its header, its packets.
//!
//! A granule position counts the samples of the original that went into a packet and everything before it. What
//! the encoder looked ahead is counted off by encoders that follow `speexenc`, the decoder's own look-ahead by none; both
//! are dropped from the start here, so that sample 0 is the first of the original.

use ting_speex::{Decoder, Mode};

use crate::error::{AudioError, AudioErrorKind};
use crate::format::RATES;
use crate::ogg::{Codec, Timing};

/// The bytes of the header packet.
const HEADER: usize = 80;
/// The bit stream of every decoder since 2003.
const BITSTREAM: u32 = 4;
/// `speexenc` writes none; nobody is known to.
const MAX_EXTRA_HEADERS: u32 = 16;
/// Frames of a packet that are made up if it does not decode, at most (0.2 s; encoders put 1 to 10 into
/// one): a broken packet must not be worth minutes of samples.
const MAX_CONCEALED: usize = 10;

pub(crate) struct SpeexCodec {
    decoder: Decoder,
    /// Samples per second, from the header.
    rate: u32,
    /// Frames that a packet may have.
    frames: usize,
    /// Header packets behind the first.
    headers: u32,
}

impl SpeexCodec {
    /// From the first packet of the stream. Stereo comes out as mono: the coded signal is the mean of both channels,
    /// and how it is spread over them an addition that is passed over.
    ///
    /// # Errors
    /// `Malformed` or `Unsupported` if the header says what cannot be decoded.
    pub(crate) fn new(packet: &[u8]) -> Result<Self, AudioError> {
        if packet.len() < HEADER {
            return Err(malformed(format!(
                "the Speex header has {} bytes, {HEADER} are due",
                packet.len()
            )));
        }
        let field = |at: usize| {
            u32::from_le_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
        };
        let (version, rate, mode, bitstream) = (field(28), field(36), field(40), field(44));
        let (frames, extra) = (field(64), field(68));
        if version > 1 || bitstream != BITSTREAM {
            return Err(AudioError::new(
                AudioErrorKind::Unsupported,
                format!(
                    "the Speex header has version {version} with bit stream {bitstream}; only version 1 with bit \
                     stream {BITSTREAM} can be decoded"
                ),
            ));
        }
        let mode = Mode::from_id(mode).ok_or_else(|| {
            malformed(format!(
                "the Speex header has mode {mode}; it must be 0 (narrowband), 1 (wideband) or 2 (ultra-wideband)"
            ))
        })?;
        if !RATES.contains(&rate) {
            return Err(malformed(format!(
                "the Speex header has a sample rate of {rate}; it must be {} to {} (Hz)",
                RATES.start(),
                RATES.end()
            )));
        }
        if extra > MAX_EXTRA_HEADERS {
            return Err(malformed(format!(
                "the Speex header announces {extra} extra header packets; at most {MAX_EXTRA_HEADERS} are taken"
            )));
        }
        Ok(Self {
            decoder: Decoder::new(mode),
            rate,
            // As the reference decoder does; each frame has to be in the packet, so the number costs nothing.
            frames: frames.max(1) as usize,
            headers: 1 + extra,
        })
    }

    /// Appends `frames` made-up frames.
    fn make_up(&mut self, frames: usize, out: &mut Vec<f32>) {
        for _ in 0..frames {
            self.decoder.conceal(out);
        }
    }

    fn frame_samples(&self) -> usize {
        self.decoder.mode().frame_samples()
    }
}

impl Codec for SpeexCodec {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn samples(&self, ticks: i64) -> usize {
        usize::try_from(ticks).unwrap_or(0)
    }

    fn timing(&self) -> Timing {
        let mode = self.decoder.mode();
        Timing {
            ticks_per_second: i64::from(self.rate),
            headers: self.headers,
            start: -(mode.encoder_delay() as i64),
            start_is_told: true,
            delay: mode.decoder_delay() as i64,
            pre_skip: 0,
        }
    }

    fn is_header(&self, _: &[u8]) -> bool {
        false
    }

    fn duration(&self, _: &[u8]) -> i64 {
        (self.frames as i64).saturating_mul(self.frame_samples() as i64)
    }

    fn decode(&mut self, packet: &[u8], _: Option<&[u8]>, out: &mut Vec<f32>) -> i64 {
        let before = out.len();
        let decoded = self.decoder.decode(packet, self.frames, out);
        if decoded.corrupt || decoded.frames == 0 && !packet.is_empty() {
            // A frame has 5 bits at least.
            let most = self.frames.min(packet.len() * 8 / 5).min(MAX_CONCEALED);
            let missing = most.saturating_sub(decoded.frames);
            tracing::debug!(
                bytes = packet.len(),
                missing,
                "speex packet does not decode, concealing it"
            );
            self.make_up(missing, out);
        }
        clamp(&mut out[before..]);
        (out.len() - before) as i64
    }

    fn conceal(&mut self, ticks: i64, _: Option<&[u8]>, out: &mut Vec<f32>) {
        let before = out.len();
        let samples = self.samples(ticks);
        self.make_up(samples.div_ceil(self.frame_samples()), out);
        out.truncate(before + samples);
        clamp(&mut out[before..]);
    }
}

/// Loud frames go beyond full scale, where the reference decoder cuts them off too.
fn clamp(samples: &mut [f32]) {
    for sample in samples {
        *sample = sample.clamp(-1.0, 1.0);
    }
}

fn malformed(message: String) -> AudioError {
    AudioError::new(AudioErrorKind::Malformed, message)
}
