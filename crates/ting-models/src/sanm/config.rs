//! The sizes of a SAN-M encoder.

use serde::Deserialize;

use super::frontend::FrontendConfig;
use crate::config::{MAX_SIZE, require};
use crate::error::ModelError;

/// The sizes of a SAN-M encoder. The names in brackets are those of FunASR's `config.yaml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SanmConfig {
    /// Values that the first layer reads (`input_size`): 560 for 80 filters stacked seven times. Without `frontend` these are an
    /// input row.
    pub input_dim: usize,
    /// Values of an output row (`output_size`).
    pub dim: usize,
    /// Attention heads (`attention_heads`).
    pub heads: usize,
    /// Width of the feed-forward layers (`linear_units`).
    pub ffn_dim: usize,
    /// Layers, counting the one of `encoders0` (`num_blocks`).
    pub layers: usize,
    /// Layers after `after_norm`, of SenseVoice and Fun-ASR-Nano (`tp_blocks`). With any, `tp_norm` follows.
    #[serde(default)]
    pub tp_layers: usize,
    /// Taps of the memory block (`kernel_size`).
    pub kernel: usize,
    /// Taps the memory block is moved into the past (`sanm_shfit`): with `(kernel - 1) / 2` it is causal.
    #[serde(default)]
    pub sanm_shift: usize,
    /// Whether sinusoidal positions are added to the input (`input_layer: pe`).
    #[serde(default)]
    pub position: bool,
    /// The epsilon of the layer norms: 1e-12 in `SANMEncoder`, 1e-5 in `SenseVoiceEncoderSmall`.
    #[serde(default = "default_norm_eps")]
    pub norm_eps: f32,
    /// Frames before a chunk that its attention sees when streaming.
    #[serde(default)]
    pub left_context: usize,
    /// Convolutions that make the values of the first layer from longer rows; not in FunASR.
    #[serde(default)]
    pub frontend: Option<FrontendConfig>,
}

fn default_norm_eps() -> f32 {
    1e-12
}

impl SanmConfig {
    /// Values of an input row.
    pub fn row_len(&self) -> usize {
        self.frontend
            .as_ref()
            .map_or(self.input_dim, FrontendConfig::row_len)
    }

    /// Frames before a frame that its memory block sees.
    pub fn memory_left(&self) -> usize {
        (self.kernel - 1) / 2 + self.sanm_shift
    }

    /// Whether the memory block sees no later frame, so that the encoder can stream.
    pub fn is_causal(&self) -> bool {
        self.memory_left() + 1 == self.kernel
    }

    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("input_dim", self.input_dim),
            ("dim", self.dim),
            ("heads", self.heads),
            ("ffn_dim", self.ffn_dim),
            ("layers", self.layers),
            ("kernel", self.kernel),
        ];
        for (name, size) in sizes {
            require((1..=MAX_SIZE).contains(&size), || {
                format!("encoder.{name} is {size}; it should be 1 to {MAX_SIZE}")
            })?;
        }
        require(
            self.tp_layers <= MAX_SIZE && self.left_context <= MAX_SIZE,
            || format!("encoder.tp_layers and encoder.left_context should be at most {MAX_SIZE}"),
        )?;
        if let Some(frontend) = &self.frontend {
            frontend.check(self.input_dim)?;
        }
        let Self {
            dim,
            heads,
            kernel,
            sanm_shift,
            ..
        } = *self;
        require(dim.is_multiple_of(heads), || {
            format!("encoder.dim ({dim}) should be a multiple of encoder.heads ({heads})")
        })?;
        require(
            sanm_shift <= kernel / 2 && self.memory_left() < kernel,
            || {
                format!(
                    "encoder.sanm_shift ({sanm_shift}) should be at most half of encoder.kernel ({kernel})"
                )
            },
        )?;
        require(
            !self.position || (self.input_dim > 2 && self.input_dim.is_multiple_of(2)),
            || {
                "encoder.input_dim should be even and above 2 when encoder.position is true"
                    .to_owned()
            },
        )?;
        require(self.norm_eps > 0.0, || {
            "encoder.norm_eps should be above 0".to_owned()
        })
    }
}
