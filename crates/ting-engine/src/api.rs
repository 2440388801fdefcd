//! What goes into a task and what comes out of it.

use std::fmt;

use ting_audio::Format;

use crate::words;

/// A language the recogniser can be restricted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Mandarin Chinese and its dialects (`zh`).
    Chinese,
    /// English (`en`).
    English,
    /// Japanese (`ja`).
    Japanese,
}

/// Everything that decides what a task's bytes mean and how its sentences are cut.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskOptions {
    /// Container or encoding of the bytes.
    pub format: Format,
    /// Sample rate of headerless audio in Hz, 8000 to 48000. Formats with a header of their own use that.
    pub sample_rate: u32,
    /// Non-speech that ends a sentence, in ms, 200 to 6000.
    pub max_sentence_silence_ms: u32,
    /// Moves the speech threshold: towards -1 more noise counts as speech, towards 1 less. -1 to 1.
    pub speech_noise_threshold: f32,
    /// Languages to recognise; empty means all.
    pub languages: Vec<Language>,
    /// Whether text and words have punctuation. Sentences are cut alike with and without.
    pub punctuation: bool,
}

impl TaskOptions {
    /// Options with the service's defaults for `format` at `sample_rate` Hz.
    pub fn new(format: Format, sample_rate: u32) -> Self {
        Self {
            format,
            sample_rate,
            max_sentence_silence_ms: 1300,
            speech_noise_threshold: 0.0,
            languages: Vec::new(),
            punctuation: true,
        }
    }
}

/// One Chinese or Japanese character, or one word of a language that writes spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Start in ms from the first sample of the task.
    pub begin_ms: u64,
    /// End in ms from the first sample of the task.
    pub end_ms: u64,
    /// The word without punctuation and without spaces.
    pub text: String,
    /// Punctuation directly after the word, or empty.
    pub punctuation: String,
}

/// What is recognised so far of one sentence, or the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Counts from 1 in each task and stays the same over all results of the sentence.
    pub id: u32,
    /// Start in ms from the first sample of the task.
    pub begin_ms: u64,
    /// End in ms from the first sample of the task; for a partial, the end of its last word.
    pub end_ms: u64,
    /// The whole sentence so far, punctuated.
    pub text: String,
    /// The words of `text`, in order.
    pub words: Vec<Word>,
    /// Whether this is the first result of the sentence.
    pub first: bool,
}

impl Sentence {
    /// Takes the marks out of the text and the words.
    pub(crate) fn strip_punctuation(&mut self) {
        for word in &mut self.words {
            word.punctuation.clear();
        }
        self.text = words::text(&self.words);
    }
}

/// What a task reports. `Finished` and `Failed` are the last event of a task, and exactly one of them comes.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The sentence being spoken, as far as it is known. A later event may change any of it.
    Partial {
        /// The sentence so far.
        sentence: Sentence,
    },
    /// A sentence that will not change.
    Final {
        /// The whole sentence.
        sentence: Sentence,
        /// Audio consumed by the task so far, in ms.
        audio_ms: u64,
    },
    /// All audio given before [`Session::finish`](crate::Session::finish) is recognised.
    Finished {
        /// Audio consumed by the task, in ms.
        audio_ms: u64,
    },
    /// The task cannot go on. What was recognised before was reported as `Final` events.
    Failed(EngineError),
}

/// Why a task could not be opened or go on.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineError {
    kind: EngineErrorKind,
    message: String,
}

/// The kinds of [`EngineError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineErrorKind {
    /// An option is outside its range; the message names it and the range.
    InvalidOption,
    /// The bytes are not what the options say they are, or are damaged beyond use.
    Audio,
    /// There are as many sessions as the machine can serve in time.
    Busy,
    /// A fault of the engine itself.
    Internal,
}

impl EngineError {
    /// An error of `kind`, whose `message` says what is wrong and what is allowed.
    pub fn new(kind: EngineErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> EngineErrorKind {
        self.kind
    }

    /// What is wrong and what is allowed, as one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}
