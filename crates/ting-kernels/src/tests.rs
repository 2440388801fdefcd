//! Every kernel at every level of this machine against plain loops in f64.

mod int8;
mod products;
mod rows;

/// Reproducible values in -1 .. 1 (xorshift64*, Vigna 2016).
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Gathers failing rows, so that one run shows them all.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn compare(&mut self, case: &str, found: &[f32], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len(), "{case}");
        let scale = expected.iter().fold(1e-3f64, |top, e| top.max(e.abs()));
        let worst = found
            .iter()
            .zip(expected)
            .map(|(f, e)| (f64::from(*f) - e).abs())
            .fold(0.0f64, |top, d| {
                if d.is_nan() {
                    f64::INFINITY
                } else {
                    top.max(d)
                }
            });
        if worst > tolerance * scale {
            self.0
                .push(format!("{case}: off by {worst:e} at a scale of {scale:e}"));
        }
    }

    fn same_bits(&mut self, case: &str, found: &[f32], expected: &[f32]) {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        if bits(found) != bits(expected) {
            self.0.push(format!("{case}: bits differ"));
        }
    }

    fn finish(self) {
        assert!(
            self.0.is_empty(),
            "{} failing cases:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}
