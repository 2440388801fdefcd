//! The options of a recognition.

use std::time::Duration;

use serde_json::{Map, Value};
use ting_protocol::{AudioFormat, SAMPLE_RATES, SENTENCE_SILENCE_MS};

use crate::config::{Config, Times};
use crate::error::Error;
use crate::net::Url;
use crate::recognition::Recognition;
use crate::settings::{DEFAULT_WEBSOCKET_URL, Settings};
use crate::target::Target;

/// Builds a [`Recognition`]. Made by [`Recognition::builder`].
///
/// What is not set is not sent, so that the server's own default holds; the defaults named below are those of the public page.
/// [`build`](Self::build) finds out what is out of its range and says so, before anything is sent.
///
/// ```
/// use ting_client::{AudioFormat, ErrorKind, Recognition};
///
/// let builder = Recognition::builder("fun-asr-realtime")
///     .endpoint("ws://127.0.0.1:8000/api-ws/v1/inference")
///     .format(AudioFormat::Wav)
///     .language_hints(["zh", "en"]);
/// assert!(builder.clone().build().is_ok());
///
/// let error = builder.max_sentence_silence(100).build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidParameter);
/// assert_eq!(error.message(), "max_sentence_silence is 100; it must be an integer from 200 to 6000 (ms)");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RecognitionBuilder {
    model: String,
    format: AudioFormat,
    sample_rate: u32,
    target: Target,
    request_id: Option<String>,
    vocabulary_id: Option<String>,
    phrase_id: Option<String>,
    semantic_punctuation_enabled: Option<bool>,
    max_sentence_silence: Option<u32>,
    multi_threshold_mode_enabled: Option<bool>,
    punctuation_prediction_enabled: Option<bool>,
    heartbeat: Option<bool>,
    language_hints: Option<Vec<String>>,
    speech_noise_threshold: Option<f64>,
    disfluency_removal_enabled: Option<bool>,
    inverse_text_normalization_enabled: Option<bool>,
    special_word_filter: Option<Value>,
    context: Option<Vec<Value>>,
    other: Vec<(String, Value)>,
    times: Times,
    connect_attempts: u32,
}

