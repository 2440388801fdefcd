//! The header of an ADTS frame (ISO 13818-7 section 6.2).

use super::config::{Config, RATES};
use crate::error::AudioError;
use crate::format::Format;
use crate::frames;

/// Bytes of a header without its checksum.
pub(super) const SIZE: usize = 7;
/// The longest frame: its size has 13 bits.
pub(super) const MAX_FRAME: usize = (1 << 13) - 1;

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// The bits that every frame of a stream has alike.
    fixed: u32,
    /// Samples per second of the core.
    pub(super) rate: u32,
    size: usize,
    has_crc: bool,
    /// Blocks of 1024 samples, 1 to 4.
    pub(super) blocks: usize,
}

impl frames::Header for Header {
    const FORMAT: Format = Format::Aac;
    const WANTED: &'static str = "AAC in ADTS frames";
    const SIZE: usize = SIZE;

    fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xFF, b1, b2, b3, b4, b5, b6, ..] = bytes else {
            return None;
        };
        if b1 & 0xF6 != 0xF0 {
            return None;
        }
        let has_crc = b1 & 1 == 0;
        let size = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
        let header = Self {
            // Version, profile, rate and channels.
            fixed: u32::from_be_bytes([0, b1 & 0x08, b2 & 0xFD, b3 & 0xC0]),
            rate: *RATES.get(usize::from((b2 >> 2) & 0xF))?,
            size,
            has_crc,
            blocks: usize::from(b6 & 3) + 1,
        };
        (size >= header.payload_start()).then_some(header)
    }

    fn frame_size(&self) -> Option<usize> {
        Some(self.size)
    }

    fn goes_on_as(&self, next: &Self) -> bool {
        self.fixed == next.fixed
    }
}

impl Header {
    /// What the frame holds.
    ///
    /// # Errors
    /// `Unsupported` for what is not AAC-LC in one or two channels.
    pub(super) fn config(&self) -> Result<Config, AudioError> {
        let object_type = (self.fixed >> 14) & 3;
        let channels = (self.fixed >> 6) & 7;
        Config::new(object_type + 1, self.rate, channels)
    }

    /// Where the first block begins: behind the positions of the others and the checksum, if there is one.
    fn payload_start(&self) -> usize {
        SIZE + if self.has_crc { 2 * self.blocks } else { 0 }
    }

    /// The blocks of `frame`; `None` if it does not tell where they begin.
    pub(super) fn split<'a>(&self, frame: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        let payload = frame.get(self.payload_start()..)?;
        if self.blocks == 1 {
            return Some(vec![payload]);
        }
        if !self.has_crc {
            return None;
        }
        let mut starts = vec![0];
        let (positions, _) = frame[SIZE..].as_chunks::<2>();
        for position in &positions[..self.blocks - 1] {
            starts.push(usize::from(u16::from_be_bytes(*position)));
        }
        starts.push(payload.len());
        // Each block ends with a checksum of its own.
        starts
            .windows(2)
            .map(|pair| payload.get(pair[0]..pair[1].checked_sub(2)?))
            .collect()
    }
}
