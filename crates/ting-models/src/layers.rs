//! The layers the networks are made of.

use ting_kernels::{PackedInt8Matrix, PackedMatrix, layer_norm, linear, linear_int8};

use crate::checkpoint::{Checkpoint, Matrix};
use crate::error::ModelError;

/// `torch.nn.Linear`: `{name}.weight` and `{name}.bias`. Computes with int8 where the checkpoint holds the weight as int8
/// (`{name}.weight_scale` beside it), and in f32 otherwise.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Weight,
    out_features: usize,
    bias: Option<Vec<f32>>,
}

#[derive(Debug)]
enum Weight {
    Float(PackedMatrix),
    Int8(PackedInt8Matrix),
}

impl Linear {
    pub(crate) fn load(
        checkpoint: &Checkpoint<'_>,
        name: &str,
        in_features: usize,
        out_features: usize,
    ) -> Result<Self, ModelError> {
        let weight = checkpoint.matrix(name, out_features, in_features)?;
        let bias = checkpoint.tensor(&format!("{name}.bias"), &[out_features])?;
        Ok(Self::pack(weight, in_features, out_features, Some(bias)))
    }

    pub(crate) fn load_without_bias(
        checkpoint: &Checkpoint<'_>,
        name: &str,
        in_features: usize,
        out_features: usize,
    ) -> Result<Self, ModelError> {
        let weight = checkpoint.matrix(name, out_features, in_features)?;
        Ok(Self::pack(weight, in_features, out_features, None))
    }

    /// The layer of a `weight` of `[out_features][in_features]` and a bias of `[out_features]`.
    pub(crate) fn pack(
        weight: Matrix,
        in_features: usize,
        out_features: usize,
        bias: Option<Vec<f32>>,
    ) -> Self {
        let weight = match weight {
            Matrix::Float(weight) => {
                Weight::Float(PackedMatrix::pack(&weight, out_features, in_features))
            }
            Matrix::Int8 { weight, scales } => {
                let packed = PackedInt8Matrix::pack(&weight, &scales, out_features, in_features);
                Weight::Int8(packed)
            }
        };
        Self {
            weight,
            out_features,
            bias,
        }
    }

    /// Adds `values`, one for each of the outputs, to the bias of a layer that has one.
    pub(crate) fn add_to_bias(&mut self, values: impl Iterator<Item = f32>) {
        for (bias, value) in self.bias.iter_mut().flatten().zip(values) {
            *bias += value;
        }
    }

    /// `x` is `[rows][in_features]`; `out` becomes `[rows][out_features]`.
    pub(crate) fn forward(&self, x: &[f32], rows: usize, out: &mut Vec<f32>) {
        out.resize(rows * self.out_features, 0.0);
        let bias = self.bias.as_deref();
        match &self.weight {
            Weight::Float(weight) => linear(x, rows, weight, bias, out),
            Weight::Int8(weight) => linear_int8(x, rows, weight, bias, out),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let bias = self.bias.as_ref();
        let weight = match &self.weight {
            Weight::Float(weight) => weight.bytes(),
            Weight::Int8(weight) => weight.bytes(),
        };
        weight + bias.map_or(0, |bias| size_of_val(bias.as_slice()))
    }
}

/// `torch.nn.LayerNorm` over the last dimension: `{name}.weight` and `{name}.bias`.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    scale: Vec<f32>,
    shift: Vec<f32>,
    epsilon: f32,
}

impl LayerNorm {
    pub(crate) fn load(
        checkpoint: &Checkpoint<'_>,
        name: &str,
        dim: usize,
        epsilon: f32,
    ) -> Result<Self, ModelError> {
        let scale = checkpoint.tensor(&format!("{name}.weight"), &[dim])?;
        let shift = checkpoint.tensor(&format!("{name}.bias"), &[dim])?;
        Ok(Self {
            scale,
            shift,
            epsilon,
        })
    }

    pub(crate) fn forward(&self, x: &[f32], out: &mut Vec<f32>) {
        out.resize(x.len(), 0.0);
        layer_norm(x, &self.scale, &self.shift, self.epsilon, out);
    }
}

/// The mean and variance normalisation of the input rows, `(x + shift) * scale` as in FunASR's `am.mvn`.
#[derive(Debug)]
pub(crate) struct InputNorm {
    shift: Vec<f32>,
    scale: Vec<f32>,
}

impl InputNorm {
    /// `cmvn.shift` and `cmvn.scale`, if the checkpoint has them.
    pub(crate) fn load(
        checkpoint: &Checkpoint<'_>,
        dim: usize,
    ) -> Result<Option<Self>, ModelError> {
        let Some(shift) = checkpoint.optional("cmvn.shift", &[dim])? else {
            return Ok(None);
        };
        let scale = checkpoint.tensor("cmvn.scale", &[dim])?;
        Ok(Some(Self { shift, scale }))
    }

    pub(crate) fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.shift.len()) {
            for ((value, shift), scale) in row.iter_mut().zip(&self.shift).zip(&self.scale) {
                *value = (*value + shift) * scale;
            }
        }
    }
}

/// A depthwise convolution's weight, `[dim][..taps..]` in the checkpoint, as the `[taps][dim]` of the kernel.
pub(crate) fn load_taps(
    checkpoint: &Checkpoint<'_>,
    name: &str,
    shape: &[usize],
    dim: usize,
    taps: usize,
) -> Result<Vec<f32>, ModelError> {
    let weight = checkpoint.tensor(name, shape)?;
    Ok((0..taps)
        .flat_map(|tap| (0..dim).map(move |c| (c, tap)))
        .map(|(c, t)| weight[c * taps + t])
        .collect())
}

/// Adds `other` to `sum`.
pub(crate) fn add(sum: &mut [f32], other: &[f32]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}
