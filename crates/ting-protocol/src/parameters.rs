//! `payload.parameters` of `run-task`.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::fields::{Fields, shown};
use crate::{ErrorCode, RequestError, SpecialWordFilter};

/// Sample rates in Hz a task may ask for. Telephone speech is 8000, and no audio interface in use exceeds 192000.
pub const SAMPLE_RATES: RangeInclusive<u32> = 8_000..=192_000;

/// `max_sentence_silence` in ms, from the public page.
pub const SENTENCE_SILENCE_MS: RangeInclusive<u32> = 200..=6_000;

/// What the bytes of a task are, by the names of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioFormat {
    /// Headerless 16-bit little-endian mono samples.
    Pcm,
    /// RIFF/WAVE.
    Wav,
    /// MPEG audio layer III.
    Mp3,
    /// Opus in Ogg.
    Opus,
    /// Speex in Ogg.
    Speex,
    /// AAC in ADTS.
    Aac,
    /// AMR narrow band.
    Amr,
}

impl AudioFormat {
    /// Every format of the protocol.
    pub const ALL: [Self; 7] = [
        Self::Pcm,
        Self::Wav,
        Self::Mp3,
        Self::Opus,
        Self::Speex,
        Self::Aac,
        Self::Amr,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcm => "pcm",
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
            Self::Speex => "speex",
            Self::Aac => "aac",
            Self::Amr => "amr",
        }
    }

    /// The format called `name`, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(name))
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// How a task is to be recognised. `None` is "not said": the server's default holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameters {
    /// What the bytes are.
    pub format: AudioFormat,
    /// Sample rate of headerless audio in Hz, one of [`SAMPLE_RATES`].
    pub sample_rate: u32,
    /// A list of hotwords made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary_id: Option<String>,
    /// Whether sentences end by meaning instead of by silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantic_punctuation_enabled: Option<bool>,
    /// Silence that ends a sentence in ms, one of [`SENTENCE_SILENCE_MS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_sentence_silence: Option<u32>,
    /// Whether long sentences end after shorter silences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_threshold_mode_enabled: Option<bool>,
    /// Whether text is punctuated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub punctuation_prediction_enabled: Option<bool>,
    /// Whether the task outlives a minute of silent audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<bool>,
    /// Codes of the languages to recognise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_hints: Option<Vec<String>>,
    /// Moves the speech threshold, -1 (more is speech) to 1 (more is noise).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speech_noise_threshold: Option<f64>,
    /// Words to hide or to leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub special_word_filter: Option<SpecialWordFilter>,
    /// Whether fillers and repetitions are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disfluency_removal_enabled: Option<bool>,
    /// Whether numbers, dates, money and the like are written in figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverse_text_normalization_enabled: Option<bool>,
    /// What is not in the list above, as it came: names this version does not act on.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Parameters {
    /// The two required parameters, and nothing said of the rest.
    pub fn new(format: AudioFormat, sample_rate: u32) -> Self {
        Self {
            format,
            sample_rate,
            vocabulary_id: None,
            semantic_punctuation_enabled: None,
            max_sentence_silence: None,
            multi_threshold_mode_enabled: None,
            punctuation_prediction_enabled: None,
            heartbeat: None,
            language_hints: None,
            speech_noise_threshold: None,
            special_word_filter: None,
            disfluency_removal_enabled: None,
            inverse_text_normalization_enabled: None,
            other: Map::new(),
        }
    }

    /// Reads `payload.parameters`.
    ///
    /// # Errors
    /// `UNSUPPORTED_FORMAT` for a format the protocol does not have, else `InvalidParameter`.
    pub(crate) fn parse(value: Option<Value>) -> Result<Self, RequestError> {
        let mut fields = Fields::of("payload.parameters", value)?;
        let format = parse_format(&mut fields)?;
        let sample_rate = fields
            .integer("sample_rate", &SAMPLE_RATES)?
            .ok_or_else(|| {
                fields.missing(
                    "sample_rate",
                    &format!(
                        "an integer from {} to {}",
                        SAMPLE_RATES.start(),
                        SAMPLE_RATES.end()
                    ),
                )
            })?;
        Ok(Self {
            format,
            sample_rate,
            vocabulary_id: fields.string("vocabulary_id")?,
            semantic_punctuation_enabled: fields.boolean("semantic_punctuation_enabled")?,
            max_sentence_silence: fields.integer("max_sentence_silence", &SENTENCE_SILENCE_MS)?,
            multi_threshold_mode_enabled: fields.boolean("multi_threshold_mode_enabled")?,
            punctuation_prediction_enabled: fields.boolean("punctuation_prediction_enabled")?,
            heartbeat: fields.boolean("heartbeat")?,
            language_hints: fields.strings("language_hints")?,
            speech_noise_threshold: fields.number("speech_noise_threshold", -1.0..=1.0)?,
            special_word_filter: SpecialWordFilter::parse(fields.take("special_word_filter"))?,
            disfluency_removal_enabled: fields.boolean("disfluency_removal_enabled")?,
            inverse_text_normalization_enabled: fields
                .boolean("inverse_text_normalization_enabled")?,
            other: fields.rest(),
        })
    }
}

fn parse_format(fields: &mut Fields) -> Result<AudioFormat, RequestError> {
    let allowed = || format!("one of {}", AudioFormat::names());
    let name = fields
        .string("format")?
        .ok_or_else(|| fields.missing("format", &allowed()))?;
    AudioFormat::parse(&name).ok_or_else(|| {
        RequestError::new(
            ErrorCode::UnsupportedFormat,
            format!(
                "payload.parameters.format is {}; it must be {}.",
                shown(&Value::String(name)),
                allowed()
            ),
        )
    })
}
