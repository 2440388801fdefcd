//! Int8 weights laid out for the tile kernels.

use super::tile::{GROUP, GROUP_BYTES};
use crate::matrix::PANEL;

/// Sixty-four weights on a cache line of their own, so that no vector load of a panel crosses two lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([i8; 64]);

/// An int8 weight matrix with a scale per output feature, packed into column panels: panel `p` holds, for each four
/// input features in order, the four weights of each of the output features `32 p .. 32 p + 32`, padded with zeros.
///
/// A product reads each weight once, in the order it lies in memory. A quarter of the bytes of a
/// [`PackedMatrix`](crate::PackedMatrix).
pub struct PackedInt8Matrix {
    lines: Vec<Line>,
    /// By output feature, padded to whole panels.
    scales: Vec<f32>,
    /// The sum of the weights of each output feature, padded to whole panels: what a zero point adds to a product.
    sums: Vec<i32>,
    out_features: usize,
    in_features: usize,
}

impl PackedInt8Matrix {
    /// The most input features: their sum of products of a u8 and an i8, `65536 * 255 * 128`, still fits an i32.
    pub const MAX_IN_FEATURES: usize = 65_536;

    /// Packs `weight`, `[out_features][in_features]` row by row. The matrix it stands for is
    /// `scales[o] * weight[o][i]`.
    ///
    /// # Panics
    /// When `weight` or `scales` does not fit the sizes, or there are more than
    /// [`PackedInt8Matrix::MAX_IN_FEATURES`] input features.
    pub fn pack(weight: &[i8], scales: &[f32], out_features: usize, in_features: usize) -> Self {
        assert_eq!(
            weight.len(),
            out_features * in_features,
            "a weight of {out_features} x {in_features} was expected"
        );
        assert_eq!(
            scales.len(),
            out_features,
            "a scale for each of {out_features} output features was expected"
        );
        assert!(
            in_features <= Self::MAX_IN_FEATURES,
            "{in_features} input features are more than {}",
            Self::MAX_IN_FEATURES
        );
        let panels = out_features.div_ceil(PANEL);
        let panel_bytes = in_features.div_ceil(GROUP) * GROUP_BYTES;
        let mut matrix = Self {
            lines: vec![Line([0; 64]); panels * panel_bytes / 64],
            scales: scales.to_vec(),
            sums: vec![0; panels * PANEL],
            out_features,
            in_features,
        };
        matrix.scales.resize(panels * PANEL, 0.0);
        for (o, row) in weight.chunks_exact(in_features.max(1)).enumerate() {
            matrix.sums[o] = row.iter().map(|&w| i32::from(w)).sum();
            let (panel, column) = (o / PANEL, o % PANEL);
            let bytes = &mut matrix.bytes_mut()[panel * panel_bytes..][..panel_bytes];
            for (group, weights) in bytes.chunks_exact_mut(GROUP_BYTES).zip(row.chunks(GROUP)) {
                group[column * GROUP..][..weights.len()].copy_from_slice(weights);
            }
        }
        matrix
    }

    /// Output features (columns of the product).
    pub fn out_features(&self) -> usize {
        self.out_features
    }

    /// Input features (the dimension the product adds over).
    pub fn in_features(&self) -> usize {
        self.in_features
    }

    /// Bytes of memory the packed weights and their scales take.
    pub fn bytes(&self) -> usize {
        size_of_val(self.lines.as_slice())
            + size_of_val(self.scales.as_slice())
            + size_of_val(self.sums.as_slice())
    }

    pub(super) fn panels(&self) -> usize {
        self.out_features.div_ceil(PANEL)
    }

    /// The weights of columns `32 index ..`, `[groups of input features][32][4]`.
    pub(super) fn panel(&self, index: usize) -> &[i8] {
        let length = self.in_features.div_ceil(GROUP) * GROUP_BYTES;
        &self.all_bytes()[index * length..][..length]
    }

    /// The scales and the sums of the weights of columns `32 index ..`.
    pub(super) fn columns(&self, index: usize) -> (&[f32], &[i32]) {
        let columns = index * PANEL..(index + 1) * PANEL;
        (&self.scales[columns.clone()], &self.sums[columns])
    }

    fn all_bytes(&self) -> &[i8] {
        // SAFETY: `Line` is `repr(C)` and exactly sixty-four i8 (its alignment), so the vector's memory is
        // `64 * len` initialised bytes; the lifetime is that of the borrow of `self`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 64) }
    }

    fn bytes_mut(&mut self) -> &mut [i8] {
        // SAFETY: as in `all_bytes`, and the borrow of `self` is exclusive.
        unsafe {
            std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 64)
        }
    }
}

impl std::fmt::Debug for PackedInt8Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "PackedInt8Matrix({} x {})",
            self.out_features, self.in_features
        )
    }
}
