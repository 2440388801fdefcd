//! From f32 rows to bytes and back.

use crate::level::Level;
use crate::matrix::PANEL;
use crate::rows::{LANES, compiled_by_level};

/// Adding 1.5 * 2^23 leaves a number of at most 2^22, rounded to the nearest integer (ties to even), in the last bits
/// of the sum. Unlike a call to round, it is the same few instructions, and the same result, on every machine.
const ROUNDER: f32 = 12_582_912.0;

/// A row whose values span less than this is all zeros: its scale would be no normal number.
const TINY: f32 = 1e-30;

/// What the bytes of a row stand for: `(byte - zero) * scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RowScale {
    pub(crate) scale: f32,
    /// 0 to 255. A row without negative values, such as one behind a ReLU, has 0 and all 255 steps above it.
    pub(crate) zero: i32,
}

compiled_by_level!(quantize_at, quantize_body, (x: &[f32], bytes: &mut [u8]) -> RowScale);
compiled_by_level!(scale_sums_at, scale_sums_body,
    (sums: &[i32; PANEL], row: RowScale, weights: Columns<'_>, out: &mut [f32]));

/// What the columns of a panel need to become f32 again.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) scales: &'a [f32],
    pub(crate) sums: &'a [i32],
    pub(crate) bias: &'a [f32; PANEL],
}

/// Writes a byte for each value of `x`, off by at most half a step of the row's range, zero always exact. A row with a
/// value that is not finite gets a scale of NaN, so that all of its results are NaN.
///
/// No multiplication is fused with an addition here, so that all levels give the same bits.
#[inline(always)]
fn quantize_body<const FMA: bool>(x: &[f32], bytes: &mut [u8]) -> RowScale {
    let (mut low, mut high, mut poison) = ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
    let (groups, rest) = x.as_chunks::<LANES>();
    for group in groups {
        for (i, &v) in group.iter().enumerate() {
            // Not `min` and `max`, which take instructions more to ignore NaN, as `poison` sees it.
            low[i] = if v < low[i] { v } else { low[i] };
            high[i] = if v > high[i] { v } else { high[i] };
            poison[i] += v * 0.0;
        }
    }
    for (i, &v) in rest.iter().enumerate() {
        low[i] = if v < low[i] { v } else { low[i] };
        high[i] = if v > high[i] { v } else { high[i] };
        poison[i] += v * 0.0;
    }
    let low = low.iter().fold(0.0f32, |a, &b| a.min(b));
    let high = high.iter().fold(0.0f32, |a, &b| a.max(b));
    let range = high - low;
    let (scale, steps) = if range < TINY {
        (0.0, 0.0)
    } else {
        (range / 255.0, 255.0 / range)
    };
    let round = |value: f32| {
        let bits = (value + ROUNDER).to_bits() as i32;
        bits.wrapping_sub(ROUNDER.to_bits() as i32)
    };
    let zero = round(-low * steps).clamp(0, 255);
    for (byte, &v) in bytes.iter_mut().zip(x) {
        *byte = round(v * steps).wrapping_add(zero).clamp(0, 255) as u8;
    }
    RowScale {
        scale: scale + poison.iter().sum::<f32>(),
        zero,
    }
}

/// From the sums of one row over bytes and weights to its results: the zero point's part taken off, scaled, biased.
/// `out` takes as many columns as it has room for.
#[inline(always)]
fn scale_sums_body<const FMA: bool>(
    sums: &[i32; PANEL],
    row: RowScale,
    weights: Columns<'_>,
    out: &mut [f32],
) {
    let columns = sums.iter().zip(weights.sums).zip(weights.scales);
    for ((out, bias), ((&sum, &of_weights), &scale)) in
        out.iter_mut().zip(weights.bias).zip(columns)
    {
        let exact = sum.wrapping_sub(row.zero.wrapping_mul(of_weights));
        *out = exact as f32 * (row.scale * scale) + bias;
    }
}
