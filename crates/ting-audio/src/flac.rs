//! FLAC in its own container (RFC 9639).
//!
//! A frame does not tell its size. It ends where another header stands and the checksum over it is right; or, where
//! it is damaged, where the header stands that its number says comes next.

mod header;

use symphonia_bundle_flac::FlacDecoder as Decoder;
use symphonia_core::codecs::audio::AudioCodecParameters;
use symphonia_core::codecs::audio::well_known::CODEC_ID_FLAC;

use crate::codec::Codec;
use crate::error::{AudioError, AudioErrorKind};
use crate::format::Format;
use crate::pending::Pending;
use crate::samples::{Decode, Samples};
use crate::tags;
use crate::wrong::wrong_format;
use header::{Header, MAX_HEADER, STREAM_INFO, StreamInfo, crc16};

const MAGIC: &[u8] = b"fLaC";
/// At most so many seconds of silence are made up for lost frames: a header that lies about its place must not be
/// worth hours of samples.
const MAX_GAP_SECONDS: u64 = 2;
/// So many frames in a row may have lost their headers before the place is taken for uncertain.
const LOST_FRAMES: u64 = 8;

/// Keeps at most a frame of the size that the stream's header allows, and the header behind it.
pub(crate) struct FlacDecoder {
    bytes: Pending,
    state: State,
    has_bytes: bool,
}

enum State {
    /// Before `fLaC`, perhaps with a tag.
    Start,
    /// At the header of a metadata block.
    Metadata(Option<Box<Stream>>),
    Frames(Box<Stream>),
}

struct Stream {
    info: StreamInfo,
    codec: Codec,
    /// The frame that the bytes begin with.
    frame: Option<Frame>,
    /// Samples up to here.
    position: u64,
}

/// A frame whose end is being looked for.
#[derive(Clone, Copy)]
struct Frame {
    header: Header,
    /// Bytes looked at, and the checksum over them.
    scanned: usize,
    crc: u16,
    /// The first place where it could end by its checksum alone.
    may_end: Option<usize>,
}

impl FlacDecoder {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Pending::default(),
            state: State::Start,
            has_bytes: false,
        }
    }

    fn run(&mut self, ended: bool, out: &mut Samples<'_>) -> Result<(), AudioError> {
        loop {
            let bytes = self.bytes.bytes();
            match &mut self.state {
                State::Start => {
                    if bytes.is_empty() || (bytes.len() < tags::PEEK && !ended) {
                        return Ok(());
                    }
                    if let Some(size) = tags::size(bytes, true) {
                        self.bytes.consume(size);
                        continue;
                    }
                    if !bytes.starts_with(MAGIC) {
                        // As many as are there however the bytes were cut, so that the guess is the same.
                        let head = &bytes[..bytes.len().min(tags::PEEK)];
                        return Err(wrong_format(Format::Flac, "a FLAC file", head));
                    }
                    self.bytes.consume(MAGIC.len() as u64);
                    self.state = State::Metadata(None);
                }
                State::Metadata(stream) => {
                    let &[kind, size0, size1, size2, ..] = bytes else {
                        return Ok(());
                    };
                    let size = u32::from_be_bytes([0, size0, size1, size2]);
                    let is_last = kind & 0x80 != 0;
                    if stream.is_none() {
                        if kind & 0x7F != 0 || size as usize != STREAM_INFO {
                            return Err(malformed("does not begin with its STREAMINFO block"));
                        }
                        let Some(block) = bytes[4..].first_chunk() else {
                            return Ok(());
                        };
                        *stream = Some(Box::new(Stream::new(block)?));
                    }
                    self.bytes.consume(4 + u64::from(size));
                    if is_last && let Some(stream) = stream.take() {
                        self.state = State::Frames(stream);
                    }
                }
                State::Frames(stream) => match stream.step(bytes, ended, out) {
                    0 => return Ok(()),
                    used => self.bytes.consume(used as u64),
                },
            }
        }
    }
}

impl Decode for FlacDecoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.has_bytes |= !bytes.is_empty();
        self.bytes.push(bytes);
        self.run(false, out)
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.run(true, out)?;
        match self.state {
            State::Start | State::Metadata(_) if self.has_bytes => {
                Err(malformed("ended before its first frame"))
            }
            _ => Ok(()),
        }
    }
}

