//! Ogg (RFC 3533): pages, logical streams one after the other or side by side, packets, and their times
//! by granule position. What a packet means is the [`Codec`]'s to know.

mod link;
mod packets;
mod page;

use std::borrow::Cow;

use crate::error::{AudioError, AudioErrorKind};
use crate::format::Format;
use crate::opus::OpusCodec;
use crate::samples::{Decode, Samples};
use crate::speex::SpeexCodec;
use crate::vorbis::VorbisCodec;
use crate::wrong::wrong_format;
use link::Link;

pub(crate) use packets::MAX_PACKET;
pub(crate) use page::{MAX_PAGE, Page, PageReader};

/// How every page begins.
const MAGIC: &[u8] = b"OggS";

/// A codec within Ogg: one logical stream's decoder. Times are in ticks, the unit of its granule positions.
///
/// It is called with anyone's bytes, and neither fails nor panics on them: what does not decode is concealed.
pub(crate) trait Codec: Send {
    /// Samples per second that come out.
    fn rate(&self) -> u32;

    /// The samples that `ticks` last, rounded; 0 for less than none.
    fn samples(&self, ticks: i64) -> usize;

    /// How this codec's granule positions are to be read.
    fn timing(&self) -> Timing;

    /// A packet that begins like this is a header wherever it comes.
    fn is_header(&self, packet: &[u8]) -> bool;

    /// Whether [`Codec::header`] wants the header that begins like this.
    fn is_wanted_header(&self, _start: &[u8]) -> bool {
        false
    }

    /// Takes a header besides the first.
    ///
    /// # Errors
    /// `Malformed` or `Unsupported` if it says what cannot be decoded.
    fn header(&mut self, _packet: &[u8]) -> Result<(), AudioError> {
        Ok(())
    }

    /// The header without which nothing can be decoded, by name, if it has not come.
    fn missing_header(&self) -> Option<&'static str> {
        None
    }

    /// How long a packet lasts, in ticks: at least 1.
    fn duration(&self, packet: &[u8]) -> i64;

    /// How long these packets, which come next, last together, in ticks.
    fn total(&self, packets: &[Cow<'_, [u8]>]) -> i64 {
        packets.iter().map(|packet| self.duration(packet)).sum()
    }

    /// Appends the samples of `packet`, each in [-1, 1], and returns how many ticks they are. `next` is the packet
    /// behind it on its page; it may carry a copy of what is broken in this one.
    fn decode(&mut self, packet: &[u8], next: Option<&[u8]>, out: &mut Vec<f32>) -> i64;

    /// Appends what stands for lost packets: exactly the samples of `ticks`, each in [-1, 1]. `next` is the packet
    /// behind the gap; it may carry a copy of what is lost.
    fn conceal(&mut self, ticks: i64, next: Option<&[u8]>, out: &mut Vec<f32>);
}

/// How a codec's granule positions are to be read.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) ticks_per_second: i64,
    /// Packets behind the first one that hold no audio.
    pub(crate) headers: u32,
    /// The position at which the first packet begins; negative where the encoder's look-ahead is counted off.
    pub(crate) start: i64,
    /// The first page of audio may tell another start than that, by its position and what it holds.
    pub(crate) start_is_told: bool,
    /// Ticks that the decoder's output is late behind the positions.
    pub(crate) delay: i64,
    /// Ticks to drop from the output besides `delay` and what is before position 0.
    pub(crate) pre_skip: i64,
}

/// Decodes an Ogg file or broadcast of one wanted codec.
///
/// Of streams side by side it takes the first of that codec. What is chained behind it may be of any codec
/// decoded here, in any rate.
pub(crate) struct OggDecoder {
    wanted: Format,
    pages: PageReader,
    /// The first bytes, until they have been compared with [`MAGIC`].
    magic: Vec<u8>,
    /// The stream being decoded; of a chained file, the latest.
    link: Option<Link>,
    /// What the first pages hold instead of what is wanted, for the message.
    foreign: Option<&'static str>,
}

impl OggDecoder {
    /// For `wanted`, one of [`Format::Opus`], [`Format::Speex`] and [`Format::Vorbis`].
    pub(crate) fn new(wanted: Format) -> Self {
        Self {
            wanted,
            pages: PageReader::default(),
            magic: Vec::new(),
            link: None,
            foreign: None,
        }
    }

