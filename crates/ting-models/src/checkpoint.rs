//! Tensors by name.

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::error::{ModelError, ModelErrorKind};

/// The tensors of a safetensors file: <https://github.com/huggingface/safetensors#format>.
///
/// F32, F16 and BF16 tensors are read, all as f32.
#[derive(Debug)]
pub struct Checkpoint<'data> {
    tensors: SafeTensors<'data>,
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
        values(name, &view)
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
            format!("tensor `{name}` holds {other:?}; only F32, F16 and BF16 can be read"),
        )),
    }
}
