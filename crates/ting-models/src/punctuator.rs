//! The punctuation network: FunASR's CT-Transformer.

use std::collections::HashMap;

use serde::Deserialize;
use ting_kernels::log_softmax;

use crate::checkpoint::Checkpoint;
use crate::config::require;
use crate::error::{ModelError, ModelErrorKind};
use crate::layers::Linear;
use crate::sanm::{SanmConfig, SanmEncoder};

/// The section `punctuation` of `config.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PunctuationConfig {
    /// The encoder; `input_dim` is the width of the embedding (`embed_unit`).
    pub encoder: SanmConfig,
    /// What each class writes after a word (`punc_list`); `_` writes nothing.
    pub classes: Vec<String>,
    /// Words after a word that its mark may depend on, until the text has ended.
    pub look_ahead: usize,
    /// How the recogniser's own marks count beside the network's.
    #[serde(default)]
    pub recogniser: RecogniserWeights,
}

/// What a mark that the recogniser wrote, or did not write, adds to the natural log probabilities of the network.
///
/// All 0, the default, lets the network decide alone. `training/punct_weights.py` chooses them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RecogniserWeights {
    /// To every mark, where the recogniser wrote one.
    pub place: f32,
    /// To the mark that it wrote, besides.
    pub kind: f32,
    /// To no mark, where it wrote none.
    pub silence: f32,
}

/// FunASR's `CTTransformer` (Chen et al. 2020, arXiv:2003.01309): `embed`, the SAN-M encoder `encoder`, and the linear layer
/// `decoder`, which gives the class of the mark after each word.
///
/// It reads words as the published `ct-punc` does: Chinese and Japanese characters one by one, other words whole, in lower
/// case. The encoder decides how it looks ahead:
/// - One whose memory is causal (`sanm_shift` half of `kernel`) sees earlier words only, and was trained with
///   targets `look_ahead` words late. The mark after a word depends on `look_ahead` more words, always.
/// - One that sees the whole text, as that of `ct-punc`, is run on the text up to each `look_ahead` words, and the marks
///   of the words before the last `look_ahead` are read. Once the text has ended it is run on all of it.
#[derive(Debug)]
pub struct Punctuator {
    config: PunctuationConfig,
    tokens: HashMap<String, usize>,
    unknown: usize,
    /// What follows a text for a network with late targets.
    end: usize,
    /// `[tokens][input_dim]`
    embed: Vec<f32>,
    encoder: SanmEncoder,
    decoder: Linear,
}

/// What tokens outside the list are read as: the name in `tokens.json`.
const UNKNOWN: &str = "<unk>";
const END: &str = "</s>";
/// The class that writes nothing.
const NOTHING: &str = "_";

impl Punctuator {
    /// Loads `weights` (names as FunASR saves them), and `tokens`, the JSON list of `tokens.json`.
    ///
    /// # Errors
    /// `Config` for impossible sizes or classes, `Format` when `tokens` is no list of different strings with `<unk>`,
    /// `MissingTensor` and `Shape` when the weights are of another network.
    pub fn load(
        weights: &Checkpoint<'_>,
        tokens: &[u8],
        config: PunctuationConfig,
    ) -> Result<Self, ModelError> {
        let format = |message: String| ModelError::new(ModelErrorKind::Format, message);
        let list: Vec<String> =
            serde_json::from_slice(tokens).map_err(|error| format(error.to_string()))?;
        let count = list.len();
        let tokens: HashMap<String, usize> = list.into_iter().zip(0..).collect();
        if tokens.len() != count {
            return Err(format(format!(
                "{} of {count} tokens are repeated",
                count - tokens.len()
            )));
        }
        let special = |name: &str| {
            let id = tokens.get(name).copied();
            id.ok_or_else(|| format(format!("there is no token `{name}`")))
        };
        let unknown = special(UNKNOWN)?;
        let end = if config.encoder.kernel > 0 && config.encoder.is_causal() {
            special(END)?
        } else {
            unknown
        };
        for class in [NOTHING, "，", "。", "？"] {
            require(config.classes.iter().any(|c| c == class), || {
                format!("punctuation.classes should have `{class}`")
            })?;
        }
        require((1..=1000).contains(&config.look_ahead), || {
            format!(
                "punctuation.look_ahead is {}; it should be 1 to 1000",
                config.look_ahead
            )
        })?;
        let RecogniserWeights {
            place,
            kind,
            silence,
        } = config.recogniser;
        require([place, kind, silence].iter().all(|w| w.is_finite()), || {
            "punctuation.recogniser should have finite numbers".to_owned()
        })?;
        require(config.encoder.frontend.is_none(), || {
            "punctuation.encoder.frontend should not be there: it is for rows of filter banks"
                .to_owned()
        })?;
        let encoder = SanmEncoder::load(weights, "encoder.", config.encoder.clone())?;
        let SanmConfig { input_dim, dim, .. } = config.encoder;
        Ok(Self {
            embed: weights.tensor("embed.weight", &[count, input_dim])?,
            decoder: Linear::load(weights, "decoder", dim, config.classes.len())?,
            encoder,
            tokens,
            unknown,
            end,
            config,
        })
    }

