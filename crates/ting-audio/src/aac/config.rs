//! What a stream of AAC is, as ADTS headers and the AudioSpecificConfig of MP4 say it (ISO 14496-3 section 1.6).

use symphonia_codec_aac::AacDecoder;
use symphonia_core::audio::layouts;
use symphonia_core::codecs::audio::AudioCodecParameters;
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;

use crate::codec::Codec;
use crate::error::{AudioError, AudioErrorKind};
use crate::format::RATES as ALLOWED_RATES;

/// Samples of a block in each channel.
pub(crate) const BLOCK: usize = 1024;

/// Samples per second by index.
pub(super) const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// AAC-LC that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Samples per second of the core: of HE-AAC, half of what a player gives.
    pub(crate) rate: u32,
    is_stereo: bool,
}

impl Config {
    /// # Errors
    /// `Unsupported` unless `object_type` is AAC-LC (2) and `channels` one or two.
    pub(super) fn new(object_type: u32, rate: u32, channels: u32) -> Result<Self, AudioError> {
        let name = match object_type {
            2 => {
                return match channels {
                    _ if !ALLOWED_RATES.contains(&rate) => Err(unsupported(format!(
                        "AAC at {rate} Hz is not supported, {} to {} are",
                        ALLOWED_RATES.start(),
                        ALLOWED_RATES.end()
                    ))),
                    1 | 2 => Ok(Self {
                        rate,
                        is_stereo: channels == 2,
                    }),
                    0 => Err(unsupported(
                        "AAC whose channels are described in the stream is not supported".into(),
                    )),
                    7 => Err(unsupported("AAC of 8 channels is not supported".into())),
                    _ => Err(unsupported(format!(
                        "AAC of {channels} channels is not supported"
                    ))),
                };
            }
            1 => "AAC Main",
            3 => "AAC SSR",
            4 => "AAC LTP",
            23 => "AAC-LD",
            39 => "AAC-ELD",
            42 => "xHE-AAC",
            other => {
                return Err(unsupported(format!(
                    "MPEG-4 audio of type {other} is not supported"
                )));
            }
        };
        Err(unsupported(format!("{name} is not supported")))
    }

    /// Reads an AudioSpecificConfig. Where it announces HE-AAC, its core is meant: AAC-LC at half the rate, which
    /// is all of the sound up to a quarter of the full rate.
    ///
    /// # Errors
    /// `Unsupported` as [`Config::new`]; `Malformed` if it ends too soon.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, AudioError> {
        let mut bits = Bits { bytes, at: 0 };
        let short = || {
            let message = "the AAC configuration of the M4A ends too soon";
            AudioError::new(AudioErrorKind::Malformed, message)
        };
        let mut object_type = bits.object_type().ok_or_else(short)?;
        let rate = bits.rate().ok_or_else(short)?;
        let channels = bits.take(4).ok_or_else(short)?;
        // Spectral band replication, with or without parametric stereo: the rate of the player, then the core.
        if matches!(object_type, 5 | 29) {
            bits.rate().ok_or_else(short)?;
            object_type = bits.object_type().ok_or_else(short)?;
        }
        let config = Self::new(object_type, rate, channels)?;
        if bits.take(1).ok_or_else(short)? == 1 {
            return Err(unsupported(
                "AAC of 960 samples a block is not supported".into(),
            ));
        }
        Ok(config)
    }

    /// # Errors
    /// `Unsupported` if the decoder refuses.
    pub(crate) fn codec(&self) -> Result<Codec, AudioError> {
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(CODEC_ID_AAC)
            .with_sample_rate(self.rate)
            .with_channels(if self.is_stereo {
                layouts::CHANNEL_LAYOUT_STEREO
            } else {
                layouts::CHANNEL_LAYOUT_MONO
            });
        Codec::new(
            "AAC",
            |parameters, options| Ok(Box::new(AacDecoder::try_new(parameters, options)?)),
            parameters,
        )
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    /// Bits read.
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for at in self.at..self.at + count {
            let byte = self.bytes.get(at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - at % 8) & 1);
        }
        self.at += count;
        Some(value)
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            object_type => Some(object_type),
        }
    }

    /// Samples per second; 0 for a reserved index.
    fn rate(&mut self) -> Option<u32> {
        match self.take(4)? {
            15 => self.take(24),
            index => Some(RATES.get(index as usize).copied().unwrap_or(0)),
        }
    }
}

fn unsupported(what: String) -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!("{what}; send AAC-LC with one or two channels"),
    )
}
