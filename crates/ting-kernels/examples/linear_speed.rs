//! Measures `linear` on one core: `cargo run --release -p ting-kernels --example linear_speed`.
//!
//! Prints the best and the median of many repeats, as GFLOP/s and as a share of the fused multiply-add rate the
//! same run measures from registers alone. The weights of each shape rotate through as many matrices as
//! fill 64 MB in the `cold` lines, so they come from memory rather than a cache.

// The register-only probe is made of intrinsics.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::time::Instant;

use ting_kernels::{PackedMatrix, instruction_set, linear};

fn main() {
    let peak = fma_rate();
    println!(
        "instructions: {}; multiply-add peak: {peak:.1} GFLOP/s",
        instruction_set()
    );
    let shapes = [
        (1, 256, 1024),
        (3, 256, 768),
        (3, 256, 1024),
        (3, 1024, 256),
        (16, 256, 1024),
    ];
    let larger = [
        (60, 512, 2048),
        (60, 2048, 512),
        (96, 256, 1024),
        (240, 512, 2048),
        (400, 256, 768),
    ];
    for (rows, inputs, outputs) in shapes.into_iter().chain(larger) {
        for (name, bytes) in [("warm", 0), ("cold", 64 << 20)] {
            let count = (bytes / (inputs * outputs * 4)).max(1);
            let weight: Vec<f32> = (0..inputs * outputs)
                .map(|i| (i % 17) as f32 * 0.1)
                .collect();
            let matrices: Vec<_> = (0..count)
                .map(|_| PackedMatrix::pack(&weight, outputs, inputs))
                .collect();
            let x: Vec<f32> = (0..rows * inputs).map(|i| (i % 13) as f32 * 0.1).collect();
            let mut out = vec![0.0; rows * outputs];
            let repeats = (2_000_000_000 / (rows * inputs * outputs)).clamp(20, 2000);
            let mut times: Vec<f64> = (0..repeats)
                .map(|i| {
                    let start = Instant::now();
                    linear(black_box(&x), rows, &matrices[i % count], None, &mut out);
                    black_box(&mut out);
                    start.elapsed().as_secs_f64()
                })
                .collect();
            times.sort_by(f64::total_cmp);
            let rate = |t: f64| 2.0 * (rows * inputs * outputs) as f64 / t / 1e9;
            let (best, median) = (rate(times[0]), rate(times[repeats / 2]));
            println!(
                "{rows:4} x {inputs:4} x {outputs:4} {name}: best {best:6.1} ({:3.0} %), median {median:6.1} \
                 ({:3.0} %), weights {:5.1} GB/s",
                100.0 * best / peak,
                100.0 * median / peak,
                (inputs * outputs * 4) as f64 / times[repeats / 2] / 1e9,
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
            "avx512f" => rate(16, best(&|| unsafe { wide() })),
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
