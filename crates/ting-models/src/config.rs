//! `config.json` of a model folder.

use serde::Deserialize;

use crate::dictionary::DictionaryConfig;
use crate::error::{ModelError, ModelErrorKind};
use crate::pronunciation::PronunciationConfig;
use crate::punctuator::PunctuationConfig;
use crate::recurrent::RecurrentLmConfig;
use crate::sanm::SanmConfig;
use crate::vad::VadConfig;

/// `config.json` of a model folder. Fields it does not know are ignored, so a newer file stays readable.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ModelConfig {
    /// The recogniser's encoder.
    pub encoder: SanmConfig,
    /// The voice activity detector.
    pub vad: VadConfig,
    /// The recogniser's output layer.
    #[serde(default)]
    pub ctc: CtcConfig,
    /// How input rows are made of filter bank frames.
    #[serde(default)]
    pub features: FeatureConfig,
    /// Defaults of decoding.
    #[serde(default)]
    pub decoder: DecoderConfig,
    /// The second output layer, of models that have one.
    #[serde(default)]
    pub pronunciation: Option<PronunciationConfig>,
    /// The search for words by their sounds, of models that have a dictionary; needs `pronunciation`.
    #[serde(default)]
    pub dictionary: Option<DictionaryConfig>,
    /// The recurrent language model, of models that have one.
    #[serde(default)]
    pub recurrent_lm: Option<RecurrentLmConfig>,
    /// The punctuation network, of models that have one.
    #[serde(default)]
    pub punctuation: Option<PunctuationConfig>,
}

/// The recogniser's output layer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CtcConfig {
    /// Id of the blank token.
    pub blank: usize,
}

/// How input rows are made of filter bank frames: `lfr_m` are stacked every `lfr_n` (FunASR's LFR).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct FeatureConfig {
    /// Frames stacked into a row of the recogniser.
    pub lfr_m: usize,
    /// Frames between its rows.
    pub lfr_n: usize,
    /// Frames stacked into a row of the voice activity detector.
    pub vad_lfr_m: usize,
    /// Frames between its rows.
    pub vad_lfr_n: usize,
}

impl Default for FeatureConfig {
    fn default() -> Self {
        Self {
            lfr_m: 7,
            lfr_n: 6,
            vad_lfr_m: 5,
            vad_lfr_n: 1,
        }
    }
}

/// Defaults of decoding, chosen on the training's dev split.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct DecoderConfig {
    /// Frames of a streaming chunk, as in training.
    pub chunk_frames: usize,
    /// Weight of the language model's natural log probabilities.
    pub lm_weight: f32,
    /// Hypotheses kept by the prefix beam search.
    pub beam: usize,
    /// Added to a hypothesis' score per token, against the language model's liking for short texts.
    pub token_bonus: f32,
    /// Weight of `ctc.log_prior`, by which frequent tokens are made less likely and rare ones more.
    pub prior_weight: f32,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            chunk_frames: 3,
            lm_weight: 0.3,
            beam: 8,
            token_bonus: 0.0,
            prior_weight: 0.0,
        }
    }
}

/// Bands of the filter bank every model of the family is trained on.
pub(crate) const FILTERS: usize = 80;

impl ModelConfig {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// `Format` when it is not JSON of the right fields, `Config` when fields contradict each other.
    pub fn from_json(json: &[u8]) -> Result<Self, ModelError> {
        let config: Self = serde_json::from_slice(json)
            .map_err(|error| ModelError::new(ModelErrorKind::Format, error.to_string()))?;
        let FeatureConfig {
            lfr_m,
            lfr_n,
            vad_lfr_m,
            vad_lfr_n,
        } = config.features;
        require(lfr_n > 0 && vad_lfr_n > 0, || {
            "features.lfr_n and features.vad_lfr_n should be at least 1".to_owned()
        })?;
        // Rows that the encoder has convolutions for are as long as these want them.
        if let Some(frontend) = &config.encoder.frontend {
            require(frontend.frames == lfr_m, || {
                format!(
                    "encoder.frontend.frames is {}, but features.lfr_m is {lfr_m}",
                    frontend.frames
                )
            })?;
        }
        let rows = match config.encoder.frontend {
            Some(_) => None,
            None => Some((
                "encoder.input_dim",
                config.encoder.input_dim,
                "lfr_m",
                lfr_m,
            )),
        };
        let vad_rows = (
            "vad.input_dim",
            config.vad.input_dim,
            "vad_lfr_m",
            vad_lfr_m,
        );
        for (name, dim, stack_name, stack) in rows.into_iter().chain([vad_rows]) {
            require(stack.checked_mul(FILTERS) == Some(dim), || {
                format!("{name} is {dim}, but features.{stack_name} asks for {FILTERS} x {stack}")
            })?;
        }
        let DecoderConfig {
            chunk_frames,
            lm_weight,
            beam,
            token_bonus,
            prior_weight,
        } = config.decoder;
        require(chunk_frames > 0, || {
            "decoder.chunk_frames should be at least 1".to_owned()
        })?;
        require(beam > 0, || "decoder.beam should be at least 1".to_owned())?;
        let weights = [lm_weight, token_bonus, prior_weight];
        require(weights.iter().all(|weight| weight.is_finite()), || {
            "decoder.lm_weight, decoder.token_bonus and decoder.prior_weight should be finite"
                .to_owned()
        })?;
        if let Some(pronunciation) = &config.pronunciation {
            pronunciation.check(config.encoder.layers)?;
        }
        if let Some(dictionary) = &config.dictionary {
            dictionary.check()?;
            require(config.pronunciation.is_some(), || {
                "there is a section `dictionary`, so there should be one `pronunciation`: words are looked up by their sounds"
                    .to_owned()
            })?;
        }
        if let Some(recurrent_lm) = &config.recurrent_lm {
            recurrent_lm.check()?;
        }
        Ok(config)
    }
}

/// Far above any published network, and small enough that no product of three sizes overflows.
pub(crate) const MAX_SIZE: usize = 1 << 20;

/// A `Config` error with `message` unless `condition` holds.
pub(crate) fn require(condition: bool, message: impl FnOnce() -> String) -> Result<(), ModelError> {
    if condition {
        Ok(())
    } else {
        Err(ModelError::new(ModelErrorKind::Config, message()))
    }
}
