//! A push demuxer for RIFF/WAVE ("Multimedia Programming Interface and Data Specifications 1.0",
//! `WAVE_FORMAT_EXTENSIBLE` as in Microsoft's mmreg.h, RF64 as in EBU Tech 3306).
//!
//! Nothing is buffered but the header being read: chunks of no interest are counted off, and sizes
//! are believed only as far as bytes come.

mod fmt;

use crate::error::{AudioError, AudioErrorKind};
use crate::format::Format;
use crate::sample::FrameReader;
use crate::samples::{Decode, Samples};
use crate::wrong::wrong_format;

/// Of a `fmt ` or `ds64` chunk this much is read, the rest is skipped.
const MAX_HEADER: usize = 40;

pub(crate) struct WavDecoder {
    state: State,
    /// The bytes of the header that is being collected; at most [`MAX_HEADER`].
    header: Vec<u8>,
    rate: Option<u32>,
    reader: Option<FrameReader>,
    /// Length of the data chunk from `ds64`, where the chunk's own field is too narrow for it.
    long_data: Option<u64>,
    /// Samples of one push; empty between pushes.
    decoded: Vec<f32>,
}

#[derive(Clone, Copy)]
enum State {
    /// `RIFF` size `WAVE`.
    Riff,
    /// Name and size of a chunk.
    Chunk,
    /// The first `take` bytes of a chunk that matters; `rest` bytes follow.
    Body { kind: Body, take: usize, rest: u64 },
    /// Bytes of no interest.
    Skip(u64),
    /// Samples; `None` where the writer could not know how many.
    Data(Option<u64>),
    /// After the samples.
    Trailer,
}

#[derive(Clone, Copy)]
enum Body {
    Fmt,
    Ds64,
}

impl WavDecoder {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Riff,
            header: Vec::new(),
            rate: None,
            reader: None,
            long_data: None,
            decoded: Vec::new(),
        }
    }

    /// Moves bytes into `header` until it holds `wanted` of them, and says whether it does.
    fn collect(&mut self, bytes: &mut &[u8], wanted: usize) -> bool {
        let here = bytes.len().min(wanted - self.header.len());
        let (head, rest) = bytes.split_at(here);
        self.header.extend_from_slice(head);
        *bytes = rest;
        self.header.len() == wanted
    }

    /// Refuses another format as soon as four bytes show it: a client that sends little and waits for
    /// an answer should get this one.
    fn check_riff(&self, whole: bool) -> Result<(), AudioError> {
        let head = self.header.as_slice();
        let riff = head.len() < 4 || matches!(&head[..4], b"RIFF" | b"RF64" | b"BW64");
        if riff && !(whole && &head[8..12] != b"WAVE") {
            return Ok(());
        }
        if head.starts_with(b"RIFX") {
            return Err(AudioError::new(
                AudioErrorKind::Unsupported,
                "the WAV is big-endian (RIFX); convert it to RIFF",
            ));
        }
        Err(wrong_format(Format::Wav, "a RIFF/WAVE file", head))
    }

    fn begin_chunk(&mut self) -> Result<State, AudioError> {
        let size = u32_at(&self.header, 4);
        // A chunk of odd size is followed by one byte of padding.
        let padded = u64::from(size) + u64::from(size & 1);
        let body = |kind, wanted: usize| State::Body {
            kind,
            take: wanted,
            rest: padded - wanted as u64,
        };
        match &self.header[..4] {
            b"fmt " if size < 16 => Err(malformed(format!(
                "the WAV's 'fmt ' chunk has {size} bytes, at least 16 are due"
            ))),
            b"fmt " => Ok(body(Body::Fmt, MAX_HEADER.min(size as usize))),
            b"ds64" if size >= 16 => Ok(body(Body::Ds64, 16)),
            b"data" if self.reader.is_none() => Err(malformed(
                "the WAV has its 'data' chunk before its 'fmt ' chunk",
            )),
            b"data" => Ok(State::Data(match size {
                // ffmpeg writes the one to a pipe, others leave the other until they can seek.
                0 | u32::MAX => self.long_data.filter(|&long| long != 0),
                size => Some(u64::from(size)),
            })),
            _ => Ok(skip(padded)),
        }
    }

    fn end_body(&mut self, kind: Body) -> Result<(), AudioError> {
        match kind {
            Body::Fmt => {
                let fmt = fmt::parse(&self.header)?;
                self.rate = Some(fmt.rate);
                self.reader = Some(FrameReader::new(fmt.encoding, fmt.channels));
            }
            Body::Ds64 => {
                let low = u64::from(u32_at(&self.header, 8));
                self.long_data = Some(low | u64::from(u32_at(&self.header, 12)) << 32);
            }
        }
        Ok(())
    }
}

impl Decode for WavDecoder {
    fn push(&mut self, mut bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        while !bytes.is_empty() {
            match self.state {
                State::Riff => {
                    let whole = self.collect(&mut bytes, 12);
                    self.check_riff(whole)?;
                    if whole {
                        self.header.clear();
                        self.state = State::Chunk;
                    }
                }
                State::Chunk => {
                    if self.collect(&mut bytes, 8) {
                        self.state = self.begin_chunk()?;
                        self.header.clear();
                    }
                }
                State::Body { kind, take, rest } => {
                    if self.collect(&mut bytes, take) {
                        self.end_body(kind)?;
                        self.header.clear();
                        self.state = skip(rest);
                    }
                }
                State::Skip(left) => {
                    let here = left.min(bytes.len() as u64);
                    bytes = &bytes[here as usize..];
                    self.state = skip(left - here);
                }
                State::Data(left) => {
                    let here = left.unwrap_or(u64::MAX).min(bytes.len() as u64);
                    let (data, after) = bytes.split_at(here as usize);
                    if let (Some(reader), Some(rate)) = (&mut self.reader, self.rate) {
                        reader.push(data, &mut self.decoded);
                        out.write(rate, &self.decoded);
                        self.decoded.clear();
                    }
                    bytes = after;
                    self.state = match left.map(|left| left - here) {
                        Some(0) => State::Trailer,
                        left => State::Data(left),
                    };
                }
                State::Trailer => return Ok(()),
            }
        }
        Ok(())
    }

    /// A file may end anywhere in its samples, but it must have come so far.
    fn finish(&mut self, _: &mut Samples<'_>) -> Result<(), AudioError> {
        let missing = match self.state {
            State::Data(_) | State::Trailer => return Ok(()),
            // Nothing was sent: that is for the caller to judge.
            State::Riff if self.header.is_empty() => return Ok(()),
            State::Riff => "its RIFF header was complete",
            _ if self.rate.is_none() => "its 'fmt ' chunk",
            _ => "its 'data' chunk",
        };
        Err(malformed(format!(
            "the WAV ended before {missing}; send the whole file"
        )))
    }
}

fn skip(left: u64) -> State {
    if left == 0 {
        State::Chunk
    } else {
        State::Skip(left)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn malformed(message: impl Into<String>) -> AudioError {
    AudioError::new(AudioErrorKind::Malformed, message)
}
