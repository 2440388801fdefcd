//! Tensors by name.

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use ting_kernels::PackedInt8Matrix;

use crate::error::{ModelError, ModelErrorKind};

/// The tensors of a safetensors file: <https://github.com/huggingface/safetensors#format>.
///
/// F32, F16 and BF16 tensors are read, all as f32. The weight of a linear layer, `NAME.weight`, may be I8 instead, with an
/// f32 for each of its rows beside it, `NAME.weight_scale`: the matrix is the product of the two.
#[derive(Debug)]
pub struct Checkpoint<'data> {
    tensors: SafeTensors<'data>,
}

/// The weight of a linear layer, `[out_features][in_features]`.
#[derive(Debug)]
pub(crate) enum Matrix {
    Float(Vec<f32>),
    /// The matrix is `scales[o] * weight[o][i]`.
    Int8 {
        weight: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl Matrix {
    /// The matrix whose column `i` is column `order[i]` of this one, which has as many.
    pub(crate) fn with_columns(self, order: &[usize]) -> Self {
        match self {
            Self::Float(weight) => Self::Float(reordered(&weight, order)),
            // A scale is of a whole row, so it holds in any order.
            Self::Int8 { weight, scales } => Self::Int8 {
                weight: reordered(&weight, order),
                scales,
            },
        }
    }
}

fn reordered<T: Copy>(weight: &[T], order: &[usize]) -> Vec<T> {
    let rows = weight.chunks_exact(order.len().max(1));
    rows.flat_map(|row| order.iter().map(|column| row[*column]))
        .collect()
}

impl<'data> Checkpoint<'data> {
    /// Opens the file held in `bytes`. No alignment is needed.
    ///
    /// # Errors
    /// `Format` when the bytes are not a whole safetensors file.
    pub fn from_bytes(bytes: &'data [u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| {
            ModelError::new(
                ModelErrorKind::Format,
                format!("not a safetensors file: {error}"),
            )
        })?;
        Ok(Self { tensors })
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// The values of `name`, row-major, which has to have the shape `shape`.
    ///
    /// # Errors
    /// `MissingTensor`, or `Shape` when the shape or the data type is another.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        values(name, &self.view(name, shape)?)
    }

    /// The weight of a linear layer, `{name}.weight`. If it is I8, `{name}.weight_scale` (`[out_features]`) has to be
    /// there, with a finite number for each row: the file says less without it. Beside other data types it must not be,
    /// as nobody could tell whether it is in the weights already.
    ///
    /// # Errors
    /// `MissingTensor`; `Shape` when a shape or data type is another, or the scales do not fit the weight.
    pub(crate) fn matrix(
        &self,
        name: &str,
        out_features: usize,
        in_features: usize,
    ) -> Result<Matrix, ModelError> {
        let (name, scale) = (format!("{name}.weight"), format!("{name}.weight_scale"));
        let shape_error = |message| Err(ModelError::new(ModelErrorKind::Shape, message));
        let view = self.view(&name, &[out_features, in_features])?;
        if view.dtype() != Dtype::I8 {
            if self.contains(&scale) {
                let found = view.dtype();
                return shape_error(format!(
                    "tensor `{name}` holds {found:?}, but there is a `{scale}`, which goes with I8 only"
                ));
            }
            return values(&name, &view).map(Matrix::Float);
        }
        let most = PackedInt8Matrix::MAX_IN_FEATURES;
        if in_features > most {
            return shape_error(format!(
                "tensor `{name}` holds I8, of which at most {most} columns can be read"
            ));
        }
        if !self.contains(&scale) {
            return Err(ModelError::new(
                ModelErrorKind::MissingTensor,
                format!(
                    "tensor `{name}` holds I8, but the checkpoint has no tensor `{scale}` (expected shape \
                     [{out_features}])"
                ),
            ));
        }
        let scales = self.tensor(&scale, &[out_features])?;
        if let Some(row) = scales.iter().position(|s| !s.is_finite()) {
            return shape_error(format!("tensor `{scale}` has no finite number at {row}"));
        }
        let weight = view.data().iter().map(|b| b.cast_signed()).collect();
        Ok(Matrix::Int8 { weight, scales })
    }

    fn view(&self, name: &str, shape: &[usize]) -> Result<TensorView<'_>, ModelError> {
        let Ok(view) = self.tensors.tensor(name) else {
            return Err(ModelError::new(
                ModelErrorKind::MissingTensor,
                format!("the checkpoint has no tensor `{name}` (expected shape {shape:?})"),
            ));
        };
        if view.shape() != shape {
            let found = view.shape();
            return Err(ModelError::new(
                ModelErrorKind::Shape,
                format!("tensor `{name}` has shape {found:?}, expected {shape:?}"),
            ));
        }
        Ok(view)
    }

    /// The values of `name` if there is such a tensor.
    ///
    /// # Errors
    /// `Shape` when it is there with another shape or data type.
    pub fn optional(&self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, ModelError> {
        if self.contains(name) {
            self.tensor(name, shape).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The length of the first dimension of `name`, for sizes that no configuration holds.
    ///
    /// # Errors
    /// `MissingTensor`, or `Shape` for a tensor without dimensions.
    pub fn rows(&self, name: &str) -> Result<usize, ModelError> {
        let view = self.tensors.tensor(name).map_err(|_| {
            let message = format!("the checkpoint has no tensor `{name}`");
            ModelError::new(ModelErrorKind::MissingTensor, message)
        })?;
        view.shape().first().copied().ok_or_else(|| {
            ModelError::new(
                ModelErrorKind::Shape,
                format!("tensor `{name}` has no dimensions"),
            )
        })
    }
}

fn values(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, ModelError> {
    let data = view.data();
    let pairs = || data.as_chunks::<2>().0.iter();
    match view.dtype() {
        Dtype::F32 => Ok(data
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect()),
        Dtype::F16 => Ok(pairs().map(|b| f16::from_le_bytes(*b).to_f32()).collect()),
        Dtype::BF16 => Ok(pairs().map(|b| bf16::from_le_bytes(*b).to_f32()).collect()),
        other => Err(ModelError::new(
            ModelErrorKind::Shape,
            format!(
                "tensor `{name}` holds {other:?}; only F32, F16 and BF16 can be read, and I8 as the weight of a \
                 linear layer"
            ),
        )),
    }
}
