//! `format: "pcm"`: samples without a header, or with one that the client forgot to mention.

use crate::error::AudioError;
use crate::format::{Format, wrong_format};
use crate::sample::{Encoding, FrameReader};
use crate::samples::{Decode, Samples};
use crate::wav::WavDecoder;

/// Bytes that tell a RIFF/WAVE header from samples.
const PEEK: usize = 12;

pub(crate) struct PcmDecoder {
    /// Rate of headerless samples, Hz.
    rate: u32,
    state: State,
    /// Samples of one push; empty between pushes.
    decoded: Vec<f32>,
}

enum State {
    /// The first bytes, until there are [`PEEK`] of them.
    Peeking(Vec<u8>),
    Samples(FrameReader),
    /// A WAV file sent under the wrong name is common, and harmless to accept. Its own rate counts.
    Wav(Box<WavDecoder>),
}

impl PcmDecoder {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate,
            state: State::Peeking(Vec::new()),
            decoded: Vec::new(),
        }
    }

    fn decide(&mut self, head: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        if head.len() >= PEEK && &head[8..12] == b"WAVE" && matches!(&head[..4], b"RIFF" | b"RF64")
        {
            tracing::warn!(
                "format is pcm, but the bytes begin with a RIFF header; reading them as wav"
            );
            self.state = State::Wav(Box::new(WavDecoder::new()));
        } else if head.starts_with(b"OggS\x00\x02") {
            // Version 0 and the first-page flag: as samples this would be noise for certain.
            return Err(wrong_format(
                Format::Pcm,
                "16-bit little-endian samples",
                head,
            ));
        } else {
            self.state = State::Samples(FrameReader::new(Encoding::S16, 1));
        }
        self.push(head, out)
    }
}

impl Decode for PcmDecoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        match &mut self.state {
            State::Samples(reader) => {
                reader.push(bytes, &mut self.decoded);
                out.write(self.rate, &self.decoded);
                self.decoded.clear();
                Ok(())
            }
            State::Wav(wav) => wav.push(bytes, out),
            State::Peeking(head) => {
                head.extend_from_slice(bytes);
                if head.len() < PEEK {
                    return Ok(());
                }
                let head = std::mem::take(head);
                self.decide(&head, out)
            }
        }
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        match &mut self.state {
            State::Samples(_) => Ok(()),
            State::Wav(wav) => wav.finish(out),
            State::Peeking(head) => {
                let head = std::mem::take(head);
                self.decide(&head, out)
            }
        }
    }
}
