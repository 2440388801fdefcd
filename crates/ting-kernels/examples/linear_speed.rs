//! Measures `linear` beside `linear_int8` on one core: `cargo run --release -p ting-kernels --example linear_speed`.
//!
//! Prints the best and the median of many repeats, both kernels in turns, as GFLOP/s (two operations for each weight and row), and the
//! f32 best also as a share of the fused multiply-add rate that the same run measures from registers alone. The weights of each shape
//! rotate through as many matrices as fill 64 MB in the `cold` lines, so they come from memory rather than a cache. On a busy
//! machine the best is what counts.

// The register-only probe is made of intrinsics.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::time::Instant;

use ting_kernels::{PackedInt8Matrix, PackedMatrix, instruction_set, linear, linear_int8};

/// Input and output features: the layers and the head of `models/tiny`, and the layers of SenseVoiceSmall.
const SHAPES: [(usize, usize); 10] = [
    (560, 768),
    (256, 768),
    (256, 256),
    (256, 1024),
    (1024, 256),
    (256, 6232),
    (512, 1536),
    (512, 512),
    (512, 2048),
    (2048, 512),
];
/// A streaming chunk from caches and from memory, sixteen chunks at once, and a segment of 6 s.
const ROWS: [(usize, &str, usize); 4] = [
    (3, "warm", 0),
    (3, "cold", 64 << 20),
    (48, "warm", 0),
    (100, "warm", 0),
];

fn main() {
    let peak = fma_rate();
    println!(
        "instructions: {}; multiply-add peak: {peak:.1} GFLOP/s",
        instruction_set()
    );
    for (inputs, outputs) in SHAPES {
        let weight: Vec<i8> = (0..inputs * outputs).map(|i| (i % 251) as i8).collect();
        let floats: Vec<f32> = weight.iter().map(|&w| f32::from(w) * 0.01).collect();
        let scales = vec![0.01; outputs];
        for (rows, name, bytes) in ROWS {
            let count = |size: usize| (bytes / (inputs * outputs * size)).max(1);
            let f32_matrices: Vec<_> = (0..count(4))
                .map(|_| PackedMatrix::pack(&floats, outputs, inputs))
                .collect();
            let int8_matrices: Vec<_> = (0..count(1))
                .map(|_| PackedInt8Matrix::pack(&weight, &scales, outputs, inputs))
                .collect();
            let x: Vec<f32> = (0..rows * inputs).map(|i| (i % 13) as f32 * 0.1).collect();
            let mut out = vec![0.0; rows * outputs];
            let operations = (2 * rows * inputs * outputs) as f64;
            let repeats = (2_000_000_000 / (rows * inputs * outputs)).clamp(20, 400);
            let (mut f32_times, mut int8_times) = (Vec::new(), Vec::new());
            for i in 0..repeats {
                let start = Instant::now();
                let weight = &f32_matrices[i % f32_matrices.len()];
                linear(black_box(&x), rows, weight, None, black_box(&mut out));
                f32_times.push(start.elapsed().as_secs_f64());
                let start = Instant::now();
                let weight = &int8_matrices[i % int8_matrices.len()];
                linear_int8(black_box(&x), rows, weight, None, black_box(&mut out));
                int8_times.push(start.elapsed().as_secs_f64());
            }
            f32_times.sort_by(f64::total_cmp);
            int8_times.sort_by(f64::total_cmp);
            let rate = |time: f64| operations / time / 1e9;
            println!(
                "{rows:4} x {inputs:4} x {outputs:4} {name}: f32 best {:6.1} ({:3.0} %), median {:6.1}; \
                 int8 best {:6.1}, median {:6.1}; int8 is {:.2} times as fast (median {:.2})",
                rate(f32_times[0]),
                100.0 * rate(f32_times[0]) / peak,
                rate(f32_times[repeats / 2]),
                rate(int8_times[0]),
                rate(int8_times[repeats / 2]),
                f32_times[0] / int8_times[0],
                f32_times[repeats / 2] / int8_times[repeats / 2],
            );
        }
    }
}

/// The best multiply-add rate of 20 short runs, in GFLOP/s; 0 where there is no such instruction.
fn fma_rate() -> f64 {
    const STEPS: usize = 400_000;
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::*;

        #[target_feature(enable = "avx512f")]
        fn wide() -> f32 {
            let mut sums = [_mm512_set1_ps(1e-3); 12];
            let factor = black_box(_mm512_set1_ps(0.999));
            for _ in 0..STEPS {
                for sum in &mut sums {
                    *sum = _mm512_fmadd_ps(*sum, factor, factor);
                }
            }
            sums.iter().map(|s| _mm512_reduce_add_ps(*s)).sum()
        }

        #[target_feature(enable = "avx2,fma")]
        fn narrow() -> f32 {
            let mut sums = [_mm256_set1_ps(1e-3); 12];
            let factor = black_box(_mm256_set1_ps(0.999));
            for _ in 0..STEPS {
                for sum in &mut sums {
                    *sum = _mm256_fmadd_ps(*sum, factor, factor);
                }
            }
            sums.iter().map(|s| _mm256_cvtss_f32(*s)).sum()
        }

        let best = |run: &dyn Fn() -> f32| {
            let times = (0..20).map(|_| {
                let start = Instant::now();
                black_box(run());
                start.elapsed().as_secs_f64()
            });
            times.fold(f64::INFINITY, f64::min)
        };
        let rate = |lanes: usize, time: f64| 2.0 * (STEPS * 12 * lanes) as f64 / time / 1e9;
        match instruction_set() {
            // SAFETY: the kernels have detected the same instructions.
            "avx512f" | "avx512f+vnni" => rate(16, best(&|| unsafe { wide() })),
            // SAFETY: as above.
            "avx2+fma" => rate(8, best(&|| unsafe { narrow() })),
            _ => 0.0,
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = STEPS;
        0.0
    }
}
