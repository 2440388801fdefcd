//! Why something could not be kept or read.

use std::fmt;
use std::path::Path;

use rusqlite::ErrorCode;

/// Why something could not be kept or read; the message names the file and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The folder or the file cannot be made, opened, read or written.
    Unavailable,
    /// The file is damaged, or is no data file of this program.
    Damaged,
    /// A newer version of this program made the file.
    TooNew,
    /// Another process holds the file for too long; another try may succeed.
    Busy,
    /// The disk is full.
    Full,
    /// The account has as many things as it may have.
    Quota,
    /// A fault of this program.
    Internal,
}

impl StoreError {
    /// An error of `kind`, whose `message` says what is wrong and what to do.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The error of a file operation that was to `what` the file or folder at `path`.
    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                StoreErrorKind::Full
            }
            _ => StoreErrorKind::Unavailable,
        };
        let path = path.display();
        Self::new(
            kind,
            format!("cannot {what} {path}: {error}; choose another folder with --data-dir"),
        )
    }

    /// The error of SQLite on the file at `path`.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use StoreErrorKind::{Busy, Full, Internal, Unavailable};
        let path = path.display();
        let (kind, message) = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                return Self::damaged(&path, error);
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                Busy,
                format!(
                    "the data file {path} is held by another process ({error}); try again, or end that process"
                ),
            ),
            Some(ErrorCode::DiskFull) => (
                Full,
                format!("cannot write the data file {path}: {error}; make room on its disk"),
            ),
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure,
            ) => (
                Unavailable,
                format!(
                    "cannot use the data file {path}: {error}; make it and its folder writable, or choose another folder with --data-dir"
                ),
            ),
            _ => (Internal, format!("the data file {path}: {error}")),
        };
        Self::new(kind, message)
    }

    /// The file is not what it should be, because of `what`.
    pub(crate) fn damaged(path: &impl fmt::Display, what: &impl fmt::Display) -> Self {
        Self::new(
            StoreErrorKind::Damaged,
            format!(
                "the data file {path} is damaged or not a file of this program ({what}); \
                 put a copy in its place, or move it away to begin anew"
            ),
        )
    }

    /// What kind of error it is.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}
