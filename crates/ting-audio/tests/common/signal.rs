//! The sound of the files that `make_formats.py` makes, and how near a decoder comes to it and to ffmpeg.

use std::f64::consts::TAU;
use std::path::Path;
use std::process::Command;

use ting_audio::{Format, Resampler};

use super::decode_every_way;

/// A file of `tests/data/formats`.
pub struct File {
    pub name: &'static str,
    pub bytes: &'static [u8],
    pub format: Format,
    /// Its own rate, Hz.
    pub rate: u32,
    pub channels: usize,
    /// Samples at its own rate that must come out: as many as went in, where the format can tell.
    pub length: usize,
    /// Samples that ffmpeg gives and we take for the encoder's delay.
    pub ffmpeg_head: usize,
}

/// What went into the encoder at a time in seconds, its channels mixed.
pub fn signal(seconds: f64, channels: usize) -> f64 {
    let swell = 0.6 + 0.4 * (TAU * 3.1 * seconds).sin();
    let x = 0.3 * (TAU * 437.0 * seconds).sin()
        + 0.2 * (TAU * 1310.0 * seconds + 1.0).sin()
        + 0.1 * (TAU * 2903.0 * seconds + 2.0).sin();
    // The right channel has half the amplitude.
    swell * x * if channels == 1 { 1.0 } else { 0.75 }
}

impl File {
    /// The decoded file, if all ways to cut it give the same.
    pub fn decode(&self) -> Result<Vec<f32>, String> {
        decode_every_way(self.format, 16_000, self.bytes)?.map_err(|error| error.to_string())
    }

    /// Compares with the signal: the length to the sample, the place to the sample, and a ratio of signal to
    /// noise of at least `min_db` behind the first and before the last 20 ms.
    pub fn check_signal(&self, min_db: f64) -> Result<(), String> {
        let samples = self.decode()?;
        let rate = self.rate as usize;
        let wanted = (2 * self.length * 16_000 + rate) / (2 * rate);
        if samples.len() != wanted {
            return Err(format!("{} samples, not {wanted}", samples.len()));
        }
        let snr_at = |lag: f64| {
            let edge = 320;
            let spans = 320..samples.len().min(12_800) - edge;
            let pairs = spans.map(|n| {
                let time = (n as f64 + lag) / 16e3;
                (signal(time, self.channels), f64::from(samples[n]))
            });
            snr(pairs)
        };
        let here = snr_at(0.0);
        let beside = snr_at(-1.0).max(snr_at(1.0));
        if here < min_db || beside > here {
            return Err(format!(
                "{here:.1} dB to the signal, {beside:.1} dB if moved by a sample"
            ));
        }
        Ok(())
    }

    /// Compares with what ffmpeg decodes. `None` if there is no ffmpeg here.
    pub fn check_ffmpeg(&self, min_db: f64) -> Option<Result<(), String>> {
        let mut theirs = ffmpeg(self.name, self.channels)?;
        Some((|| {
            let ours = self.decode()?;
            theirs.drain(..self.ffmpeg_head.min(theirs.len()));
            // The resampler's filter looks beyond the last sample of ours.
            let mut at_16k = theirs.clone();
            if self.rate != 16_000 {
                at_16k.clear();
                let mut resampler = Resampler::new(self.rate);
                resampler.push(&theirs, &mut at_16k);
                resampler.finish(&mut at_16k);
            }
            let common = ours.len().min(at_16k.len());
            if common + 320 < ours.len() {
                return Err(format!(
                    "{} samples, ffmpeg has {}",
                    ours.len(),
                    at_16k.len()
                ));
            }
            let pairs = at_16k.iter().zip(&ours).take(common.saturating_sub(64));
            let db = snr(pairs.map(|(x, y)| (f64::from(*x), f64::from(*y))));
            if db < min_db {
                return Err(format!("{db:.1} dB to ffmpeg"));
            }
            println!("{}: {db:.1} dB to ffmpeg", self.name);
            Ok(())
        })())
    }
}

/// Energy of the first values over that of the differences, dB.
fn snr(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut energy, mut noise) = (0.0, 1e-30);
    for (x, y) in pairs {
        energy += x * x;
        noise += (x - y) * (x - y);
    }
    10.0 * (energy / noise).log10()
}

/// A file as ffmpeg decodes it at its own rate, its channels mixed; `None` without ffmpeg.
fn ffmpeg(name: &str, channels: usize) -> Option<Vec<f32>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/formats")
        .join(name);
    let mix = if channels == 1 {
        "pan=mono|c0=c0"
    } else {
        "pan=mono|c0=0.5*c0+0.5*c1"
    };
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-af", mix, "-f", "f32le", "-"])
        .output()
        .ok()?;
    let (samples, _) = output.stdout.as_chunks::<4>();
    Some(samples.iter().map(|&s| f32::from_le_bytes(s)).collect())
}