    /// The stream that a first page opens, if it is to be decoded.
    fn open(&mut self, page: &Page<'_>) -> Result<Option<Link>, AudioError> {
        if !self.link.as_ref().is_none_or(Link::may_be_followed) {
            // A stream beside the one that was taken.
            return Ok(None);
        }
        let pieces = page.pieces();
        let packet = pieces.first().map_or(&[][..], |(piece, _)| piece);
        let (format, name) = identify(packet);
        let codec: Box<dyn Codec> = match format {
            Some(format) if self.link.is_none() && format != self.wanted => {
                self.foreign.get_or_insert(name);
                return Ok(None);
            }
            Some(Format::Opus) => Box::new(OpusCodec::new(packet)?),
            Some(Format::Speex) => Box::new(SpeexCodec::new(packet)?),
            // Its decoder takes far more memory than a task on the wire has.
            Some(Format::Vorbis) if self.wanted == Format::Vorbis => {
                Box::new(VorbisCodec::new(packet)?)
            }
            _ => {
                self.foreign.get_or_insert(name);
                if self.link.is_some() {
                    tracing::warn!(
                        codec = name,
                        "passed over a chained stream that cannot be decoded"
                    );
                }
                return Ok(None);
            }
        };
        Ok(Some(Link::new(page, codec)))
    }

    fn page(&mut self, page: &Page<'_>, out: &mut Samples<'_>) -> Result<(), AudioError> {
        if page.is_first() {
            if let Some(link) = self.open(page)? {
                self.link = Some(link);
            }
            return Ok(());
        }
        match (&mut self.link, self.foreign) {
            (Some(link), _) => link.page(page, out),
            (None, Some(codec)) => Err(self.other_codec(codec)),
            // The page with the header was damaged; another link of the chain may follow.
            (None, None) => Ok(()),
        }
    }

    fn not_ogg(&self) -> AudioError {
        let wanted = match self.wanted {
            Format::Speex => "Speex in Ogg pages, which begin with 'OggS'",
            Format::Vorbis => "Vorbis in Ogg pages, which begin with 'OggS'",
            _ => "Opus in Ogg pages, which begin with 'OggS'",
        };
        wrong_format(self.wanted, wanted, &self.magic)
    }

    fn other_codec(&self, codec: &str) -> AudioError {
        let (name, title) = match self.wanted {
            Format::Speex => ("speex", "Speex"),
            Format::Vorbis => ("vorbis", "Vorbis"),
            _ => ("opus", "Opus"),
        };
        let decoded = Format::WIRE
            .iter()
            .any(|format| format.name() == codec.to_lowercase());
        let way_out = if decoded {
            format!(
                "; set format to {}, or send Ogg-{title}",
                codec.to_lowercase()
            )
        } else {
            format!("; send Ogg-{title}")
        };
        AudioError::new(
            AudioErrorKind::Unsupported,
            format!("format is {name}, but the Ogg holds {codec}{way_out}"),
        )
    }
}

impl Decode for OggDecoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        if self.magic.len() < MAGIC.len() {
            let missing = MAGIC.len() - self.magic.len();
            self.magic
                .extend_from_slice(&bytes[..bytes.len().min(missing)]);
            if self.magic.len() == MAGIC.len() && self.magic != MAGIC {
                return Err(self.not_ogg());
            }
        }
        // Taken out, because a page borrows from it while the rest of the decoder works on the page.
        let mut pages = std::mem::take(&mut self.pages);
        pages.push(bytes);
        while let Some(page) = pages.next() {
            self.page(&page, out)?;
        }
        self.pages = pages;
        Ok(())
    }

    fn finish(&mut self, _: &mut Samples<'_>) -> Result<(), AudioError> {
        match (&self.link, self.foreign) {
            (Some(_), _) => Ok(()),
            (None, Some(codec)) => Err(self.other_codec(codec)),
            // Nothing was sent: that is for the caller to judge.
            (None, None) if self.magic.is_empty() => Ok(()),
            (None, None) if !MAGIC.starts_with(&self.magic) && self.magic != MAGIC => {
                Err(self.not_ogg())
            }
            (None, None) => {
                let header = match self.wanted {
                    Format::Speex => "Speex header",
                    Format::Vorbis => "Vorbis header",
                    _ => "OpusHead",
                };
                Err(AudioError::new(
                    AudioErrorKind::Malformed,
                    format!(
                        "the Ogg ended without a whole, undamaged {header} page; send the file from its start"
                    ),
                ))
            }
        }
    }
}

/// The codec that the first packet of a logical stream announces: as a [`Format`], if it is one, and by name.
pub(crate) fn identify(packet: &[u8]) -> (Option<Format>, &'static str) {
    const CODECS: &[(&[u8], Option<Format>, &str)] = &[
        (b"OpusHead", Some(Format::Opus), "Opus"),
        (b"Speex   ", Some(Format::Speex), "Speex"),
        (b"\x01vorbis", Some(Format::Vorbis), "Vorbis"),
        (b"\x7FFLAC", None, "FLAC"),
        (b"\x80theora", None, "Theora video"),
        (b"OVP80", None, "VP8 video"),
        (b"fishead\0", None, "a Skeleton only"),
        (b"PCM     ", None, "PCM"),
        (b"BBCD\0", None, "Dirac video"),
    ];
    CODECS
        .iter()
        .find(|(magic, ..)| packet.starts_with(magic))
        .map_or((None, "an unknown codec"), |&(_, format, name)| {
            (format, name)
        })
}