impl Stream {
    fn new(block: &[u8; STREAM_INFO]) -> Result<Self, AudioError> {
        let info = StreamInfo::parse(block)?;
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(CODEC_ID_FLAC)
            .with_extra_data(Box::new(*block));
        let codec = Codec::new(
            "FLAC",
            |parameters, options| Ok(Box::new(Decoder::try_new(parameters, options)?)),
            parameters,
        )?;
        Ok(Self {
            info,
            codec,
            frame: None,
            position: 0,
        })
    }

    /// Goes on with the first of `bytes`; returns how many are done with, 0 if more have to come.
    fn step(&mut self, bytes: &[u8], ended: bool, out: &mut Samples<'_>) -> usize {
        let mut frame = match self.frame.take() {
            Some(frame) => frame,
            None if bytes.len() < MAX_HEADER && !ended => return 0,
            None => match Header::parse(bytes, &self.info) {
                Some(header) => Frame::new(header),
                None => {
                    let next = bytes.iter().skip(1).position(|&byte| byte == 0xFF);
                    return next.map_or(bytes.len(), |at| at + 1);
                }
            },
        };
        let header = frame.header;
        let end = self.find_end(&mut frame, bytes, ended);
        let is_lost = frame.scanned > self.info.max_frame();
        if end.is_none() && !ended && !is_lost {
            self.frame = Some(frame);
            return 0;
        }
        // Where no header stands behind it, the next frame is damaged, or this is the last one; then its checksum
        // alone tells its end, and in one of some frames is right too early as well.
        let by_checksum = Some(frame.scanned).filter(|_| frame.crc == 0);
        for candidate in [by_checksum, frame.may_end].into_iter().flatten() {
            if self.write(&header, &bytes[..candidate], out) {
                return end.unwrap_or(candidate);
            }
        }
        match end {
            Some(end) => {
                self.write_silence(&header, out);
                end
            }
            // Cut short, or never a frame.
            None => frame.scanned,
        }
    }

    /// Looks on for the end of the frame: where the next one's header stands.
    fn find_end(&self, frame: &mut Frame, bytes: &[u8], ended: bool) -> Option<usize> {
        let due = frame.header.position + u64::from(frame.header.samples);
        // Frames whose own headers are damaged may lie between.
        let last = due + LOST_FRAMES * u64::from(self.info.max_block);
        while frame.scanned <= self.info.max_frame() {
            let rest = &bytes[frame.scanned..];
            if frame.scanned > frame.header.size {
                if frame.crc == 0 {
                    frame.may_end.get_or_insert(frame.scanned);
                }
                if rest.first() == Some(&0xFF) {
                    if rest.len() < MAX_HEADER && !ended {
                        return None;
                    }
                    if let Some(next) = Header::parse(rest, &self.info)
                        && (frame.crc == 0 || (due..=last).contains(&next.position))
                    {
                        return Some(frame.scanned);
                    }
                }
            }
            frame.crc = crc16(frame.crc, *rest.first()?);
            frame.scanned += 1;
        }
        None
    }

    /// Writes a whole frame and says whether it decodes; if not, nothing was written.
    fn write(&mut self, header: &Header, frame: &[u8], out: &mut Samples<'_>) -> bool {
        let gap = self.gap(header);
        match self.codec.decode(frame) {
            Some(samples) if samples.len() == header.samples as usize => {
                silence(self.info.rate, gap, out);
                out.write(self.info.rate, samples);
                self.position = header.position + u64::from(header.samples);
                true
            }
            _ => false,
        }
    }

    /// Writes silence in place of a damaged frame, which might decode to noise at full level.
    fn write_silence(&mut self, header: &Header, out: &mut Samples<'_>) {
        let count = self.gap(header) + u64::from(header.samples);
        silence(self.info.rate, count, out);
        self.position = header.position + u64::from(header.samples);
    }

    /// Samples lost before a frame.
    fn gap(&self, header: &Header) -> u64 {
        let gap = header.position.saturating_sub(self.position);
        let is_likely = gap <= MAX_GAP_SECONDS * u64::from(self.info.rate);
        if is_likely { gap } else { 0 }
    }
}

impl Frame {
    fn new(header: Header) -> Self {
        Self {
            header,
            scanned: 0,
            crc: 0,
            may_end: None,
        }
    }
}

fn silence(rate: u32, count: u64, out: &mut Samples<'_>) {
    const SILENCE: [f32; 1024] = [0.0; 1024];
    let mut left = count;
    while left > 0 {
        let here = left.min(SILENCE.len() as u64);
        out.write(rate, &SILENCE[..here as usize]);
        left -= here;
    }
}

fn malformed(what: &str) -> AudioError {
    let message = format!("the FLAC {what}; send the whole file");
    AudioError::new(AudioErrorKind::Malformed, message)
}
