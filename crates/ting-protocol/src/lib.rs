//! The JSON messages of the fun-asr-realtime WebSocket protocol, and of the HTTP requests beside it.
//!
//! Both directions are here, to be read and to be written: [`ClientMessage`] is what a client sends as text
//! frames, [`Event`] what a server answers. Audio travels beside them in binary frames and is not JSON.
//! [`VocabularyRequest`] is what a client posts about hotword lists, and [`HttpReply`] or [`HttpError`] the answer.
//!
//! Reading is tolerant where the clients in the field differ: unknown keys are kept apart, `null` is the same as
//! absent, `payload` and `input` may be missing where nothing needs them. Writing is exact: the keys of an event,
//! their order and their presence are what the official SDKs were seen to need.
//!
//! # Architecture invariants
//! - Knows the names on the wire, and nothing of sockets, time or recognition.
//! - Every refusal names the field, what was got and what is allowed.
//!
//! Source: the public pages "Fun-ASR realtime Python SDK" and "Fun-ASR WebSocket API" of Alibaba Cloud Model Studio,
//! and what the `dashscope` SDK 2.0.2 sends and accepts.

mod client;
mod context;
mod error;
mod event;
mod fields;
mod http;
mod model;
mod parameters;
mod vocabulary;
mod word_filter;

pub use client::{ClientMessage, Resource, RunTask};
pub use context::{MAX_CONTEXT_CHARS, MAX_CONTEXT_MESSAGES, context_texts};
pub use error::{ErrorCode, RequestError};
pub use event::{Event, EventBody, EventError, EventErrorKind, Sentence, Stash, Usage, Word};
pub use http::{HttpError, HttpReply, RequestUsage};
pub use model::{MODELS, is_served_model};
pub use parameters::{AudioFormat, Parameters, SAMPLE_RATES, SENTENCE_SILENCE_MS};
pub use vocabulary::{
    CUSTOMIZATION_PATH, CreatedVocabulary, MAX_VOCABULARIES, MAX_VOCABULARY_WORDS, Nothing,
    VOCABULARY_PAGE_SIZES, VocabularyDetails, VocabularyEntry, VocabularyList, VocabularyRequest,
    VocabularyStatus, VocabularyWord, beijing_time, is_vocabulary_id,
};
pub use word_filter::{MAX_FILTER_WORD_CHARS, MAX_FILTER_WORDS, SpecialWordFilter};

/// The path of the recognition service; clients also use it with a slash at the end.
pub const INFERENCE_PATH: &str = "/api-ws/v1/inference";

/// The longest `header.task_id` in bytes. It comes back in every event, so a client must not choose it without
/// bound; the ids of every known client are 32 or 36 bytes.
pub const MAX_TASK_ID_BYTES: usize = 1024;
