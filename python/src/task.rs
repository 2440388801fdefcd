//! A task, as the Python half drives it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use serde_json::Value;
use ting_client::blocking::{Recognition, ResultStream};
use ting_client::{Error, ErrorKind, RecognitionResult};

use crate::convert::{failure, from_json};

/// How often a wait looks for signals.
pub(crate) const SIGNALS: Duration = Duration::from_millis(100);
/// How often a full queue is looked at again.
const ROOM: Duration = Duration::from_millis(10);

/// One task, from its connection to its end.
#[pyclass(frozen, module = "ting._ting")]
pub(crate) struct Task {
    recognition: Recognition,
    /// Where the results come from, once it is started.
    results: Mutex<Option<ResultStream>>,
}

/// What came of waiting for a result.
enum Next {
    Result(RecognitionResult),
    Failed(Error),
    Finished,
    /// The task was given up.
    Cancelled,
    /// Nothing came in that time.
    TimedOut,
}

#[pymethods]
impl Task {
    #[new]
    #[pyo3(signature = (*, endpoint, api_key, workspace, headers, model, parameters, phrase_id, request_id, timeouts, connect_attempts))]
    #[expect(clippy::too_many_arguments, reason = "they are named")]
    fn new(
        endpoint: &str,
        api_key: Option<&str>,
        workspace: Option<&str>,
        headers: HashMap<String, String>,
        model: &str,
        parameters: &str,
        phrase_id: Option<&str>,
        request_id: &str,
        timeouts: HashMap<String, Option<f64>>,
        connect_attempts: Option<u32>,
    ) -> PyResult<Self> {
        let mut builder = Recognition::builder(model)
            .endpoint(endpoint)
            .request_id(request_id);
        if let Some(key) = api_key {
            builder = builder.api_key(key);
        }
        if let Some(workspace) = workspace {
            builder = builder.workspace(workspace);
        }
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let Value::Object(parameters) = from_json("parameters", parameters)? else {
            return Err(PyValueError::new_err("parameters: not an object"));
        };
        for (name, value) in parameters {
            builder = builder.parameter(name, value);
        }
        if let Some(phrase_id) = phrase_id {
            builder = builder.phrase_id(phrase_id);
        }
        for (name, seconds) in timeouts {
            let Some(seconds) = seconds else { continue };
            if name == "silence_timeout" && seconds == f64::INFINITY {
                builder = builder.silence_timeout(None);
                continue;
            }
            let wrong = |error| PyValueError::new_err(format!("{name} is {seconds}: {error}"));
            let time = Duration::try_from_secs_f64(seconds).map_err(wrong)?;
            builder = match name.as_str() {
                "connect_timeout" => builder.connect_timeout(time),
                "start_timeout" => builder.start_timeout(time),
                "peer_timeout" => builder.peer_timeout(time),
                "finish_timeout" => builder.finish_timeout(time),
                "silence_timeout" => builder.silence_timeout(time),
                _ => return Err(PyValueError::new_err(format!("{name}: no such timeout"))),
            };
        }
        if let Some(attempts) = connect_attempts {
            builder = builder.connect_attempts(attempts);
        }
        Ok(Self {
            recognition: builder.build_blocking().map_err(|error| wrong(&error))?,
            results: Mutex::new(None),
        })
    }

