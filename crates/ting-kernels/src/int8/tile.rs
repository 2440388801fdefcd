//! The innermost int8 product: a few rows of bytes times one panel of 32 columns, into exact i32 sums.

use crate::level::Level;
use crate::matrix::PANEL;

/// Input features side by side in memory, which `vpdpbusd` multiplies and adds at once.
pub(super) const GROUP: usize = 4;

/// Bytes of a panel per group.
pub(super) const GROUP_BYTES: usize = PANEL * GROUP;

/// Most rows any kernel takes at once.
pub(super) const MAX_ROWS: usize = 12;

/// Sums of one tile, a row each.
pub(super) type Block = [[i32; PANEL]; MAX_ROWS];

/// The most rows the kernel of `level` takes at once: what its registers hold.
pub(super) fn rows_per_tile(level: Level) -> usize {
    match level {
        Level::Portable => 4,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => 3,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => 12,
    }
}

/// Multiplies `rows` rows (`x` is `[groups][rows][4]`) by a panel (`[groups][32][4]`) into the first rows of `block`.
pub(super) fn multiply(level: Level, rows: usize, x: &[u8], panel: &[i8], block: &mut Block) {
    assert!(rows >= 1 && rows <= rows_per_tile(level));
    assert_eq!(panel.len() / GROUP_BYTES * rows * GROUP, x.len());
    match level {
        Level::Portable => portable(rows, x, panel, block),
        // SAFETY: both levels exist only where AVX2 was detected.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => unsafe { x86::avx2(rows, x, panel, block) },
        // SAFETY: the level exists only where AVX-512F and AVX512-VNNI were detected.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => unsafe { x86::vnni(rows, x, panel, block) },
    }
}

