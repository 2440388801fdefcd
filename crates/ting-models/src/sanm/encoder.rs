//! The whole encoder, over an utterance or chunk by chunk.

use super::config::SanmConfig;
use super::frontend::{self, Frontend};
use super::layer::{SanmLayer, Scratch};
use super::stream::EncoderState;
use crate::checkpoint::Checkpoint;
use crate::error::{ModelError, ModelErrorKind};
use crate::layers::{InputNorm, LayerNorm};

/// FunASR's `SANMEncoder` and `SenseVoiceEncoderSmall` with `normalize_before`, preceded by the checkpoint's
/// mean and variance normalisation if it has one, and by convolutions if the configuration has them.
#[derive(Debug)]
pub struct SanmEncoder {
    config: SanmConfig,
    input_norm: Option<InputNorm>,
    frontend: Option<Frontend>,
    /// The layer of `encoders0`, then those of `encoders`.
    layers: Vec<SanmLayer>,
    after_norm: LayerNorm,
    tp_layers: Vec<SanmLayer>,
    tp_norm: Option<LayerNorm>,
}

impl SanmEncoder {
    /// Loads the encoder whose tensor names begin with `prefix`, such as `"encoder."`. The input normalisation is
    /// `cmvn.shift` and `cmvn.scale` without a prefix, both optional together.
    ///
    /// # Errors
    /// `Config` for impossible sizes, `MissingTensor` and `Shape` when the checkpoint does not have them.
    pub fn load(
        checkpoint: &Checkpoint<'_>,
        prefix: &str,
        config: SanmConfig,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let layer = |name: String, input_dim| {
            SanmLayer::load(checkpoint, &format!("{prefix}{name}"), input_dim, &config)
        };
        let norm = |name: &str| {
            LayerNorm::load(
                checkpoint,
                &format!("{prefix}{name}"),
                config.dim,
                config.norm_eps,
            )
        };
        let mut layers = vec![layer("encoders0.0".to_owned(), config.input_dim)?];
        for i in 0..config.layers - 1 {
            layers.push(layer(format!("encoders.{i}"), config.dim)?);
        }
        let tp_layers: Vec<_> = (0..config.tp_layers)
            .map(|i| layer(format!("tp_encoders.{i}"), config.dim))
            .collect::<Result<_, _>>()?;
        let frontend = |sizes| {
            Frontend::load(
                checkpoint,
                &format!("{prefix}frontend."),
                sizes,
                config.input_dim,
            )
        };
        Ok(Self {
            input_norm: InputNorm::load(checkpoint, config.row_len())?,
            frontend: config.frontend.as_ref().map(frontend).transpose()?,
            layers,
            after_norm: norm("after_norm")?,
            tp_norm: if tp_layers.is_empty() {
                None
            } else {
                Some(norm("tp_norm")?)
            },
            tp_layers,
            config,
        })
    }

    /// The sizes the encoder was loaded with.
    pub fn config(&self) -> &SanmConfig {
        &self.config
    }

    /// Bytes of memory the weights take.
    pub fn bytes(&self) -> usize {
        let layers = self.layers.iter().chain(&self.tp_layers);
        layers.map(SanmLayer::bytes).sum::<usize>()
            + self.frontend.as_ref().map_or(0, Frontend::bytes)
    }

    /// Encodes a whole utterance, each frame attending to all: `x` is `[frames][row_len]` (see [`SanmConfig::row_len`]), the
    /// result `[frames][dim]`.
    ///
    /// # Panics
    /// When `x` is not `frames` rows.
    pub fn forward_full(&self, x: &[f32], frames: usize) -> Vec<f32> {
        self.forward_full_and_middle(x, frames, None).0
    }

    /// As [`SanmEncoder::forward_full`], and what layer `middle` (from 0) gives, `[frames][dim]`; empty if there is no such layer.
    ///
    /// # Panics
    /// When `x` is not `frames` rows.
    pub fn forward_full_and_middle(
        &self,
        x: &[f32],
        frames: usize,
        middle: Option<usize>,
    ) -> (Vec<f32>, Vec<f32>) {
        let (mut rows, mut between) = (Vec::new(), Vec::new());
        self.prepare(x, frames, 0, &mut rows, &mut frontend::Scratch::default());
        let mut scratch = Scratch::default();
        for (i, layer) in self.layers.iter().enumerate() {
            layer.forward_full(&mut rows, frames, &mut scratch);
            if Some(i) == middle {
                between.clone_from(&rows);
            }
        }
        let mut out = Vec::new();
        self.after_norm.forward(&rows, &mut out);
        if let Some(tp_norm) = &self.tp_norm {
            for layer in &self.tp_layers {
                layer.forward_full(&mut out, frames, &mut scratch);
            }
            tp_norm.forward(&out, &mut rows);
            return (rows, between);
        }
        (out, between)
    }

