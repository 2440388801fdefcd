//! What goes into a task and what comes out of it.

use std::fmt;

use ting_audio::Format;

pub use ting_text::{Word, WordFilter};

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

impl Language {
    /// The language of an ISO 639-1 code in lower case: `zh`, `en` or `ja`.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            "ja" => Some(Self::Japanese),
            _ => None,
        }
    }
}

/// Most hotwords of a task: two of the service's lists, which hold at most 500 words each.
pub const MAX_HOTWORDS: usize = 1000;
/// Most characters of one hotword. The service allows 15 Chinese characters or 7 words written with spaces.
pub const MAX_HOTWORD_CHARS: usize = 128;

/// A word or name that the audio may hold, and that is to be preferred to what sounds like it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hotword {
    /// The word as it is to be written, without punctuation: 1 to [`MAX_HOTWORD_CHARS`] characters.
    pub text: String,
    /// How strongly it is preferred: 1 to 5, or 50, which is stronger than 5.
    pub weight: u8,
    /// The language it is spoken in, if that is known. It says nothing about which languages are recognised.
    pub language: Option<Language>,
}

/// A hotword that the model can never write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IneffectiveHotword {
    /// The word, as it was listed.
    pub text: String,
    /// Why, for people.
    pub reason: String,
}

impl Hotword {
    /// Checks the limits of the fields; `index` is its place in its list, for the message.
    pub(crate) fn check(&self, index: usize) -> Result<(), EngineError> {
        let invalid = |what: String| {
            Err(EngineError::new(
                EngineErrorKind::InvalidOption,
                format!("hotwords[{index}].{what}"),
            ))
        };
        if self.text.trim().is_empty() {
            return invalid("text is empty; it must be a word".to_owned());
        }
        let length = self.text.chars().count();
        if length > MAX_HOTWORD_CHARS {
            return invalid(format!(
                "text has {length} characters; it must have 1 to {MAX_HOTWORD_CHARS}"
            ));
        }
        if !matches!(self.weight, 1..=5 | 50) {
            return invalid(format!(
                "weight is {}; it must be 1 to 5, or 50",
                self.weight
            ));
        }
        Ok(())
    }
}

/// Checks the limits of a list of hotwords.
pub(crate) fn check_hotwords(hotwords: &[Hotword]) -> Result<(), EngineError> {
    if hotwords.len() > MAX_HOTWORDS {
        return Err(EngineError::new(
            EngineErrorKind::InvalidOption,
            format!(
                "hotwords has {} words; it may have at most {MAX_HOTWORDS}",
                hotwords.len()
            ),
        ));
    }
    hotwords
        .iter()
        .enumerate()
        .try_for_each(|(index, hotword)| hotword.check(index))
}

/// Everything that decides what a task's bytes mean and how its sentences are cut.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskOptions {
    /// Container or encoding of the bytes.
    pub format: Format,
    /// Sample rate of headerless audio in Hz, 8000 to 48000. Formats with a header of their own use that.
    pub sample_rate: u32,
    /// Non-speech that ends a sentence, in ms, 200 to 6000. Without effect in a `semantic` task.
    pub max_sentence_silence_ms: u32,
    /// Whether long sentences end after shorter silences, see [`SHRINKS_FROM_MS`](crate::SHRINKS_FROM_MS). Without effect
    /// in a `semantic` task.
    pub multi_threshold: bool,
    /// Whether sentences end by meaning: at a mark that ends a sentence and has stood while the speaker went on, or after
    /// [`SEMANTIC_SILENCE_MS`](crate::SEMANTIC_SILENCE_MS).
    pub semantic: bool,
    /// Moves the speech threshold: towards -1 more noise counts as speech, towards 1 less. -1 to 1.
    pub speech_noise_threshold: f32,
    /// Languages to recognise; empty means all.
    pub languages: Vec<Language>,
    /// Whether text and words have punctuation. Sentences are cut alike with and without.
    pub punctuation: bool,
    /// Words to be preferred, at most [`MAX_HOTWORDS`].
    pub hotwords: Vec<Hotword>,
    /// What was said or written before, as [`Session::set_context`](crate::Session::set_context) takes it.
    pub context: Vec<String>,
    /// Numbers, dates, times, money and the like are written in figures.
    pub inverse_text_normalization: bool,
    /// Fillers and repeated function words are left out.
    pub disfluency_removal: bool,
    /// Words to hide or to leave out.
    pub word_filter: WordFilter,
}

