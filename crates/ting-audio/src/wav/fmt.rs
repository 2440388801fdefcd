//! The `fmt ` chunk.

use super::{malformed, u32_at};
use crate::error::{AudioError, AudioErrorKind};
use crate::sample::Encoding;

/// Rates a header may give, Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;
/// More channels than any recorder has; bounds the bytes of a frame.
const MAX_CHANNELS: usize = 64;
/// What follows the format tag in the GUID of `WAVE_FORMAT_EXTENSIBLE` (mmreg.h).
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

const EXTENSIBLE: u16 = 0xFFFE;

pub(super) struct Fmt {
    pub(super) encoding: Encoding,
    pub(super) channels: usize,
    pub(super) rate: u32,
}

/// `body` is the chunk's start: 16 bytes or more, of which 40 matter.
pub(super) fn parse(body: &[u8]) -> Result<Fmt, AudioError> {
    let tag = tag(body)?;
    let channels = usize::from(u16_at(body, 2));
    let rate = u32_at(body, 4);
    let block = usize::from(u16_at(body, 12));
    let bits = u16_at(body, 14);

    if channels == 0 || channels > MAX_CHANNELS {
        return Err(malformed(format!(
            "the WAV header gives {channels} channels; 1 to {MAX_CHANNELS} are allowed"
        )));
    }
    if !RATES.contains(&rate) {
        return Err(AudioError::new(
            AudioErrorKind::Unsupported,
            format!(
                "the WAV header gives a sample rate of {rate} Hz; {} to {} are allowed",
                RATES.start(),
                RATES.end()
            ),
        ));
    }
    // Samples of, say, 20 bits lie in the upper bits of a container whose size the block tells.
    let container = match block % channels {
        0 if block / channels * 8 >= usize::from(bits) && block > 0 => block / channels,
        _ => usize::from(bits).div_ceil(8),
    };
    let encoding = match (tag, container, bits) {
        (1, 1, _) => Encoding::U8,
        (1, 2, _) => Encoding::S16,
        (1, 3, _) => Encoding::S24,
        (1, 4, _) => Encoding::S32,
        (3, 4, 32) => Encoding::F32,
        (3, 8, 64) => Encoding::F64,
        (6, 1, _) => Encoding::Alaw,
        (7, 1, _) => Encoding::Mulaw,
        _ => return Err(unsupported(tag, bits)),
    };
    Ok(Fmt {
        encoding,
        channels,
        rate,
    })
}

fn tag(body: &[u8]) -> Result<u16, AudioError> {
    match u16_at(body, 0) {
        EXTENSIBLE if body.len() < 40 => Err(malformed(
            "the WAV's extensible 'fmt ' chunk has fewer than 40 bytes",
        )),
        EXTENSIBLE if body[26..40] != GUID_TAIL => Err(AudioError::new(
            AudioErrorKind::Unsupported,
            "the WAV's sub-format is none of the standard ones; convert it to 16-bit PCM",
        )),
        EXTENSIBLE => Ok(u16_at(body, 24)),
        tag => Ok(tag),
    }
}

fn unsupported(tag: u16, bits: u16) -> AudioError {
    let name = match tag {
        1 | 3 | 6 | 7 => {
            let kind = ["", "PCM", "", "float", "", "", "A-law", "µ-law"][usize::from(tag)];
            return AudioError::new(
                AudioErrorKind::Unsupported,
                format!(
                    "the WAV holds {bits}-bit {kind}; allowed are PCM of 8, 16, 24 or 32 bits, float of \
                     32 or 64, A-law and µ-law of 8"
                ),
            );
        }
        0x02 => "Microsoft ADPCM",
        0x11 => "IMA ADPCM",
        0x31 => "GSM 6.10",
        0x50 | 0x55 => "MPEG audio (MP3)",
        0x92 | 0x2000 => "AC-3",
        0xFF | 0x1600..=0x1610 => "AAC",
        0x160..=0x163 => "Windows Media Audio",
        0x704F => "Opus",
        0xF1AC => "FLAC",
        _ => "a codec",
    };
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!(
            "the WAV holds {name} (format tag 0x{tag:04X}), which is not supported; convert it to 16-bit PCM"
        ),
    )
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
