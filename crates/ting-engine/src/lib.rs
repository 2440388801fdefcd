//! Tasks: voice activity, segmentation, decoding, word times, and the threads that run them.
//!
//! [`Recognizer`] is one task, synchronous and deterministic. [`Engine`] runs many on its threads: bytes of a task go in
//! through [`Session::push`], sentences come out through the sink given to [`Engine::open`].
//!
//! # Architecture invariants
//! - The engine knows nothing of JSON, HTTP or sockets.
//! - The text, times and sentence ends of a task depend only on its bytes and its [`TaskOptions`]: not on
//!   how the bytes were cut, how fast they came, or what other sessions ran beside it.
//! - [`Session::push`] never waits for recognition, and recognition never waits for a sink.
//! - Memory per session is bounded: see [`MAX_QUEUED_BYTES`] and [`MAX_SEGMENT_MS`].

mod align;
mod api;
mod beam;
mod capacity;
mod choice;
mod closing;
mod conversion;
mod detect;
mod engine;
mod evidence;
mod hotwords;
mod posteriors;
mod punctuation;
mod recognizer;
mod rescoring;
mod segment;
mod segmenter;
mod semantic;
mod sounding;
mod task;
mod transcript;
mod words;

pub use api::{
    EngineError, EngineErrorKind, Event, Hotword, IneffectiveHotword, Language, MAX_HOTWORD_CHARS,
    MAX_HOTWORDS, Sentence, TaskOptions, Word, WordFilter,
};
pub use closing::{SEMANTIC_SILENCE_MS, SHORTEST_SILENCE_MS, SHRINKS_FROM_MS, SHRINKS_TO_MS};
pub use detect::{segments, speech_probabilities};
pub use engine::{Engine, EngineOptions, MAX_QUEUED_BYTES, Session};
pub use recognizer::Recognizer;
pub use segmenter::MAX_SEGMENT_MS;
pub use ting_audio::Format;