impl TaskOptions {
    /// Options with the service's defaults for `format` at `sample_rate` Hz.
    pub fn new(format: Format, sample_rate: u32) -> Self {
        Self {
            format,
            sample_rate,
            max_sentence_silence_ms: 1300,
            multi_threshold: false,
            semantic: false,
            speech_noise_threshold: 0.0,
            languages: Vec::new(),
            punctuation: true,
            hotwords: Vec::new(),
            context: Vec::new(),
            inverse_text_normalization: true,
            disfluency_removal: false,
            word_filter: WordFilter::default(),
        }
    }

    /// How recognised words become text.
    pub(crate) fn text(&self) -> ting_text::Options<'_> {
        ting_text::Options {
            inverse_text_normalization: self.inverse_text_normalization,
            disfluency_removal: self.disfluency_removal,
            filter: &self.word_filter,
        }
    }
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
    /// How many of `words`, from the first on, no later partial of the sentence changes; in a final all. A final, which
    /// hears the sentence as a whole, may change any word of a partial.
    pub fixed: usize,
    /// Whether this is the first result of the sentence.
    pub first: bool,
}

impl Sentence {
    /// Takes the marks out of the text and the words.
    pub(crate) fn strip_punctuation(&mut self) {
        for word in &mut self.words {
            word.punctuation.clear();
        }
        self.text = ting_text::join(&self.words);
    }

    /// The text of the words that are not [`fixed`](Self::fixed).
    pub fn stash(&self) -> String {
        ting_text::join(self.words.get(self.fixed..).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotwords_outside_their_limits_are_refused_by_name() {
        let list = |text: &str, weight: u8, count: usize| {
            let hotword = Hotword {
                text: text.to_owned(),
                weight,
                language: None,
            };
            check_hotwords(&vec![hotword; count])
        };
        struct Case {
            name: &'static str,
            text: String,
            weight: u8,
            count: usize,
            want: Option<&'static str>,
        }
        let cases = [
            ("none", "x".to_owned(), 1, 0, None),
            ("lightest", "x".to_owned(), 1, 1, None),
            ("heaviest of the range", "x".to_owned(), 5, 1, None),
            ("super", "x".to_owned(), 50, 1, None),
            (
                "no weight",
                "x".to_owned(),
                0,
                1,
                Some("hotwords[0].weight is 0; it must be 1 to 5, or 50"),
            ),
            (
                "between 5 and 50",
                "x".to_owned(),
                6,
                1,
                Some("hotwords[0].weight is 6"),
            ),
            (
                "empty",
                String::new(),
                4,
                1,
                Some("hotwords[0].text is empty"),
            ),
            (
                "only spaces",
                "  ".to_owned(),
                4,
                1,
                Some("hotwords[0].text is empty"),
            ),
            (
                "as long as may be",
                "字".repeat(MAX_HOTWORD_CHARS),
                4,
                1,
                None,
            ),
            (
                "too long",
                "字".repeat(MAX_HOTWORD_CHARS + 1),
                4,
                1,
                Some("hotwords[0].text has 129 characters"),
            ),
            ("as many as may be", "x".to_owned(), 4, MAX_HOTWORDS, None),
            (
                "too many",
                "x".to_owned(),
                4,
                MAX_HOTWORDS + 1,
                Some("hotwords has 1001 words; it may have at most 1000"),
            ),
        ]
        .map(|(name, text, weight, count, want)| Case {
            name,
            text,
            weight,
            count,
            want,
        });
        let mut failed = Vec::new();
        for case in cases {
            let got = list(&case.text, case.weight, case.count);
            let ok = match (&got, case.want) {
                (Ok(()), None) => true,
                (Err(error), Some(want)) => {
                    error.kind() == EngineErrorKind::InvalidOption && error.message().contains(want)
                }
                _ => false,
            };
            if !ok {
                failed.push(format!("{}: got {got:?}, want {:?}", case.name, case.want));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
