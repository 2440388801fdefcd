//! Rows times a packed matrix.

use std::cell::RefCell;

use crate::level::{Level, level};
use crate::matrix::{PANEL, PackedMatrix};
use crate::tile::{Block, MAX_ROWS, multiply, rows_per_tile};

/// Rows whose inputs are interleaved at a time. At 2048 input features that is 400 kB: it stays in a
/// second-level cache beside a panel of the weights, and the weights are read once per 48 rows.
pub(crate) const ROWS_PER_PASS: usize = 48;

thread_local! {
    /// Inputs of one pass, interleaved for the tiles. At most `ROWS_PER_PASS` times the widest input.
    static INTERLEAVED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// `out = x * weight^T + bias`: `x` is `[rows][in_features]`, `out` is `[rows][out_features]`.
///
/// With one to twelve rows every weight is read once, so a streaming chunk costs one pass over the weights.
///
/// # Panics
/// When the length of `x`, `bias` or `out` does not fit the matrix.
pub fn linear(
    x: &[f32],
    rows: usize,
    weight: &PackedMatrix,
    bias: Option<&[f32]>,
    out: &mut [f32],
) {
    linear_at(level(), x, rows, weight, bias, out);
}

pub(crate) fn linear_at(
    level: Level,
    x: &[f32],
    rows: usize,
    weight: &PackedMatrix,
    bias: Option<&[f32]>,
    out: &mut [f32],
) {
    let sizes = (rows, weight.in_features(), weight.out_features());
    INTERLEAVED.with_borrow_mut(|scratch| {
        in_passes(x, sizes, bias, out, |x, out| {
            pass(level, x, weight, bias, out, scratch);
        });
    });
}

/// Calls `pass` with the inputs and the outputs of at most [`ROWS_PER_PASS`] rows at a time. `sizes` are the rows, and the
/// input and output features. A matrix without any of these needs no pass: what is left of it is the bias.
///
/// # Panics
/// When the length of `x`, `bias` or `out` does not fit the sizes.
pub(crate) fn in_passes(
    x: &[f32],
    sizes: (usize, usize, usize),
    bias: Option<&[f32]>,
    out: &mut [f32],
    mut pass: impl FnMut(&[f32], &mut [f32]),
) {
    let (rows, inputs, outputs) = sizes;
    check_shapes(x, rows, inputs, outputs, bias, out);
    if inputs == 0 || outputs == 0 {
        return fill_with_bias(bias, outputs, out);
    }
    let passes = x
        .chunks(ROWS_PER_PASS * inputs)
        .zip(out.chunks_mut(ROWS_PER_PASS * outputs));
    for (x, out) in passes {
        pass(x, out);
    }
}

/// # Panics
/// When the lengths do not fit `rows` rows of `inputs` and `outputs` values.
fn check_shapes(
    x: &[f32],
    rows: usize,
    inputs: usize,
    outputs: usize,
    bias: Option<&[f32]>,
    out: &[f32],
) {
    assert_eq!(
        x.len(),
        rows * inputs,
        "the input should be {rows} rows of {inputs}"
    );
    assert_eq!(
        out.len(),
        rows * outputs,
        "the output should be {rows} rows of {outputs}"
    );
    assert!(
        bias.is_none_or(|b| b.len() == outputs),
        "the bias should be {outputs} values"
    );
}

/// One pass: at most [`ROWS_PER_PASS`] rows, all panels.
fn pass(
    level: Level,
    x: &[f32],
    weight: &PackedMatrix,
    bias: Option<&[f32]>,
    out: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    let (inputs, outputs) = (weight.in_features(), weight.out_features());
    let rows = x.len() / inputs;
    let tiles = rows.div_ceil(rows_per_tile(level));
    // Tiles of nearly equal height: a last tile of one row would wait for the latency of its few sums.
    let tile_start = |tile: usize| rows * tile / tiles;

    scratch.clear();
    scratch.resize(rows * inputs, 0.0);
    for tile in 0..tiles {
        let (start, end) = (tile_start(tile), tile_start(tile + 1));
        let target = &mut scratch[start * inputs..end * inputs];
        interleave(&x[start * inputs..end * inputs], inputs, target);
    }

    let mut block: Block = [[0.0; PANEL]; MAX_ROWS];
    for p in 0..weight.panels() {
        let panel = weight.panel(p);
        let columns = p * PANEL..outputs.min((p + 1) * PANEL);
        for tile in 0..tiles {
            let (start, end) = (tile_start(tile), tile_start(tile + 1));
            multiply(
                level,
                end - start,
                &scratch[start * inputs..end * inputs],
                panel,
                &mut block,
            );
            for (sums, row) in block.iter().zip(start..end) {
                let out = &mut out[row * outputs..][columns.clone()];
                match bias {
                    Some(bias) => {
                        for ((o, s), b) in out.iter_mut().zip(sums).zip(&bias[columns.clone()]) {
                            *o = s + b;
                        }
                    }
                    None => out.copy_from_slice(&sums[..columns.len()]),
                }
            }
        }
    }
}

/// From `[rows][inputs]` to `[inputs][rows]`: a tile then reads one stream instead of one per row, whose
/// power-of-two distances would fall on the same cache sets.
fn interleave(x: &[f32], inputs: usize, target: &mut [f32]) {
    let rows = x.len() / inputs;
    for (k, slots) in target.chunks_exact_mut(rows).enumerate() {
        for (r, slot) in slots.iter_mut().enumerate() {
            *slot = x[r * inputs + k];
        }
    }
}

fn fill_with_bias(bias: Option<&[f32]>, outputs: usize, out: &mut [f32]) {
    for row in out.chunks_exact_mut(outputs.max(1)) {
        match bias {
            Some(bias) => row.copy_from_slice(bias),
            None => row.fill(0.0),
        }
    }
}
