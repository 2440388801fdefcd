//! A push demuxer for AMR files (RFC 4867 section 5), and their decoder.
//!
//! Both bands are taken: the name `amr` means the narrow one to the service, but a file says itself which it
//! is, and refusing the better one would help nobody. As in every AMR decoder the sound is about 5 ms late.

use std::panic::{AssertUnwindSafe, catch_unwind};

use codec_core::codecs::amr::{AmrCodec, nb, wb};
use codec_core::types::{CodecConfig, CodedFrame, FrameKind, VariableRateCodec};

use crate::error::{AudioError, AudioErrorKind};
use crate::format::Format;
use crate::samples::{Decode, Samples};
use crate::trim::Trim;
use crate::wrong::wrong_format;

/// A frame's first byte and the most that follows it.
const MAX_FRAME: usize = 61;
/// After damage, so many frames in a row must have possible first bytes to be believed: of random bytes one in ten
/// is possible.
const CHAIN: usize = 6;
/// So many bytes without frames are no damage but another kind of data.
const MAX_SKIPPED: usize = 64 * 1024;
/// At most so many lost frames (2 s) are made up for at a time.
const MAX_CONCEALED: usize = 100;

/// The two codecs of the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Band {
    Narrow,
    Wide,
}

impl Band {
    fn rate(self) -> u32 {
        match self {
            Band::Narrow => 8_000,
            Band::Wide => 16_000,
        }
    }

    /// Samples by which the decoder's output is late: the encoder looks 5 ms ahead (3GPP TS 26.090 and 26.190 section
    /// 4.4), and the filters of the wide band to and from 12.8 kHz take the rest. Measured with opencore's and
    /// VisualOn's encoders: the same for every mode.
    fn delay(self) -> u64 {
        match self {
            Band::Narrow => 40,
            Band::Wide => 95,
        }
    }

    /// Bytes of a whole frame, from its first byte: padding, type, quality and padding again (3GPP TS 26.101 and
    /// 26.201 tables 1a to 3). `None` for types that are reserved, and where the padding is not zero.
    fn frame_bytes(self, first: u8) -> Option<usize> {
        const NARROW: [usize; 9] = [12, 13, 15, 17, 19, 20, 26, 31, 5];
        const WIDE: [usize; 10] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5];
        if first & 0b1000_0011 != 0 {
            return None;
        }
        let kind = frame_type(first);
        let body = match (self, kind) {
            (_, 15) | (Band::Wide, 14) => Some(0),
            (Band::Narrow, _) => NARROW.get(kind).copied(),
            (Band::Wide, _) => WIDE.get(kind).copied(),
        };
        body.map(|body| 1 + body)
    }

    /// The type of frames that describe the noise of a pause.
    fn comfort_noise(self) -> usize {
        match self {
            Band::Narrow => 8,
            Band::Wide => 9,
        }
    }

    /// A frame is 20 ms.
    fn frame_samples(self) -> usize {
        self.rate() as usize / 50
    }

    fn codec(self) -> Result<AmrCodec, AudioError> {
        let config = match self {
            Band::Narrow => CodecConfig::amr_nb(),
            Band::Wide => CodecConfig::amr_wb(),
        };
        AmrCodec::new(&config).map_err(|error| {
            AudioError::new(
                AudioErrorKind::Unsupported,
                format!("the AMR decoder could not be made: {error}"),
            )
        })
    }
}

fn frame_type(first: u8) -> usize {
    usize::from(first >> 3 & 0x0F)
}

/// How a file may begin.
const MAGIC: &[(&[u8], Kind)] = &[
    (b"#!AMR\n", Kind::Mono(Band::Narrow)),
    (b"#!AMR-WB\n", Kind::Mono(Band::Wide)),
    (b"#!AMR_MC1.0\n", Kind::Multichannel),
    (b"#!AMR-WB_MC1.0\n", Kind::Multichannel),
];

#[derive(Clone, Copy)]
enum Kind {
    Mono(Band),
    Multichannel,
}

