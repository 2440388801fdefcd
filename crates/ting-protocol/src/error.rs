//! Error codes, and why a client's message is refused.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $wire:literal,)+) => {
        /// The `header.error_code` of `task-failed` and the `code` of an HTTP error.
        ///
        /// The strings are the hosted service's. `RequestTimeOut`, for example, is spelled as it is there.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
            /// A code this version does not know, as it was read.
            Other(String),
        }

        impl ErrorCode {
            /// Every code with a name here.
            pub const NAMED: &[ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// The code as it is on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Other(code) => code,
                }
            }
        }

        impl From<&str> for ErrorCode {
            fn from(code: &str) -> Self {
                match code {
                    $($wire => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

codes! {
    /// The client sent nothing for too long, or a bad `context` or `vocabulary`.
    ClientError = "CLIENT_ERROR",
    /// Silent audio only for too long, or no answer from the recogniser.
    ResponseTimeout = "ResponseTimeout",
    /// The request took too long.
    RequestTimeOut = "RequestTimeOut",
    /// There is no audio in the bytes that were sent.
    NoValidAudio = "NO_VALID_AUDIO_ERROR",
    /// `finish-task` came without audio.
    NoInputAudio = "NO_INPUT_AUDIO_ERROR",
    /// `format` is unknown or not served, or the bytes are not in it.
    UnsupportedFormat = "UNSUPPORTED_FORMAT",
    /// A key is missing, of the wrong type or out of range, or the message comes at the wrong time.
    InvalidParameter = "InvalidParameter",
    /// No such model.
    ModelNotFound = "ModelNotFound",
    /// No such model, as HTTP services say it.
    ModelNotExist = "Model.NotExist",
    /// The model was not bought.
    AccessDeniedUnpurchased = "AccessDenied.Unpurchased",
    /// The workspace may not use the model.
    ModelAccessDenied = "Model.AccessDenied",
    /// The key may not do this.
    AccessDenied = "AccessDenied",
    /// The key is unknown.
    InvalidApiKey = "InvalidApiKey",
    /// The account is not in good standing.
    Arrearage = "Arrearage",
    /// The server has no capacity for another task.
    Throttling = "Throttling",
    /// Too many requests in a time.
    ThrottlingRateQuota = "Throttling.RateQuota",
    /// Requests grew too fast.
    ThrottlingBurstRate = "Throttling.BurstRate",
    /// A quota is used up.
    ThrottlingAllocationQuota = "Throttling.AllocationQuota",
    /// Too many tasks at once.
    ThrottlingConcurrency = "Throttling.Concurrency",
    /// A fault of the server.
    InternalError = "InternalError",
    /// The server cannot go on with the task.
    SystemError = "SystemError",
    /// The client went away; in logs only.
    ClientDisconnect = "ClientDisconnect",
    /// No such HTTP resource.
    NotFound = "NotFound",
    /// An HTTP request without `input`.
    BadRequestEmptyInput = "BadRequest.EmptyInput",
    /// An HTTP request without `model`.
    BadRequestEmptyModel = "BadRequest.EmptyModel",
    /// What the request is about, such as a hotword list, is not there.
    BadRequestResourceNotExist = "BadRequest.ResourceNotExist",
    /// The server cannot answer now; another try may succeed.
    ServiceUnavailable = "ServiceUnavailable",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}

/// Why a client's text frame is refused.
///
/// [`code`](Self::code) says what kind of refusal it is, in the wire's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    task_id: Option<String>,
    run_task: bool,
    code: ErrorCode,
    message: String,
}

impl RequestError {
    /// A refusal whose message names the field, what was got and what is allowed.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            task_id: None,
            run_task: false,
            code,
            message: message.into(),
        }
    }

    /// The refusal as the answer to a message of the task `task_id`.
    pub(crate) fn of_task(mut self, task_id: &str, run_task: bool) -> Self {
        self.task_id = Some(task_id.to_owned());
        self.run_task = run_task;
        self
    }

    /// The message's `header.task_id`, when it could be read.
    pub fn task_id(&self) -> Option<&str> {
        self.task_id.as_deref()
    }

    /// Whether the message was a `run-task`, so that its task waits for a terminal event.
    pub fn is_run_task(&self) -> bool {
        self.run_task
    }

    /// What kind of refusal it is.
    pub fn code(&self) -> &ErrorCode {
        &self.code
    }

    /// What is wrong and what is allowed, for the client's developer.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for RequestError {}
