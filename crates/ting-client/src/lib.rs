//! Speech recognition over the fun-asr-realtime protocol: with a Ting server, with the hosted service, or, with the feature
//! `embedded`, without any server.
//!
//! [`Recognition`] recognises files and streams, [`VocabularyService`] manages hotword lists, and [`Transcription`] has
//! files recognised that a server can reach. [`blocking`] has the same for programs without `async`.
//!
//! # Architecture invariants
//! - Knows the wire (`ting-protocol`) and nothing of the server's code; the recogniser inside the program is a server, too,
//!   reached through `ting-embedded`.
//! - The code of a user runs on a thread of its own, and never holds up a connection.
//! - Callbacks come in order, and the last one always comes.
//! - A task waits for nothing without a limit: every wait has a timeout, and every queue a bound.

mod builder;
mod callback;
mod config;
mod connection;

mod error;
mod feed;
mod frame;
mod http;
mod inbox;
mod net;
mod outgoing;
mod owner;
mod progress;
mod raw;
mod recognition;
mod result;
mod runtime;
mod session;
mod settings;
mod stream;
mod target;
mod task;
mod transcription;
mod vocabulary;

pub mod blocking;

/// How the recogniser inside the program is made, which the endpoint `embedded` is.
#[cfg(feature = "embedded")]
pub use ting_embedded as embedded;

pub use builder::RecognitionBuilder;
pub use callback::RecognitionCallback;
pub use error::{Error, ErrorKind};
pub use outgoing::MAX_QUEUED_AUDIO_BYTES;
pub use progress::Progress;
pub use raw::{RawRequest, RawResponse};
pub use recognition::Recognition;
pub use result::RecognitionResult;
pub use settings::{DEFAULT_HTTP_URL, DEFAULT_WEBSOCKET_URL, Settings};
pub use stream::ResultStream;
pub use ting_protocol::{
    AudioFormat, Sentence, Stash, Usage, VocabularyDetails, VocabularyEntry, VocabularyStatus,
    VocabularyWord, Word,
};
pub use transcription::{
    SubtaskResult, Transcription, TranscriptionBuilder, TranscriptionStatus, TranscriptionTask,
};
pub use vocabulary::{VocabularyService, VocabularyServiceBuilder};