pub(crate) struct AmrDecoder {
    /// Bytes that are no whole frame yet; at most [`CHAIN`] frames after damage.
    buffer: Vec<u8>,
    /// Made when the first bytes have said which.
    voice: Option<Voice>,
    /// Bytes passed over since the last frame, while frames are being looked for.
    skipped: Option<usize>,
    /// A frame has been found.
    begun: bool,
    /// Bytes of the last frame of speech: what a lost one is taken to have had.
    usual_bytes: usize,
}

/// What can be done at a place in the buffer.
enum Step {
    Frame(usize),
    Skip,
    /// More bytes have to come first.
    Wait,
}

impl AmrDecoder {
    pub(crate) fn new() -> Self {
        Self {
            buffer: Vec::new(),
            voice: None,
            skipped: None,
            begun: false,
            usual_bytes: MAX_FRAME,
        }
    }

    /// Reads the first bytes, as far as they have come. Says whether frames follow.
    fn begin(&mut self) -> Result<bool, AudioError> {
        if self.voice.is_some() {
            return Ok(true);
        }
        let bytes = self.buffer.as_slice();
        if let Some((magic, kind)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            let Kind::Mono(band) = kind else {
                return Err(AudioError::new(
                    AudioErrorKind::Unsupported,
                    "the AMR has several channels (its header is for multichannel files); send one channel",
                ));
            };
            self.voice = Some(Voice::new(*band)?);
            self.buffer.drain(..magic.len());
            return Ok(true);
        }
        let may_become = MAGIC.iter().any(|(magic, _)| magic.starts_with(bytes));
        // Four bytes tell other formats apart in the message.
        if may_become || bytes.len() < 4 {
            return Ok(false);
        }
        Err(not_amr(bytes))
    }

    /// What to do at the start of `rest`; `ended` if nothing follows it.
    fn step(&self, band: Band, rest: &[u8], ended: bool) -> Step {
        let mut at = 0;
        let frames = if self.skipped.is_some() { CHAIN } else { 1 };
        let mut first = 0;
        for index in 0..frames {
            match rest.get(at).map(|&byte| band.frame_bytes(byte)) {
                Some(Some(bytes)) => at += bytes,
                Some(None) => return Step::Skip,
                // The input ends with whole frames, if fewer than are asked for.
                None if ended && index > 0 && at == rest.len() => break,
                None if ended && !rest.is_empty() => return Step::Skip,
                None => return Step::Wait,
            }
            if index == 0 {
                first = at;
            }
        }
        if first <= rest.len() {
            Step::Frame(first)
        } else if ended {
            // A last frame that was cut off.
            Step::Skip
        } else {
            Step::Wait
        }
    }

    /// Decodes the frames that the buffer has.
    fn run(&mut self, ended: bool, out: &mut Samples<'_>) -> Result<(), AudioError> {
        let Some(mut voice) = self.voice.take() else {
            return Ok(());
        };
        let buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        loop {
            let rest = &buffer[at..];
            match self.step(voice.band, rest, ended) {
                Step::Frame(bytes) => {
                    self.found(&mut voice, out);
                    let frame = &rest[..bytes];
                    voice.frame(frame, out);
                    if frame_type(frame[0]) < voice.band.comfort_noise() {
                        self.usual_bytes = bytes;
                    }
                    at += bytes;
                }
                Step::Skip => {
                    let skipped = self.skipped.get_or_insert(0);
                    *skipped += 1;
                    if *skipped > MAX_SKIPPED {
                        return Err(AudioError::new(
                            AudioErrorKind::Malformed,
                            format!(
                                "the AMR has {MAX_SKIPPED} bytes that are no frames; send it undamaged"
                            ),
                        ));
                    }
                    at += 1;
                }
                Step::Wait => break,
            }
        }
        self.buffer = buffer;
        self.buffer.drain(..at);
        self.voice = Some(voice);
        Ok(())
    }

    /// A frame was found. If frames were being looked for, those that the damage took are made up for.
    fn found(&mut self, voice: &mut Voice, out: &mut Samples<'_>) {
        self.begun = true;
        if let Some(skipped) = self.skipped.take() {
            let frames = (skipped + self.usual_bytes / 2) / self.usual_bytes;
            tracing::debug!(bytes = skipped, frames, "passed over damaged amr data");
            for _ in 0..frames.min(MAX_CONCEALED) {
                voice.lost(out);
            }
        }
    }
}

