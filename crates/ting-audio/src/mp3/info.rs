//! The frame without sound that encoders put first: how many frames follow, and what they added before and
//! behind the sound.
//!
//! Sources: the Xing header as its SDK documents it; the LAME tag, <http://gabriel.mp3-tech.org/mp3infotag.html>;
//! VBRI as Fraunhofer's encoder writes it.

use std::ops::Range;

use super::header::{Header, Layer, SIZE};

/// Samples by which a decoder of layer III is late: 528 and the one that its overlapped transform waits for
/// (LAME's technical FAQ; ffmpeg and mpg123 count the same).
pub(super) const DECODER_DELAY: u64 = 529;
/// Samples that LAME puts before the sound (ENCDELAY in its encoder.h), and all that are built on it.
const LAME_DELAY: u64 = 576;
/// Samples by which the filter bank of layers I and II is late: its window of 512 moves on by 32
/// (ISO 11172-3 annex C).
const FILTER_BANK_DELAY: u64 = 481;

/// What to trim from a stream whose first frame is `header` and has no tag: what every decoder adds, and for
/// layer III what the commonest encoder adds too. A browser or a pipe gives MP3s without a tag, and without this
/// their words would be 69 ms late at 16 kHz; where another encoder adds a little less or more, the error is
/// smaller than that. (ffmpeg trims nothing here.)
pub(super) fn usual_delay(header: &Header) -> u64 {
    match header.layer {
        Layer::Three => DECODER_DELAY + LAME_DELAY,
        _ => FILTER_BANK_DELAY,
    }
}

/// What to trim according to a frame, in samples; `None` if the frame is sound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) head: u64,
    pub(super) tail: Range<u64>,
}

impl Info {
    pub(super) fn parse(header: &Header, frame: &[u8]) -> Option<Self> {
        if header.layer != Layer::Three {
            return None;
        }
        let usual = Self {
            head: usual_delay(header),
            tail: 0..0,
        };
        // 32 bytes behind the header, wherever the side information ends.
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(usual);
        }
        // Its side information is all zeros, so that a decoder that does not know the tag plays silence. Some
        // writers forget the checksum that they announce.
        let plain = header.main_data() - if header.has_crc { 2 } else { 0 };
        let tag = [header.main_data(), plain]
            .into_iter()
            .filter_map(|at| frame.split_at_checked(at))
            .filter(|(before, _)| before[SIZE..].iter().skip(2).all(|byte| *byte == 0))
            .map(|(_, tag)| tag)
            .find(|tag| tag.starts_with(b"Xing") || tag.starts_with(b"Info"))?;
        Some(Self::lame(header, tag).unwrap_or(usual))
    }

    /// The delay and padding of LAME's extension behind the fields of Xing's header.
    fn lame(header: &Header, tag: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            let bytes = tag.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        let flags = word(4)?;
        let mut at = 8;
        let mut frames = None;
        if flags & 1 != 0 {
            frames = Some(u64::from(word(at)?));
            at += 4;
        }
        at += if flags & 2 != 0 { 4 } else { 0 };
        at += if flags & 4 != 0 { 100 } else { 0 };
        at += if flags & 8 != 0 { 4 } else { 0 };
        // The encoder's name, nine bytes; two fields of 12 bits 21 bytes on.
        let is_named = tag.get(at)?.is_ascii_alphanumeric();
        let gaps = tag.get(at + 21..at + 24)?;
        let delay = u64::from(gaps[0]) << 4 | u64::from(gaps[1] >> 4);
        let padding = u64::from(gaps[1] & 0xF) << 8 | u64::from(gaps[2]);
        if !is_named || delay + padding == 0 {
            return None;
        }
        // The padding counts what the decoder's delay will push out of the last frame.
        let unheard = padding.saturating_sub(DECODER_DELAY);
        let end = frames.unwrap_or(0).saturating_mul(header.samples() as u64);
        Some(Self {
            head: delay + DECODER_DELAY,
            tail: end.saturating_sub(unheard)..end,
        })
    }
}
