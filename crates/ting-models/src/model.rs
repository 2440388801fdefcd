//! A model folder as one value.

use std::path::Path;
use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::config::{ModelConfig, require};
use crate::ctc::CtcHead;
use crate::dictionary::Dictionary;
use crate::error::{ModelError, ModelErrorKind};
use crate::lexicon::Lexicon;
use crate::ngram::NgramLm;
use crate::packed::unpack;
use crate::pronunciation::{PronunciationConfig, PronunciationHead};
use crate::punctuator::Punctuator;
use crate::readings::Readings;
use crate::recurrent::{RecurrentLm, RecurrentLmConfig};
use crate::sanm::{SanmConfig, SanmEncoder};
use crate::tokens::Tokens;
use crate::vad::FsmnVad;

/// Everything a model folder holds, loaded and checked against each other.
///
/// | file | content |
/// |---|---|
/// | `config.json` | [`ModelConfig`] |
/// | `model.safetensors` | the recogniser: `encoder.*` (`encoder.frontend.*` if the configuration has one), `ctc.ctc_lo.*`, optional `ctc.log_prior`, `pronunciation.*`, `cmvn.shift` and `cmvn.scale` |
/// | `vad.safetensors` | the voice activity detector: `encoder.*`, optional `cmvn.shift` and `cmvn.scale` |
/// | `tokens.txt` | [`Tokens`] |
/// | `lm.bin` | [`NgramLm`], optional |
/// | `readings.txt` | [`Readings`], optional |
/// | `lexicon.txt.gz` | [`Lexicon`], of models whose `config.json` has a section `pronunciation` |
/// | `sounds.txt` | its sounds |
/// | `dictionary.txt.gz` | [`Dictionary`], of models whose `config.json` has a section `dictionary` |
/// | `recurrent_lm.safetensors` | [`RecurrentLm`], of models whose `config.json` has a section `recurrent_lm` |
/// | `punc.safetensors` | [`Punctuator`], optional: `embed.*`, `encoder.*`, `decoder.*` |
/// | `punc_tokens.json` | its tokens |
///
/// `training/random_model.py` writes such a folder with random weights.
#[derive(Debug)]
pub struct Model {
    /// The recogniser's encoder. It normalises its input itself.
    pub encoder: SanmEncoder,
    /// The recogniser's output layer.
    pub ctc: CtcHead,
    /// The voice activity detector; class 1 is speech. It normalises its input itself.
    pub vad: FsmnVad,
    /// The recogniser's tokens.
    pub tokens: Tokens,
    /// A language model over the tokens.
    pub lm: Option<NgramLm>,
    /// How the tokens sound, for hotwords.
    pub readings: Option<Readings>,
    /// The second output layer, with the lexicon that goes with it.
    pub pronunciation: Option<Pronunciation>,
    /// A second language model, for the texts that a search ends with.
    pub recurrent_lm: Option<Rescorer>,
    /// The punctuation network.
    pub punctuator: Option<Punctuator>,
    /// Sizes, features and decoding defaults.
    pub config: ModelConfig,
}

/// What the audio sounds like, and what texts sound like.
#[derive(Debug)]
pub struct Pronunciation {
    /// The output layer.
    pub head: PronunciationHead,
    /// How tokens and words are said.
    pub lexicon: Lexicon,
    /// Words to write by their sounds.
    pub dictionary: Option<Dictionary>,
    /// The layer it reads, and how much it counts.
    pub config: PronunciationConfig,
}

/// The recurrent language model, with which the texts that a search ends with are weighed.
#[derive(Debug)]
pub struct Rescorer {
    /// The network.
    pub network: RecurrentLm,
    /// How much it counts.
    pub config: RecurrentLmConfig,
}

/// The bytes of a model folder's files.
struct Files<'a> {
    config: &'a [u8],
    model: &'a [u8],
    vad: &'a [u8],
    tokens: &'a [u8],
    lm: Option<&'a [u8]>,
    readings: Option<&'a [u8]>,
    /// Lexicon and sounds.
    lexicon: Option<(&'a [u8], &'a [u8])>,
    dictionary: Option<&'a [u8]>,
    recurrent_lm: Option<&'a [u8]>,
    /// Weights and tokens.
    punctuator: Option<(&'a [u8], &'a [u8])>,
}

macro_rules! tiny {
    ($file:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../models/tiny/",
            $file
        ))
    };
}

#[cfg(embedded_lm)]
const TINY_LM: Option<&[u8]> = Some(tiny!("lm.bin"));
#[cfg(not(embedded_lm))]
const TINY_LM: Option<&[u8]> = None;

