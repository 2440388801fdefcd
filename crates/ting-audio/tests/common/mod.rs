//! Shared by the tests: bytes in, samples out, cut in every way.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // each test file includes this and uses its part

pub mod ogg;
pub mod signal;

use std::path::Path;

use ting_audio::{AudioError, AudioStream, Format};

/// A file of the fuzzer's seeds.
pub fn seed(format: Format, name: &str) -> Vec<u8> {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    std::fs::read(Path::new(corpus).join(format.name()).join(name)).unwrap()
}

/// Decodes `bytes` pushed in pieces whose lengths `cuts` gives, over and over.
pub fn decode_cut(
    format: Format,
    rate: u32,
    bytes: &[u8],
    mut cuts: impl FnMut() -> usize,
) -> Result<Vec<f32>, AudioError> {
    let mut stream = AudioStream::new(format, rate)?;
    let mut out = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cuts().clamp(1, rest.len()));
        stream.push(piece, &mut out)?;
        rest = after;
    }
    stream.finish(&mut out)?;
    assert!(
        out.iter().all(|x| (-1.0..=1.0).contains(x)),
        "samples outside [-1, 1]"
    );
    Ok(out)
}

/// Decodes `bytes` pushed at once.
pub fn decode(format: Format, rate: u32, bytes: &[u8]) -> Result<Vec<f32>, AudioError> {
    decode_cut(format, rate, bytes, || usize::MAX)
}

/// Decodes `bytes` cut in several ways. `Err` names the first cut that changes the result.
pub fn decode_every_way(
    format: Format,
    rate: u32,
    bytes: &[u8],
) -> Result<Result<Vec<f32>, AudioError>, String> {
    let whole = decode(format, rate, bytes);
    for size in [1, 7, 333, 65536] {
        if decode_cut(format, rate, bytes, || size) != whole {
            return Err(format!(
                "cut into {size} bytes it decodes to something else"
            ));
        }
    }
    let mut random = Random(bytes.len() as u64);
    if decode_cut(format, rate, bytes, || random.below(5000)) != whole {
        return Err("cut at random it decodes to something else".into());
    }
    Ok(whole)
}

/// Reports every failing row of a table at once.
pub fn report(failures: Vec<String>) {
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A linear congruential generator (Knuth's MMIX constants).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }
}

/// `seconds` of a tone of amplitude 0.5.
pub fn tone(hz: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let samples = (seconds * f64::from(rate)) as usize;
    (0..samples)
        .map(|n| tone_at(hz, n as f64 / f64::from(rate)) as f32)
        .collect()
}

/// The value of [`tone`] at a time in seconds.
pub fn tone_at(hz: f64, seconds: f64) -> f64 {
    0.5 * (2.0 * std::f64::consts::PI * hz * seconds).sin()
}

/// Energy of `x` in dB, relative to that of a [`tone`].
pub fn level_db(x: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for x in x {
        sum += x * x;
        count += 1;
    }
    10.0 * (sum / f64::from(count) / 0.125).log10()
}

/// How much `signal` exceeds its difference from `other`, dB; infinite if they are equal.
pub fn snr_db(signal: &[f32], other: &[f32]) -> f64 {
    assert_eq!(signal.len(), other.len());
    let energy = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>();
    let sound = energy(&mut signal.iter().map(|&x| f64::from(x)));
    let noise = energy(
        &mut signal
            .iter()
            .zip(other)
            .map(|(&x, &y)| f64::from(x) - f64::from(y)),
    );
    10.0 * (sound / noise).log10()
}

/// 16-bit little-endian samples of `rate` Hz, at 16 kHz.
pub fn at_16k(s16: &[u8], rate: u32) -> Vec<f32> {
    let samples: Vec<f32> = s16
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    if rate == 16_000 {
        return samples;
    }
    let mut resampler = ting_audio::Resampler::new(rate);
    let mut out = Vec::new();
    resampler.push(&samples, &mut out);
    resampler.finish(&mut out);
    out
}