impl RecognitionBuilder {
    pub(crate) fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            format: AudioFormat::Pcm,
            sample_rate: 16_000,
            target: Target::default(),
            request_id: None,
            vocabulary_id: None,
            phrase_id: None,
            semantic_punctuation_enabled: None,
            max_sentence_silence: None,
            multi_threshold_mode_enabled: None,
            punctuation_prediction_enabled: None,
            heartbeat: None,
            language_hints: None,
            speech_noise_threshold: None,
            disfluency_removal_enabled: None,
            inverse_text_normalization_enabled: None,
            special_word_filter: None,
            context: None,
            other: Vec::new(),
            times: Times {
                start: Duration::from_secs(15),
                peer: Duration::from_secs(60),
                finish: Duration::from_secs(300),
                silence: Some(Duration::from_secs(23)),
            },
            connect_attempts: 3,
        }
    }

    /// What the bytes of the audio are. PCM if not set.
    pub fn format(mut self, format: AudioFormat) -> Self {
        self.format = format;
        self
    }

    /// The sample rate of headerless audio in Hz, 8000 to 192000. 16000 if not set.
    pub fn sample_rate(mut self, hertz: u32) -> Self {
        self.sample_rate = hertz;
        self
    }

    /// Where the server is: `ws://…` or `wss://…`; or `embedded` for the recogniser inside the program, which needs neither server
    /// nor key, and the feature `embedded`. If not set it is `DASHSCOPE_WEBSOCKET_BASE_URL`, and without that
    /// [`DEFAULT_WEBSOCKET_URL`].
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.target.endpoint = Some(endpoint.into());
        self
    }

    crate::target::target_options!();

    /// The id of the first task. If not set it is a new one, as those of the tasks after it are.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// The hotword list to use; see [`VocabularyService`](crate::VocabularyService).
    pub fn vocabulary_id(mut self, id: impl Into<String>) -> Self {
        self.vocabulary_id = Some(id.into());
        self
    }

    /// A hotword list of the old kind.
    pub fn phrase_id(mut self, id: impl Into<String>) -> Self {
        self.phrase_id = Some(id.into());
        self
    }

    /// Whether sentences end by their meaning (more accurate) or by silence (sooner). Silence by default.
    pub fn semantic_punctuation_enabled(mut self, enabled: bool) -> Self {
        self.semantic_punctuation_enabled = Some(enabled);
        self
    }

    /// The silence that ends a sentence, 200 to 6000 ms. 1300 by default. Not with
    /// [`semantic_punctuation_enabled`](Self::semantic_punctuation_enabled).
    pub fn max_sentence_silence(mut self, milliseconds: u32) -> Self {
        self.max_sentence_silence = Some(milliseconds);
        self
    }

    /// Whether a shorter silence ends a long sentence. False by default. Not with
    /// [`semantic_punctuation_enabled`](Self::semantic_punctuation_enabled).
    pub fn multi_threshold_mode_enabled(mut self, enabled: bool) -> Self {
        self.multi_threshold_mode_enabled = Some(enabled);
        self
    }

    /// Whether text is punctuated. True by default; the hosted service knows nothing else.
    pub fn punctuation_prediction_enabled(mut self, enabled: bool) -> Self {
        self.punctuation_prediction_enabled = Some(enabled);
        self
    }

    /// Whether the task outlives silent audio of any length. False by default: a minute of it ends the task.
    pub fn heartbeat(mut self, enabled: bool) -> Self {
        self.heartbeat = Some(enabled);
        self
    }

    /// Codes of the languages that may be spoken, such as `zh`, `en` and `ja`. If not set, the server finds out.
    pub fn language_hints<T: Into<String>>(mut self, codes: impl IntoIterator<Item = T>) -> Self {
        self.language_hints = Some(codes.into_iter().map(Into::into).collect());
        self
    }

    /// What counts as speech, -1.0 to 1.0: more of what is noise towards -1, less of what is speech towards 1.
    pub fn speech_noise_threshold(mut self, threshold: f64) -> Self {
        self.speech_noise_threshold = Some(threshold);
        self
    }

    /// Whether fillers and repetitions are left out.
    pub fn disfluency_removal_enabled(mut self, enabled: bool) -> Self {
        self.disfluency_removal_enabled = Some(enabled);
        self
    }

    /// Whether numbers, dates and the like are written in figures.
    pub fn inverse_text_normalization_enabled(mut self, enabled: bool) -> Self {
        self.inverse_text_normalization_enabled = Some(enabled);
        self
    }

    /// Words to hide or to leave out, as an object such as
    /// `{"filter_with_signed": {"word_list": ["…"]}, "filter_with_empty": {"word_list": ["…"]}}` or the text of one.
    pub fn special_word_filter(mut self, filter: impl Into<Value>) -> Self {
        self.special_word_filter = Some(filter.into());
        self
    }

    /// What was said or written before, as messages; see [`Recognition::update_context`].
    pub fn context(mut self, messages: Vec<Value>) -> Self {
        self.context = Some(messages);
        self
    }

    /// Any other parameter, which goes to the server as it is. One of the above is replaced. `null` is not sent.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.other.push((name.into(), value.into()));
        self
    }

    /// How long the server may take to answer `run-task`. 15 s if not set.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.times.start = timeout;
        self
    }

    /// How long nothing at all may come from the server, not even the answer to a ping, of which one is sent every 20 s or
    /// three times in this time. 60 s if not set.
    pub fn peer_timeout(mut self, timeout: Duration) -> Self {
        self.times.peer = timeout;
        self
    }

    /// How long no event may come after the end was asked for. 300 s if not set.
    pub fn finish_timeout(mut self, timeout: Duration) -> Self {
        self.times.finish = timeout;
        self
    }

    /// After how long without audio the task is finished, as if by [`stop`](Recognition::stop). 23 s if not set, as the
    /// official SDK does: servers fail a task soon after. `None` never finishes it.
    pub fn silence_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.times.silence = timeout.into();
        self
    }

    /// How often a connection is tried before the task fails, 1 to 100. 3 if not set. Another try follows a failure that may
    /// pass (refused, reset, timeout, HTTP 429 and 5xx, `Throttling`, a connection lost before `task-started`), after 0.2 s,
    /// 0.4 s and so on, each a little longer or shorter by chance. Once audio is sent there are no more tries.
    pub fn connect_attempts(mut self, attempts: u32) -> Self {
        self.connect_attempts = attempts;
        self
    }

    /// Makes the recognition, without connecting.
    ///
    /// # Errors
    /// `InvalidParameter` for an option that is out of its range, `Authentication` when the hosted service is to be used and
    /// there is no key.
    pub fn build(self) -> Result<Recognition, Error> {
        let request_id = self.request_id.clone();
        self.config()
            .map(|config| Recognition::new(config, request_id))
    }

    /// The same for programs without `async`.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_blocking(self) -> Result<crate::blocking::Recognition, Error> {
        self.build().map(crate::blocking::Recognition::new)
    }

    fn config(self) -> Result<Config, Error> {
        if self.model.trim().is_empty() {
            return Err(Error::invalid("model", &self.model, "the name of a model"));
        }
        if self.request_id.as_ref().is_some_and(String::is_empty) {
            return Err(Error::invalid("request_id", "", "an id"));
        }
        let times = [
            ("connect_timeout", self.target.connect_timeout),
            ("start_timeout", self.times.start),
            ("peer_timeout", self.times.peer),
            ("finish_timeout", self.times.finish),
        ];
        for (name, time) in times {
            check_time(name, time)?;
        }
        if let Some(time) = self.times.silence {
            check_time("silence_timeout", time)?;
        }
        if !(1..=100).contains(&self.connect_attempts) {
            let allowed = "an integer from 1 to 100";
            return Err(Error::invalid(
                "connect_attempts",
                self.connect_attempts,
                allowed,
            ));
        }
        let parameters = self.parameters()?;
        let settings = Settings::from_env();
        let url = |text: &str| Url::parse("endpoint", text, "ws");
        let (way, headers) = self.target.resolve(
            &settings,
            settings.websocket_url.as_deref(),
            DEFAULT_WEBSOCKET_URL,
            url,
        )?;
        Ok(Config {
            way,
            headers,
            model: self.model,
            parameters,
            phrase_id: self.phrase_id,
            context: self.context,
            times: self.times,
            connect_attempts: self.connect_attempts,
        })
    }

    fn parameters(&self) -> Result<Map<String, Value>, Error> {
        if !SAMPLE_RATES.contains(&self.sample_rate) {
            let (low, high) = (SAMPLE_RATES.start(), SAMPLE_RATES.end());
            let allowed = format!("an integer from {low} to {high} (Hz)");
            return Err(Error::invalid("sample_rate", self.sample_rate, &allowed));
        }
        if let Some(silence) = self.max_sentence_silence
            && !SENTENCE_SILENCE_MS.contains(&silence)
        {
            let (low, high) = (SENTENCE_SILENCE_MS.start(), SENTENCE_SILENCE_MS.end());
            let allowed = format!("an integer from {low} to {high} (ms)");
            return Err(Error::invalid("max_sentence_silence", silence, &allowed));
        }
        if let Some(threshold) = self.speech_noise_threshold
            && !(-1.0..=1.0).contains(&threshold)
        {
            let allowed = "a number from -1.0 to 1.0";
            return Err(Error::invalid("speech_noise_threshold", threshold, allowed));
        }
        if let Some(hint) = self
            .language_hints
            .iter()
            .flatten()
            .find(|hint| hint.is_empty())
        {
            let allowed = "codes of languages, such as \"zh\"";
            return Err(Error::invalid("language_hints", hint, allowed));
        }
        let filter = match &self.special_word_filter {
            None | Some(Value::Null) => None,
            Some(text @ Value::String(_)) => Some(text.clone()),
            // On the wire it is the text of an object.
            Some(object @ Value::Object(_)) => Some(Value::String(object.to_string())),
            Some(other) => {
                let allowed = "a JSON object, or a string of one";
                return Err(Error::invalid(
                    "special_word_filter",
                    format_args!("{other}"),
                    allowed,
                ));
            }
        };
        let flags = [
            (
                "semantic_punctuation_enabled",
                self.semantic_punctuation_enabled,
            ),
            (
                "multi_threshold_mode_enabled",
                self.multi_threshold_mode_enabled,
            ),
            (
                "punctuation_prediction_enabled",
                self.punctuation_prediction_enabled,
            ),
            ("heartbeat", self.heartbeat),
            (
                "disfluency_removal_enabled",
                self.disfluency_removal_enabled,
            ),
            (
                "inverse_text_normalization_enabled",
                self.inverse_text_normalization_enabled,
            ),
        ];
        let flags = flags.map(|(name, flag)| (name, flag.map(Value::from)));
        let rest = [
            ("format", Some(self.format.name().into())),
            ("sample_rate", Some(self.sample_rate.into())),
            ("vocabulary_id", self.vocabulary_id.clone().map(Value::from)),
            (
                "max_sentence_silence",
                self.max_sentence_silence.map(Value::from),
            ),
            (
                "language_hints",
                self.language_hints.clone().map(Value::from),
            ),
            (
                "speech_noise_threshold",
                self.speech_noise_threshold.map(Value::from),
            ),
            ("special_word_filter", filter),
        ];
        let mut parameters: Map<String, Value> = rest
            .into_iter()
            .chain(flags)
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        for (name, value) in &self.other {
            parameters.insert(name.clone(), value.clone());
        }
        parameters.retain(|_, value| !value.is_null());
        Ok(parameters)
    }
}

/// The longest time an option may say; longer ones would overflow clocks.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

pub(crate) fn check_time(name: &str, time: Duration) -> Result<(), Error> {
    match time.is_zero() || time > LONGEST {
        false => Ok(()),
        true => Err(Error::invalid(
            name,
            time,
            "longer than nothing and no longer than a week",
        )),
    }
}
