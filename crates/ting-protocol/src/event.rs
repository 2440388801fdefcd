//! What a server answers.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ErrorCode;

/// An event of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The task, as its `run-task` named it.
    pub task_id: String,
    /// What happened.
    pub body: EventBody,
}

/// What happened to a task.
#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    /// `task-started`: audio is welcome.
    TaskStarted,
    /// `result-generated`: a partial, or with a usage a final.
    ResultGenerated {
        /// The sentence so far.
        sentence: Sentence,
        /// The task's billed seconds so far, on finals.
        usage: Option<Usage>,
    },
    /// `task-finished`: nothing more comes of this task.
    TaskFinished,
    /// `task-failed`: nothing more comes of this task, and the socket closes.
    TaskFailed {
        /// What kind of failure.
        code: ErrorCode,
        /// What to do about it.
        message: String,
    },
}

/// One sentence of a result. Times are ms from the first sample of the task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sentence {
    /// Where the sentence starts.
    #[serde(default)]
    pub begin_time: u64,
    /// Where it ends; `null` as long as it may change. The Python SDK tells finals by it, so the key is always there.
    #[serde(default)]
    pub end_time: Option<u64>,
    /// The whole sentence so far.
    #[serde(default)]
    pub text: String,
    /// Whether this only keeps the connection alive.
    #[serde(default)]
    pub heartbeat: bool,
    /// Whether this is the sentence's first result.
    #[serde(default)]
    pub sentence_begin: bool,
    /// Whether this is the sentence's last result.
    #[serde(default)]
    pub sentence_end: bool,
    /// Counts from 1 in a task; all results of a sentence have the same. 0 in heartbeats.
    #[serde(default)]
    pub sentence_id: u32,
    /// The words of `text`.
    #[serde(default)]
    pub words: Vec<Word>,
    /// In partials, the end of `text` that is not fixed yet, when there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stash: Option<Stash>,
}

/// The words at the end of a partial that later partials may change. They are in the partial's `text` and `words` too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stash {
    /// The partial's.
    #[serde(default)]
    pub sentence_id: u32,
    /// Where its first word starts.
    #[serde(default)]
    pub begin_time: u64,
    /// Always `null`: more may be said.
    #[serde(default)]
    pub end_time: Option<u64>,
    /// The end of the partial's text.
    #[serde(default)]
    pub text: String,
    /// The words of `text`.
    #[serde(default)]
    pub words: Vec<Word>,
}

/// A word of a sentence. Times are ms from the first sample of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Where the word starts.
    #[serde(default)]
    pub begin_time: u64,
    /// Where it ends.
    #[serde(default)]
    pub end_time: Option<u64>,
    /// One Chinese or Japanese character, or a word of a language with spaces.
    #[serde(default)]
    pub text: String,
    /// The punctuation after it, or empty.
    #[serde(default)]
    pub punctuation: String,
    /// In partials, whether no later partial changes the word. Nothing is said of it in finals, which do not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<bool>,
}

impl Sentence {
    /// The sentence of a heartbeat, which only keeps the connection alive: the SDKs pass over it.
    pub fn keep_alive() -> Self {
        Self {
            heartbeat: true,
            ..Self::default()
        }
    }
}

/// What a task has cost so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds of audio received, rounded up.
    pub duration: u64,
}

impl Usage {
    /// The usage of `audio_ms` of audio: whole seconds begun, at least one.
    pub fn of_audio_ms(audio_ms: u64) -> Self {
        Self {
            duration: audio_ms.div_ceil(1000).max(1),
        }
    }
}

impl Event {
    /// An event of the task `task_id`.
    pub fn new(task_id: impl Into<String>, body: EventBody) -> Self {
        Self {
            task_id: task_id.into(),
            body,
        }
    }

    /// A `task-failed`.
    pub fn failed(task_id: impl Into<String>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(
            task_id,
            EventBody::TaskFailed {
                code,
                message: message.into(),
            },
        )
    }

    /// The text frame of the event.
    pub fn to_json(&self) -> String {
        let (name, error, payload) = match &self.body {
            EventBody::TaskStarted => ("task-started", None, Payload::default()),
            EventBody::ResultGenerated { sentence, usage } => {
                let output = Output {
                    sentence: Some(sentence.clone()),
                };
                let payload = Payload {
                    output: Some(output),
                    usage: Some(*usage),
                };
                ("result-generated", None, payload)
            }
            // With an empty payload the Python SDK would never call on_complete.
            EventBody::TaskFinished => {
                let payload = Payload {
                    output: Some(Output::default()),
                    usage: Some(None),
                };
                ("task-finished", None, payload)
            }
            EventBody::TaskFailed { code, message } => (
                "task-failed",
                Some((code.clone(), message.clone())),
                Payload::default(),
            ),
        };
        let (error_code, error_message) = error.unzip();
        let header = Header {
            task_id: self.task_id.clone(),
            event: name.to_owned(),
            error_code,
            error_message,
            attributes: Map::new(),
        };
        // Strings, integers and maps with string keys: there is nothing in it that JSON cannot say.
        serde_json::to_string(&Frame { header, payload }).unwrap_or_default()
    }

    /// Reads a text frame.
    ///
    /// # Errors
    /// See [`EventErrorKind`].
    pub fn parse(text: &str) -> Result<Self, EventError> {
        let frame: Frame = serde_json::from_str(text)
            .map_err(|error| EventError::new(EventErrorKind::Malformed, error.to_string()))?;
        let Frame { header, payload } = frame;
        let body = match header.event.as_str() {
            "task-started" => EventBody::TaskStarted,
            "result-generated" => EventBody::ResultGenerated {
                sentence: payload
                    .output
                    .and_then(|output| output.sentence)
                    .ok_or_else(|| {
                        let message = "result-generated has no payload.output.sentence";
                        EventError::new(EventErrorKind::Malformed, message)
                    })?,
                usage: payload.usage.flatten(),
            },
            "task-finished" => EventBody::TaskFinished,
            "task-failed" => EventBody::TaskFailed {
                code: header.error_code.unwrap_or(ErrorCode::Other(String::new())),
                message: header.error_message.unwrap_or_default(),
            },
            other => {
                let message = format!("header.event is {other:?}");
                return Err(EventError::new(EventErrorKind::UnknownEvent, message));
            }
        };
        Ok(Self {
            task_id: header.task_id,
            body,
        })
    }
}

// The order of the fields is the order on the wire.

#[derive(Serialize, Deserialize)]
struct Frame {
    header: Header,
    #[serde(default)]
    payload: Payload,
}

#[derive(Serialize, Deserialize)]
struct Header {
    task_id: String,
    event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_code: Option<ErrorCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(default)]
    attributes: Map<String, Value>,
}

#[derive(Default, Serialize, Deserialize)]
struct Payload {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<Output>,
    /// The outer `None` leaves the key out, the inner writes `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Default, Serialize, Deserialize)]
struct Output {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sentence: Option<Sentence>,
}

/// Why a server's text frame could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError {
    kind: EventErrorKind,
    message: String,
}

/// The kinds of [`EventError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventErrorKind {
    /// Not JSON, or not of an event's shape.
    Malformed,
    /// An event of another name than the four of the protocol.
    UnknownEvent,
}

impl EventError {
    fn new(kind: EventErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> EventErrorKind {
        self.kind
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server sent what is not an event of the protocol: {}",
            self.message
        )
    }
}

impl std::error::Error for EventError {}
