//! HTTP requests, and the options of the recogniser in the process.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use pyo3::exceptions::{PyConnectionError, PyConnectionRefusedError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ting_client::{Error, ErrorKind, RawRequest};

use crate::task::SIGNALS;

/// An answer: its status, headers and body.
type Answer<'py> = (u16, HashMap<String, String>, Bound<'py, PyBytes>);

/// Sends a request once. Raises ConnectionRefusedError without a connection, ConnectionError without an answer, and ValueError for an
/// argument that is wrong.
#[pyfunction]
#[pyo3(signature = (method, endpoint, path, api_key, headers, body, timeout))]
#[expect(clippy::too_many_arguments, reason = "they are what a request has")]
pub(crate) fn request<'py>(
    py: Python<'py>,
    method: String,
    endpoint: String,
    path: String,
    api_key: Option<String>,
    headers: HashMap<String, String>,
    body: Option<Vec<u8>>,
    timeout: f64,
) -> PyResult<Answer<'py>> {
    let wrong = |error| PyValueError::new_err(format!("request_timeout is {timeout}: {error}"));
    let request = RawRequest {
        method,
        endpoint,
        path,
        api_key,
        headers: headers.into_iter().collect(),
        body,
        timeout: Duration::try_from_secs_f64(timeout).map_err(wrong)?,
    };
    let mut receiver = py
        .detach(|| request.send_in_background())
        .map_err(|error| raised(&error))?;
    let answer = loop {
        // A receiver may be used by one thread only, so it goes into the closure and comes back.
        let (received, back) = py.detach(move || (receiver.recv_timeout(SIGNALS), receiver));
        receiver = back;
        match received {
            Ok(answer) => break answer,
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                let message = "the client crashed; please report it with the message above";
                return Err(PyRuntimeError::new_err(message));
            }
        }
    };
    let answer = answer.map_err(|error| raised(&error))?;
    let headers = answer.headers.into_iter().collect();
    Ok((answer.status, headers, PyBytes::new(py, &answer.body)))
}

fn raised(error: &Error) -> PyErr {
    match error.kind() {
        ErrorKind::InvalidParameter => PyValueError::new_err(error.message().to_owned()),
        // Nothing was sent, so it may be sent again.
        ErrorKind::Connect => PyConnectionRefusedError::new_err(error.to_string()),
        _ => PyConnectionError::new_err(error.to_string()),
    }
}

/// Sets what the recogniser in this process is like. Raises ValueError when it runs already, with other options.
#[pyfunction]
#[pyo3(signature = (*, model_dir=None, threads=None, max_sessions=None, data_dir=None))]
pub(crate) fn configure_embedded(
    model_dir: Option<PathBuf>,
    threads: Option<usize>,
    max_sessions: Option<usize>,
    data_dir: Option<PathBuf>,
) -> PyResult<()> {
    let mut options = ting_embedded::Options::default();
    options.model_dir = model_dir;
    options.threads = threads;
    options.max_sessions = max_sessions;
    options.data_dir = data_dir;
    ting_embedded::configure(options).map_err(|error| PyValueError::new_err(error.to_string()))
}
