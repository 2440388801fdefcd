//! Networks, checkpoints, tokens and language models of the recogniser, the voice activity detector and the punctuation.
//!
//! [`Model`] gathers what a model folder holds. The networks are those of FunASR, and the layer names in the
//! code are those of its checkpoints: [`SanmEncoder`] is `SANMEncoder` and `SenseVoiceEncoderSmall`, [`CtcHead`]
//! is `CTC.ctc_lo`, [`FsmnVad`] is `FSMN`, [`Punctuator`] is `CTTransformer`. The convolutions that an encoder may have before its
//! first layer ([`FrontendConfig`]), the second output layer ([`PronunciationHead`], with its [`Lexicon`] and the [`Dictionary`] of words to write by their sounds) and the recurrent language
//! model ([`RecurrentLm`]) are this project's own.
//!
//! # Architecture invariants
//! - Knows nothing of sessions, sockets, audio containers or features: rows of numbers in, rows out.
//! - Published weights load from the files their authors publish, under the names they have there.
//! - The output of a row depends only on the rows its network can see, bit for bit: not on how the rows were cut
//!   into calls (for [`SanmEncoder::forward_chunk`], as long as the chunks are the same).
//! - The memory of [`EncoderState`] and [`FsmnVadState`] is bounded by the model's configuration.
//! - A damaged or hostile file gives a [`ModelError`], never a panic.

mod checkpoint;
mod config;
mod ctc;
mod dictionary;
mod error;
mod layers;
mod lexicon;
mod model;
mod names;
mod ngram;
mod packed;
mod pronunciation;
mod punctuator;
mod readings;
mod recurrent;
mod sanm;
mod tokens;
mod vad;

pub use checkpoint::Checkpoint;
pub use config::{CtcConfig, DecoderConfig, FeatureConfig, ModelConfig};
pub use ctc::CtcHead;
pub use dictionary::{Dictionary, DictionaryConfig, Word};
pub use error::{ModelError, ModelErrorKind};
pub use lexicon::Lexicon;
pub use model::{Model, Pronunciation, Rescorer};
pub use names::{Names, Reading};
pub use ngram::{LmState, NgramLm};
pub use pronunciation::{PronunciationConfig, PronunciationHead};
pub use punctuator::{PunctuationConfig, Punctuator, RecogniserWeights};
pub use readings::Readings;
pub use recurrent::{RecurrentLm, RecurrentLmConfig};
pub use sanm::{EncoderState, FrontendConfig, SanmConfig, SanmEncoder};
pub use tokens::{Languages, Tokens};
pub use vad::{FsmnVad, FsmnVadState, VadConfig};
