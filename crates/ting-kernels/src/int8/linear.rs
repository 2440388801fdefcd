//! Rows times a packed int8 matrix.

use std::cell::RefCell;

use super::matrix::PackedInt8Matrix;
use super::quantize::{Columns, RowScale, quantize_at, scale_sums_at};
use super::tile::{Block, GROUP, MAX_ROWS, multiply, rows_per_tile};
use crate::level::{Level, level};
use crate::linear::{ROWS_PER_PASS, in_passes};
use crate::matrix::PANEL;

/// The rows of one pass as bytes. At most `ROWS_PER_PASS` times the widest input, and one row more.
#[derive(Default)]
struct Scratch {
    /// By tile, interleaved for the kernels: `[groups][rows of the tile][4]`.
    interleaved: Vec<u8>,
    row: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// `out = x * weight^T + bias`: `x` is `[rows][in_features]`, `out` is `[rows][out_features]`.
///
/// Each row of `x` is first rounded to 255 steps of its own range. The product of these with the weights is exact, so
/// that all instruction sets give the same bits. A row with a value that is not finite becomes NaN as a whole.
///
/// # Panics
/// When the length of `x`, `bias` or `out` does not fit the matrix.
pub fn linear_int8(
    x: &[f32],
    rows: usize,
    weight: &PackedInt8Matrix,
    bias: Option<&[f32]>,
    out: &mut [f32],
) {
    linear_int8_at(level(), x, rows, weight, bias, out);
}

pub(crate) fn linear_int8_at(
    level: Level,
    x: &[f32],
    rows: usize,
    weight: &PackedInt8Matrix,
    bias: Option<&[f32]>,
    out: &mut [f32],
) {
    let sizes = (rows, weight.in_features(), weight.out_features());
    SCRATCH.with_borrow_mut(|scratch| {
        in_passes(x, sizes, bias, out, |x, out| {
            pass(level, x, weight, bias, out, scratch);
        });
    });
}

/// One pass: at most [`ROWS_PER_PASS`] rows, all panels.
fn pass(
    level: Level,
    x: &[f32],
    weight: &PackedInt8Matrix,
    bias: Option<&[f32]>,
    out: &mut [f32],
    scratch: &mut Scratch,
) {
    let (inputs, outputs) = (weight.in_features(), weight.out_features());
    let padded = inputs.next_multiple_of(GROUP);
    let rows = x.len() / inputs;
    let tiles = rows.div_ceil(rows_per_tile(level));
    // Tiles of nearly equal height: a last tile of one row would wait for the latency of its few sums.
    let tile_start = |tile: usize| rows * tile / tiles;

    let Scratch { interleaved, row } = scratch;
    // The padding may hold anything: the weights there are zero.
    interleaved.resize(rows * padded, 0);
    row.resize(padded, 0);
    let mut scales = [RowScale::default(); ROWS_PER_PASS];
    for tile in 0..tiles {
        let (start, end) = (tile_start(tile), tile_start(tile + 1));
        let target = &mut interleaved[start * padded..end * padded];
        for r in start..end {
            scales[r] = quantize_at(level, &x[r * inputs..][..inputs], &mut row[..inputs]);
            let slots = target.as_chunks_mut::<GROUP>().0.iter_mut();
            let slots = slots.skip(r - start).step_by(end - start);
            for (slot, group) in slots.zip(row.as_chunks::<GROUP>().0) {
                *slot = *group;
            }
        }
    }

    let mut block: Block = [[0; PANEL]; MAX_ROWS];
    for p in 0..weight.panels() {
        let panel = weight.panel(p);
        let columns = p * PANEL..outputs.min((p + 1) * PANEL);
        let (weight_scales, sums) = weight.columns(p);
        let mut panel_bias = [0.0; PANEL];
        if let Some(bias) = bias {
            panel_bias[..columns.len()].copy_from_slice(&bias[columns.clone()]);
        }
        let factors = Columns {
            scales: weight_scales,
            sums,
            bias: &panel_bias,
        };
        for tile in 0..tiles {
            let (start, end) = (tile_start(tile), tile_start(tile + 1));
            let x = &interleaved[start * padded..end * padded];
            multiply(level, end - start, x, panel, &mut block);
            for (sums, r) in block.iter().zip(start..end) {
                let out = &mut out[r * outputs..][columns.clone()];
                scale_sums_at(level, sums, scales[r], factors, out);
            }
        }
    }
}
