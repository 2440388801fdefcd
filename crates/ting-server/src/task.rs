//! Between the wire's `run-task` and a session of the recogniser.

use std::sync::Arc;

use ting_audio::Format;
use ting_engine::{EngineError, EngineErrorKind, Event, Language, TaskOptions};
use ting_protocol::{
    AudioFormat, ErrorCode, EventBody, MODELS, Parameters, RequestError, RunTask, Sentence, Usage,
    Word, context_texts, is_served_model,
};

use crate::outbox::{Outbox, Slot};
use crate::recogniser::{RecogniserSession, Sink};

/// Names of parameters that one log line repeats, and characters of each: a client chooses them.
const LOGGED_NAMES: usize = 16;
const LOGGED_CHARS: usize = 64;

/// Language codes of the public pages that no model here was trained for. Beside a code that is served they are hints
/// that cannot help; alone they ask for what is not there.
const UNSERVED_LANGUAGES: &[&str] = &[
    "yue", "ko", "vi", "th", "id", "ms", "tl", "hi", "ar", "fr", "de", "es", "pt", "ru", "it",
    "nl", "sv", "da", "fi", "no", "el", "pl", "cs", "hu", "ro", "bg", "hr", "sk",
];

/// What `run` asks of the recogniser.
///
/// # Errors
/// The refusal for `task-failed` when it asks for what this server does not have.
pub(crate) fn options(run: &RunTask) -> Result<TaskOptions, RequestError> {
    if !is_served_model(&run.model) {
        let message = format!(
            "Model can not be found. payload.model is {:?}; it must be one of {}.",
            truncated(&run.model),
            MODELS.join(", ")
        );
        return Err(RequestError::new(ErrorCode::ModelNotFound, message));
    }
    let parameters = &run.parameters;
    let format = decodable(parameters.format).ok_or_else(|| {
        let served: Vec<&str> = AudioFormat::ALL
            .into_iter()
            .filter(|format| decodable(*format).is_some())
            .map(AudioFormat::name)
            .collect();
        let message = format!(
            "payload.parameters.format is {:?}, which this server does not decode; it must be one of {}.",
            parameters.format.name(),
            served.join(", ")
        );
        RequestError::new(ErrorCode::UnsupportedFormat, message)
    })?;
    let mut options = TaskOptions::new(format, parameters.sample_rate);
    if let Some(silence) = parameters.max_sentence_silence {
        options.max_sentence_silence_ms = silence;
    }
    if let Some(threshold) = parameters.speech_noise_threshold {
        options.speech_noise_threshold = threshold as f32;
    }
    options.languages = languages(parameters.language_hints.as_deref().unwrap_or_default())?;
    options.context = context_texts(run.context.as_deref().unwrap_or_default());
    Ok(options)
}

fn decodable(format: AudioFormat) -> Option<Format> {
    match format {
        AudioFormat::Pcm => Some(Format::Pcm),
        AudioFormat::Wav => Some(Format::Wav),
        AudioFormat::Opus => Some(Format::Opus),
        AudioFormat::Mp3 | AudioFormat::Speex | AudioFormat::Aac | AudioFormat::Amr => None,
    }
}

fn languages(hints: &[String]) -> Result<Vec<Language>, RequestError> {
    let mut languages = Vec::new();
    for hint in hints {
        let language = match hint.as_str() {
            "zh" => Language::Chinese,
            "en" => Language::English,
            "ja" => Language::Japanese,
            unserved if UNSERVED_LANGUAGES.contains(&unserved) => continue,
            unknown => return Err(bad_hint(unknown)),
        };
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    match hints.first() {
        Some(unserved) if languages.is_empty() => Err(bad_hint(unserved)),
        _ => Ok(languages),
    }
}

fn bad_hint(hint: &str) -> RequestError {
    let message = format!(
        "payload.parameters.language_hints has {:?}; it must have one or more of zh, en, ja.",
        truncated(hint)
    );
    RequestError::new(ErrorCode::InvalidParameter, message)
}

/// Says in the log what of `run` has no effect.
pub(crate) fn log_unused(run: &RunTask) {
    let unused = unused(&run.parameters, !run.resources.is_empty());
    if !unused.is_empty() {
        let names: Vec<&str> = unused
            .iter()
            .take(LOGGED_NAMES)
            .map(|name| truncated(name))
            .collect();
        tracing::info!(task_id = ?run.task_id, ?names, "parameter accepted but not acted on yet");
    }
}

/// Says in the log which hotwords of a task have no effect, and why.
pub(crate) fn log_ineffective(task_id: &str, session: &dyn RecogniserSession) {
    let ineffective = session.ineffective_hotwords();
    for word in ineffective.iter().take(LOGGED_NAMES) {
        let text = truncated(&word.text);
        tracing::warn!(?task_id, ?text, reason = ?word.reason, "hotword has no effect");
    }
    if ineffective.len() > LOGGED_NAMES {
        let more = ineffective.len() - LOGGED_NAMES;
        tracing::warn!(?task_id, more, "hotwords have no effect");
    }
}

/// The names of what was asked for and is not done. A value that asks for what is done anyway is not among them.
fn unused(parameters: &Parameters, resources: bool) -> Vec<&str> {
    let asked = [
        ("vocabulary_id", parameters.vocabulary_id.is_some()),
        (
            "semantic_punctuation_enabled",
            parameters.semantic_punctuation_enabled == Some(true),
        ),
        (
            "multi_threshold_mode_enabled",
            parameters.multi_threshold_mode_enabled == Some(true),
        ),
        (
            "punctuation_prediction_enabled",
            parameters.punctuation_prediction_enabled == Some(false),
        ),
        ("resources", resources),
    ];
    let other = parameters
        .other
        .iter()
        // Python SDKs up to 1.25 put "stream" into every task; others say false of what they do not want.
        .filter(|(name, value)| *name != "stream" && **value != false)
        .map(|(name, _)| name.as_str());
    asked
        .into_iter()
        .filter(|(_, asked)| *asked)
        .map(|(name, _)| name)
        .chain(other)
        .collect()
}

fn truncated(text: &str) -> &str {
    text.char_indices()
        .nth(LOGGED_CHARS)
        .map_or(text, |(cut, _)| &text[..cut])
}

/// A sink that puts the session's events into `outbox`, and fails the task if it is dropped too early.
pub(crate) fn sink(outbox: Arc<Outbox>, slot: Slot) -> Sink {
    struct Guard(Arc<Outbox>, Slot);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.orphaned(self.1);
        }
    }
    let guard = Guard(outbox, slot);
    Box::new(move |event| {
        let Guard(outbox, slot) = &guard;
        match event {
            Event::Partial { sentence } => {
                outbox.result(*slot, wire_sentence(sentence, false), None)
            }
            Event::Final { sentence, audio_ms } => {
                let usage = Some(Usage::of_audio_ms(audio_ms));
                outbox.result(*slot, wire_sentence(sentence, true), usage);
            }
            Event::Finished { .. } => {
                outbox.end(*slot, EventBody::TaskFinished);
            }
            Event::Failed(error) => {
                outbox.end(*slot, failure(&error));
            }
        }
    })
}

