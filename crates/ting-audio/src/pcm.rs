//! `format: "pcm"`: samples without a header, or with one that the client forgot to mention.

use crate::error::AudioError;
use crate::format::{Format, wrong_format};
use crate::sample::{Encoding, FrameReader};
use crate::wav::WavDecoder;

/// Bytes that tell a RIFF/WAVE header from samples.
const PEEK: usize = 12;

pub(crate) enum PcmDecoder {
    /// The first bytes, until there are [`PEEK`] of them.
    Peeking(Vec<u8>),
    Samples(FrameReader),
    /// A WAV file sent under the wrong name is common, and harmless to accept.
    Wav(Box<WavDecoder>),
}

impl PcmDecoder {
    pub(crate) fn new() -> Self {
        PcmDecoder::Peeking(Vec::new())
    }

    /// The rate that a WAV header gave instead of the task's parameter.
    pub(crate) fn header_rate(&self) -> Option<u32> {
        match self {
            PcmDecoder::Wav(wav) => wav.rate(),
            _ => None,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), AudioError> {
        match self {
            PcmDecoder::Samples(reader) => {
                reader.push(bytes, out);
                Ok(())
            }
            PcmDecoder::Wav(wav) => wav.push(bytes, out),
            PcmDecoder::Peeking(head) => {
                head.extend_from_slice(bytes);
                if head.len() < PEEK {
                    return Ok(());
                }
                let head = std::mem::take(head);
                self.decide(&head, out)
            }
        }
    }

    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        match self {
            PcmDecoder::Samples(_) => Ok(()),
            PcmDecoder::Wav(wav) => wav.finish(),
            PcmDecoder::Peeking(head) => {
                let head = std::mem::take(head);
                self.decide(&head, out)
            }
        }
    }

    fn decide(&mut self, head: &[u8], out: &mut Vec<f32>) -> Result<(), AudioError> {
        if head.len() >= PEEK && &head[8..12] == b"WAVE" && matches!(&head[..4], b"RIFF" | b"RF64")
        {
            tracing::warn!(
                "format is pcm, but the bytes begin with a RIFF header; reading them as wav"
            );
            *self = PcmDecoder::Wav(Box::new(WavDecoder::new()));
        } else if head.starts_with(b"OggS\x00\x02") {
            // Version 0 and the first-page flag: as samples this would be noise for certain.
            return Err(wrong_format(
                Format::Pcm,
                "16-bit little-endian samples",
                head,
            ));
        } else {
            *self = PcmDecoder::Samples(FrameReader::new(Encoding::S16, 1));
        }
        self.push(head, out)
    }
}
