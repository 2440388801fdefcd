//! Any rate to 16 kHz by a polyphase windowed-sinc filter.
//!
//! Each output sample is one dot product of a fixed piece of the input with a fixed row of
//! coefficients, always summed in the same order: how the input was cut cannot change it.
//! Measured against rubato's FFT resampler this is flatter at 7 kHz and adds less delay.

use std::f64::consts::PI;

use crate::SAMPLE_RATE;

/// The pass band ends at this share of the lower of the two Nyquist frequencies (7.04 kHz of 8),
/// the stop band begins at 1: nothing folds back, speech energy above 7 kHz hardly matters.
const PASS: f64 = 0.88;
/// Stop-band attenuation the Kaiser window is designed for, dB.
const ATTENUATION: f64 = 96.0;
/// Filter phases per cycle of 16 kHz when the ratio has too many of its own. Between two of them the
/// result is interpolated linearly; the error, (π / phases)² / 8, is below -100 dB.
const MAX_PHASES: u64 = 640;

/// A streaming resampler to [`SAMPLE_RATE`], free of delay: output sample `n` is the input at time
/// `n / 16000` s, and `round(samples * 16000 / rate)` samples come out in all.
///
/// Costs about 300 multiplications for a sample of 48 kHz input; its table holds at most 0.4 MB.
pub struct Resampler {
    rate: u64,
    /// Rows of `2 * half` coefficients for phases 0 ..= `phases`; the last is phase 0 a sample later.
    table: Vec<f32>,
    phases: u64,
    /// Input samples on either side of an output sample that take part in it.
    half: usize,
    /// Input from `first - half + 1` on, the leading zeros included.
    buffer: Vec<f32>,
    /// Index of the input sample that `buffer[half - 1]` is.
    first: u64,
    /// Input samples taken and output samples given since the start.
    taken: u64,
    given: u64,
}

impl Resampler {
    /// From `rate` Hz, which must not be 0 (the callers bound it to 8000 ..= 192000).
    pub fn new(rate: u32) -> Self {
        let rate = u64::from(rate.max(1));
        let target = u64::from(SAMPLE_RATE);
        let own_phases = target / gcd(rate, target);
        let phases = if own_phases <= MAX_PHASES {
            own_phases
        } else {
            // The higher the input rate, the smoother the filter from sample to sample.
            (MAX_PHASES * target / rate.max(target)).max(1)
        };

        // In cycles per input sample.
        let stop = rate.min(target) as f64 / 2.0 / rate as f64;
        let pass = PASS * stop;
        let cutoff = (pass + stop) / 2.0;
        // Kaiser's formulas for the length and the shape (Oppenheim & Schafer, section 7.5.3).
        let taps = (ATTENUATION - 7.95) / (2.285 * 2.0 * PI * (stop - pass));
        let beta = 0.1102 * (ATTENUATION - 8.7);
        let half = (taps / 2.0).ceil() as usize;
        let half = half.next_multiple_of(LANES / 2);

        let mut table = Vec::with_capacity((phases as usize + 1) * 2 * half);
        for phase in 0..=phases {
            let fraction = phase as f64 / phases as f64;
            let row: Vec<f64> = (0..2 * half)
                .map(|k| k as f64 - (half as f64 - 1.0) - fraction)
                .map(|t| sinc(2.0 * cutoff * t) * kaiser(t / half as f64, beta))
                .collect();
            // Every phase passes a constant alike, or the constant would turn into a tone.
            let sum: f64 = row.iter().sum();
            table.extend(row.iter().map(|c| (c / sum) as f32));
        }
        Self {
            rate,
            table,
            phases,
            half,
            buffer: vec![0.0; half - 1],
            first: 0,
            taken: 0,
            given: 0,
        }
    }

    /// Takes `input` at the rate given to [`Resampler::new`], appends what is complete at 16 kHz.
    pub fn push(&mut self, input: &[f32], out: &mut Vec<f32>) {
        self.buffer.extend_from_slice(input);
        self.taken += input.len() as u64;
        self.produce(u64::MAX, out);
    }

    /// Appends the rest: the input is followed by silence. Further input would not join up.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let target = u64::from(SAMPLE_RATE);
        let total = (2 * self.taken * target + self.rate) / (2 * self.rate);
        self.buffer.resize(self.buffer.len() + self.half + 1, 0.0);
        self.produce(total, out);
    }

    fn produce(&mut self, total: u64, out: &mut Vec<f32>) {
        let width = 2 * self.half;
        let target = u64::from(SAMPLE_RATE);
        while self.given < total {
            let at = self.given * self.rate;
            let (base, within) = (at / target, at % target);
            let start = (base - self.first) as usize;
            let Some(window) = self.buffer.get(start..start + width) else {
                break;
            };
            let phase = within * self.phases / target;
            let between = within * self.phases % target;
            let row = phase as usize * width;
            let mut y = dot(window, &self.table[row..row + width]);
            if between != 0 {
                let next = dot(window, &self.table[row + width..row + 2 * width]);
                y += (next - y) * (between as f32 / target as f32);
            }
            // A full-scale square wave overshoots; samples are promised to stay within ±1.
            out.push(y.clamp(-1.0, 1.0));
            self.given += 1;
        }
        let next = self.given * self.rate / target;
        let done = ((next - self.first) as usize).min(self.buffer.len());
        self.buffer.drain(..done);
        self.first += done as u64;
    }
}

/// Sums in this many lanes, so that the compiler can use vector registers of any width.
const LANES: usize = 16;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for (x, y) in a
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(b.as_chunks::<LANES>().0)
    {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// The Kaiser window at `x` of its half width, up to a constant factor.
fn kaiser(x: f64, beta: f64) -> f64 {
    let inside = 1.0 - x * x;
    if inside < 0.0 {
        0.0
    } else {
        bessel_i0(beta * inside.sqrt())
    }
}

/// The modified Bessel function of order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-15 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
