use std::fmt;

/// Why audio was refused. [`Display`](fmt::Display) says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioError {
    kind: AudioErrorKind,
    message: String,
}

/// The classes of [`AudioError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AudioErrorKind {
    /// The `sample_rate` parameter is outside what the format allows.
    SampleRate,
    /// The bytes are another format than the task named.
    WrongFormat,
    /// The container is right, but it holds a codec or layout that is not supported.
    Unsupported,
    /// The container breaks its own rules, or ends before its audio begins.
    Malformed,
}

impl AudioError {
    pub(crate) fn new(kind: AudioErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The class of the error, for mapping to a wire code.
    pub fn kind(&self) -> AudioErrorKind {
        self.kind
    }
}

impl fmt::Display for AudioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AudioError {}