    /// Connects in the background; results come from `next`.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let stream = py.detach(|| self.recognition.start_stream());
        *self.results() = Some(stream.map_err(|error| wrong(&error))?);
        Ok(())
    }

    /// Waits for what comes next: ("event", text), ("complete", None), ("error", details), or None
    /// after the end or `cancel`. For one thread.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let next = py.detach(|| self.wait(None));
        let none = || py.None().into_bound(py);
        let (kind, value) = match next {
            Next::Result(result) => ("event", PyString::new(py, result.event_text()).into_any()),
            Next::Finished => ("complete", none()),
            Next::Failed(error) => ("error", failure(py, &error)?.into_any()),
            Next::Cancelled | Next::TimedOut => return Ok(None),
        };
        (kind, value).into_pyobject(py).map(Some)
    }

    /// Recognises a file: the texts of its final events, and what it failed with, or None.
    fn call<'py>(
        &self,
        py: Python<'py>,
        path: &str,
    ) -> PyResult<(Bound<'py, PyList>, Option<Bound<'py, PyDict>>)> {
        let stream = py.detach(|| self.recognition.call_stream(path));
        *self.results() = Some(stream.map_err(|error| wrong(&error))?);
        let finals = PyList::empty(py);
        loop {
            match py.detach(|| self.wait(Some(SIGNALS))) {
                Next::Result(result) => {
                    if result.is_sentence_end() {
                        finals.append(result.event_text())?;
                    }
                }
                Next::Finished => return Ok((finals, None)),
                Next::Failed(error) => return Ok((finals, Some(failure(py, &error)?))),
                Next::Cancelled => return Err(PyRuntimeError::new_err("the task was given up")),
                Next::TimedOut => {
                    // Ctrl+C, or whatever else a signal handler raises.
                    py.check_signals()
                        .inspect_err(|_| self.recognition.cancel())?;
                }
            }
        }
    }

    /// Queues audio, and waits where too much is queued; False if the task takes none any more.
    fn send(&self, py: Python<'_>, frame: &Bound<'_, PyBytes>) -> PyResult<bool> {
        let frame = Bytes::copy_from_slice(frame.as_bytes());
        loop {
            match self.recognition.send_audio_frame(frame.clone()) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::QueueFull => {
                    py.detach(|| std::thread::sleep(ROOM));
                    py.check_signals()?;
                }
                Err(_) => return Ok(false),
            }
        }
    }

    /// Queues a context, a JSON array of messages; False if the task takes none any more.
    fn update_context(&self, messages: &str) -> PyResult<bool> {
        let Value::Array(messages) = from_json("context", messages)? else {
            return Err(PyValueError::new_err("context: not an array of messages"));
        };
        match self.recognition.update_context(messages) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::State => Ok(false),
            Err(error) => Err(wrong(&error)),
        }
    }

    /// Ends the audio, and does not wait.
    fn finish(&self) {
        // An end that was asked for or has come is no error here.
        let _ = self.recognition.finish();
    }

    /// Ends the task at once.
    fn cancel(&self) {
        self.recognition.cancel();
    }

    /// Seconds from the first audio, or the call, to the first text.
    #[getter]
    fn first_package_delay(&self) -> Option<f64> {
        let delay = self.recognition.first_package_delay();
        delay.map(|delay| delay.as_secs_f64())
    }

    /// Seconds from the end of the audio to the end of the task.
    #[getter]
    fn last_package_delay(&self) -> Option<f64> {
        let delay = self.recognition.last_package_delay();
        delay.map(|delay| delay.as_secs_f64())
    }
}

impl Task {
    fn results(&self) -> MutexGuard<'_, Option<ResultStream>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for what comes next, for some time or without end.
    fn wait(&self, patience: Option<Duration>) -> Next {
        let mut results = self.results();
        let Some(stream) = &mut *results else {
            return Next::Cancelled;
        };
        let next = match patience {
            None => stream.next(),
            Some(patience) => match stream.next_within(patience) {
                Some(next) => next,
                None => return Next::TimedOut,
            },
        };
        match next {
            Some(Ok(result)) => Next::Result(result),
            // Only `cancel` ends a task so.
            Some(Err(error)) if error.kind() == ErrorKind::State => Next::Cancelled,
            Some(Err(error)) => Next::Failed(error),
            None => Next::Finished,
        }
    }
}

/// An error of an argument or of the state, found before anything is sent.
fn wrong(error: &Error) -> PyErr {
    match error.kind() {
        ErrorKind::InvalidParameter => PyValueError::new_err(error.message().to_owned()),
        _ => PyRuntimeError::new_err(error.to_string()),
    }
}
