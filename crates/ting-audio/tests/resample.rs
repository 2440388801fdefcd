//! The resampler's pass band, stop band, delay and length, at every kind of ratio.

mod common;

use common::{level_db, report, tone, tone_at};
use ting_audio::Resampler;

const RATES: &[u32] = &[
    7_350, 8_000, 8_001, 11_025, 12_000, 12_345, 15_999, 16_001, 17_640, 22_050, 24_000, 31_250,
    32_000, 44_100, 44_101, 47_999, 48_000, 50_000, 88_200, 96_000, 123_457, 176_400, 191_999,
    192_000,
];

fn resample(rate: u32, input: &[f32]) -> Vec<f32> {
    let mut resampler = Resampler::new(rate);
    let mut out = Vec::new();
    resampler.push(input, &mut out);
    resampler.finish(&mut out);
    out
}

/// The output without its ends, where the tone begins and stops.
fn middle(out: &[f32]) -> impl Iterator<Item = (usize, f64)> {
    let edge = 400;
    out.iter()
        .enumerate()
        .skip(edge)
        .take(out.len() - 2 * edge)
        .map(|(n, &y)| (n, f64::from(y)))
}

/// A tone in the pass band comes out as the same tone at the same times: the error bounds loss,
/// images, aliases and delay at once.
#[test]
fn pass_band_is_flat_and_in_time() {
    let mut failures = Vec::new();
    for &rate in RATES {
        let nyquist = f64::from(rate.min(16_000)) / 2.0;
        for hz in [50.0, 440.0, 1000.0, 0.5 * nyquist, 0.875 * nyquist] {
            let out = resample(rate, &tone(hz, rate, 0.4));
            let error = level_db(middle(&out).map(|(n, y)| y - tone_at(hz, n as f64 / 16e3)));
            // -80 dB is also far below the 0.1 dB (-39 dB) that loss alone may be.
            if error > -80.0 {
                failures.push(format!(
                    "{rate} Hz: the tone of {hz} Hz is off by {error:.1} dB"
                ));
            }
        }
    }
    report(failures);
}

/// What 16 kHz cannot hold is gone, not folded back.
#[test]
fn stop_band_is_silent() {
    let mut failures = Vec::new();
    for &rate in RATES.iter().filter(|&&rate| rate > 16_500) {
        let nyquist = f64::from(rate) / 2.0;
        for hz in [
            8_001.0, 8_050.0, 8_500.0, 9_000.0, 12_000.0, 15_000.0, 16_000.0, 17_000.0, 23_000.0,
            31_000.0, 32_500.0, 48_000.0, 63_000.0, 80_001.0, 95_000.0,
        ] {
            if hz < nyquist {
                let out = resample(rate, &tone(hz, rate, 0.4));
                let level = level_db(middle(&out).map(|(_, y)| y));
                if level > -80.0 {
                    failures.push(format!("{rate} Hz: {hz} Hz leaks at {level:.1} dB"));
                }
            }
        }
    }
    report(failures);
}

/// Partials wait for what the filter holds back: at most 10 ms.
#[test]
fn delay_is_short() {
    let mut failures = Vec::new();
    for &rate in RATES {
        let mut resampler = Resampler::new(rate);
        let (mut out, mut most) = (Vec::new(), f64::MIN);
        for n in 1..rate / 4 {
            resampler.push(&[0.5], &mut out);
            let held = f64::from(n) / f64::from(rate) - out.len() as f64 / 16e3;
            most = most.max(held);
        }
        if most > 0.010 {
            failures.push(format!("{rate} Hz: {:.1} ms are held back", 1e3 * most));
        }
    }
    report(failures);
}

#[test]
fn length_is_the_duration() {
    let mut failures = Vec::new();
    for &rate in RATES {
        for samples in [0usize, 1, 2, 3, 100, 441, 9_999, 10_000] {
            let out = resample(rate, &vec![0.25; samples]).len();
            let due = (samples as f64 * 16e3 / f64::from(rate)).round() as usize;
            if out != due {
                failures.push(format!(
                    "{rate} Hz: {samples} samples give {out}, not {due}"
                ));
            }
        }
    }
    report(failures);
}

#[test]
fn pieces_do_not_show() {
    let mut failures = Vec::new();
    let mut random = common::Random(1);
    for &rate in RATES {
        let input: Vec<f32> = (0..6_000)
            .map(|_| random.next() as f32 / (1u64 << 31) as f32 - 0.5)
            .collect();
        let whole = resample(rate, &input);
        for size in [1, 7, 160, 4_096] {
            let mut resampler = Resampler::new(rate);
            let mut out = Vec::new();
            input
                .chunks(size)
                .for_each(|piece| resampler.push(piece, &mut out));
            resampler.finish(&mut out);
            if out != whole {
                failures.push(format!("{rate} Hz: pieces of {size} change the output"));
            }
        }
    }
    report(failures);
}
