//! Between the wire's `run-task` and a session of the recogniser.

use std::sync::Arc;

use ting_audio::Format;
use ting_engine::{EngineError, EngineErrorKind, Event, Language, TaskOptions, WordFilter};
use ting_protocol::{
    AudioFormat, ErrorCode, EventBody, MAX_VOCABULARIES, MODELS, Parameters, RequestError,
    Resource, RunTask, Sentence, Stash, Usage, Word, context_texts, is_served_model,
    is_vocabulary_id,
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
    let mut options = TaskOptions::new(format(parameters.format), parameters.sample_rate);
    if let Some(silence) = parameters.max_sentence_silence {
        options.max_sentence_silence_ms = silence;
    }
    options.multi_threshold = parameters.multi_threshold_mode_enabled == Some(true);
    options.semantic = parameters.semantic_punctuation_enabled == Some(true);
    if let Some(threshold) = parameters.speech_noise_threshold {
        options.speech_noise_threshold = threshold as f32;
    }
    if let Some(punctuation) = parameters.punctuation_prediction_enabled {
        options.punctuation = punctuation;
    }
    if let Some(figures) = parameters.inverse_text_normalization_enabled {
        options.inverse_text_normalization = figures;
    }
    options.disfluency_removal = parameters.disfluency_removal_enabled == Some(true);
    if let Some(filter) = &parameters.special_word_filter {
        options.word_filter = WordFilter::new(&filter.signed, &filter.empty);
    }
    options.languages = languages(parameters.language_hints.as_deref().unwrap_or_default())?;
    options.context = context_texts(run.context.as_deref().unwrap_or_default());
    Ok(options)
}

/// The decoder's name of a format. It has all that the wire knows.
fn format(format: AudioFormat) -> Format {
    match format {
        AudioFormat::Pcm => Format::Pcm,
        AudioFormat::Wav => Format::Wav,
        AudioFormat::Mp3 => Format::Mp3,
        AudioFormat::Opus => Format::Opus,
        AudioFormat::Speex => Format::Speex,
        AudioFormat::Aac => Format::Aac,
        AudioFormat::Amr => Format::Amr,
    }
}

fn languages(hints: &[String]) -> Result<Vec<Language>, RequestError> {
    let mut languages = Vec::new();
    for hint in hints {
        let Some(language) = Language::from_code(hint) else {
            if UNSERVED_LANGUAGES.contains(&hint.as_str()) {
                continue;
            }
            return Err(bad_hint(hint));
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

/// The hotword lists that `run` asks for, each once: `vocabulary_id` and the resources that are lists.
///
/// # Errors
/// `InvalidParameter` when they are more than an account can have.
pub(crate) fn vocabulary_ids(run: &RunTask) -> Result<Vec<String>, RequestError> {
    let resources = run.resources.iter().filter(|r| is_vocabulary(r));
    let ids = run
        .parameters
        .vocabulary_id
        .iter()
        .chain(resources.map(|r| &r.resource_id));
    let mut asked: Vec<String> = Vec::new();
    for id in ids.filter(|id| !id.is_empty()) {
        if asked.contains(id) {
            continue;
        }
        if asked.len() == MAX_VOCABULARIES as usize {
            let message = format!(
                "payload.parameters.vocabulary_id and payload.resources name too many hotword lists; \
                 they may name {MAX_VOCABULARIES} together."
            );
            return Err(RequestError::new(ErrorCode::InvalidParameter, message));
        }
        asked.push(id.clone());
    }
    Ok(asked)
}

/// Whether a resource, which the SDKs make of a `phrase_id`, is a hotword list. Official samples give a list's id as one.
fn is_vocabulary(resource: &Resource) -> bool {
    matches!(resource.resource_type.as_str(), "asr_phrase" | "")
        && is_vocabulary_id(&resource.resource_id)
}

/// Says in the log what of `run` has no effect.
pub(crate) fn log_unused(run: &RunTask) {
    let other = |resource| !is_vocabulary(resource);
    let unused = unused(&run.parameters, run.resources.iter().any(other));
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
        (
            "special_word_filter.system_reserved_filter",
            parameters
                .special_word_filter
                .as_ref()
                .is_some_and(|filter| filter.system_reserved == Some(true)),
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

/// The beginning of what a client chose, fit for a log line or a message.
pub(crate) fn truncated(text: &str) -> &str {
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
    let stash = sentence.stash();
    let word = |(i, word): (usize, ting_engine::Word)| Word {
        begin_time: word.begin_ms,
        end_time: Some(word.end_ms),
        text: word.text,
        punctuation: word.punctuation,
        fixed: (!last).then_some(i < sentence.fixed),
    };
    let words: Vec<Word> = sentence.words.into_iter().enumerate().map(word).collect();
    let unfixed = words.get(sentence.fixed..).filter(|_| !last);
    let stash = unfixed.and_then(|unfixed| {
        Some(Stash {
            sentence_id: sentence.id,
            begin_time: unfixed.first()?.begin_time,
            end_time: None,
            text: stash,
            words: unfixed.to_vec(),
        })
    });
    Sentence {
        begin_time: sentence.begin_ms,
        end_time: last.then_some(sentence.end_ms),
        text: sentence.text,
        heartbeat: false,
        sentence_begin: sentence.first,
        sentence_end: last,
        sentence_id: sentence.id,
        words,
        stash,
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
    use ting_protocol::{AudioFormat, Parameters, SpecialWordFilter};

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
        parameters.semantic_punctuation_enabled = Some(true);
        parameters.punctuation_prediction_enabled = Some(false);
        parameters.heartbeat = Some(true);
        parameters.other.insert("stream".to_owned(), true.into());
        parameters.disfluency_removal_enabled = Some(true);
        parameters.special_word_filter = Some(SpecialWordFilter::default());
        parameters
            .other
            .insert("audio_event_detection_enabled".to_owned(), false.into());
        assert_eq!(unused(&parameters, false), Vec::<&str>::new());
        parameters.special_word_filter = Some(SpecialWordFilter {
            system_reserved: Some(true),
            ..SpecialWordFilter::default()
        });
        parameters
            .other
            .insert("speaker_count".to_owned(), 2.into());
        let want = [
            "special_word_filter.system_reserved_filter",
            "speaker_count",
        ];
        assert_eq!(unused(&parameters, false), want);
    }
}
