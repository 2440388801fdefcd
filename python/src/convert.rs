//! Arguments and errors, between Python and `ting-client`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;
use ting_client::{Error, ErrorKind};

/// The status of an error that is no HTTP status: the server failed the task.
const TASK_FAILED: i32 = 44;
/// The status of an error without any: there was no connection, or it broke.
const NO_STATUS: i32 = -1;

/// Reads the JSON that the Python half has written.
pub(crate) fn from_json(name: &str, text: &str) -> PyResult<Value> {
    let wrong = |error| PyValueError::new_err(format!("{name}: {error}"));
    serde_json::from_str(text).map_err(wrong)
}

/// What `RecognitionResult` says of an error.
pub(crate) fn failure<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    let status = match (error.kind(), error.status()) {
        (ErrorKind::TaskFailed, _) => TASK_FAILED,
        (_, Some(status)) => status.into(),
        (_, None) => NO_STATUS,
    };
    let details = PyDict::new(py);
    details.set_item("status_code", status)?;
    match (error.kind(), error.status()) {
        // As the official SDK has it: of a refused handshake the code is the status, a number.
        (ErrorKind::Authentication | ErrorKind::Handshake, Some(status)) => {
            details.set_item("code", status)?
        }
        (kind, _) => details.set_item("code", error.code().unwrap_or(name_of(kind)))?,
    }
    details.set_item("message", message(error))?;
    details.set_item("close_code", error.close_code())?;
    details.set_item("close_reason", error.close_reason())?;
    let progress = match error.progress() {
        None => None,
        Some(progress) => {
            let dict = PyDict::new(py);
            dict.set_item("bytes_sent", progress.bytes_sent)?;
            dict.set_item("recognised_ms", progress.recognised_ms)?;
            dict.set_item("heard_ms", progress.heard_ms)?;
            dict.set_item("billed_seconds", progress.billed_seconds)?;
            Some(dict)
        }
    };
    details.set_item("progress", progress)?;
    Ok(details)
}

/// The code of an error to which the server gave none. The first is the official SDK's name.
fn name_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Connect => "ClientConnectorError",
        ErrorKind::StartTimeout => "StartTimeout",
        ErrorKind::PeerTimeout => "PeerTimeout",
        ErrorKind::ConnectionLost => "ConnectionLost",
        ErrorKind::Protocol => "Protocol",
        ErrorKind::Input => "Input",
        _ => "Unknown",
    }
}

/// What an error says: of a refused handshake first what the official SDK says, then what the server did.
fn message(error: &Error) -> String {
    let server = match error.code() {
        Some(code) => format!("{code}: {}", error.message()),
        None => error.message().to_owned(),
    };
    let official = match error.status() {
        _ if error.kind() == ErrorKind::TaskFailed => {
            return progress(error, error.message().to_owned());
        }
        Some(401 | 403) => "Unauthorized, your api-key is invalid!",
        Some(503) => "Service temporarily unavailable, possibly overloaded or not ready.",
        Some(_) => "Invalid response status",
        None => return progress(error, server),
    };
    format!("{official} ({server})")
}

/// The message, and of a task that broke off how far it had come.
fn progress(error: &Error, message: String) -> String {
    match error.progress() {
        Some(progress) if error.kind() != ErrorKind::TaskFailed && progress.bytes_sent > 0 => {
            format!(
                "{message} ({} bytes of audio sent, recognised up to {} ms, heard up to {} ms)",
                progress.bytes_sent, progress.recognised_ms, progress.heard_ms
            )
        }
        _ => message,
    }
}
