//! Two convolutions over time and mel bands before the first layer.

use serde::Deserialize;
use ting_kernels::relu;

use crate::checkpoint::{Checkpoint, Matrix};
use crate::config::{FILTERS, MAX_SIZE, require};
use crate::error::ModelError;
use crate::layers::{InputNorm, Linear, add};

/// The sizes of the convolutions before an encoder.
///
/// An input row is then an image of `frames` filter bank frames by 80 bands. Kernels and strides are fixed: 3 x 3 by
/// 2 x 2, then 5 x 3 by 1 x 2 (time x bands), without padding, so that one value in time is left.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct FrontendConfig {
    /// Filter bank frames of an input row.
    pub frames: usize,
    /// Channels of the first and of the second convolution.
    pub channels: [usize; 2],
}

/// The only number of frames that leaves one value in time and has a middle.
const FRAMES: usize = 11;
/// Kernel and stride of the first convolution, in both directions.
const KERNEL_1: usize = 3;
const STRIDE_1: usize = 2;
/// Bands of the second convolution's kernel, and its stride over them. In time the kernel spans all there is.
const KERNEL_2: usize = 3;
const STRIDE_2: usize = 2;
/// Times and bands behind the first convolution.
const TIMES_1: usize = (FRAMES - KERNEL_1) / STRIDE_1 + 1;
const BANDS_1: usize = (FILTERS - KERNEL_1) / STRIDE_1 + 1;
/// Bands behind the second one, where time is over.
const BANDS_2: usize = (BANDS_1 - KERNEL_2) / STRIDE_2 + 1;
/// Rows whose features are kept until the output layer reads them: as many as its weights are read once for.
const ROWS_PER_BLOCK: usize = 48;

impl FrontendConfig {
    /// Checks the sizes, for an encoder whose first layer reads `input_dim` values.
    pub(super) fn check(&self, input_dim: usize) -> Result<(), ModelError> {
        require(self.frames == FRAMES, || {
            format!(
                "encoder.frontend.frames is {}; only {FRAMES} can be computed, of which the convolutions leave one \
                 value in time",
                self.frames
            )
        })?;
        require(
            self.channels.iter().all(|c| (1..=MAX_SIZE).contains(c)),
            || {
                format!(
                    "encoder.frontend.channels is {:?}; both should be 1 to {MAX_SIZE}",
                    self.channels
                )
            },
        )?;
        let middle = input_dim / FILTERS;
        require(
            input_dim.is_multiple_of(FILTERS) && middle % 2 == 1 && middle <= FRAMES,
            || {
                format!(
                    "encoder.input_dim is {input_dim}; behind encoder.frontend it should be {FILTERS} times an odd \
                     number of at most {FRAMES}: the frames in the middle of a row"
                )
            },
        )
    }

    /// Values of an input row.
    pub(super) fn row_len(&self) -> usize {
        self.frames * FILTERS
    }
}

/// The convolutions, whose result is added to the frames in the middle of a row.
///
/// Stacked frames alone would have a network learn each sound anew at each place it may have in a row. A row is computed
/// from its own frames and nothing else, so a stream keeps nothing for it.
#[derive(Debug)]
pub(super) struct Frontend {
    /// From `[3 times][3 bands]` to the first channels.
    conv1: Linear,
    /// From `[3 bands][5 times][first channels]` to the second channels.
    conv2: Linear,
    /// From `[19 bands][second channels]` to the values of the first layer.
    out: Linear,
    channels: [usize; 2],
    input_dim: usize,
}

/// Buffers of one call. All but `features` and `added`, which hold at most [`ROWS_PER_BLOCK`] rows, are of one row.
#[derive(Default)]
pub(super) struct Scratch {
    image: Vec<f32>,
    /// What a convolution reads at each place, side by side.
    patches: Vec<f32>,
    /// `[39 bands][5 times][first channels]`
    first: Vec<f32>,
    second: Vec<f32>,
    /// `[rows][19 bands][second channels]`
    features: Vec<f32>,
    /// `[rows][input_dim]`
    added: Vec<f32>,
}

