//! The packets of one logical stream, put together from the pieces on its pages.

use std::borrow::Cow;

use super::{Codec, Page};
use crate::error::{AudioError, AudioErrorKind};

/// The longest packet of audio: an Opus packet of 48 frames of 1275 bytes and their lengths (RFC 7845 section 6). Of
/// Speex nothing near it is known.
pub(crate) const MAX_PACKET: usize = 61_440;

/// Headers in all may have this much. Tags hold pictures, so it is large; what is longer is no header but a
/// stream that never comes to its audio.
const MAX_HEADERS: u64 = 16 << 20;

pub(super) struct Packets {
    /// The sequence number that the next page has if none is lost.
    sequence: u32,
    /// Packets that are still to come or to end before the audio begins. They can be large and are not kept, but
    /// for those that the codec wants.
    headers: u32,
    /// Bytes of headers so far.
    header_bytes: u64,
    /// The header at hand is one that the codec wants.
    header_is_wanted: bool,
    /// The packet that the last page ended in, without its end; at most [`MAX_PACKET`].
    partial: Vec<u8>,
    /// That packet exists and is whole so far.
    partial_is_whole: bool,
    has_pages: bool,
}

/// What a page completes.
pub(super) struct Completed<'a> {
    /// Headers that the codec wants.
    pub(super) headers: Vec<Vec<u8>>,
    /// Its audio packets.
    pub(super) packets: Vec<Cow<'a, [u8]>>,
    /// Pages between it and the one before are missing.
    pub(super) lost: bool,
}

impl Packets {
    /// Behind the first page, whose sequence number is given, come `headers` packets without audio.
    pub(super) fn new(first_sequence: u32, headers: u32) -> Self {
        Self {
            sequence: first_sequence.wrapping_add(1),
            headers,
            header_bytes: 0,
            header_is_wanted: false,
            partial: Vec::new(),
            partial_is_whole: false,
            has_pages: false,
        }
    }

    /// A page besides the first one has come.
    pub(super) fn has_pages(&self) -> bool {
        self.has_pages
    }

    /// The audio packets that end on `page`, the start of one that does not is kept; `None` for a page that came
    /// twice.
    pub(super) fn complete<'a>(
        &mut self,
        page: &Page<'a>,
        codec: &dyn Codec,
    ) -> Result<Option<Completed<'a>>, AudioError> {
        let repeated = page.sequence.wrapping_add(1) == self.sequence;
        if repeated && self.has_pages {
            return Ok(None);
        }
        self.has_pages = true;
        let lost = page.sequence != self.sequence;
        self.sequence = page.sequence.wrapping_add(1);
        if lost || !page.is_continued() {
            self.partial_is_whole = false;
            self.header_is_wanted = false;
            if lost && !page.is_continued() {
                // Headers that a lost page ended in are over with the first packet that begins anew.
                self.headers = 0;
            }
        }
        let (mut headers, mut packets) = (Vec::new(), Vec::new());
        for (index, (piece, ends)) in page.pieces().into_iter().enumerate() {
            let continues = index == 0 && page.is_continued();
            // Also where a lost page made the place in the stream uncertain.
            if !continues && codec.is_header(piece) {
                self.headers = self.headers.max(1);
            }
            if self.headers > 0 {
                if !continues {
                    self.partial.clear();
                    self.header_is_wanted = codec.is_wanted_header(piece);
                }
                headers.extend(self.header(piece, ends)?);
                continue;
            }
            if !continues {
                self.partial.clear();
                self.partial_is_whole = true;
            }
            if ends && !continues {
                packets.push(Cow::Borrowed(piece));
                self.partial_is_whole = false;
                continue;
            }
            if self.partial.len() + piece.len() > MAX_PACKET {
                self.partial_is_whole = false;
            }
            if self.partial_is_whole {
                self.partial.extend_from_slice(piece);
            }
            if ends {
                if self.partial_is_whole {
                    packets.push(Cow::Owned(std::mem::take(&mut self.partial)));
                }
                self.partial.clear();
                self.partial_is_whole = false;
            }
        }
        Ok(Some(Completed {
            headers,
            packets,
            lost,
        }))
    }

    /// Takes a piece of a header: the whole of one that is wanted, where it ends.
    fn header(&mut self, piece: &[u8], ends: bool) -> Result<Option<Vec<u8>>, AudioError> {
        self.headers -= u32::from(ends);
        self.header_bytes += piece.len() as u64;
        if self.header_bytes > MAX_HEADERS {
            return Err(AudioError::new(
                AudioErrorKind::Malformed,
                format!(
                    "the Ogg has more than {} MiB of tags before its audio; send it without its pictures",
                    MAX_HEADERS >> 20
                ),
            ));
        }
        if !std::mem::take(&mut self.header_is_wanted) {
            return Ok(None);
        }
        if self.partial.len() + piece.len() > MAX_PACKET {
            return Err(AudioError::new(
                AudioErrorKind::Unsupported,
                format!("the Ogg has a header of more than {MAX_PACKET} bytes"),
            ));
        }
        self.partial.extend_from_slice(piece);
        self.header_is_wanted = !ends;
        Ok(ends.then(|| std::mem::take(&mut self.partial)))
    }
}