fn wire_sentence(sentence: ting_engine::Sentence, last: bool) -> Sentence {
    let words = sentence.words.into_iter().map(|word| Word {
        begin_time: word.begin_ms,
        end_time: Some(word.end_ms),
        text: word.text,
        punctuation: word.punctuation,
    });
    Sentence {
        begin_time: sentence.begin_ms,
        end_time: last.then_some(sentence.end_ms),
        text: sentence.text,
        heartbeat: false,
        sentence_begin: sentence.first,
        sentence_end: last,
        sentence_id: sentence.id,
        words: words.collect(),
    }
}

/// The `task-failed` of an error of the recogniser.
pub(crate) fn failure(error: &EngineError) -> EventBody {
    let (code, message) = match error.kind() {
        EngineErrorKind::InvalidOption => (ErrorCode::InvalidParameter, error.message().to_owned()),
        EngineErrorKind::Audio => {
            let message = format!("The audio is not what payload.parameters.format says: {error}");
            (ErrorCode::UnsupportedFormat, message)
        }
        EngineErrorKind::Busy => {
            let message = format!("Requests rate limit exceeded, please try again later: {error}");
            (ErrorCode::Throttling, message)
        }
        _ => (
            ErrorCode::InternalError,
            format!("An internal error has occured: {error}"),
        ),
    };
    EventBody::TaskFailed { code, message }
}

#[cfg(test)]
mod tests {
    use super::{languages, unused};
    use ting_engine::Language::{Chinese, English, Japanese};
    use ting_protocol::{AudioFormat, Parameters};

    #[test]
    fn hints_restrict_to_what_is_served() {
        let cases: [(&[&str], Option<&[_]>); 7] = [
            (&[], Some(&[])),
            (&["zh", "en"], Some(&[Chinese, English])),
            (&["ja", "ja"], Some(&[Japanese])),
            (&["ko", "zh"], Some(&[Chinese])),
            (&["ko"], None),
            (&["zh", "xx"], None),
            (&["ZH"], None),
        ];
        let mut failures = Vec::new();
        for (hints, want) in cases {
            let hints: Vec<String> = hints.iter().map(|&hint| hint.to_owned()).collect();
            let got = languages(&hints);
            if got.as_deref().ok() != want {
                failures.push(format!("{hints:?}: got {got:?}, want {want:?}"));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn what_has_no_effect_is_named() {
        let mut parameters = Parameters::new(AudioFormat::Pcm, 16_000);
        parameters.semantic_punctuation_enabled = Some(false);
        parameters.punctuation_prediction_enabled = Some(true);
        parameters.heartbeat = Some(true);
        parameters.other.insert("stream".to_owned(), true.into());
        parameters
            .other
            .insert("disfluency_removal_enabled".to_owned(), false.into());
        assert_eq!(unused(&parameters, false), Vec::<&str>::new());
        parameters.semantic_punctuation_enabled = Some(true);
        parameters.vocabulary_id = Some("vocab-a-1".to_owned());
        parameters
            .other
            .insert("speaker_count".to_owned(), 2.into());
        let want = [
            "vocabulary_id",
            "semantic_punctuation_enabled",
            "speaker_count",
        ];
        assert_eq!(unused(&parameters, false), want);
    }
}
