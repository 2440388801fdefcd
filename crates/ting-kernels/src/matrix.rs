//! Weights laid out for the tile kernels.

/// Columns (output features) of one panel: two 512-bit vectors.
pub(crate) const PANEL: usize = 32;

/// Sixteen floats on a cache line of their own, so that no vector load of a panel crosses two lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

const ZERO: Line = Line([0.0; 16]);

/// A weight matrix packed into column panels: panel `p` holds, for each input feature in order, the weights
/// of the output features `32 p .. 32 p + 32`, padded with zeros.
///
/// A product reads each weight once, in the order it lies in memory.
pub struct PackedMatrix {
    lines: Vec<Line>,
    out_features: usize,
    in_features: usize,
}

impl PackedMatrix {
    /// Packs `weight`, `[out_features][in_features]` row by row as `torch.nn.Linear` stores it.
    ///
    /// # Panics
    /// When `weight` does not hold `out_features * in_features` values.
    pub fn pack(weight: &[f32], out_features: usize, in_features: usize) -> Self {
        assert_eq!(
            weight.len(),
            out_features * in_features,
            "a weight of {out_features} x {in_features} was expected"
        );
        let mut matrix = Self::empty();
        matrix.repack_rows(weight, in_features, out_features, in_features);
        matrix
    }

    /// A matrix of no features, to be filled by one of the `repack` functions.
    pub(crate) fn empty() -> Self {
        Self {
            lines: Vec::new(),
            out_features: 0,
            in_features: 0,
        }
    }

    /// Output features (columns of the product).
    pub fn out_features(&self) -> usize {
        self.out_features
    }

    /// Input features (the dimension the product adds over).
    pub fn in_features(&self) -> usize {
        self.in_features
    }

    /// Bytes of memory the packed weights take.
    pub fn bytes(&self) -> usize {
        size_of_val(self.lines.as_slice())
    }

    pub(crate) fn panels(&self) -> usize {
        self.out_features.div_ceil(PANEL)
    }

    /// The panel of columns `32 index ..`, `[in_features][32]`.
    pub(crate) fn panel(&self, index: usize) -> &[f32] {
        let length = self.in_features * PANEL;
        &self.floats()[index * length..][..length]
    }

    /// Replaces the content by the matrix whose row `o` (an output feature) starts at `rows[o * stride]`.
    pub(crate) fn repack_rows(
        &mut self,
        rows: &[f32],
        stride: usize,
        out_features: usize,
        in_features: usize,
    ) {
        self.reset(out_features, in_features);
        for (p, panel) in self
            .floats_mut()
            .chunks_exact_mut((in_features * PANEL).max(1))
            .enumerate()
        {
            let width = PANEL.min(out_features - p * PANEL);
            for (i, slots) in panel.chunks_exact_mut(PANEL).enumerate() {
                for (c, slot) in slots[..width].iter_mut().enumerate() {
                    *slot = rows[(p * PANEL + c) * stride + i];
                }
            }
        }
    }

    /// Replaces the content by the matrix whose column `i` (an input feature) starts at
    /// `columns[i * stride]`.
    pub(crate) fn repack_columns(
        &mut self,
        columns: &[f32],
        stride: usize,
        out_features: usize,
        in_features: usize,
    ) {
        self.reset(out_features, in_features);
        for (p, panel) in self
            .floats_mut()
            .chunks_exact_mut((in_features * PANEL).max(1))
            .enumerate()
        {
            let width = PANEL.min(out_features - p * PANEL);
            for (i, slots) in panel.chunks_exact_mut(PANEL).enumerate() {
                slots[..width].copy_from_slice(&columns[i * stride + p * PANEL..][..width]);
            }
        }
    }

    fn reset(&mut self, out_features: usize, in_features: usize) {
        self.out_features = out_features;
        self.in_features = in_features;
        let lines = self.panels() * in_features * (PANEL / 16);
        // The padding of the last panel has to be zero again, so old content must not shine through.
        self.lines.clear();
        self.lines.resize(lines, ZERO);
    }

    fn floats(&self) -> &[f32] {
        // SAFETY: `Line` is `repr(C)` and exactly sixteen floats (64 bytes, its alignment), so the vector's
        // memory is `16 * len` initialised floats; the lifetime is that of the borrow of `self`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 16) }
    }

    fn floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `floats`, and the borrow of `self` is exclusive.
        unsafe {
            std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 16)
        }
    }
}

impl std::fmt::Debug for PackedMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "PackedMatrix({} x {})",
            self.out_features, self.in_features
        )
    }
}