/// Eight columns at a time, each as four sums that are added at the end: then every lane does the same, which the
/// compiler makes vectors of.
fn portable(rows: usize, x: &[u8], panel: &[i8], block: &mut Block) {
    const COLUMNS: usize = 8;
    for (row, sums) in block.iter_mut().enumerate().take(rows) {
        for (part, sums) in sums.chunks_exact_mut(COLUMNS).enumerate() {
            let mut lanes = [0i32; COLUMNS * GROUP];
            let groups = x
                .chunks_exact(rows * GROUP)
                .zip(panel.chunks_exact(GROUP_BYTES));
            for (xs, weights) in groups {
                let xs = &xs[row * GROUP..][..GROUP];
                let values: [i16; GROUP] = [xs[0].into(), xs[1].into(), xs[2].into(), xs[3].into()];
                let weights = &weights[part * COLUMNS * GROUP..][..COLUMNS * GROUP];
                for (i, (lane, &weight)) in lanes.iter_mut().zip(weights).enumerate() {
                    *lane += i32::from(values[i % GROUP]) * i32::from(i16::from(weight));
                }
            }
            for (sum, lanes) in sums.iter_mut().zip(lanes.chunks_exact(GROUP)) {
                *sum = lanes.iter().sum();
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Block, GROUP, GROUP_BYTES, PANEL};

    /// Calls the kernel with the number of rows as a constant, so that its sums stay in registers.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn vnni(rows: usize, x: &[u8], panel: &[i8], block: &mut Block) {
        match rows {
            // With few rows, more sums than one per column: an addition would wait for the one before it.
            1 => vnni_rows::<1, 4>(x, panel, block),
            2 => vnni_rows::<2, 4>(x, panel, block),
            3 => vnni_rows::<3, 2>(x, panel, block),
            4 => vnni_rows::<4, 2>(x, panel, block),
            5 => vnni_rows::<5, 2>(x, panel, block),
            6 => vnni_rows::<6, 1>(x, panel, block),
            7 => vnni_rows::<7, 1>(x, panel, block),
            8 => vnni_rows::<8, 1>(x, panel, block),
            9 => vnni_rows::<9, 1>(x, panel, block),
            10 => vnni_rows::<10, 1>(x, panel, block),
            11 => vnni_rows::<11, 1>(x, panel, block),
            12 => vnni_rows::<12, 1>(x, panel, block),
            _ => unreachable!("the caller has checked the number of rows"),
        }
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    fn vnni_rows<const ROWS: usize, const SPLIT: usize>(x: &[u8], panel: &[i8], block: &mut Block) {
        let groups = panel.len() / GROUP_BYTES;
        assert!(x.len() >= groups * ROWS * GROUP);
        let mut sums = [[[_mm512_setzero_si512(); 2]; ROWS]; SPLIT];
        let step = |group: usize, sums: &mut [[__m512i; 2]; ROWS]| {
            // SAFETY: `group` is below `groups`, so GROUP_BYTES of the panel and ROWS times GROUP bytes of `x` lie
            // there, checked above; the load of an i32 is an unaligned one.
            unsafe {
                let weights = panel.as_ptr().add(group * GROUP_BYTES);
                let low = _mm512_loadu_si512(weights.cast());
                let high = _mm512_loadu_si512(weights.add(64).cast());
                let x = x.as_ptr().add(group * ROWS * GROUP).cast::<i32>();
                for (r, sum) in sums.iter_mut().enumerate() {
                    let values = _mm512_set1_epi32(x.add(r).read_unaligned());
                    sum[0] = _mm512_dpbusd_epi32(sum[0], values, low);
                    sum[1] = _mm512_dpbusd_epi32(sum[1], values, high);
                }
            }
        };
        let whole = groups / SPLIT * SPLIT;
        for start in (0..whole).step_by(SPLIT) {
            for (s, sums) in sums.iter_mut().enumerate() {
                step(start + s, sums);
            }
        }
        for group in whole..groups {
            step(group, &mut sums[0]);
        }
        for (r, row) in block.iter_mut().enumerate().take(ROWS) {
            let mut total = sums[0][r];
            for sums in &sums[1..] {
                total[0] = _mm512_add_epi32(total[0], sums[r][0]);
                total[1] = _mm512_add_epi32(total[1], sums[r][1]);
            }
            // SAFETY: a row of the block is PANEL (32) i32.
            unsafe {
                _mm512_storeu_si512(row.as_mut_ptr().cast(), total[0]);
                _mm512_storeu_si512(row.as_mut_ptr().add(16).cast(), total[1]);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(rows: usize, x: &[u8], panel: &[i8], block: &mut Block) {
        match rows {
            1 => avx2_rows::<1>(x, panel, block),
            2 => avx2_rows::<2>(x, panel, block),
            3 => avx2_rows::<3>(x, panel, block),
            _ => unreachable!("the caller has checked the number of rows"),
        }
    }

    /// Half a panel at a time: three rows by four vectors, and what they are made of, fill the sixteen registers.
    ///
    /// Multiplies 16-bit numbers (`vpmaddwd`): `vpmaddubsw` on the bytes would saturate, as two products of a u8 and an
    /// i8 do not fit 16 bits.
    #[target_feature(enable = "avx2")]
    fn avx2_rows<const ROWS: usize>(x: &[u8], panel: &[i8], block: &mut Block) {
        let groups = panel.len() / GROUP_BYTES;
        assert!(x.len() >= groups * ROWS * GROUP);
        for half in [0, PANEL / 2] {
            // A vector is four columns, of each the sum of the products 0 and 1 of every group, and that of 2 and 3.
            let mut sums = [[_mm256_setzero_si256(); 4]; ROWS];
            for group in 0..groups {
                let mut values = [_mm256_setzero_si256(); ROWS];
                // SAFETY: `group` is below `groups`, so ROWS times GROUP bytes of `x` lie there, checked above; the
                // load of an i32 is an unaligned one.
                unsafe {
                    let x = x.as_ptr().add(group * ROWS * GROUP).cast::<i32>();
                    for (r, values) in values.iter_mut().enumerate() {
                        let bytes = _mm_set1_epi32(x.add(r).read_unaligned());
                        *values = _mm256_cvtepu8_epi16(bytes);
                    }
                }
                for part in 0..4 {
                    // SAFETY: the four parts of a half are its 64 bytes, of a group that lies in the panel.
                    let weights = unsafe {
                        let start = group * GROUP_BYTES + half * GROUP + part * 16;
                        _mm256_cvtepi8_epi16(_mm_loadu_si128(panel.as_ptr().add(start).cast()))
                    };
                    for (sums, values) in sums.iter_mut().zip(values) {
                        let products = _mm256_madd_epi16(values, weights);
                        sums[part] = _mm256_add_epi32(sums[part], products);
                    }
                }
            }
            for (sums, row) in sums.iter().zip(block.iter_mut()) {
                for pair in [0, 1] {
                    // Adding neighbours leaves the columns 0 1 4 5 2 3 6 7.
                    let added = _mm256_hadd_epi32(sums[2 * pair], sums[2 * pair + 1]);
                    let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(added);
                    // SAFETY: a row of the block is PANEL i32, and half + 8 pair + 8 is at most that.
                    unsafe {
                        let target = row.as_mut_ptr().add(half + 8 * pair);
                        _mm256_storeu_si256(target.cast(), ordered);
                    }
                }
            }
        }
    }
}
