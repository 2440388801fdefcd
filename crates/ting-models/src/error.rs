//! Why a model could not be loaded.

use std::fmt;

/// Why a model could not be loaded; the message names the file, tensor or field and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    kind: ModelErrorKind,
    message: String,
}

/// The kinds of [`ModelError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelErrorKind {
    /// A file is missing or cannot be read.
    File,
    /// A file is not in the format it should be in.
    Format,
    /// The checkpoint lacks a tensor.
    MissingTensor,
    /// A tensor has another shape or data type than the configuration asks for.
    Shape,
    /// A field of the configuration is missing, out of range, or contradicts another.
    Config,
    /// The model cannot do what was asked, such as streaming with a memory block that looks ahead.
    Unsupported,
}

impl ModelError {
    pub(crate) fn new(kind: ModelErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ModelErrorKind {
        self.kind
    }

    /// The same error with `place` (a file) before its message.
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ModelError {}
