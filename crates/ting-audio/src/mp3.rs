//! MPEG audio as a bare stream of frames (`.mp3`): layers I to III of MPEG-1, 2 and 2.5, with tags of any kind
//! around and between.

mod header;
mod info;

use symphonia_bundle_mp3::MpaDecoder;
use symphonia_core::codecs::audio::AudioCodecParameters;
use symphonia_core::codecs::audio::well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3};

use crate::codec::Codec;
use crate::error::AudioError;
use crate::frames::Frames;
use crate::samples::{Decode, Samples};
use crate::trim::Trim;
use header::{Header, Layer};
use info::Info;

/// The most bytes kept between two pushes: a frame, and the header behind it that confirms it.
pub(crate) const MAX_BUFFERED: usize = header::MAX_FRAME + header::SIZE;

/// [`begin_with_frames`](crate::frames::begin_with_frames) of MP3.
pub(crate) fn begins(bytes: &[u8], limit: usize) -> Option<bool> {
    crate::frames::begin_with_frames::<Header>(bytes, limit)
}

pub(crate) struct Mp3Decoder {
    frames: Frames<Header>,
    /// Made with the first frame, and anew where the encoding changes.
    stream: Option<Stream>,
}

struct Stream {
    codec: Codec,
    /// The encoding that `codec` was made for.
    key: (Layer, u32, bool),
    trim: Trim,
}

impl Stream {
    fn new(header: &Header, trim: Trim) -> Result<Self, AudioError> {
        Ok(Self {
            codec: codec(header)?,
            key: key(header),
            trim,
        })
    }

    fn frame(
        &mut self,
        header: &Header,
        frame: &[u8],
        out: &mut Samples<'_>,
    ) -> Result<(), AudioError> {
        if key(header) != self.key {
            // A change within a stream keeps its place; its encoder's delay was at its start.
            *self = Self::new(header, std::mem::take(&mut self.trim))?;
        }
        if let Some(info) = Info::parse(header, frame) {
            // A new file begins here, perhaps behind another.
            self.trim = Trim::new(info.head, info.tail);
            self.codec.reset();
            return Ok(());
        }
        let (rate, count) = (header.rate, header.samples());
        match self.codec.decode(frame) {
            Some(samples) if samples.len() == count => self.trim.write(rate, samples, out),
            _ => self.trim.write_silence(rate, count, out),
        }
        Ok(())
    }
}

impl Mp3Decoder {
    pub(crate) fn new() -> Self {
        Self {
            frames: Frames::new(),
            stream: None,
        }
    }

    fn run(&mut self, ended: bool, out: &mut Samples<'_>) -> Result<(), AudioError> {
        while let Some((header, frame)) = self.frames.next(ended)? {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => {
                    let trim = Trim::new(info::usual_delay(&header), 0..0);
                    self.stream.insert(Stream::new(&header, trim)?)
                }
            };
            stream.frame(&header, frame, out)?;
        }
        Ok(())
    }
}

impl Decode for Mp3Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.frames.push(bytes);
        self.run(false, out)
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.run(true, out)
    }
}

fn key(header: &Header) -> (Layer, u32, bool) {
    (header.layer, header.rate, header.is_mono)
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
