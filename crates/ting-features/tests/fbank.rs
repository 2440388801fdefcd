//! Filter banks against the reference, and against themselves in pieces.

use ting_features::{Fbank, FbankOptions};

/// 98 frames computed by `make_fixture.py` with kaldi-native-fbank.
const REFERENCE: &[u8] = include_bytes!("data/fbank.f32");
/// The same with the Fourier transform in f64, all else being the reference's.
const REFERENCE_F64_FFT: &[u8] = include_bytes!("data/fbank_f64_fft.f32");

struct Random(u64);

impl Random {
    /// 16 bits.
    fn next(&mut self) -> i32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 48) as i32
    }
}

/// A sine made of two parabolas: phase in 1/65536 of a turn, result within ±16384.
fn wave(phase: i32) -> i32 {
    let half = phase & 0x7FFF;
    let value = (half * (0x8000 - half)) >> 14;
    if phase & 0x8000 != 0 { -value } else { value }
}

/// The signal of `make_fixture.py`: eight kinds of sound, 125 ms each, in [-1, 1].
fn signal() -> Vec<f32> {
    let mut random = Random(1);
    let mut phase = 0;
    (0..16_000)
        .map(|n: i32| {
            let noise = random.next() - 32_768;
            phase += 100 + n;
            let sample = match n / 2_000 {
                0 => 0,
                1 => noise >> 15,
                2 => wave(phase),
                3 => wave(n * 4096) * 2 - 1,
                4 => wave(phase).div_euclid(2) + noise.div_euclid(8),
                5 => 20_000 + wave(n * 1000).div_euclid(64),
                6 => noise,
                _ => [-32_768, 32_767][(n / 80 % 2) as usize],
            };
            sample.clamp(-32_768, 32_767) as f32 / 32_768.0
        })
        .collect()
}

fn fbank(samples: &[f32], mut cut: impl FnMut() -> usize) -> Vec<f32> {
    let mut fbank = Fbank::new(FbankOptions::default());
    let mut frames = Vec::new();
    let mut rest = samples;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut().clamp(1, rest.len()));
        fbank.push(piece, &mut frames);
        rest = after;
    }
    frames
}

/// A reference, and how far a value may be from it.
struct Case {
    name: &'static str,
    reference: &'static [u8],
    /// Times the value, or 1 if it is smaller.
    relative: f32,
    rms: f64,
}

#[test]
fn equals_the_reference() {
    let cases = [
        // The reference's own rounding noise is in this one.
        Case {
            name: "as published",
            reference: REFERENCE,
            relative: 1e-4,
            rms: 1e-5,
        },
        Case {
            name: "f64 transform",
            reference: REFERENCE_F64_FFT,
            relative: 1e-6,
            rms: 1e-6,
        },
    ];
    let ours = fbank(&signal(), || usize::MAX);
    let mut failures = Vec::new();
    for Case {
        name,
        reference,
        relative,
        rms,
    } in cases
    {
        let (values, _) = reference.as_chunks();
        assert_eq!(ours.len(), values.len());
        let mut squares = 0.0;
        for (at, (ours, &value)) in ours.iter().zip(values).enumerate() {
            let reference = f32::from_le_bytes(value);
            let difference = (ours - reference).abs();
            squares += f64::from(difference).powi(2);
            if difference > relative * reference.abs().max(1.0) {
                let (frame, bin) = (at / 80, at % 80);
                failures.push(format!(
                    "{name}: frame {frame}, bin {bin}: {ours}, not {reference}"
                ));
            }
        }
        let got = (squares / ours.len() as f64).sqrt();
        if got > rms {
            failures.push(format!("{name}: rms of the differences is {got:e}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn pieces_do_not_show() {
    let samples = signal();
    let whole = fbank(&samples, || usize::MAX);
    for size in [1, 7, 159, 160, 161, 399, 400, 401, 4096] {
        assert!(fbank(&samples, || size) == whole, "pieces of {size}");
    }
    let mut random = Random(2);
    assert!(
        fbank(&samples, || random.next() as usize % 1000) == whole,
        "random pieces"
    );
}

#[test]
fn frames_are_counted_as_kaldi_does() {
    for (samples, frames) in [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16_000, 98)] {
        let out = fbank(&vec![0.1; samples], || usize::MAX);
        assert_eq!(out.len(), frames * 80, "{samples} samples");
    }
}

#[test]
fn reset_begins_anew() {
    let samples = signal();
    let mut fbank = Fbank::new(FbankOptions::default());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    fbank.push(&samples[..5_555], &mut first);
    fbank.reset();
    fbank.push(&samples[..5_555], &mut second);
    assert!(first == second);
}

/// Whatever is in the samples, no value is NaN: a network would carry it into every later frame.
#[test]
fn broken_samples_stay_in_their_frames() {
    let out = fbank(
        &[[f32::NAN; 400], [f32::INFINITY; 400], [0.0; 400]].concat(),
        || 100,
    );
    assert!(out.iter().all(|x| !x.is_nan()));
    assert_eq!(out[out.len() - 80], f32::EPSILON.ln());
}
