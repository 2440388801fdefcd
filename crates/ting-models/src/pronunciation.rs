//! The second output layer: what the audio sounds like, not how that is written.

use serde::Deserialize;
use ting_kernels::softmax;

use crate::checkpoint::Checkpoint;
use crate::config::require;
use crate::error::ModelError;
use crate::layers::{LayerNorm, Linear, add};

/// Section `pronunciation` of `config.json`: the second output layer, and what the search makes of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PronunciationConfig {
    /// The encoder layer (from 0) whose output it reads besides that of the whole encoder.
    pub layer: usize,
    /// Weight of the natural log probability that the sounds of a text were said, against that of its tokens.
    pub weight: f32,
    /// Added per sound to that log probability, against its liking for texts of few sounds.
    pub bonus: f32,
}

impl PronunciationConfig {
    pub(crate) fn check(&self, layers: usize) -> Result<(), ModelError> {
        require(self.layer < layers, || {
            format!(
                "pronunciation.layer is {}, but the encoder has {layers} layers, counted from 0",
                self.layer
            )
        })?;
        require(self.weight.is_finite() && self.weight >= 0.0, || {
            "pronunciation.weight should be a number of at least 0".to_owned()
        })?;
        require(self.bonus.is_finite(), || {
            "pronunciation.bonus should be finite".to_owned()
        })
    }
}

/// A CTC output layer for sounds: phones, toned syllables and morae, two rows for each row of the encoder, as English has more phones a
/// second than the encoder has rows.
///
/// In training it is the auxiliary loss of the middle of the encoder (Lee and Watanabe 2021, "Intermediate Loss Regularization for
/// CTC-based Speech Recognition", there with the same labels as the last layer's). It reads a middle layer and the last.
#[derive(Debug)]
pub struct PronunciationHead {
    norm: LayerNorm,
    middle: Linear,
    top: Linear,
    dim: usize,
    sounds: usize,
}

/// Rows of sounds for each row of the encoder.
pub(crate) const ROWS: usize = 2;

impl PronunciationHead {
    /// Loads `{prefix}norm`, `{prefix}middle` (`[2 * sounds][dim]` and a bias) and `{prefix}top` (the same without a bias).
    ///
    /// # Errors
    /// `MissingTensor` and `Shape` when the checkpoint does not have them.
    pub(crate) fn load(
        checkpoint: &Checkpoint<'_>,
        prefix: &str,
        dim: usize,
        sounds: usize,
        epsilon: f32,
    ) -> Result<Self, ModelError> {
        let name = |part: &str| format!("{prefix}{part}");
        let outputs = ROWS * sounds;
        Ok(Self {
            norm: LayerNorm::load(checkpoint, &name("norm"), dim, epsilon)?,
            middle: Linear::load(checkpoint, &name("middle"), dim, outputs)?,
            top: Linear::load_without_bias(checkpoint, &name("top"), dim, outputs)?,
            dim,
            sounds,
        })
    }

    /// Number of sounds, the blank (0) included.
    pub fn sounds(&self) -> usize {
        self.sounds
    }

    /// The probabilities of the sounds, `[2 * frames][sounds]`. `encoded` is what the encoder gives and `middle` the output of
    /// the layer that the configuration names, both `[frames][dim]`.
    ///
    /// # Panics
    /// When they are not `frames` rows.
    pub fn probabilities(&self, encoded: &[f32], middle: &[f32], frames: usize) -> Vec<f32> {
        let size = frames * self.dim;
        assert_eq!(
            (encoded.len(), middle.len()),
            (size, size),
            "both inputs should be {frames} rows of {}",
            self.dim
        );
        let (mut normed, mut scores, mut of_top) = (Vec::new(), Vec::new(), Vec::new());
        self.norm.forward(middle, &mut normed);
        self.middle.forward(&normed, frames, &mut scores);
        self.top.forward(encoded, frames, &mut of_top);
        add(&mut scores, &of_top);
        softmax(&mut scores, self.sounds);
        scores
    }
}
