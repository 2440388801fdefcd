//! The header of a frame (RFC 9639 section 9.1) and the stream's own (section 8.2).

use crate::error::{AudioError, AudioErrorKind};
use crate::format::RATES;

/// Bytes of a STREAMINFO block.
pub(super) const STREAM_INFO: usize = 34;
/// The longest header: sync, four codes, a number of 7 bytes, block size, rate and checksum.
pub(super) const MAX_HEADER: usize = 16;

/// What holds for all frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamInfo {
    /// Samples of the longest frame; of every frame but the last where they are numbered.
    pub(super) max_block: u32,
    /// Samples per second.
    pub(super) rate: u32,
    channels: u32,
    bits: u32,
}

impl StreamInfo {
    /// # Errors
    /// `Malformed` or `Unsupported` where no sound can be made of it.
    pub(super) fn parse(block: &[u8; STREAM_INFO]) -> Result<Self, AudioError> {
        let packed = u32::from_be_bytes([block[10], block[11], block[12], block[13]]);
        let info = Self {
            max_block: u32::from(u16::from_be_bytes([block[2], block[3]])),
            rate: packed >> 12,
            channels: (packed >> 9 & 7) + 1,
            bits: (packed >> 4 & 31) + 1,
        };
        if info.max_block < 16 || info.bits < 4 {
            return Err(AudioError::new(
                AudioErrorKind::Malformed,
                format!(
                    "the FLAC header gives blocks of {} samples of {} bits; at least 16 of 4 are due",
                    info.max_block, info.bits
                ),
            ));
        }
        if !RATES.contains(&info.rate) {
            return Err(AudioError::new(
                AudioErrorKind::Unsupported,
                format!(
                    "the FLAC header gives a sample rate of {} Hz; {} to {} are allowed",
                    info.rate,
                    RATES.start(),
                    RATES.end()
                ),
            ));
        }
        Ok(info)
    }

    /// Bytes that no frame exceeds: its samples stored as they are, one bit more for the difference of two
    /// channels. At most 2.2 MB.
    pub(super) fn max_frame(&self) -> usize {
        let samples = self.max_block * (self.bits + 1) / 8 + 16;
        MAX_HEADER + (self.channels * samples) as usize
    }
}

/// Where a frame belongs, and how long it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Samples before this frame.
    pub(super) position: u64,
    /// Samples of it.
    pub(super) samples: u32,
    /// Bytes of the header.
    pub(super) size: usize,
}

impl Header {
    /// `None` if `bytes` do not begin with the header of a frame that fits the stream. [`MAX_HEADER`] bytes are
    /// enough to tell.
    pub(super) fn parse(bytes: &[u8], info: &StreamInfo) -> Option<Self> {
        let &[0xFF, sync, codes, layout, ..] = bytes else {
            return None;
        };
        if sync & 0xFE != 0xF8 || layout & 1 != 0 {
            return None;
        }
        let mut at = 4;
        let number = number(bytes, &mut at)?;
        let mut field = |size: usize| {
            let field = bytes.get(at..at + size)?;
            at += size;
            Some(field.iter().fold(0, |x, &byte| x << 8 | u32::from(byte)))
        };
        let samples = match codes >> 4 {
            0 => return None,
            1 => 192,
            code @ 2..=5 => 144 << code,
            6 => field(1)? + 1,
            7 => field(2)? + 1,
            code => 1 << code,
        };
        let rate = match codes & 15 {
            0 => info.rate,
            code @ 1..=11 => [
                88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
                96_000,
            ][usize::from(code) - 1],
            12 => field(1)? * 1000,
            13 => field(2)?,
            14 => field(2)? * 10,
            _ => return None,
        };
        let channels = match layout >> 4 {
            code @ 0..=7 => u32::from(code) + 1,
            8..=10 => 2,
            _ => return None,
        };
        let bits = match layout >> 1 & 7 {
            0 => info.bits,
            3 => return None,
            code => [8, 12, 0, 16, 20, 24, 32][usize::from(code) - 1],
        };
        let fits = samples <= info.max_block
            && (rate, channels, bits) == (info.rate, info.channels, info.bits);
        if !fits || crc8(bytes.get(..at)?) != *bytes.get(at)? {
            return None;
        }
        let is_variable = sync & 1 == 1;
        Some(Self {
            position: if is_variable {
                number
            } else {
                number.checked_mul(u64::from(info.max_block))?
            },
            samples,
            size: at + 1,
        })
    }
}

/// The number of a frame or sample, coded as UTF-8 is but for up to 36 bits.
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let first = *bytes.get(*at)?;
    let ones = first.leading_ones() as usize;
    let more = match ones {
        0 => 0,
        2..=7 => ones - 1,
        _ => return None,
    };
    let mut number = u64::from(first) & (0x7F >> ones);
    for _ in 0..more {
        *at += 1;
        let byte = *bytes.get(*at)?;
        if byte >> 6 != 2 {
            return None;
        }
        number = number << 6 | u64::from(byte & 0x3F);
    }
    *at += 1;
    Some(number)
}

/// CRC-8 of polynomial 0x07 from 0.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |mut crc, byte| {
        crc ^= byte;
        for _ in 0..8 {
            crc = crc << 1 ^ if crc & 0x80 != 0 { 7 } else { 0 };
        }
        crc
    })
}

/// CRC-16 of polynomial 0x8005, most significant bit first: `crc` gone on over `byte`. Over a whole frame, which
/// ends with its checksum, it is 0.
pub(super) fn crc16(crc: u16, byte: u8) -> u16 {
    crc << 8 ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
}

const TABLE: [u16; 256] = {
    let mut table = [0u16; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = (i as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = crc << 1 ^ if crc & 0x8000 != 0 { 0x8005 } else { 0 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};
