//! Every format against its reference decoder: files that the encoders of others wrote, cut in every way.
//!
//! `tests/formats/make.py DIR` makes the files and describes the table; `TING_FORMATS=DIR` names them here.
//! `tests/run.sh` does both.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot get its files has failed"
)]

mod common;

use common::{decode_every_way, report};
use std::path::{Path, PathBuf};
use ting_audio::{Format, Resampler};

/// A row of `matrix.tsv`.
struct Row {
    name: String,
    format: Format,
    file: PathBuf,
    /// Of headerless samples, Hz.
    rate: u32,
    reference: PathBuf,
    reference_rate: u32,
    channels: usize,
    /// Least SNR in dB; `None` asks for equal samples.
    snr: Option<f64>,
    /// Samples a channel at the reference's rate that the format tells.
    told: Option<u64>,
}

impl Row {
    fn parse(folder: &Path, line: &str) -> Row {
        let cells: Vec<&str> = line.split('\t').collect();
        let &[
            name,
            format,
            file,
            rate,
            reference_rate,
            channels,
            snr,
            told,
        ] = cells.as_slice()
        else {
            panic!("{line}");
        };
        Row {
            name: name.to_owned(),
            format: Format::parse(format).unwrap(),
            file: folder.join(file),
            rate: rate.parse().unwrap(),
            reference: folder.join(format!("{name}.ref")),
            reference_rate: reference_rate.parse().unwrap(),
            channels: channels.parse().unwrap(),
            snr: (snr != "exact").then(|| snr.parse().unwrap()),
            told: (told != "-").then(|| told.parse().unwrap()),
        }
    }

    /// What the reference decoder gave, mixed to mono and taken to 16 kHz.
    fn expected(&self) -> Vec<f32> {
        let bytes = std::fs::read(&self.reference).unwrap();
        let samples: Vec<f32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&b| f32::from_le_bytes(b))
            .collect();
        let mono: Vec<f32> = samples
            .chunks_exact(self.channels)
            .map(|frame| (frame.iter().sum::<f32>() / self.channels as f32).clamp(-1.0, 1.0))
            .collect();
        if self.reference_rate == 16_000 {
            return mono;
        }
        let (mut resampler, mut out) = (Resampler::new(self.reference_rate), Vec::new());
        resampler.push(&mono, &mut out);
        resampler.finish(&mut out);
        out
    }

    /// What is measured, and what is wrong with it.
    fn check(&self) -> Result<String, String> {
        let bytes = std::fs::read(&self.file).unwrap();
        let samples =
            decode_every_way(self.format, self.rate, &bytes)?.map_err(|error| error.to_string())?;
        let expected = self.expected();
        let length = match self.told {
            Some(told) => (told as f64 * 16e3 / f64::from(self.reference_rate)).round() as usize,
            None => expected.len(),
        };
        let snr = snr_db(&samples, &expected);
        let told = format!(
            "{} samples of {length} (reference {}), SNR {snr:.1} dB",
            samples.len(),
            expected.len()
        );
        let equal = match self.snr {
            Some(least) => snr >= least,
            None => samples == expected,
        };
        if samples.len() == length && equal {
            return Ok(told);
        }
        let (shift, best) = alignment(&samples, &expected);
        Err(format!(
            "{told}; at a shift of {shift} samples {best:.1} dB"
        ))
    }
}

/// Energy of `expected` over that of the difference, dB.
fn snr_db(samples: &[f32], expected: &[f32]) -> f64 {
    let (mut signal, mut noise) = (0.0, f64::MIN_POSITIVE);
    for (&x, &y) in samples.iter().zip(expected) {
        signal += f64::from(y).powi(2);
        noise += (f64::from(x) - f64::from(y)).powi(2);
    }
    10.0 * (signal / noise).log10()
}

/// The shift of `samples` within 4000 at which they match best, and the SNR there: for the message of a failure.
fn alignment(samples: &[f32], expected: &[f32]) -> (isize, f64) {
    (-4_000isize..4_000)
        .map(|shift| {
            let (a, b) = (shift.max(0) as usize, (-shift).max(0) as usize);
            let samples = samples.get(a..).unwrap_or_default();
            (
                shift,
                snr_db(samples, expected.get(b..).unwrap_or_default()),
            )
        })
        .max_by(|x, y| x.1.total_cmp(&y.1))
        .unwrap()
}

fn check(format: Format) {
    let Some(folder) = std::env::var_os("TING_FORMATS").map(PathBuf::from) else {
        println!("skipped: no TING_FORMATS; run tests/run.sh");
        return;
    };
    let table = std::fs::read_to_string(folder.join("matrix.tsv")).unwrap();
    let rows = table.lines().map(|line| Row::parse(&folder, line));
    let (mut failures, mut rows_seen) = (Vec::new(), 0);
    for row in rows.filter(|row| row.format == format) {
        rows_seen += 1;
        match row.check() {
            Ok(told) => println!("{}: {told}", row.name),
            Err(reason) => failures.push(format!("{}: {reason}", row.name)),
        }
    }
    assert!(rows_seen > 0, "the table has no row of {}", format.name());
    report(failures);
}

#[test]
fn pcm() {
    check(Format::Pcm);
}

#[test]
fn wav() {
    check(Format::Wav);
}

#[test]
fn mp3() {
    check(Format::Mp3);
}

#[test]
fn opus() {
    check(Format::Opus);
}

#[test]
fn speex() {
    check(Format::Speex);
}

#[test]
fn aac() {
    check(Format::Aac);
}

#[test]
fn amr() {
    check(Format::Amr);
}

#[test]
fn flac() {
    check(Format::Flac);
}

#[test]
fn vorbis() {
    check(Format::Vorbis);
}

#[test]
fn m4a() {
    check(Format::M4a);
}
