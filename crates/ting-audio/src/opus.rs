//! Opus in Ogg (RFC 7845): the logical stream's headers, packets and times, over the page demuxer.
//!
//! Packets are decoded straight to 16 kHz mono. Granule positions count samples at 48 kHz, three for
//! each of ours.

mod head;
mod link;

use crate::SAMPLE_RATE;
use crate::error::{AudioError, AudioErrorKind};
use crate::format::Format;
use crate::ogg::PageReader;
use crate::samples::{Decode, Samples};
use crate::wrong::wrong_format;
use head::Head;
use link::Link;

pub(crate) use link::MAX_PACKET;

/// How every Ogg page begins.
const MAGIC: &[u8] = b"OggS";

pub(crate) struct OpusDecoder {
    pages: PageReader,
    /// The first bytes, until they have been compared with [`MAGIC`].
    magic: Vec<u8>,
    /// The Opus stream being decoded; of a chained file, the latest.
    link: Option<Link>,
    /// What the first pages hold instead of Opus, for the message.
    foreign: Option<&'static str>,
    /// Samples of one page; empty between pages.
    decoded: Vec<f32>,
}

impl OpusDecoder {
    pub(crate) fn new() -> Self {
        Self {
            pages: PageReader::default(),
            magic: Vec::new(),
            link: None,
            foreign: None,
            decoded: Vec::new(),
        }
    }
}

impl Decode for OpusDecoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        if self.magic.len() < MAGIC.len() {
            let missing = MAGIC.len() - self.magic.len();
            self.magic
                .extend_from_slice(&bytes[..bytes.len().min(missing)]);
            if self.magic.len() == MAGIC.len() && self.magic != MAGIC {
                return Err(not_ogg(&self.magic));
            }
        }
        self.pages.push(bytes);
        while let Some(page) = self.pages.next() {
            if page.is_first() {
                let pieces = page.pieces();
                let packet = pieces.first().map_or(&[][..], |(piece, _)| piece);
                if !packet.starts_with(head::MAGIC) {
                    self.foreign.get_or_insert(head::codec_name(packet));
                } else if self.link.as_ref().is_none_or(Link::may_be_followed) {
                    let head = Head::parse(packet)?;
                    self.link = Some(Link::new(page.serial, page.sequence, &head)?);
                }
                continue;
            }
            match (&mut self.link, self.foreign) {
                (Some(link), _) => {
                    link.page(&page, &mut self.decoded);
                    out.write(SAMPLE_RATE, &self.decoded);
                    self.decoded.clear();
                }
                (None, Some(codec)) => return Err(not_opus(codec)),
                // The page with the header was damaged; another link of the chain may follow.
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Samples<'_>) -> Result<(), AudioError> {
        match (&self.link, self.foreign) {
            (Some(_), _) => Ok(()),
            (None, Some(codec)) => Err(not_opus(codec)),
            // Nothing was sent: that is for the caller to judge.
            (None, None) if self.magic.is_empty() => Ok(()),
            (None, None) if !MAGIC.starts_with(&self.magic) && self.magic != MAGIC => {
                Err(not_ogg(&self.magic))
            }
            (None, None) => Err(AudioError::new(
                AudioErrorKind::Malformed,
                "the Ogg ended without a whole, undamaged OpusHead page; send the file from its start",
            )),
        }
    }
}

fn not_ogg(head: &[u8]) -> AudioError {
    wrong_format(
        Format::Opus,
        "Opus in Ogg pages, which begin with 'OggS'",
        head,
    )
}

fn not_opus(codec: &str) -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!("format is opus, but the Ogg holds {codec}; send Ogg-Opus"),
    )
}
