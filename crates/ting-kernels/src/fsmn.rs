//! The memory block of FSMN and SAN-M: a depthwise convolution over time.

use crate::level::{Level, level};
use crate::rows::{LANES, compiled_by_level, fused};

/// Adds to each row a weighted sum of the rows around it, channel by channel (Zhang et al. 2018, DFSMN):
/// `out[t - start] = x[t] + sum_j weight[j] * x[t - left + j]` for `t` from `start` to the last row of `x`.
///
/// `x` is `[rows][dim]`, `weight` is `[taps][dim]` (a checkpoint's `[dim][1][taps]` transposed), and `out` is
/// `[rows - start][dim]`. Rows before the first and after the last count as zero. With `left = taps - 1` the
/// sum looks back only; rows `0 .. start` are then the history a stream keeps.
///
/// # Panics
/// When the lengths do not fit each other.
pub fn fsmn_memory(
    x: &[f32],
    dim: usize,
    weight: &[f32],
    left: usize,
    start: usize,
    out: &mut [f32],
) {
    assert!(
        dim > 0 && x.len().is_multiple_of(dim),
        "the input should be rows of {dim}"
    );
    assert!(
        weight.len().is_multiple_of(dim),
        "the weight should be taps of {dim}"
    );
    assert_eq!(
        out.len() + start * dim,
        x.len(),
        "the output should be the rows from {start} on"
    );
    fsmn_memory_at(level(), x, dim, weight, left, start, out);
}

compiled_by_level!(fsmn_memory_at, fsmn_memory_body,
    (x: &[f32], dim: usize, weight: &[f32], left: usize, start: usize, out: &mut [f32]));

#[inline(always)]
fn fsmn_memory_body<const FMA: bool>(
    x: &[f32],
    dim: usize,
    weight: &[f32],
    left: usize,
    start: usize,
    out: &mut [f32],
) {
    let (rows, taps) = (x.len() / dim, weight.len() / dim);
    for (out, t) in out.chunks_exact_mut(dim).zip(start..) {
        // Tap j reads row t - left + j, which has to be one of 0 .. rows. Leaving a row out and adding a row
        // of zeros give the same bits, so a stream's start equals the start of a whole utterance.
        let first_tap = left.saturating_sub(t);
        let end_tap = taps.min((rows + left).saturating_sub(t));
        let mut column = 0;
        while column < dim {
            let width = LANES.min(dim - column);
            let mut sums = [0.0f32; LANES];
            for tap in first_tap..end_tap {
                let row = t + tap - left;
                let weights = &weight[tap * dim + column..][..width];
                let values = &x[row * dim + column..][..width];
                match (weights.as_array::<LANES>(), values.as_array::<LANES>()) {
                    (Some(weights), Some(values)) => {
                        for ((sum, w), v) in sums.iter_mut().zip(weights).zip(values) {
                            *sum = fused::<FMA>(*w, *v, *sum);
                        }
                    }
                    _ => {
                        for ((sum, w), v) in sums.iter_mut().zip(weights).zip(values) {
                            *sum = fused::<FMA>(*w, *v, *sum);
                        }
                    }
                }
            }
            let own = &x[t * dim + column..][..width];
            for ((o, sum), v) in out[column..column + width].iter_mut().zip(&sums).zip(own) {
                *o = sum + v;
            }
            column += width;
        }
    }
}
