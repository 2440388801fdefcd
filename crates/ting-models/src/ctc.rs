//! The CTC output layer (Graves et al. 2006).

use ting_kernels::log_softmax;

use crate::checkpoint::Checkpoint;
use crate::error::{ModelError, ModelErrorKind};
use crate::layers::Linear;

/// FunASR's `CTC`: the layer `ctc_lo` from encoder rows to token scores.
#[derive(Debug)]
pub struct CtcHead {
    ctc_lo: Linear,
    dim: usize,
    tokens: usize,
    blank: usize,
}

impl CtcHead {
    /// Loads `{prefix}ctc_lo.weight` (`[tokens][dim]`) and its bias, such as with the prefix `"ctc."`. `blank` is
    /// the id of the blank token.
    ///
    /// # Errors
    /// `MissingTensor` and `Shape` when the checkpoint does not have them, `Config` when `blank` is no token.
    pub fn load(
        checkpoint: &Checkpoint<'_>,
        prefix: &str,
        dim: usize,
        blank: usize,
    ) -> Result<Self, ModelError> {
        let name = format!("{prefix}ctc_lo");
        let tokens = checkpoint.rows(&format!("{name}.weight"))?;
        if blank >= tokens {
            return Err(ModelError::new(
                ModelErrorKind::Config,
                format!("ctc.blank is {blank}, but the model has {tokens} tokens"),
            ));
        }
        Ok(Self {
            ctc_lo: Linear::load(checkpoint, &name, dim, tokens)?,
            dim,
            tokens,
            blank,
        })
    }

    /// Takes `weight` times `{prefix}log_prior` (`[tokens]`) from the scores: how much more frequent each token is in the training than
    /// others, as natural logarithm, 0 for the blank. A network trained on little text learns the frequencies of that text
    /// with the sounds, and a language model knows better. Hybrid recognisers divide by the prior for the same reason (Bourlard
    /// and Morgan 1994, "Connectionist Speech Recognition").
    ///
    /// # Errors
    /// `MissingTensor` and `Shape` when the checkpoint does not have it and `weight` is not 0.
    pub fn less_prior(
        mut self,
        checkpoint: &Checkpoint<'_>,
        prefix: &str,
        weight: f32,
    ) -> Result<Self, ModelError> {
        if weight != 0.0 {
            let prior = checkpoint.tensor(&format!("{prefix}log_prior"), &[self.tokens])?;
            let taken = prior.iter().map(|ln_p| -weight * ln_p);
            self.ctc_lo.add_to_bias(taken);
        }
        Ok(self)
    }

    /// Number of tokens, the blank included.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Id of the blank token.
    pub fn blank(&self) -> usize {
        self.blank
    }

    /// Natural logarithms of the token probabilities, `[frames][tokens]`, of encoder rows `[frames][dim]`.
    ///
    /// # Panics
    /// When `encoded` is not `frames` rows.
    pub fn log_probs(&self, encoded: &[f32], frames: usize) -> Vec<f32> {
        assert_eq!(
            encoded.len(),
            frames * self.dim,
            "the input should be {frames} rows of {}",
            self.dim
        );
        let mut scores = Vec::new();
        self.ctc_lo.forward(encoded, frames, &mut scores);
        log_softmax(&mut scores, self.tokens);
        scores
    }
}
