//! Multi-head attention of some query rows over a range of key and value rows.

use crate::level::{Level, level};
use crate::linear::linear_at;
use crate::matrix::PackedMatrix;
use crate::rows::softmax_at;

/// Query rows whose scores are held at a time. It bounds the scratch memory to 48 times the number of keys.
const QUERIES_PER_PASS: usize = 48;

/// Rows of equal width at equal distances, such as the queries inside `[rows][q | k | v]`.
#[derive(Clone, Copy, Debug)]
pub struct Strided<'a> {
    data: &'a [f32],
    rows: usize,
    stride: usize,
}

impl<'a> Strided<'a> {
    /// `rows` rows, row `i` starting at `data[i * stride]`.
    pub fn new(data: &'a [f32], rows: usize, stride: usize) -> Self {
        Self { data, rows, stride }
    }

    fn check(&self, width: usize, what: &str) {
        let needed = self
            .rows
            .checked_sub(1)
            .map_or(0, |last| last * self.stride + width);
        assert!(
            self.stride >= width && self.data.len() >= needed,
            "the {what} should be {} rows of at least {width}",
            self.rows
        );
    }
}

/// Buffers of [`attention`], kept between calls to save allocations. The content does not matter.
pub struct AttentionScratch {
    keys: PackedMatrix,
    values: PackedMatrix,
    queries: Vec<f32>,
    scores: Vec<f32>,
    mixed: Vec<f32>,
}

impl Default for AttentionScratch {
    fn default() -> Self {
        Self {
            keys: PackedMatrix::empty(),
            values: PackedMatrix::empty(),
            queries: Vec::new(),
            scores: Vec::new(),
            mixed: Vec::new(),
        }
    }
}

/// Scaled dot-product attention (Vaswani et al. 2017): for each query row and head,
/// `softmax(q k^T / sqrt(d)) v` over all rows of `keys` and `values`, with `d = dim / heads`.
///
/// `queries`, `keys` and `values` are rows of `dim`, `out` is `[queries][dim]`. A caller that wants a mask by
/// range passes just the rows in the range. Without keys the result is zero.
///
/// # Panics
/// When `heads` does not divide `dim`, or the lengths do not fit each other.
pub fn attention(
    queries: Strided<'_>,
    keys: Strided<'_>,
    values: Strided<'_>,
    heads: usize,
    dim: usize,
    scratch: &mut AttentionScratch,
    out: &mut [f32],
) {
    attention_at(level(), queries, keys, values, heads, dim, scratch, out);
}

#[expect(
    clippy::too_many_arguments,
    reason = "the level besides the arguments of `attention`"
)]
pub(crate) fn attention_at(
    level: Level,
    queries: Strided<'_>,
    keys: Strided<'_>,
    values: Strided<'_>,
    heads: usize,
    dim: usize,
    scratch: &mut AttentionScratch,
    out: &mut [f32],
) {
    assert!(
        heads > 0 && dim.is_multiple_of(heads),
        "{heads} heads do not divide {dim}"
    );
    assert_eq!(
        keys.rows, values.rows,
        "there should be as many values as keys"
    );
    assert_eq!(
        out.len(),
        queries.rows * dim,
        "the output should be {} rows",
        queries.rows
    );
    queries.check(dim, "queries");
    keys.check(dim, "keys");
    values.check(dim, "values");
    if keys.rows == 0 || queries.rows == 0 {
        return out.fill(0.0);
    }
    let width = dim / heads;
    let factor = (width as f32).sqrt().recip();
    for head in 0..heads {
        let first = head * width;
        scratch
            .keys
            .repack_rows(&keys.data[first..], keys.stride, keys.rows, width);
        scratch
            .values
            .repack_columns(&values.data[first..], values.stride, width, values.rows);
        let mut start = 0;
        while start < queries.rows {
            let rows = QUERIES_PER_PASS.min(queries.rows - start);
            scratch.queries.clear();
            for row in start..start + rows {
                let query = &queries.data[row * queries.stride + first..][..width];
                scratch.queries.extend(query.iter().map(|q| q * factor));
            }
            scratch.scores.resize(rows * keys.rows, 0.0);
            linear_at(
                level,
                &scratch.queries,
                rows,
                &scratch.keys,
                None,
                &mut scratch.scores,
            );
            softmax_at(level, &mut scratch.scores, keys.rows);
            scratch.mixed.resize(rows * width, 0.0);
            linear_at(
                level,
                &scratch.scores,
                rows,
                &scratch.values,
                None,
                &mut scratch.mixed,
            );
            for (mixed, row) in scratch.mixed.chunks_exact(width).zip(start..) {
                out[row * dim + first..][..width].copy_from_slice(mixed);
            }
            start += rows;
        }
    }
}