#[cfg(embedded_lexicon)]
const TINY_LEXICON: Option<(&[u8], &[u8])> = Some((tiny!("lexicon.txt.gz"), tiny!("sounds.txt")));
#[cfg(not(embedded_lexicon))]
const TINY_LEXICON: Option<(&[u8], &[u8])> = None;

#[cfg(embedded_dictionary)]
const TINY_DICTIONARY: Option<&[u8]> = Some(tiny!("dictionary.txt.gz"));
#[cfg(not(embedded_dictionary))]
const TINY_DICTIONARY: Option<&[u8]> = None;

#[cfg(embedded_recurrent_lm)]
const TINY_RECURRENT_LM: Option<&[u8]> = Some(tiny!("recurrent_lm.safetensors"));
#[cfg(not(embedded_recurrent_lm))]
const TINY_RECURRENT_LM: Option<&[u8]> = None;

#[cfg(embedded_punctuator)]
const TINY_PUNCTUATOR: Option<(&[u8], &[u8])> =
    Some((tiny!("punc.safetensors"), tiny!("punc_tokens.json")));
#[cfg(not(embedded_punctuator))]
const TINY_PUNCTUATOR: Option<(&[u8], &[u8])> = None;

impl Model {
    /// Loads the model folder `dir`.
    ///
    /// # Errors
    /// `File` when a file that is not optional is missing or one cannot be read; otherwise what is wrong inside, with the
    /// file's name.
    pub fn from_dir(dir: &Path) -> Result<Arc<Self>, ModelError> {
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read(&path).map_err(|error| {
                ModelError::new(
                    ModelErrorKind::File,
                    format!(
                        "{} cannot be read ({error}); is this a model folder?",
                        path.display()
                    ),
                )
            })
        };
        let optional = |name: &str| {
            let there = dir.join(name).exists();
            there.then(|| read(name)).transpose()
        };
        let lm = optional("lm.bin")?;
        let readings = optional("readings.txt")?;
        let lexicon = match optional("lexicon.txt.gz")? {
            Some(lexicon) => Some((lexicon, read("sounds.txt")?)),
            None => None,
        };
        let dictionary = optional("dictionary.txt.gz")?;
        let recurrent_lm = optional("recurrent_lm.safetensors")?;
        let punctuator = match optional("punc.safetensors")? {
            Some(weights) => Some((weights, read("punc_tokens.json")?)),
            None => None,
        };
        Self::from_files(&Files {
            config: &read("config.json")?,
            model: &read("model.safetensors")?,
            vad: &read("vad.safetensors")?,
            tokens: &read("tokens.txt")?,
            lm: lm.as_deref(),
            readings: readings.as_deref(),
            lexicon: lexicon.as_ref().map(|(l, s)| (&l[..], &s[..])),
            dictionary: dictionary.as_deref(),
            recurrent_lm: recurrent_lm.as_deref(),
            punctuator: punctuator.as_ref().map(|(w, t)| (&w[..], &t[..])),
        })
    }

    /// The model `models/tiny`, which is compiled into the binary.
    ///
    /// # Errors
    /// As [`Model::from_dir`], when the folder was damaged at build time.
    pub fn embedded() -> Result<Arc<Self>, ModelError> {
        Self::from_files(&Files {
            config: tiny!("config.json"),
            model: tiny!("model.safetensors"),
            vad: tiny!("vad.safetensors"),
            tokens: tiny!("tokens.txt"),
            lm: TINY_LM,
            readings: Some(tiny!("readings.txt")),
            lexicon: TINY_LEXICON,
            dictionary: TINY_DICTIONARY,
            recurrent_lm: TINY_RECURRENT_LM,
            punctuator: TINY_PUNCTUATOR,
        })
    }

    fn from_files(files: &Files<'_>) -> Result<Arc<Self>, ModelError> {
        let config =
            ModelConfig::from_json(files.config).map_err(|error| error.within("config.json"))?;
        let in_model = |error: ModelError| error.within("model.safetensors");
        let checkpoint = Checkpoint::from_bytes(files.model).map_err(in_model)?;
        let encoder =
            SanmEncoder::load(&checkpoint, "encoder.", config.encoder.clone()).map_err(in_model)?;
        let ctc = CtcHead::load(&checkpoint, "ctc.", config.encoder.dim, config.ctc.blank)
            .and_then(|ctc| ctc.less_prior(&checkpoint, "ctc.", config.decoder.prior_weight))
            .map_err(in_model)?;
        let vad = Checkpoint::from_bytes(files.vad)
            .and_then(|checkpoint| FsmnVad::load(&checkpoint, "encoder.", config.vad.clone()))
            .map_err(|error| error.within("vad.safetensors"))?;
        let text = |bytes| {
            str::from_utf8(bytes)
                .map_err(|error| ModelError::new(ModelErrorKind::Format, error.to_string()))
        };
        let tokens = text(files.tokens)
            .and_then(Tokens::parse)
            .map_err(|error| error.within("tokens.txt"))?;
        let readings = files
            .readings
            .map(|bytes| text(bytes).and_then(|text| Readings::parse(text, &tokens)))
            .transpose()
            .map_err(|error| error.within("readings.txt"))?;
        let pronunciation = config
            .pronunciation
            .clone()
            .map(|section| {
                let Some((lexicon, sounds)) = files.lexicon else {
                    return Err(ModelError::new(
                        ModelErrorKind::File,
                        "lexicon.txt.gz and sounds.txt should be there, as config.json has the section `pronunciation`",
                    ));
                };
                let sounds = text(sounds)?;
                let lexicon = unpack(lexicon)
                    .map_err(|error| error.within("lexicon.txt.gz"))
                    .and_then(|lexicon| Lexicon::parse(&lexicon, sounds, &tokens))?;
                let dictionary = config
                    .dictionary
                    .clone()
                    .map(|section| {
                        let Some(packed) = files.dictionary else {
                            return Err(ModelError::new(
                                ModelErrorKind::File,
                                "dictionary.txt.gz should be there, as config.json has the section `dictionary`",
                            ));
                        };
                        Dictionary::from_bytes(packed, sounds, &tokens, section)
                    })
                    .transpose()?;
                let SanmConfig { dim, norm_eps, .. } = config.encoder;
                let head = PronunciationHead::load(
                    &checkpoint,
                    "pronunciation.",
                    dim,
                    lexicon.sounds(),
                    norm_eps,
                )
                .map_err(in_model)?;
                Ok(Pronunciation {
                    head,
                    lexicon,
                    dictionary,
                    config: section,
                })
            })
            .transpose()?;
        let lm = files.lm.map(NgramLm::from_bytes).transpose();
        let lm = lm.map_err(|error| error.within("lm.bin"))?;
        let recurrent_lm = config
            .recurrent_lm
            .clone()
            .map(|section| load_rescorer(files, section, config.ctc.blank))
            .transpose()?;
        let punctuator = files
            .punctuator
            .map(|(weights, tokens)| load_punctuator(weights, tokens, &config))
            .transpose()?;

        require(tokens.len() == ctc.tokens(), || {
            format!(
                "tokens.txt has {} tokens, but ctc.ctc_lo has {}",
                tokens.len(),
                ctc.tokens()
            )
        })?;
        if let Some(rescorer) = &recurrent_lm {
            require(tokens.len() == rescorer.network.tokens(), || {
                format!(
                    "recurrent_lm.safetensors has {} tokens, but tokens.txt has {}",
                    rescorer.network.tokens(),
                    tokens.len()
                )
            })?;
        }
        require(config.vad.out_dim >= 2, || {
            "vad.out_dim should be at least 2: class 1 is speech".to_owned()
        })?;
        if let Some(token) = lm.as_ref().and_then(NgramLm::max_token) {
            require(token < tokens.len(), || {
                format!(
                    "lm.bin uses token {token}, but tokens.txt has {} tokens",
                    tokens.len()
                )
            })?;
        }
        Ok(Arc::new(Self {
            encoder,
            ctc,
            vad,
            tokens,
            lm,
            readings,
            pronunciation,
            recurrent_lm,
            punctuator,
            config,
        }))
    }
}