    /// The sizes and classes the network was loaded with.
    pub fn config(&self) -> &PunctuationConfig {
        &self.config
    }

    /// The class of `mark`, such as `"，"`; that of no mark is written `"_"`.
    pub fn class(&self, mark: &str) -> Option<usize> {
        self.config.classes.iter().position(|class| class == mark)
    }

    /// Natural log probabilities of the classes of the marks after `words`, `[marks][classes]`. When the text has
    /// `ended` there is one row a word. Before that the last words are missing: those with fewer than `look_ahead` words after
    /// them (or twice as many, see [`Punctuator`]). A row that was given once stays the same, bit for bit, whatever words
    /// follow, and for a causal network at the end too.
    ///
    /// Time grows with the number of words, and memory too: the caller bounds it.
    pub fn log_probs(&self, words: &[&str], ended: bool) -> Vec<f32> {
        if words.is_empty() {
            return Vec::new();
        }
        if self.config.encoder.is_causal() {
            return self.late(words, ended);
        }
        if ended {
            let encoded = self.encoder.forward_full(&self.rows(words), words.len());
            return self.decode(&encoded, words.len());
        }
        let (step, dim) = (self.config.look_ahead, self.config.encoder.dim);
        let mut encoded = Vec::new();
        for known in (2 * step..=words.len()).step_by(step) {
            let seen = self
                .encoder
                .forward_full(&self.rows(&words[..known]), known);
            encoded.extend_from_slice(&seen[(known - 2 * step) * dim..(known - step) * dim]);
        }
        self.decode(&encoded, encoded.len() / dim)
    }

    /// The rows of a network with late targets.
    fn late(&self, words: &[&str], ended: bool) -> Vec<f32> {
        let (late, dim) = (self.config.look_ahead, self.config.encoder.dim);
        let marks = if ended {
            words.len()
        } else {
            words.len().saturating_sub(late)
        };
        if marks == 0 {
            return Vec::new();
        }
        // A causal encoder can always stream; one that cannot gives no marks.
        let Ok(mut state) = self.encoder.new_state() else {
            return Vec::new();
        };
        let mut rows = self.rows(words);
        if ended {
            for _ in 0..late {
                rows.extend_from_slice(self.row(self.end));
            }
        }
        let mut encoded = Vec::new();
        let count = rows.len() / self.config.encoder.input_dim;
        // Chunks of one word: each sees the words before it and none after.
        self.encoder
            .forward_chunks(&rows, count, 1, &mut state, &mut encoded);
        self.decode(&encoded[(count - marks) * dim..], marks)
    }

    fn rows(&self, words: &[&str]) -> Vec<f32> {
        let ids = words.iter().map(|word| self.id(word));
        ids.flat_map(|id| self.row(id)).copied().collect()
    }

    fn row(&self, id: usize) -> &[f32] {
        let width = self.config.encoder.input_dim;
        &self.embed[id * width..(id + 1) * width]
    }

    fn id(&self, word: &str) -> usize {
        let known = self.tokens.get(word);
        let known = known.or_else(|| self.tokens.get(&word.to_lowercase()));
        known.copied().unwrap_or(self.unknown)
    }

    fn decode(&self, encoded: &[f32], rows: usize) -> Vec<f32> {
        let mut scores = Vec::new();
        self.decoder.forward(encoded, rows, &mut scores);
        log_softmax(&mut scores, self.config.classes.len());
        scores
    }
}
