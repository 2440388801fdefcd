//! AAC in ISO-MP4 (ISO 14496-12, 14496-14): `.m4a`, `.mp4`, fragmented or not.
//!
//! An index before the audio lets packets be decoded as they come. With the index at the end, as recorders write it,
//! the audio has to be kept until then, under a cap.

mod boxes;
mod fragment;
mod table;
mod track;

use crate::error::{AudioError, AudioErrorKind};
use crate::format::{Format, sniff};
use crate::samples::{Decode, Samples};
use crate::wrong::wrong_format;
use boxes::malformed;
use track::Track;

/// The longest index: one of 24 hours at 48 kHz has 16 MiB of packet sizes.
const MAX_INDEX: usize = 32 << 20;
/// Audio that is kept until its index comes: more than two hours of a phone's recording at 64 kbit/s.
const MAX_HELD: usize = 64 << 20;
/// And it must not be longer than this, because all of its samples come out at once: 0.7 GB of them.
const MAX_HELD_SECONDS: u64 = 3 * 3600;
/// Stands for the size of a box that ends with the file.
const TO_THE_END: u64 = u64::MAX;

/// Keeps an index of at most [`MAX_INDEX`] and, until that has come, audio of at most [`MAX_HELD`]; then a packet.
pub(crate) struct Mp4Decoder {
    state: State,
    /// Bytes of the header or index that is being collected.
    collected: Vec<u8>,
    /// Where in the file the next byte is.
    position: u64,
    track: Option<Track>,
    /// Audio before its index: where it is in the file, and its bytes.
    held: Vec<(u64, Vec<u8>)>,
    /// Memory that `held` takes.
    held_bytes: usize,
}

#[derive(Clone, Copy)]
enum State {
    /// The header of a box.
    Header,
    /// The body of `moov` or `moof`; the box begins at `start` in the file.
    Index {
        is_moof: bool,
        start: u64,
        left: u64,
    },
    /// The body of `mdat`.
    Data { left: u64 },
    /// Bytes of no interest.
    Skip { left: u64 },
}

impl Mp4Decoder {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Header,
            collected: Vec::new(),
            position: 0,
            track: None,
            held: Vec::new(),
            held_bytes: 0,
        }
    }

    /// Begins the box whose header is collected, or says that more bytes of it are needed.
    fn begin_box(&mut self) -> Result<Option<State>, AudioError> {
        let header = &self.collected;
        let Some((size, name)) = header.split_first_chunk::<4>() else {
            return Ok(None);
        };
        if name.len() < 4 {
            return Ok(None);
        }
        let begins = self.position == header.len() as u64;
        if begins && sniff(header) != Some(Format::M4a) && !is_box_name(name) {
            return Err(wrong_format(Format::M4a, "an MP4 file with AAC", header));
        }
        let (header_size, size) = match u32::from_be_bytes(*size) {
            0 => (8, TO_THE_END),
            1 => match header.get(8..16).and_then(|long| long.first_chunk()) {
                Some(long) => (16, u64::from_be_bytes(*long)),
                None => return Ok(None),
            },
            size => (8, u64::from(size)),
        };
        let left = size
            .checked_sub(header_size)
            .ok_or_else(|| malformed("a box is shorter than its header"))?;
        Ok(Some(match &name[..4] {
            // A second index says nothing that the first did not.
            b"moov" if self.track.is_some() => State::Skip { left },
            kind @ (b"moov" | b"moof") => {
                if size < TO_THE_END && left > MAX_INDEX as u64 {
                    return Err(index_too_large());
                }
                State::Index {
                    is_moof: kind == b"moof",
                    start: self.position - header_size,
                    left,
                }
            }
            b"mdat" => State::Data { left },
            _ => State::Skip { left },
        }))
    }

    /// Reads the index that is collected.
    fn end_index(
        &mut self,
        is_moof: bool,
        start: u64,
        out: &mut Samples<'_>,
    ) -> Result<(), AudioError> {
        let body = std::mem::take(&mut self.collected);
        if is_moof {
            return match &mut self.track {
                Some(track) => track.add_fragment(&body, start),
                None => Err(malformed("a fragment comes before the 'moov' box")),
            };
        }
        let track = self.track.insert(Track::parse(&body)?);
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() && track.seconds() > MAX_HELD_SECONDS {
            return Err(index_too_late(&format!(
                "{} hours of audio",
                MAX_HELD_SECONDS / 3600
            )));
        }
        for (offset, bytes) in held {
            track.data(offset, &bytes, out)?;
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        if let Some(track) = &mut self.track {
            return track.data(self.position, bytes, out);
        }
        self.held_bytes += bytes.len();
        match self.held.last_mut() {
            Some((offset, held)) if *offset + held.len() as u64 == self.position => {
                held.extend_from_slice(bytes);
            }
            _ => {
                self.held_bytes += size_of::<(u64, Vec<u8>)>();
                self.held.push((self.position, bytes.to_vec()));
            }
        }
        if self.held_bytes > MAX_HELD {
            return Err(index_too_late(&format!("{} MiB of audio", MAX_HELD >> 20)));
        }
        Ok(())
    }
}

