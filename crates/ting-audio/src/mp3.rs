//! MPEG audio as a bare stream of frames (`.mp3`): layers I to III of MPEG-1, 2 and 2.5, with tags of any kind
//! around and between.
//!
//! A header is believed when another of the same encoding follows its frame, so neither garbage nor the
//! pictures of a tag are taken for sound.

mod header;
mod info;

use symphonia_bundle_mp3::MpaDecoder;
use symphonia_core::codecs::audio::AudioCodecParameters;
use symphonia_core::codecs::audio::well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3};

use crate::codec::Codec;
use crate::error::{AudioError, AudioErrorKind};
use crate::format::{Format, id3_size, looks_like_another, wrong_format};
use crate::pending::Pending;
use crate::samples::{Decode, Samples};
use crate::trim::Trim;
use header::{Header, Layer};
use info::Info;

/// The most bytes kept between two pushes: a frame, and the header behind it that confirms it.
pub(crate) const MAX_BUFFERED: usize = header::MAX_FRAME + header::SIZE;
/// Without a frame in so many bytes these are no MPEG audio: longer than any frame that a broadcast can be
/// joined in, and than the junk some tools leave behind a tag.
const MAX_GARBAGE: u64 = 64 * 1024;
/// Bytes that tell another format, and the size of any tag.
const PEEK: usize = 32;

pub(crate) struct Mp3Decoder {
    bytes: Pending,
    /// The first bytes behind any tag, for messages.
    head: Vec<u8>,
    has_bytes: bool,
    /// Bytes passed over before the first frame.
    garbage: u64,
    /// The last frame's header, where the next is due at once.
    previous: Option<Header>,
    /// Made with the first frame, and anew where the encoding changes.
    stream: Option<Stream>,
}

struct Stream {
    codec: Codec,
    /// The encoding that `codec` was made for.
    key: (Layer, u32, bool),
    trim: Trim,
}

/// What comes next in the bytes.
enum Next {
    /// This cannot be told before more bytes come.
    Unknown,
    Tag(u64),
    Frame(Header),
    Garbage,
}