impl Decode for AmrDecoder {
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError> {
        self.buffer.extend_from_slice(bytes);
        if self.begin()? {
            self.run(false, out)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError> {
        if self.voice.is_none() {
            // Nothing was sent: that is for the caller to judge.
            if self.buffer.is_empty() {
                return Ok(());
            }
            if MAGIC
                .iter()
                .any(|(magic, _)| magic.starts_with(&self.buffer))
            {
                return Err(AudioError::new(
                    AudioErrorKind::Malformed,
                    "the AMR ended within its header; send the whole file",
                ));
            }
            return Err(not_amr(&self.buffer));
        }
        self.run(true, out)?;
        if self.skipped.is_some() && !self.begun {
            return Err(AudioError::new(
                AudioErrorKind::Malformed,
                "the AMR has no whole frame behind its header; send the whole file",
            ));
        }
        Ok(())
    }
}

fn not_amr(bytes: &[u8]) -> AudioError {
    wrong_format(
        Format::Amr,
        "an AMR file, which begins with '#!AMR\\n' or '#!AMR-WB\\n'",
        bytes,
    )
}

/// The decoder of one stream.
struct Voice {
    band: Band,
    codec: AmrCodec,
    /// The mode that lost and empty frames go on in.
    mode: u8,
    /// Takes out the delay.
    trim: Trim,
}

impl Voice {
    fn new(band: Band) -> Result<Self, AudioError> {
        Ok(Self {
            band,
            codec: band.codec()?,
            mode: 0,
            trim: Trim::new(band.delay(), 0..0),
        })
    }

    /// Writes the samples of one whole frame.
    fn frame(&mut self, frame: &[u8], out: &mut Samples<'_>) {
        let (first, data) = (frame[0], frame[1..].to_vec());
        let kind = match frame_type(first) {
            15 => FrameKind::NoData,
            14 => FrameKind::Lost,
            kind if kind == self.band.comfort_noise() => {
                self.mode = self.noted_mode(&data).unwrap_or(self.mode);
                FrameKind::ComfortNoise
            }
            kind => {
                self.mode = kind as u8;
                FrameKind::Speech
            }
        };
        self.decode(
            CodedFrame {
                kind,
                mode: self.mode,
                quality_ok: first & 0b100 != 0,
                data,
            },
            out,
        );
    }

    /// Writes what stands for a frame that was lost.
    fn lost(&mut self, out: &mut Samples<'_>) {
        let mut frame = CodedFrame::lost();
        frame.mode = self.mode;
        self.decode(frame, out);
    }

    /// The mode that a frame of comfort noise says speech had.
    fn noted_mode(&self, data: &[u8]) -> Option<u8> {
        match self.band {
            Band::Narrow => nb::bitstream::parse_sid_header(data).map(|header| header.mode_index),
            Band::Wide => wb::bitstream::sid_mode_indication(data),
        }
    }

    fn decode(&mut self, frame: CodedFrame, out: &mut Samples<'_>) {
        let mut samples = [0.0f32; 320];
        let samples = &mut samples[..self.band.frame_samples()];
        // The codec asserts much about itself, and frames are anyone's: a slip in it shall cost a frame, not the
        // thread that decodes for other sessions as well.
        let codec = &mut self.codec;
        match catch_unwind(AssertUnwindSafe(|| codec.decode_frame(&frame))) {
            Ok(Ok(decoded)) => {
                for (sample, decoded) in samples.iter_mut().zip(decoded) {
                    // The output of the wide band has 14 bits by its definition (3GPP TS 26.173), that of the narrow one 13; the
                    // decoder leaves the two bits in.
                    let decoded = match self.band {
                        Band::Narrow => decoded,
                        Band::Wide => decoded & !3,
                    };
                    *sample = f32::from(decoded) / 32_768.0;
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, "amr frame does not decode"),
            Err(_) => {
                tracing::warn!("the amr decoder failed on a frame and was replaced");
                if let Ok(fresh) = self.band.codec() {
                    self.codec = fresh;
                }
            }
        }
        self.trim.write(self.band.rate(), samples, out);
    }
}
