//! The four bytes before each frame (ISO 11172-3 section 2.4.1.3; 13818-3 for the half rates; MPEG-2.5 is
//! Fraunhofer's extension to the quarter rates).

use crate::format::Format;
use crate::frames;

/// Bytes of a header.
pub(super) const SIZE: usize = 4;
/// The longest frame: 160 kbit/s of layer II at 8 kHz, with a byte of padding.
pub(super) const MAX_FRAME: usize = 2881;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    One,
    Two,
    Three,
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) layer: Layer,
    /// MPEG-1, not one of its extensions to lower rates.
    pub(super) is_mpeg1: bool,
    /// Samples per second.
    pub(super) rate: u32,
    pub(super) is_mono: bool,
    /// A checksum of two bytes follows the header.
    pub(super) has_crc: bool,
    /// Bytes of the frame, this header included. 0 for free format, where frames do not tell.
    size: usize,
}

impl frames::Header for Header {
    const FORMAT: Format = Format::Mp3;
    const WANTED: &'static str = "an MP3 stream";
    const SIZE: usize = SIZE;

    fn parse(bytes: &[u8]) -> Option<Self> {
        /// kbit/s by index, for the layers of MPEG-1 and then of the lower rates.
        const BIT_RATES: [[u16; 15]; 5] = [
            [
                0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
            ],
            [
                0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
            ],
            [
                0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
            ],
            [
                0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
            ],
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ];
        let &[0xFF, second, third, fourth, ..] = bytes else {
            return None;
        };
        if second & 0xE0 != 0xE0 {
            return None;
        }
        let divisor = match (second >> 3) & 3 {
            0 => 4,
            2 => 2,
            3 => 1,
            _ => return None,
        };
        let is_mpeg1 = divisor == 1;
        let layer = match (second >> 1) & 3 {
            1 => Layer::Three,
            2 => Layer::Two,
            3 => Layer::One,
            _ => return None,
        };
        let row = match (layer, is_mpeg1) {
            (Layer::One, true) => 0,
            (Layer::Two, true) => 1,
            (Layer::Three, true) => 2,
            (Layer::One, false) => 3,
            (_, false) => 4,
        };
        let bit_rate = u32::from(*BIT_RATES[row].get(usize::from(third >> 4))?) * 1000;
        let rate = *[44_100, 48_000, 32_000].get(usize::from((third >> 2) & 3))? / divisor;
        let padding = usize::from((third >> 1) & 1);
        let mut header = Self {
            layer,
            is_mpeg1,
            rate,
            is_mono: fourth >> 6 == 3,
            has_crc: second & 1 == 0,
            size: 0,
        };
        if bit_rate > 0 {
            // Bytes are counted in slots: of four bytes in layer I, of one elsewhere.
            let slot = if layer == Layer::One { 4 } else { 1 };
            let bits_a_slot = 8 * slot as u32;
            let slots = header.samples() as u32 / bits_a_slot * bit_rate / rate;
            header.size = (slots as usize + padding) * slot;
        }
        Some(header)
    }

    fn frame_size(&self) -> Option<usize> {
        (self.size > SIZE).then_some(self.size)
    }

    /// Bit rate and channels may change between frames, and the checksum may come and go.
    fn goes_on_as(&self, next: &Self) -> bool {
        (self.layer, self.is_mpeg1, self.rate) == (next.layer, next.is_mpeg1, next.rate)
    }
}

impl Header {
    /// Samples of a frame, in each channel.
    pub(super) fn samples(&self) -> usize {
        match (self.layer, self.is_mpeg1) {
            (Layer::One, _) => 384,
            (Layer::Three, false) => 576,
            _ => 1152,
        }
    }

    /// Where the main data of a layer III frame begins: behind header, checksum and side information.
    pub(super) fn main_data(&self) -> usize {
        let side = match (self.is_mpeg1, self.is_mono) {
            (true, true) => 17,
            (true, false) => 32,
            (false, true) => 9,
            (false, false) => 17,
        };
        SIZE + if self.has_crc { 2 } else { 0 } + side
    }
}
