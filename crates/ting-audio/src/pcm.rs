//! `format: "pcm"`: samples without a header, or with one that the client forgot to mention.

use crate::aac;
use crate::error::AudioError;
use crate::format::Format;
use crate::mp3;
use crate::sample::{Encoding, FrameReader};
use crate::samples::{Decode, Samples};
use crate::wav::WavDecoder;
use crate::wrong::{wanted, wrong_format};

/// Bytes that tell a RIFF/WAVE header from samples.
const PEEK: usize = 12;
/// At most so many bytes wait for it to be told whether they are frames of MP3 or AAC: three frames of any usual rate.
/// Only bytes that begin like such frames wait for more than [`PEEK`].
const MAX_PEEK: usize = 4_096;

pub(crate) struct PcmDecoder {
    /// Rate of headerless samples, Hz.
    rate: u32,
    state: State,
    /// Samples of one push; empty between pushes.
    decoded: Vec<f32>,
}

enum State {
    /// The first bytes, until they tell what they are.
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

    /// What the first bytes are; `None` if that needs more of them.
    fn look(head: &[u8], ended: bool) -> Option<Look> {
        if head.len() < PEEK && !ended {
            return None;
        }
        if head.len() >= PEEK
            && &head[8..12] == b"WAVE"
            && matches!(&head[..4], b"RIFF" | b"RF64" | b"BW64")
        {
            return Some(Look::Wav);
        }
        // Samples may begin like one frame of MP3 or AAC, but not like three that fit together.
        for begins in [mp3::begins, aac::begins] {
            match begins(head, MAX_PEEK) {
                Some(true) => return Some(Look::Frames),
                None if !ended => return None,
                _ => {}
            }
        }
        Some(Look::Samples)
    }

    /// Goes on as what the first bytes are, once they tell.
    fn decide(&mut self, ended: bool, out: &mut Samples<'_>) -> Result<(), AudioError> {
        let State::Peeking(head) = &mut self.state else {
            return Ok(());
        };
        let Some(look) = Self::look(head, ended) else {
            return Ok(());
        };
        let head = std::mem::take(head);
        self.state = match look {
            Look::Wav => {
                tracing::warn!(
                    "format is pcm, but the bytes begin with a RIFF header; reading them as wav"
                );
                State::Wav(Box::new(WavDecoder::new()))
            }
            Look::Samples => State::Samples(FrameReader::new(Encoding::S16, 1)),
            Look::Frames => {
                return Err(wrong_format(Format::Pcm, wanted(Format::Pcm), &head));
            }
        };
        self.push(&head, out)
    }
}

/// What the first bytes are.
enum Look {
    Samples,
    /// A WAV file.
    Wav,
    /// Frames of MP3 or AAC.
    Frames,
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
                self.decide(false, out)
            }
        }
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        match &mut self.state {
            State::Samples(_) => Ok(()),
            State::Wav(wav) => wav.finish(out),
            State::Peeking(_) => {
                self.decide(true, out)?;
                match &mut self.state {
                    State::Wav(wav) => wav.finish(out),
                    _ => Ok(()),
                }
            }
        }
    }
}