impl Frontend {
    /// Loads `{prefix}conv1` (`[a][1][3][3]`), `{prefix}conv2` (`[b][a][5][3]`) and `{prefix}out`
    /// (`[input_dim][b * 19]`, I8 or not), each with a bias. `config` has been checked.
    pub(super) fn load(
        checkpoint: &Checkpoint<'_>,
        prefix: &str,
        config: &FrontendConfig,
        input_dim: usize,
    ) -> Result<Self, ModelError> {
        let channels @ [a, b] = config.channels;
        let tensor =
            |name: &str, shape: &[usize]| checkpoint.tensor(&format!("{prefix}{name}"), shape);
        let conv = |name: &str, inputs: usize, outputs: usize, weight| {
            let bias = tensor(&format!("{name}.bias"), &[outputs])?;
            Ok(Linear::pack(weight, inputs, outputs, Some(bias)))
        };
        let weight1 = tensor("conv1.weight", &[a, 1, KERNEL_1, KERNEL_1])?;
        let weight2 = tensor("conv2.weight", &[b, a, TIMES_1, KERNEL_2])?;
        let out = checkpoint.matrix(&format!("{prefix}out"), input_dim, b * BANDS_2)?;
        // PyTorch's weights have the channels outermost. With channels innermost and bands outermost, what the
        // convolution reads at a place lies side by side in the output of the one before.
        let order2 = (0..KERNEL_2).flat_map(|band| {
            (0..TIMES_1).flat_map(move |time| {
                (0..a).map(move |channel| (channel * TIMES_1 + time) * KERNEL_2 + band)
            })
        });
        let order_out =
            (0..BANDS_2).flat_map(|band| (0..b).map(move |channel| channel * BANDS_2 + band));
        let (order2, order_out): (Vec<_>, Vec<_>) = (order2.collect(), order_out.collect());
        Ok(Self {
            conv1: conv("conv1", KERNEL_1 * KERNEL_1, a, Matrix::Float(weight1))?,
            conv2: conv(
                "conv2",
                order2.len(),
                b,
                Matrix::Float(weight2).with_columns(&order2),
            )?,
            out: conv(
                "out",
                order_out.len(),
                input_dim,
                out.with_columns(&order_out),
            )?,
            channels,
            input_dim,
        })
    }

    /// Appends to `out` the `[rows][input_dim]` of the rows of `x` (`[rows][11][80]`), which `norm` normalises first.
    pub(super) fn forward(
        &self,
        x: &[f32],
        norm: Option<&InputNorm>,
        out: &mut Vec<f32>,
        scratch: &mut Scratch,
    ) {
        let row_len = FRAMES * FILTERS;
        let middle = (row_len - self.input_dim) / 2..(row_len + self.input_dim) / 2;
        for block in x.chunks(ROWS_PER_BLOCK * row_len) {
            scratch.features.clear();
            let start = out.len();
            for row in block.chunks_exact(row_len) {
                scratch.image.clear();
                scratch.image.extend_from_slice(row);
                if let Some(norm) = norm {
                    norm.apply(&mut scratch.image);
                }
                out.extend_from_slice(&scratch.image[middle.clone()]);
                self.convolve(scratch);
            }
            let rows = block.len() / row_len;
            self.out
                .forward(&scratch.features, rows, &mut scratch.added);
            add(&mut out[start..], &scratch.added);
        }
    }

    /// Appends to the features those of the image.
    fn convolve(&self, scratch: &mut Scratch) {
        let Scratch {
            image,
            patches,
            first,
            second,
            features,
            ..
        } = scratch;
        patches.clear();
        for band in (0..BANDS_1).map(|band| band * STRIDE_1) {
            for time in (0..TIMES_1).map(|time| time * STRIDE_1) {
                for frame in image.chunks_exact(FILTERS).skip(time).take(KERNEL_1) {
                    patches.extend_from_slice(&frame[band..band + KERNEL_1]);
                }
            }
        }
        self.conv1.forward(patches, BANDS_1 * TIMES_1, first);
        relu(first);
        let band = TIMES_1 * self.channels[0];
        patches.clear();
        for place in first.windows(KERNEL_2 * band).step_by(STRIDE_2 * band) {
            patches.extend_from_slice(place);
        }
        self.conv2.forward(patches, BANDS_2, second);
        relu(second);
        features.extend_from_slice(second);
    }

    /// Bytes of memory the weights take.
    pub(super) fn bytes(&self) -> usize {
        self.conv1.bytes() + self.conv2.bytes() + self.out.bytes()
    }
}
