//! Vorbis in Ogg (Vorbis I specification, annex A): its headers, its packets.
//!
//! A packet gives what overlaps of its block and the one before: a quarter of both, and nothing the first. Granule
//! positions count samples at the stream's rate.

mod setup;

use std::borrow::Cow;

use symphonia_codec_vorbis::VorbisDecoder;
use symphonia_core::codecs::audio::AudioCodecParameters;
use symphonia_core::codecs::audio::well_known::CODEC_ID_VORBIS;

use crate::codec::Codec;
use crate::error::{AudioError, AudioErrorKind};
use crate::format::RATES;
use crate::ogg::{self, Timing};
use setup::Bits;

/// The bytes of the identification header.
const HEADER: usize = 30;
/// The setup header begins like this.
const SETUP: &[u8] = b"\x05vorbis";
/// As many as the specification gives places in a room; bounds the decoder's memory.
const MAX_CHANNELS: u8 = 8;

pub(crate) struct VorbisCodec {
    identification: Vec<u8>,
    /// Samples per second.
    rate: u32,
    /// Samples of a short and of a long block.
    blocks: [i64; 2],
    /// Once the setup header has come.
    decoder: Option<Decoder>,
    /// Samples of the block before, if there is one.
    previous: Option<i64>,
}

struct Decoder {
    codec: Codec,
    /// For each mode, whether its blocks are the long ones.
    modes: Vec<bool>,
}

impl VorbisCodec {
    /// From the first packet of the stream.
    ///
    /// # Errors
    /// `Malformed` or `Unsupported` if the header says what cannot be decoded.
    pub(crate) fn new(packet: &[u8]) -> Result<Self, AudioError> {
        let malformed = |message: String| AudioError::new(AudioErrorKind::Malformed, message);
        if packet.len() < HEADER {
            return Err(malformed(format!(
                "the Vorbis header has {} bytes, {HEADER} are due",
                packet.len()
            )));
        }
        let channels = packet[11];
        let rate = u32::from_le_bytes([packet[12], packet[13], packet[14], packet[15]]);
        let (short, long) = (packet[28] & 15, packet[28] >> 4);
        if !(6..=13).contains(&short) || !(short..=13).contains(&long) {
            return Err(malformed(format!(
                "the Vorbis header gives blocks of 2^{short} and 2^{long} samples; 2^6 to 2^13 are allowed"
            )));
        }
        if !RATES.contains(&rate) || !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(AudioError::new(
                AudioErrorKind::Unsupported,
                format!(
                    "the Vorbis header gives {channels} channels at {rate} Hz; 1 to {MAX_CHANNELS} at {} to {} are \
                     allowed",
                    RATES.start(),
                    RATES.end()
                ),
            ));
        }
        Ok(Self {
            identification: packet[..HEADER].to_vec(),
            rate,
            blocks: [1 << short, 1 << long],
            decoder: None,
            previous: None,
        })
    }

    /// Samples of a packet's block, if it has one.
    fn block(&self, packet: &[u8]) -> Option<i64> {
        let modes = &self.decoder.as_ref()?.modes;
        let mut bits = Bits {
            bytes: packet,
            at: 0,
        };
        // A bit that tells audio from headers, then the number of the mode.
        (bits.take(1)? == 0).then_some(())?;
        let mode = bits.take(usize::BITS - (modes.len() - 1).leading_zeros())?;
        let is_long = *modes.get(mode as usize)?;
        Some(self.blocks[usize::from(is_long)])
    }
}

impl ogg::Codec for VorbisCodec {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn samples(&self, ticks: i64) -> usize {
        usize::try_from(ticks).unwrap_or(0)
    }

    fn timing(&self) -> Timing {
        Timing {
            ticks_per_second: i64::from(self.rate),
            // Comments and setup.
            headers: 2,
            start: 0,
            start_is_told: true,
            delay: 0,
            pre_skip: 0,
        }
    }

    fn is_header(&self, packet: &[u8]) -> bool {
        packet.first().is_some_and(|first| first & 1 == 1)
    }

    fn is_wanted_header(&self, start: &[u8]) -> bool {
        start.starts_with(SETUP)
    }

    fn header(&mut self, packet: &[u8]) -> Result<(), AudioError> {
        if self.decoder.is_some() {
            return Ok(());
        }
        let modes = setup::modes(packet)?;
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(CODEC_ID_VORBIS)
            .with_extra_data([&self.identification, packet].concat().into_boxed_slice());
        let codec = Codec::new(
            "Vorbis",
            |parameters, options| Ok(Box::new(VorbisDecoder::try_new(parameters, options)?)),
            parameters,
        )?;
        self.decoder = Some(Decoder { codec, modes });
        Ok(())
    }

    fn missing_header(&self) -> Option<&'static str> {
        self.decoder.is_none().then_some("Vorbis setup header")
    }

    /// Roughly: without the block before it. [`ogg::Codec::total`] is exact.
    fn duration(&self, packet: &[u8]) -> i64 {
        self.block(packet).unwrap_or(self.blocks[0]) / 2
    }

    fn total(&self, packets: &[Cow<'_, [u8]>]) -> i64 {
        let mut previous = self.previous;
        let mut total = 0;
        for block in packets.iter().filter_map(|packet| self.block(packet)) {
            total += previous.map_or(0, |previous| (previous + block) / 4);
            previous = Some(block);
        }
        total
    }

    fn decode(&mut self, packet: &[u8], _: Option<&[u8]>, out: &mut Vec<f32>) -> i64 {
        let (Some(block), Some(decoder)) = (self.block(packet), &mut self.decoder) else {
            return 0;
        };
        let ticks = match self.previous.replace(block) {
            Some(previous) => (previous + block) / 4,
            None => 0,
        };
        let target = out.len() + ticks as usize;
        out.extend_from_slice(decoder.codec.decode(packet).unwrap_or_default());
        // Time goes on even where nothing could be made of the packet.
        out.resize(target, 0.0);
        ticks
    }

    fn conceal(&mut self, ticks: i64, _: Option<&[u8]>, out: &mut Vec<f32>) {
        out.resize(out.len() + self.samples(ticks), 0.0);
    }
}
