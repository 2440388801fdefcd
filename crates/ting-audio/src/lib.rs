//! Containers, codecs and sample rates: bytes in, 16 kHz mono samples out.
//!
//! ```
//! use ting_audio::{AudioStream, Format};
//! let mut stream = AudioStream::new(Format::Pcm, 8000)?;
//! let mut samples = Vec::new();
//! stream.push(&[0; 1600], &mut samples)?; // 100 ms at 8 kHz
//! stream.finish(&mut samples)?;
//! assert_eq!(samples.len(), 1600); // 100 ms at 16 kHz
//! # Ok::<(), ting_audio::AudioError>(())
//! ```
//!
//! # Architecture invariants
//! - Knows nothing of models or the network.
//! - A decoder is a push machine: it never blocks, never seeks, holds a bounded buffer ([`MAX_BUFFERED_BYTES`] for the
//!   formats of the wire; those for files only say their own), and its output does not depend on how the bytes were cut.
//! - Sample `n` of the output is the sound at `n / 16000` s of the input: what filters and codecs
//!   delay is taken out again, because word times are counted in samples.
//! - No byte sequence panics. What cannot be decoded is an [`AudioError`] that says what to do; what
//!   was only damaged on the way (a lost page, a broken packet, a truncated file) is concealed.
//! - Decoders that are not ours get whole packets only, and a panic in one costs that packet.

mod aac;
mod amr;
mod codec;
mod error;
mod flac;
mod format;
mod frames;
mod mp3;
mod mp4;
mod ogg;
mod opus;
mod pcm;
mod pending;
mod resample;
mod sample;
mod samples;
mod speex;
mod stream;
mod tags;
mod trim;
mod vorbis;
mod wav;
mod wrong;

pub use error::{AudioError, AudioErrorKind};
pub use format::{Format, sniff, sniff_len};
pub use resample::Resampler;
pub use stream::{AudioStream, MAX_BUFFERED_BYTES};

/// The rate of all samples that leave this crate, Hz.
pub const SAMPLE_RATE: u32 = 16_000;
