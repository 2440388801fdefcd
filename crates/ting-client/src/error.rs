//! What went wrong, and how far the task had come.

use std::fmt;
use std::sync::Arc;

use crate::progress::Progress;

/// Why a recognition, or a request about hotword lists or files, did not do what it should.
///
/// Cheap to clone: a failure is told to the callback and may be kept too.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    code: Option<String>,
    status: Option<u16>,
    close: Option<(u16, String)>,
    request_id: Option<String>,
    progress: Option<Progress>,
    transient: bool,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option or an argument is out of its range; the message names it and the range. Found before anything is sent.
    InvalidParameter,
    /// The audio file is not there, is a folder, is empty, or cannot be read.
    Input,
    /// The call does not fit the state: nothing runs, or something runs already.
    State,
    /// More audio is queued than may wait; see [`MAX_QUEUED_AUDIO_BYTES`](crate::MAX_QUEUED_AUDIO_BYTES).
    QueueFull,
    /// There is no API key, or the server refuses it (HTTP 401 and 403).
    Authentication,
    /// No connection: the name is unknown, nobody listens, TLS or the proxy refuses, or it takes too long.
    Connect,
    /// The server answered with an HTTP status that is no success; see [`Error::status`].
    Handshake,
    /// The server answered an HTTP request with a status that is no success; see [`Error::code`] and [`Error::status`].
    Request,
    /// The server never answered to `run-task`.
    StartTimeout,
    /// Nothing came from the server for too long, not even an answer to a ping.
    PeerTimeout,
    /// The server said that the task failed; see [`Error::code`].
    TaskFailed,
    /// The server sent what the protocol does not have, and nothing that ended the task.
    Protocol,
    /// The connection ended before the task did; see [`Error::close_code`] and [`Error::progress`].
    ConnectionLost,
    /// A job took longer than its caller wanted to wait.
    WaitTimeout,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            code: None,
            status: None,
            close: None,
            request_id: None,
            progress: None,
            transient: false,
        }))
    }

    pub(crate) fn invalid(field: &str, got: impl fmt::Debug, allowed: &str) -> Self {
        let message = format!("{field} is {got:?}; it must be {allowed}");
        Self::new(ErrorKind::InvalidParameter, message)
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn with_code(self, code: Option<String>) -> Self {
        self.with(|inner| inner.code = code)
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        self.with(|inner| inner.status = Some(status))
    }

    pub(crate) fn with_close(self, code: u16, reason: &str) -> Self {
        self.with(|inner| inner.close = Some((code, reason.to_owned())))
    }

    pub(crate) fn with_request_id(self, request_id: Option<String>) -> Self {
        self.with(|inner| inner.request_id = request_id)
    }

    pub(crate) fn with_progress(self, progress: Progress) -> Self {
        self.with(|inner| inner.progress = Some(progress))
    }

    /// Marks the error as one that another try may not meet.
    pub(crate) fn transient(self) -> Self {
        self.with(|inner| inner.transient = true)
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, for the developer; without the code.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server's code, such as `CLIENT_ERROR` or `InvalidApiKey`. `None` when it gave none, or did not speak at all.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The HTTP status of the server's answer, when it answered with one that is no success.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The code of the server's WebSocket close frame, when one ended the task. 1005 is a frame without a code.
    pub fn close_code(&self) -> Option<u16> {
        self.0.close.as_ref().map(|(code, _)| *code)
    }

    /// The reason in the server's WebSocket close frame, which may be empty.
    pub fn close_reason(&self) -> Option<&str> {
        self.0.close.as_ref().map(|(_, reason)| reason.as_str())
    }

    /// The task's id, or that of an HTTP request where the server told it. For the server's logs.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How far the task had come. `None` for what is no task's failure.
    pub fn progress(&self) -> Option<&Progress> {
        self.0.progress.as_ref()
    }

    /// Whether the same call may succeed a little later: the network failed, or the server was busy.
    pub fn is_transient(&self) -> bool {
        self.0.transient
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.code {
            Some(code) if !code.is_empty() => write!(f, "{code}: {}", self.0.message),
            _ => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            message,
            code,
            status,
            close,
            request_id,
            progress,
            transient,
        } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("message", message)
            .field("code", code)
            .field("status", status)
            .field("close", close)
            .field("request_id", request_id)
            .field("progress", progress)
            .field("transient", transient)
            .finish()
    }
}

impl std::error::Error for Error {}