    /// The state of a stream that has not begun.
    ///
    /// # Errors
    /// `Unsupported` when the memory block looks ahead: such an encoder cannot stream.
    pub fn new_state(&self) -> Result<EncoderState, ModelError> {
        if !self.config.is_causal() {
            let SanmConfig {
                kernel, sanm_shift, ..
            } = self.config;
            return Err(ModelError::new(
                ModelErrorKind::Unsupported,
                format!(
                    "the encoder looks ahead (kernel {kernel}, sanm_shift {sanm_shift}); streaming needs \
                     sanm_shift {}",
                    kernel / 2
                ),
            ));
        }
        Ok(EncoderState::new(&self.config))
    }

    /// Encodes the next chunk of a stream: `chunk` is `[frames][row_len]`, and `[frames][dim]` are appended to
    /// `out`. Each frame attends to the whole chunk and to the `left_context` frames before it.
    ///
    /// `state` has to come from [`SanmEncoder::new_state`] of this encoder.
    ///
    /// # Panics
    /// When `chunk` is not `frames` rows, or `state` belongs to an encoder with other layers.
    pub fn forward_chunk(
        &self,
        chunk: &[f32],
        frames: usize,
        state: &mut EncoderState,
        out: &mut Vec<f32>,
    ) {
        self.forward_chunks(chunk, frames, frames.max(1), state, out);
    }

    /// Encodes the next chunks of a stream at once, each of `chunk_frames` frames and the last of what is left. The
    /// output is that of [`SanmEncoder::forward_chunk`] on one after the other, bit for bit, in about a third of the
    /// time: the weights are read once for all. The caller bounds `frames`, which the memory grows with.
    ///
    /// # Panics
    /// As [`SanmEncoder::forward_chunk`], and when `chunk_frames` is 0.
    pub fn forward_chunks(
        &self,
        x: &[f32],
        frames: usize,
        chunk_frames: usize,
        state: &mut EncoderState,
        out: &mut Vec<f32>,
    ) {
        assert!(chunk_frames > 0, "a chunk should have at least one frame");
        assert_eq!(
            state.layers.len(),
            self.layers.len() + self.tp_layers.len(),
            "the state belongs to another encoder"
        );
        let EncoderState {
            layers: states,
            frames: seen,
            rows,
            frontend,
            scratch,
        } = state;
        self.prepare(x, frames, *seen, rows, frontend);
        *seen += frames;
        let (own, tp) = states.split_at_mut(self.layers.len());
        for (layer, state) in self.layers.iter().zip(own) {
            layer.forward_chunks(rows, frames, chunk_frames, state, scratch);
        }
        let mut normed = Vec::new();
        self.after_norm.forward(rows, &mut normed);
        if let Some(tp_norm) = &self.tp_norm {
            for (layer, state) in self.tp_layers.iter().zip(tp) {
                layer.forward_chunks(&mut normed, frames, chunk_frames, state, scratch);
            }
            tp_norm.forward(&normed, rows);
            out.extend_from_slice(rows);
        } else {
            out.extend_from_slice(&normed);
        }
    }

    /// The input of the first layer: normalised, convolved, scaled by the square root of `dim`, positions added.
    fn prepare(
        &self,
        x: &[f32],
        frames: usize,
        first: usize,
        rows: &mut Vec<f32>,
        scratch: &mut frontend::Scratch,
    ) {
        let row_len = self.config.row_len();
        assert_eq!(
            x.len(),
            frames * row_len,
            "the input should be {frames} rows of {row_len}"
        );
        rows.clear();
        let norm = self.input_norm.as_ref();
        if let Some(frontend) = &self.frontend {
            frontend.forward(x, norm, rows, scratch);
        } else {
            rows.extend_from_slice(x);
            if let Some(norm) = norm {
                norm.apply(rows);
            }
        }
        let factor = (self.config.dim as f64).sqrt() as f32;
        for value in rows.iter_mut() {
            *value *= factor;
        }
        if self.config.position {
            add_positions(rows, self.config.input_dim, first + 1);
        }
    }
}

/// Adds FunASR's `SinusoidalPositionEncoder`: sines in the first half of a row, cosines in the second, with
/// wavelengths in a geometric series up to 10000 turns, positions counted from `first`.
fn add_positions(rows: &mut [f32], dim: usize, first: usize) {
    let half = dim / 2;
    let step = -(10_000f32.ln()) / (half as f32 - 1.0);
    let frequencies: Vec<f32> = (0..half).map(|i| (i as f32 * step).exp()).collect();
    for (row, position) in rows.chunks_exact_mut(dim).zip(first..) {
        let (sines, cosines) = row.split_at_mut(half);
        for ((sine, cosine), frequency) in sines.iter_mut().zip(cosines).zip(&frequencies) {
            let (s, c) = (position as f32 * frequency).sin_cos();
            *sine += s;
            *cosine += c;
        }
    }
}
