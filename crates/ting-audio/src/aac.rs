//! AAC-LC in ADTS frames (ISO 13818-7).
//!
//! HE-AAC cannot be seen in an ADTS header, which describes its core only; the core is decoded, at its own rate. So
//! the speed is right, and the sound ends at a quarter of the rate that a player would show.

mod adts;
mod config;

use crate::codec::Codec;
use crate::error::{AudioError, AudioErrorKind};
use crate::frames::Frames;
use crate::samples::{Decode, Samples};
use crate::trim::Trim;
use adts::Header;

pub(crate) use config::{BLOCK, Config};

/// The most bytes kept between two pushes: a frame, and the header behind it that confirms it.
pub(crate) const MAX_BUFFERED: usize = adts::MAX_FRAME + adts::SIZE;

/// Samples to drop at the start where nothing says how many. ADTS cannot say. The first block of any stream is only
/// half of a transform that overlaps with one before, so no encoder has less; ffmpeg's has exactly this (it does not
/// trim it from ADTS itself), others up to 2112, of which 1088 then stay: 25 ms at 44.1 kHz.
pub(crate) const USUAL_DELAY: u64 = BLOCK as u64;

/// [`begin_with_frames`](crate::frames::begin_with_frames) of ADTS.
pub(crate) fn begins(bytes: &[u8], limit: usize) -> Option<bool> {
    crate::frames::begin_with_frames::<adts::Header>(bytes, limit)
}

pub(crate) struct AdtsDecoder {
    frames: Frames<Header>,
    /// Made with the first frame, and anew where the encoding changes.
    stream: Option<(Config, Codec)>,
    trim: Trim,
}

impl AdtsDecoder {
    pub(crate) fn new() -> Self {
        Self {
            frames: Frames::new(),
            stream: None,
            trim: Trim::new(USUAL_DELAY, 0..0),
        }
    }

    fn run(&mut self, ended: bool, out: &mut Samples<'_>) -> Result<(), AudioError> {
        while let Some((header, frame)) = self.frames.next(ended)? {
            let config = header.config()?;
            let blocks = header.split(frame);
            let codec = match &mut self.stream {
                Some((current, codec)) if *current == config => codec,
                // Without positions one block could only be found by decoding the one before, which no decoder
                // at hand tells the length of; no encoder in use writes such streams.
                _ if blocks.is_none() => {
                    return Err(AudioError::new(
                        AudioErrorKind::Unsupported,
                        "ADTS frames of several blocks are supported only with checksums; encode one block a frame",
                    ));
                }
                stream => &mut stream.insert((config, config.codec()?)).1,
            };
            let Some(blocks) = blocks else {
                let count = BLOCK * header.blocks;
                self.trim.write_silence(header.rate, count, out);
                continue;
            };
            for block in blocks {
                decode_block(codec, config.rate, block, &mut self.trim, out);
            }
        }
        Ok(())
    }
}

impl Decode for AdtsDecoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.frames.push(bytes);
        self.run(false, out)
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.run(true, out)
    }
}

/// Writes the [`BLOCK`] samples of a block, silence where it does not decode.
pub(crate) fn decode_block(
    codec: &mut Codec,
    rate: u32,
    block: &[u8],
    trim: &mut Trim,
    out: &mut Samples<'_>,
) {
    // A block without content: nothing, or the mark of its end at once. The decoder would repeat the one before.
    let is_empty = block.first().is_none_or(|first| first >> 5 == 7);
    match codec.decode(block).filter(|_| !is_empty) {
        Some(samples) if samples.len() == BLOCK => trim.write(rate, samples, out),
        _ => trim.write_silence(rate, BLOCK, out),
    }
}
