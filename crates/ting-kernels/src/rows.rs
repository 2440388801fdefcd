//! Kernels that work on each row by itself.
//!
//! They are written once over groups of sixteen values and compiled twice: for AVX2 with FMA, and for the
//! target's baseline. Sums run in sixteen lanes that are added in a fixed order.

use crate::level::{Level, level};

/// Values handled side by side.
pub(crate) const LANES: usize = 16;

/// Defines `$at(level, ..)`, which runs `$body::<FMA>(..)` compiled for the level's instructions.
macro_rules! compiled_by_level {
    ($at:ident, $body:ident, ($($arg:ident: $type:ty),*) $(-> $result:ty)?) => {
        pub(crate) fn $at(level: Level, $($arg: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn vector($($arg: $type),*) $(-> $result)? {
                $body::<true>($($arg),*)
            }
            match level {
                Level::Portable => $body::<false>($($arg),*),
                // SAFETY: these levels exist only where AVX2 and FMA were detected.
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 | Level::Avx512 | Level::Avx512Vnni => unsafe { vector($($arg),*) },
            }
        }
    };
}
pub(crate) use compiled_by_level;

/// Sets negative values to zero.
pub fn relu(values: &mut [f32]) {
    relu_at(level(), values);
}

/// Replaces each row of `columns` values by its softmax.
///
/// The row's maximum is taken off first, so no finite input overflows; minus infinity gives 0.
///
/// # Panics
/// When `values` is not a whole number of rows.
pub fn softmax(values: &mut [f32], columns: usize) {
    check_rows(values, columns);
    softmax_at(level(), values, columns);
}

/// Replaces each row of `columns` values by the natural logarithm of its softmax.
///
/// # Panics
/// When `values` is not a whole number of rows.
pub fn log_softmax(values: &mut [f32], columns: usize) {
    check_rows(values, columns);
    log_softmax_at(level(), values, columns);
}

/// Layer normalisation of each row (Ba et al. 2016): `(x - mean) / sqrt(variance + epsilon) * scale + shift`,
/// with the biased variance as PyTorch has it. `x` and `out` are `[rows][scale.len()]`.
///
/// # Panics
/// When the lengths do not fit each other.
pub fn layer_norm(x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, out: &mut [f32]) {
    check_rows(x, scale.len());
    assert_eq!(scale.len(), shift.len(), "scale and shift differ in length");
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    layer_norm_at(level(), x, scale, shift, epsilon, out);
}

fn check_rows(values: &[f32], columns: usize) {
    assert!(
        columns > 0 && values.len().is_multiple_of(columns),
        "{} values are not a whole number of rows of {columns}",
        values.len()
    );
}

compiled_by_level!(relu_at, relu_body, (values: &mut [f32]));
compiled_by_level!(softmax_at, softmax_body, (values: &mut [f32], columns: usize));
compiled_by_level!(log_softmax_at, log_softmax_body, (values: &mut [f32], columns: usize));
compiled_by_level!(layer_norm_at, layer_norm_body,
    (x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, out: &mut [f32]));

#[inline(always)]
fn relu_body<const FMA: bool>(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}

#[inline(always)]
fn softmax_body<const FMA: bool>(values: &mut [f32], columns: usize) {
    for row in values.chunks_exact_mut(columns) {
        let top = maximum(row);
        let mut sums = [0.0f32; LANES];
        let mut groups = row.chunks_exact_mut(LANES);
        for group in &mut groups {
            for (value, sum) in group.iter_mut().zip(&mut sums) {
                *value = exp::<FMA>(*value - top);
                *sum += *value;
            }
        }
        for (value, sum) in groups.into_remainder().iter_mut().zip(&mut sums) {
            *value = exp::<FMA>(*value - top);
            *sum += *value;
        }
        let factor = 1.0 / add_lanes(sums);
        for value in row {
            *value *= factor;
        }
    }
}

#[inline(always)]
fn log_softmax_body<const FMA: bool>(values: &mut [f32], columns: usize) {
    for row in values.chunks_exact_mut(columns) {
        let top = maximum(row);
        let sum = sum_of(row, |x| exp::<FMA>(x - top));
        let offset = top + sum.ln();
        for value in row {
            *value -= offset;
        }
    }
}

#[inline(always)]
fn layer_norm_body<const FMA: bool>(
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    epsilon: f32,
    out: &mut [f32],
) {
    let columns = scale.len();
    for (x, out) in x.chunks_exact(columns).zip(out.chunks_exact_mut(columns)) {
        let mean = sum_of(x, |v| v) / columns as f32;
        let variance = sum_of(x, |v| (v - mean) * (v - mean)) / columns as f32;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for (((o, v), g), b) in out.iter_mut().zip(x).zip(scale).zip(shift) {
            *o = fused::<FMA>((v - mean) * factor, *g, *b);
        }
    }
}

/// The sum of `f` over the row, in sixteen lanes.
#[inline(always)]
fn sum_of(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        for (value, sum) in group.iter().zip(&mut sums) {
            *sum += f(*value);
        }
    }
    for (value, sum) in rest.iter().zip(&mut sums) {
        *sum += f(*value);
    }
    add_lanes(sums)
}

#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let mut tops = [f32::NEG_INFINITY; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        for (value, top) in group.iter().zip(&mut tops) {
            *top = if *value > *top { *value } else { *top };
        }
    }
    for (value, top) in rest.iter().zip(&mut tops) {
        *top = if *value > *top { *value } else { *top };
    }
    tops.iter()
        .fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a })
}

#[inline(always)]
fn add_lanes(mut sums: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

/// `a * b + c`, fused where the instruction exists. (Without it, `mul_add` would call a slow library routine.)
#[inline(always)]
pub(crate) fn fused<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x` for `x <= 0`, within 3e-7 relative; 0 below -87, where the result would leave the normal numbers.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; `e^r` by its Taylor polynomial of degree 7 (the next term is
/// below 1e-8 there), `2^n` by the exponent bits.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    // 1.5 * 2^23: adding it leaves the integer nearest to the summand in the low bits.
    const ROUNDER: f32 = 12_582_912.0;
    // ln 2 in two parts; the first has few enough bits that n * HIGH is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const TERMS: [f32; 7] = [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];

    let bounded = if x > -87.0 { x } else { -87.0 };
    let rounded = fused::<FMA>(bounded, std::f32::consts::LOG2_E, ROUNDER);
    let n = rounded - ROUNDER;
    let r = fused::<FMA>(n, -LN2_LOW, fused::<FMA>(n, -LN2_HIGH, bounded));
    let mut sum = 1.0 / 5040.0;
    for term in TERMS {
        sum = fused::<FMA>(sum, r, term);
    }
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x > -87.0 { sum * power } else { 0.0 }
}
