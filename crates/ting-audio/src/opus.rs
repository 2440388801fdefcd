//! Opus in Ogg (RFC 7845): its header, its packets.
//!
//! Packets are decoded straight to 16 kHz mono. Granule positions count samples at 48 kHz, three for
//! each of ours, and the pre-skip among them.

mod head;

use std::panic::{AssertUnwindSafe, catch_unwind};

use ropus::{Channels, DecodeMode, Decoder};

use crate::SAMPLE_RATE;
use crate::error::{AudioError, AudioErrorKind};
use crate::ogg::{Codec, Timing};
use head::Head;

/// Samples at 48 kHz for one of ours.
const RATIO: i64 = 48_000 / SAMPLE_RATE as i64;
/// The longest packet, 120 ms, in samples at 48 kHz.
const MAX_DURATION: i64 = 5_760;
/// What a packet is taken to last that does not say: 20 ms, as most do.
const USUAL_DURATION: i64 = 960;

pub(crate) struct OpusCodec {
    head: Head,
    decoder: Decoder,
}

impl OpusCodec {
    /// From the first packet of the stream.
    ///
    /// # Errors
    /// `Malformed` or `Unsupported` if the header says what cannot be decoded.
    pub(crate) fn new(packet: &[u8]) -> Result<Self, AudioError> {
        let head = Head::parse(packet)?;
        Ok(Self {
            decoder: decoder(head.gain)?,
            head,
        })
    }

    /// Appends `samples` of ours, decoded from `packet` or made up: [`DecodeMode::Fec`] takes the copy of the packet
    /// before it out of `packet`. Says whether the packet was whole.
    fn run(&mut self, packet: &[u8], mode: DecodeMode, samples: usize, out: &mut Vec<f32>) -> bool {
        let mut buffer = [0.0f32; MAX_DURATION as usize / RATIO as usize];
        let buffer = &mut buffer[..samples];
        // The codec is a port of much C, and packets are anyone's: a slip in it shall cost a packet,
        // not the thread that decodes for other sessions as well.
        let decoder = &mut self.decoder;
        let run = || decoder.decode_float(packet, buffer, mode);
        let decoded = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(decoded)) => decoded.min(samples),
            Ok(Err(_)) => return false,
            Err(_) => {
                tracing::warn!("the opus decoder failed on a packet and was replaced");
                if let Ok(fresh) = self::decoder(self.head.gain) {
                    self.decoder = fresh;
                }
                return false;
            }
        };
        buffer[decoded..].fill(0.0);
        out.extend(buffer.iter().map(|sample| sample.clamp(-1.0, 1.0)));
        true
    }

    /// Appends what the codec makes up from the sound before.
    fn make_up(&mut self, samples: usize, out: &mut Vec<f32>) {
        let target = out.len() + samples;
        while out.len() < target {
            // The codec makes up whole multiples of 2.5 ms; 20 ms are one of its frames.
            let frame = SAMPLE_RATE as usize / 50;
            if !self.run(&[], DecodeMode::Normal, frame, out) {
                break;
            }
        }
        // Time goes on even where nothing could be made up.
        out.resize(target, 0.0);
    }
}

impl Codec for OpusCodec {
    fn rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn samples(&self, ticks: i64) -> usize {
        usize::try_from((ticks + RATIO / 2) / RATIO).unwrap_or(0)
    }

    fn timing(&self) -> Timing {
        Timing {
            ticks_per_second: 48_000,
            headers: 1,
            start: 0,
            start_is_told: false,
            delay: 0,
            pre_skip: i64::from(self.head.pre_skip),
        }
    }

    fn is_header(&self, packet: &[u8]) -> bool {
        packet.starts_with(b"OpusTags")
    }

    fn duration(&self, packet: &[u8]) -> i64 {
        duration(packet).map_or(USUAL_DURATION, |(frame, frames)| frame * frames)
    }

    fn decode(&mut self, packet: &[u8], next: Option<&[u8]>, out: &mut Vec<f32>) -> i64 {
        let ticks = self.duration(packet);
        if packet.is_empty() || !self.run(packet, DecodeMode::Normal, self.samples(ticks), out) {
            tracing::debug!(
                bytes = packet.len(),
                "opus packet does not decode, concealing it"
            );
            self.conceal(ticks, next, out);
        }
        ticks
    }

    fn conceal(&mut self, ticks: i64, next: Option<&[u8]>, out: &mut Vec<f32>) {
        let target = out.len() + self.samples(ticks);
        // A packet's in-band forward error correction has the frame before it (RFC 6716 section 2.1.7). Of a gap
        // that is no whole number of such frames, the codec could not make up the rest.
        let copied = next
            .and_then(|next| duration(next).zip(Some(next)))
            .filter(|((frame, _), _)| (1..=ticks).contains(frame));
        if let Some(((frame, _), next)) = copied {
            self.make_up(self.samples(ticks - frame), out);
            self.run(next, DecodeMode::Fec, self.samples(frame), out);
        }
        self.make_up(target - out.len(), out);
    }
}

fn decoder(gain: i16) -> Result<Decoder, AudioError> {
    let mut decoder = Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(refused)?;
    decoder.set_gain(i32::from(gain)).map_err(refused)?;
    Ok(decoder)
}

fn refused(error: impl std::error::Error) -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!("the Opus decoder refused the stream: {error}"),
    )
}

/// How long each frame of a packet lasts, in samples at 48 kHz, and how many there are, from its first bytes
/// (RFC 6716 sections 3.1, 3.2).
fn duration(packet: &[u8]) -> Option<(i64, i64)> {
    let &toc = packet.first()?;
    let frame = match toc >> 3 {
        config @ 0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        config @ 12..16 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => i64::from(packet.get(1)? & 0x3F),
    };
    Some((frame, frames)).filter(|_| (1..=MAX_DURATION).contains(&(frame * frames)))
}
