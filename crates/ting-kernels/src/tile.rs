//! The innermost product: a few rows times one panel of 32 columns.
//!
//! Each output value is one chain of multiply-adds over the input features in ascending order, in every kernel
//! and for every number of rows. That is what makes a row's result independent of the rows beside it.

use crate::level::Level;
use crate::matrix::PANEL;

/// Most rows any kernel takes at once.
pub(crate) const MAX_ROWS: usize = 12;

/// Results of one tile, a row each.
pub(crate) type Block = [[f32; PANEL]; MAX_ROWS];

/// The most rows the kernel of `level` takes at once: what its registers hold.
pub(crate) fn rows_per_tile(level: Level) -> usize {
    match level {
        Level::Portable => 4,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => 6,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => 12,
    }
}

/// Multiplies `rows` rows (`x` is `[depth][rows]`) by a panel (`[depth][32]`) into the first rows of `block`.
pub(crate) fn multiply(level: Level, rows: usize, x: &[f32], panel: &[f32], block: &mut Block) {
    assert!(rows >= 1 && rows <= rows_per_tile(level));
    assert_eq!(panel.len() / PANEL * rows, x.len());
    match level {
        Level::Portable => portable(rows, x, panel, block),
        // SAFETY: the level exists only where its instructions were detected.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::avx2(rows, x, panel, block) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { x86::avx512(rows, x, panel, block) },
    }
}

fn portable(rows: usize, x: &[f32], panel: &[f32], block: &mut Block) {
    for row in &mut block[..rows] {
        *row = [0.0; PANEL];
    }
    for (xs, weights) in x.chunks_exact(rows).zip(panel.chunks_exact(PANEL)) {
        for (row, &value) in block.iter_mut().zip(xs) {
            for (sum, &weight) in row.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Block, PANEL};

    /// Calls `$kernel` with the number of rows as a constant, so that its sums stay in registers.
    macro_rules! by_rows {
        ($kernel:ident, $rows:expr, $args:tt, [$($n:literal)*]) => {
            match $rows {
                $($n => $kernel::<$n> $args,)*
                _ => unreachable!("the caller has checked the number of rows"),
            }
        };
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(rows: usize, x: &[f32], panel: &[f32], block: &mut Block) {
        by_rows!(avx512_rows, rows, (x, panel, block), [1 2 3 4 5 6 7 8 9 10 11 12]);
    }

    #[target_feature(enable = "avx512f")]
    fn avx512_rows<const ROWS: usize>(x: &[f32], panel: &[f32], block: &mut Block) {
        let depth = panel.len() / PANEL;
        assert!(x.len() >= depth * ROWS);
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        let (mut x, mut weights) = (x.as_ptr(), panel.as_ptr());
        for _ in 0..depth {
            // SAFETY: `depth` steps of ROWS and PANEL floats lie inside the slices, checked above; the last
            // step leaves the pointers at most one past the end.
            unsafe {
                let low = _mm512_loadu_ps(weights);
                let high = _mm512_loadu_ps(weights.add(16));
                for (r, sum) in sums.iter_mut().enumerate() {
                    let value = _mm512_set1_ps(*x.add(r));
                    sum[0] = _mm512_fmadd_ps(value, low, sum[0]);
                    sum[1] = _mm512_fmadd_ps(value, high, sum[1]);
                }
                x = x.add(ROWS);
                weights = weights.add(PANEL);
            }
        }
        for (sum, row) in sums.iter().zip(block.iter_mut()) {
            // SAFETY: a row of the block is PANEL (32) floats.
            unsafe {
                _mm512_storeu_ps(row.as_mut_ptr(), sum[0]);
                _mm512_storeu_ps(row.as_mut_ptr().add(16), sum[1]);
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(rows: usize, x: &[f32], panel: &[f32], block: &mut Block) {
        by_rows!(avx2_rows, rows, (x, panel, block), [1 2 3 4 5 6]);
    }

    /// Half a panel at a time: six rows by two vectors fill the sixteen registers.
    #[target_feature(enable = "avx2,fma")]
    fn avx2_rows<const ROWS: usize>(x: &[f32], panel: &[f32], block: &mut Block) {
        let depth = panel.len() / PANEL;
        assert!(x.len() >= depth * ROWS);
        for half in [0, PANEL / 2] {
            let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
            for k in 0..depth {
                // SAFETY: k < depth, so ROWS floats of `x` and PANEL of the panel lie there, checked above.
                unsafe {
                    let x = x.as_ptr().add(k * ROWS);
                    let weights = panel.as_ptr().add(k * PANEL + half);
                    let low = _mm256_loadu_ps(weights);
                    let high = _mm256_loadu_ps(weights.add(8));
                    for (r, sum) in sums.iter_mut().enumerate() {
                        let value = _mm256_set1_ps(*x.add(r));
                        sum[0] = _mm256_fmadd_ps(value, low, sum[0]);
                        sum[1] = _mm256_fmadd_ps(value, high, sum[1]);
                    }
                }
            }
            for (sum, row) in sums.iter().zip(block.iter_mut()) {
                // SAFETY: a row of the block is PANEL floats, and `half` is 0 or PANEL / 2.
                unsafe {
                    _mm256_storeu_ps(row.as_mut_ptr().add(half), sum[0]);
                    _mm256_storeu_ps(row.as_mut_ptr().add(half + 8), sum[1]);
                }
            }
        }
    }
}
