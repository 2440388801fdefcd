//! Frames of a bare stream (MP3, ADTS): found by their headers, with tags and garbage passed over.
//!
//! A header is believed when another of the same encoding follows its frame, so neither garbage nor the pictures
//! of a tag are taken for sound.

use crate::error::{AudioError, AudioErrorKind};
use crate::format::{Format, looks_like_another};
use crate::pending::Pending;
use crate::tags;
use crate::wrong::wrong_format;

/// Without a frame in so many bytes this is another format: longer than any frame that a broadcast can be joined
/// in, and than the junk that some tools leave behind a tag.
const MAX_GARBAGE: u64 = 64 * 1024;

/// The header of a frame.
pub(crate) trait Header: Copy {
    const FORMAT: Format;
    /// What should have been sent, for messages.
    const WANTED: &'static str;
    /// Bytes from which [`Header::parse`] can tell a header.
    const SIZE: usize;

    /// `None` if `bytes` do not begin with a header.
    fn parse(bytes: &[u8]) -> Option<Self>;

    /// Bytes of the frame, the header included; `None` where the frame cannot be decoded.
    fn frame_size(&self) -> Option<usize>;

    /// Whether `next` can be the next frame of the same encoding.
    fn goes_on_as(&self, next: &Self) -> bool;
}

/// Whether `bytes` begin with two whole frames and the header of a third, all of one encoding: samples never do by
/// chance. `None` if more bytes are needed to tell; at most `limit` are asked for, and a no is the answer beyond.
pub(crate) fn begin_with_frames<H: Header>(bytes: &[u8], limit: usize) -> Option<bool> {
    let (mut at, mut last) = (0, None::<H>);
    for _ in 0..3 {
        if at + H::SIZE > limit {
            return Some(false);
        }
        let header = bytes.get(at..at + H::SIZE)?;
        let Some((header, size)) =
            H::parse(header).and_then(|header| Some((header, header.frame_size()?)))
        else {
            return Some(false);
        };
        if last.is_some_and(|last| !last.goes_on_as(&header)) {
            return Some(false);
        }
        at += size.max(1);
        last = Some(header);
    }
    Some(true)
}

/// Finds frames in bytes that come in any pieces. It keeps at most a frame, and the header behind it, or
/// [`tags::PEEK`] bytes.
pub(crate) struct Frames<H> {
    bytes: Pending,
    /// Bytes of the frame given last, which are done with at the next call.
    taken: usize,
    /// The first bytes behind any tag, for messages.
    head: Vec<u8>,
    has_bytes: bool,
    has_frames: bool,
    /// Bytes passed over before the first frame.
    garbage: u64,
    /// The last frame's header, where the next is due at once.
    previous: Option<H>,
}

impl<H: Header> Frames<H> {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Pending::default(),
            taken: 0,
            head: Vec::new(),
            has_bytes: false,
            has_frames: false,
            garbage: 0,
            previous: None,
        }
    }

    /// Adds bytes; call [`Frames::next`] until it has no more before adding others.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.has_bytes |= !bytes.is_empty();
        self.bytes.push(bytes);
    }

    /// The next whole frame. `ended` says that no bytes will follow those pushed.
    ///
    /// # Errors
    /// `WrongFormat`, `Unsupported` or `Malformed` where no frame is to be expected or, at the end, none came.
    pub(crate) fn next(&mut self, ended: bool) -> Result<Option<(H, &[u8])>, AudioError> {
        self.bytes.consume(std::mem::take(&mut self.taken) as u64);
        let found = loop {
            match self.look(ended)? {
                Look::Unknown => break None,
                Look::Tag(size) => self.bytes.consume(size),
                Look::Frame(header, size) => break Some((header, size)),
                Look::Garbage => self.pass_over()?,
            }
        };
        let Some((header, size)) = found else {
            if ended && self.has_bytes && !self.has_frames {
                return Err(self.no_frames());
            }
            return Ok(None);
        };
        self.has_frames = true;
        self.previous = Some(header);
        self.taken = size;
        Ok(Some((header, &self.bytes.bytes()[..size])))
    }

    /// What comes next in the bytes.
    fn look(&mut self, ended: bool) -> Result<Look<H>, AudioError> {
        let bytes = self.bytes.bytes();
        if bytes.is_empty() || (bytes.len() < tags::PEEK && !ended) {
            return Ok(Look::Unknown);
        }
        let is_due = self.previous.is_some() || self.head.is_empty();
        if let Some(size) = tags::size(bytes, is_due) {
            return Ok(Look::Tag(size));
        }
        if self.head.is_empty() {
            self.head
                .extend_from_slice(&bytes[..bytes.len().min(tags::PEEK)]);
            if looks_like_another(H::FORMAT, &self.head) {
                return Err(wrong_format(H::FORMAT, H::WANTED, &self.head));
            }
        }
        let header = H::parse(bytes).and_then(|header| Some((header, header.frame_size()?)));
        let Some((header, size)) = header else {
            return Ok(Look::Garbage);
        };
        let goes_on = self.previous.is_some_and(|last| last.goes_on_as(&header));
        let wanted = size + if goes_on { 0 } else { H::SIZE };
        if bytes.len() < wanted && !ended {
            return Ok(Look::Unknown);
        }
        let Some(behind) = bytes.get(size..) else {
            // The last frame is cut short.
            return Ok(Look::Garbage);
        };
        let confirmed = match H::parse(behind) {
            Some(next) => header.goes_on_as(&next),
            None => tags::may_begin(behind) || (ended && behind.len() < H::SIZE),
        };
        Ok(if goes_on || confirmed {
            Look::Frame(header, size)
        } else {
            Look::Garbage
        })
    }

    /// Moves on to where a frame or a tag may begin.
    fn pass_over(&mut self) -> Result<(), AudioError> {
        let bytes = self.bytes.bytes();
        let skipped = bytes
            .iter()
            .skip(1)
            .position(|byte| matches!(byte, 0xFF | b'I'))
            .map_or(bytes.len(), |at| at + 1) as u64;
        self.bytes.consume(skipped);
        if self.previous.take().is_some() {
            tracing::debug!("lost the frames, looking for the next");
        }
        if !self.has_frames {
            self.garbage += skipped;
            if self.garbage > MAX_GARBAGE {
                return Err(self.no_frames());
            }
        }
        Ok(())
    }

    /// Why nothing was found to decode.
    fn no_frames(&self) -> AudioError {
        let name = H::FORMAT.name();
        let malformed = |what: &str| {
            let message = format!("the {name} stream ended {what}; send the whole file");
            AudioError::new(AudioErrorKind::Malformed, message)
        };
        match H::parse(&self.head) {
            _ if self.head.is_empty() => malformed("within its tags"),
            Some(header) if header.frame_size().is_none() => AudioError::new(
                AudioErrorKind::Unsupported,
                format!(
                    "the {name} stream is in free format, whose frames do not tell their size; encode it at a \
                     constant or variable bit rate"
                ),
            ),
            Some(_) if self.garbage <= MAX_GARBAGE => {
                malformed("before its first frame was complete")
            }
            _ => wrong_format(H::FORMAT, H::WANTED, &self.head),
        }
    }
}

enum Look<H> {
    /// This cannot be told before more bytes come.
    Unknown,
    /// A tag of so many bytes.
    Tag(u64),
    /// A frame of so many bytes.
    Frame(H, usize),
    Garbage,
}