impl Mp3Decoder {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Pending::default(),
            head: Vec::new(),
            has_bytes: false,
            garbage: 0,
            previous: None,
            stream: None,
        }
    }

    fn run(&mut self, ended: bool, out: &mut Samples<'_>) -> Result<(), AudioError> {
        loop {
            match self.next(ended)? {
                Next::Unknown => return Ok(()),
                Next::Tag(size) => self.bytes.consume(size),
                Next::Frame(header) => {
                    self.frame(&header, out)?;
                    self.bytes.consume(header.size as u64);
                    self.previous = Some(header);
                }
                Next::Garbage => self.pass_over()?,
            }
        }
    }

    fn next(&mut self, ended: bool) -> Result<Next, AudioError> {
        let bytes = self.bytes.bytes();
        if bytes.is_empty() || (bytes.len() < PEEK && !ended) {
            return Ok(Next::Unknown);
        }
        let is_due = self.previous.is_some() || self.head.is_empty();
        if let Some(size) = tag(bytes, is_due) {
            return Ok(Next::Tag(size));
        }
        if self.head.is_empty() {
            self.head.extend_from_slice(&bytes[..bytes.len().min(PEEK)]);
            if looks_like_another(Format::Mp3, &self.head) {
                return Err(wrong_format(Format::Mp3, "an MP3 stream", &self.head));
            }
        }
        let Some(header) = Header::parse(bytes).filter(|header| header.size > header::SIZE) else {
            return Ok(Next::Garbage);
        };
        let goes_on = self.previous.is_some_and(|last| last.goes_on_as(&header));
        let wanted = header.size + if goes_on { 0 } else { header::SIZE };
        if bytes.len() < wanted && !ended {
            return Ok(Next::Unknown);
        }
        let Some(behind) = bytes.get(header.size..) else {
            // The last frame is cut short.
            return Ok(Next::Garbage);
        };
        let confirmed = match Header::parse(behind) {
            Some(next) => header.goes_on_as(&next),
            None => is_tag_start(behind) || (ended && behind.len() < header::SIZE),
        };
        Ok(if goes_on || confirmed {
            Next::Frame(header)
        } else {
            Next::Garbage
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
            tracing::debug!("lost the mp3 frames, looking for the next");
        }
        if self.stream.is_none() {
            self.garbage += skipped;
            if self.garbage > MAX_GARBAGE {
                return Err(self.no_frames());
            }
        }
        Ok(())
    }

    /// Why nothing was found to decode.
    fn no_frames(&self) -> AudioError {
        let malformed = |message: &str| AudioError::new(AudioErrorKind::Malformed, message);
        if self.head.is_empty() {
            return malformed("the MP3 ended within its tags; send the whole file");
        }
        match Header::parse(&self.head) {
            Some(header) if header.size == 0 => AudioError::new(
                AudioErrorKind::Unsupported,
                "the MP3 is in free format, whose frames do not tell their bit rate; encode it at a constant or \
                 variable bit rate",
            ),
            Some(_) if self.garbage <= MAX_GARBAGE => {
                malformed("the MP3 ended before its first frame was complete; send the whole file")
            }
            _ => wrong_format(Format::Mp3, "an MP3 stream", &self.head),
        }
    }

    /// Decodes the frame at the start of the bytes.
    fn frame(&mut self, header: &Header, out: &mut Samples<'_>) -> Result<(), AudioError> {
        let frame = &self.bytes.bytes()[..header.size];
        let key = (header.layer, header.rate, header.is_mono);
        let info = Info::parse(header, frame);
        let stream = match &mut self.stream {
            Some(stream) if stream.key == key => stream,
            other => {
                // A change within a stream keeps its place; its encoder's delay was at its start.
                let trim = match other.take() {
                    Some(stream) => stream.trim,
                    None => Trim::new(info::usual_delay(header), 0..0),
                };
                let codec = codec(header)?;
                other.insert(Stream { codec, key, trim })
            }
        };
        if let Some(info) = info {
            // A new file begins here, perhaps behind another.
            stream.trim = Trim::new(info.head, info.tail);
            stream.codec.reset();
            return Ok(());
        }
        match stream.codec.decode(frame) {
            Some(samples) if samples.len() == header.samples() => {
                stream.trim.write(header.rate, samples, out);
            }
            _ => stream
                .trim
                .write_silence(header.rate, header.samples(), out),
        }
        Ok(())
    }
}

impl Decode for Mp3Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.has_bytes |= !bytes.is_empty();
        self.bytes.push(bytes);
        self.run(false, out)
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.run(true, out)?;
        if self.stream.is_none() && self.has_bytes {
            return Err(self.no_frames());
        }
        Ok(())
    }
}

/// Bytes of the tag that begins here: ID3v2 or, where a frame is due, ID3v1 or APE.
fn tag(bytes: &[u8], is_due: bool) -> Option<u64> {
    match bytes {
        [b'I', b'D', b'3', major, minor, _, sizes @ ..] if *major != 0xFF && *minor != 0xFF => {
            let is_size = sizes.len() >= 4 && sizes[..4].iter().all(|byte| byte & 0x80 == 0);
            is_size.then(|| id3_size(bytes) as u64)
        }
        [b'T', b'A', b'G', b'+', ..] if is_due => Some(227),
        [b'T', b'A', b'G', ..] if is_due => Some(128),
        [b'A', b'P', b'E', b'T', b'A', b'G', b'E', b'X', ..] if is_due && bytes.len() >= PEEK => {
            // A footer that has no header before its items is of 32 bytes, as a header is; they follow that.
            let items = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
            let is_header = bytes[23] & 0x20 != 0;
            Some(32 + if is_header { u64::from(items) } else { 0 })
        }
        _ => None,
    }
}

/// Whether a tag may begin here, as far as four bytes tell.
fn is_tag_start(bytes: &[u8]) -> bool {
    [&b"ID3"[..], b"TAG", b"APET", b"LYRI"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
}

fn codec(header: &Header) -> Result<Codec, AudioError> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(match header.layer {
        Layer::One => CODEC_ID_MP1,
        Layer::Two => CODEC_ID_MP2,
        Layer::Three => CODEC_ID_MP3,
    });
    Codec::new(
        "MP3",
        |parameters, options| Ok(Box::new(MpaDecoder::try_new(parameters, options)?)),
        parameters,
    )
}