impl Decode for Mp4Decoder {
    fn push(&mut self, mut bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        loop {
            let left = match self.state {
                State::Header => 1,
                State::Index { left, .. } | State::Data { left } | State::Skip { left } => left,
            };
            // A box without a body ends at once.
            if bytes.is_empty() && left > 0 {
                return Ok(());
            }
            let (here, rest) = bytes.split_at(left.min(bytes.len() as u64) as usize);
            bytes = rest;
            let left = left - here.len() as u64;
            let is_done = left == 0;
            self.state = match self.state {
                State::Header => {
                    self.collected.extend_from_slice(here);
                    self.position += here.len() as u64;
                    match self.begin_box()? {
                        Some(state) => {
                            self.collected.clear();
                            state
                        }
                        None => State::Header,
                    }
                }
                State::Index { is_moof, start, .. } => {
                    self.collected.extend_from_slice(here);
                    self.position += here.len() as u64;
                    if is_done {
                        self.end_index(is_moof, start, out)?;
                        State::Header
                    } else if self.collected.len() > MAX_INDEX {
                        return Err(index_too_large());
                    } else {
                        State::Index {
                            is_moof,
                            start,
                            left,
                        }
                    }
                }
                State::Data { .. } => {
                    if !here.is_empty() {
                        self.data(here, out)?;
                    }
                    self.position += here.len() as u64;
                    if is_done {
                        State::Header
                    } else {
                        State::Data { left }
                    }
                }
                State::Skip { .. } => {
                    self.position += here.len() as u64;
                    if is_done {
                        State::Header
                    } else {
                        State::Skip { left }
                    }
                }
            };
        }
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        if let State::Index {
            is_moof,
            start,
            left,
        } = self.state
            && left > TO_THE_END / 2
        {
            self.state = State::Header;
            self.end_index(is_moof, start, out)?;
        }
        if self.track.is_some() || (self.position == 0 && self.collected.is_empty()) {
            return Ok(());
        }
        if self.position < 8 {
            let wanted = "an MP4 file with AAC";
            return Err(wrong_format(Format::M4a, wanted, &self.collected));
        }
        Err(malformed(
            "it ended before its index, the 'moov' box; send the whole file",
        ))
    }
}

/// Boxes that a file may begin with besides those that [`sniff`] knows.
fn is_box_name(name: &[u8]) -> bool {
    [
        &b"free"[..],
        b"skip",
        b"wide",
        b"uuid",
        b"pnot",
        b"moof",
        b"sidx",
    ]
    .iter()
    .any(|known| name.starts_with(known))
}

fn index_too_large() -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!(
            "the index of the M4A is larger than {} MiB",
            MAX_INDEX >> 20
        ),
    )
}

fn index_too_late(limit: &str) -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!(
            "the M4A has its index behind more than {limit}, which have to be kept until it comes; move it to the front \
             (ffmpeg -i FILE -c copy -movflags +faststart out.m4a)"
        ),
    )
}
