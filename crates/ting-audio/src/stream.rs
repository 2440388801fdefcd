use crate::aac::AdtsDecoder;
use crate::amr::AmrDecoder;
use crate::error::{AudioError, AudioErrorKind};
use crate::flac::FlacDecoder;
use crate::format::Format;
use crate::mp3::Mp3Decoder;
use crate::mp4::Mp4Decoder;
use crate::ogg::OggDecoder;
use crate::pcm::PcmDecoder;
use crate::samples::{Decode, Output};
use crate::wav::WavDecoder;
use crate::wrong::{HEAD, check_head};

/// Rates of headerless samples, Hz: what telephone lines and microphones give, and the resampler takes.
const PCM_RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Bytes are decoded in pieces of at most this, so that the samples between decoder and resampler
/// stay few however much is pushed at once.
const PIECE: usize = 16 * 1024;

/// The most bytes of input that a stream of a [wire format](Format::WIRE) keeps between two pushes: an Ogg page being
/// collected and a packet that runs over pages. MP3 and AAC keep a frame and the header behind it, WAV one
/// frame of all channels, PCM one byte, and 4096 at its start where those look like MP3 or AAC.
pub const MAX_BUFFERED_BYTES: usize = crate::ogg::MAX_PAGE + crate::ogg::MAX_PACKET;
const _: () = assert!(
    crate::mp3::MAX_BUFFERED <= MAX_BUFFERED_BYTES
        && crate::aac::MAX_BUFFERED <= MAX_BUFFERED_BYTES
);

/// Decodes one task's audio as it comes: bytes in pieces of any size to 16 kHz mono samples.
///
/// The samples are the same, bit for bit, however the bytes were cut. After an error every further
/// call returns that error.
///
/// A push appends samples in proportion to its bytes: at most 2 for a byte of WAV or PCM, usually 2 to 10 for a byte of
/// anything else, but far more where a file is made to (up to 1300 for a byte of Opus or AAC, 2300 of Speex: packets without content,
/// pages that claim gaps). A caller that bounds its memory bounds what it pushes at once. Two of the formats for files
/// only go beyond that: silence in FLAC may have 12 000 samples a byte, and M4A with its index at the end gives all of
/// its samples, at most three hours, when that has come.
pub struct AudioStream {
    format: Format,
    /// The first bytes, until there are [`HEAD`] of them and the decoder gets them.
    head: Vec<u8>,
    decoder: Box<dyn Decode>,
    output: Output,
    state: State,
}

enum State {
    /// The first bytes are being collected.
    Opening,
    Open,
    Finished,
    Failed(AudioError),
}

impl AudioStream {
    /// A stream of `format`. `sample_rate` (Hz, 8000 ..= 192000) is the rate of headerless PCM; the
    /// other formats tell their own, and their header wins.
    ///
    /// # Errors
    /// [`AudioErrorKind::SampleRate`] if `format` is PCM and the rate is out of range.
    pub fn new(format: Format, sample_rate: u32) -> Result<Self, AudioError> {
        if format == Format::Pcm && !PCM_RATES.contains(&sample_rate) {
            return Err(AudioError::new(
                AudioErrorKind::SampleRate,
                format!(
                    "sample_rate is {sample_rate}; with format pcm it must be {} to {} (Hz)",
                    PCM_RATES.start(),
                    PCM_RATES.end()
                ),
            ));
        }
        let decoder: Box<dyn Decode> = match format {
            Format::Pcm => Box::new(PcmDecoder::new(sample_rate)),
            Format::Wav => Box::new(WavDecoder::new()),
            Format::Mp3 => Box::new(Mp3Decoder::new()),
            Format::Aac => Box::new(AdtsDecoder::new()),
            Format::Flac => Box::new(FlacDecoder::new()),
            Format::Amr => Box::new(AmrDecoder::new()),
            Format::Opus | Format::Speex | Format::Vorbis => Box::new(OggDecoder::new(format)),
            Format::M4a => Box::new(Mp4Decoder::new()),
        };
        Ok(Self {
            format,
            head: Vec::new(),
            decoder,
            output: Output::default(),
            state: State::Opening,
        })
    }

    /// Decodes `bytes` and appends what is complete to `out`: 16 kHz mono, in [-1, 1].
    /// After [`AudioStream::finish`] bytes are ignored.
    ///
    /// # Errors
    /// Any kind of [`AudioErrorKind`] but `SampleRate`; samples decoded before the fault are in `out`.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<f32>) -> Result<(), AudioError> {
        match &self.state {
            State::Failed(error) => return Err(error.clone()),
            State::Finished => return Ok(()),
            State::Opening => {
                let (head, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
                self.head.extend_from_slice(head);
                bytes = rest;
                if self.head.len() < HEAD {
                    return Ok(());
                }
                self.open(out)?;
            }
            State::Open => {}
        }
        for piece in bytes.chunks(PIECE) {
            let result = self.decoder.push(piece, &mut self.output.to(out));
            self.remember(result)?;
        }
        Ok(())
    }

    /// Ends the input and appends the rest of the samples, such as the resampler's tail. A second
    /// call does nothing. Input of no bytes at all is no error and gives no samples.
    ///
    /// # Errors
    /// As [`AudioStream::push`]; [`AudioErrorKind::Malformed`] if the input ended within its header.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        match &self.state {
            State::Failed(error) => return Err(error.clone()),
            State::Finished => return Ok(()),
            State::Opening => self.open(out)?,
            State::Open => {}
        }
        let result = self.decoder.finish(&mut self.output.to(out));
        self.remember(result)?;
        self.output.finish(out);
        self.state = State::Finished;
        Ok(())
    }

    /// Gives the first bytes to the decoder, unless they are known to be of another format.
    fn open(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let head = std::mem::take(&mut self.head);
        self.state = State::Open;
        let result = check_head(self.format, &head)
            .and_then(|()| self.decoder.push(&head, &mut self.output.to(out)));
        self.remember(result)
    }

    fn remember(&mut self, result: Result<(), AudioError>) -> Result<(), AudioError> {
        if let Err(error) = &result {
            self.state = State::Failed(error.clone());
        }
        result
    }
}
