//! What goes wrong on the command line.

use std::fmt;

/// Why a command could not do what was asked. `Display` gives one line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CliError {
    kind: CliErrorKind,
    message: String,
}

/// The kinds of [`CliError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum CliErrorKind {
    /// A file given by the user cannot be read or is not what it should be.
    Input,
    /// The model cannot be loaded.
    Model,
    /// The recogniser gave up on a task.
    Recognition,
    /// The server cannot listen, or a client cannot talk to it.
    Network,
    /// A result cannot be written.
    Output,
    /// The reader of standard output is gone, as with `ting … | head`: nothing is left to do.
    ClosedPipe,
    /// A benchmark found that the program does not do what it must.
    Check,
}

impl CliError {
    /// An error of `kind`, whose `message` says what is wrong and what to do.
    pub(crate) fn new(kind: CliErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// An [`CliErrorKind::Input`] error.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(CliErrorKind::Input, message)
    }

    /// The error of a failed write to `what`.
    pub(crate) fn output(what: &str, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => CliErrorKind::ClosedPipe,
            _ => CliErrorKind::Output,
        };
        Self::new(kind, format!("cannot write {what}: {error}"))
    }

    /// What kind of error it is.
    pub(crate) fn kind(&self) -> CliErrorKind {
        self.kind
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}