/// The recurrent language model that the section `config` wants. `start` stands for the start of a sentence.
fn load_rescorer(
    files: &Files<'_>,
    config: RecurrentLmConfig,
    start: usize,
) -> Result<Rescorer, ModelError> {
    let Some(weights) = files.recurrent_lm else {
        return Err(ModelError::new(
            ModelErrorKind::File,
            "recurrent_lm.safetensors should be there, as config.json has the section `recurrent_lm`",
        ));
    };
    let network = Checkpoint::from_bytes(weights)
        .and_then(|checkpoint| RecurrentLm::load(&checkpoint, start))
        .map_err(|error| error.within("recurrent_lm.safetensors"))?;
    Ok(Rescorer { network, config })
}

fn load_punctuator(
    weights: &[u8],
    tokens: &[u8],
    config: &ModelConfig,
) -> Result<Punctuator, ModelError> {
    let Some(config) = config.punctuation.clone() else {
        return Err(ModelError::new(
            ModelErrorKind::Config,
            "config.json should have the section `punctuation`, as there is a punc.safetensors",
        ));
    };
    Checkpoint::from_bytes(weights)
        .and_then(|checkpoint| Punctuator::load(&checkpoint, tokens, config))
        .map_err(|error| error.within("punc.safetensors, punc_tokens.json"))
}
