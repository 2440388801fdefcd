//! Where the sound comes from.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::error::CliError;

/// Pieces of sound that may wait for the recogniser. A piece is about 100 ms, at most 200 ms, so that a connection may
/// take half a minute to be made, and a microphone that nobody listens to fills no memory.
pub(crate) const WAITING: usize = 512;

/// What a source gives.
#[derive(Debug)]
pub(crate) enum Heard {
    /// 16-bit little-endian mono samples.
    Samples(Vec<u8>),
    /// Something for the user to know; the sound goes on.
    Note(String),
    /// Nothing more comes: all was heard, or the reason why not.
    End(Result<(), CliError>),
}

/// A sound that is being heard.
pub(crate) struct Source {
    /// Samples per second of all that comes.
    pub(crate) sample_rate: u32,
    /// What the user is told that is listened to.
    pub(crate) name: String,
    /// What comes. Its end without a [`Heard::End`] is an end too.
    pub(crate) heard: mpsc::Receiver<Heard>,
    /// What did not get into `heard`.
    pub(crate) lost: Lost,
    /// What has to live as long as it is listened to, such as the program that records.
    pub(crate) _alive: Box<dyn Any>,
}

/// Counts samples that were dropped because nobody took them in time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost(Arc<AtomicU64>);

impl Lost {
    /// Counts `samples` more.
    #[cfg_attr(
        not(any(feature = "microphone", not(target_os = "linux"))),
        allow(dead_code, reason = "a program that records waits until it is read")
    )]
    pub(crate) fn add(&self, samples: usize) {
        self.0.fetch_add(samples as u64, Ordering::Relaxed);
    }

    /// All samples so far.
    pub(crate) fn samples(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Samples in [-1, 1] as 16-bit little-endian bytes; what is louder is clipped.
pub(crate) fn to_bytes(samples: &[f32]) -> Vec<u8> {
    let one =
        |sample: &f32| ((sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16).to_le_bytes();
    samples.iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::to_bytes;

    #[test]
    fn samples_are_rounded_and_clipped() {
        let samples = [
            0.0,
            1.0,
            -1.0,
            2.0,
            -2.0,
            1.0 / 32768.0,
            0.6 / 32768.0,
            f32::NAN,
        ];
        let expected = [0i16, 32767, -32768, 32767, -32768, 1, 1, 0];
        let bytes: Vec<u8> = expected.iter().flat_map(|s| s.to_le_bytes()).collect();
        assert_eq!(to_bytes(&samples), bytes);
    }

    #[test]
    fn sixteen_bit_samples_stay_as_they_are() {
        let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        let floats: Vec<f32> = all.iter().map(|s| f32::from(*s) / 32768.0).collect();
        let bytes: Vec<u8> = all.iter().flat_map(|s| s.to_le_bytes()).collect();
        assert_eq!(to_bytes(&floats), bytes);
    }
}
