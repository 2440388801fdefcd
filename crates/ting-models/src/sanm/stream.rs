//! What a stream keeps between chunks.

use super::config::SanmConfig;
use super::frontend;
use super::layer::Scratch;

/// What an encoder keeps of one stream between chunks.
///
/// Per layer these are the keys of the last `left_context` frames and the values of the last
/// `max(left_context, kernel - 1)`, so memory is bounded whatever the length of the stream: see
/// [`EncoderState::max_bytes`].
pub struct EncoderState {
    pub(super) layers: Vec<LayerState>,
    /// Frames seen so far, for the sinusoidal positions.
    pub(super) frames: usize,
    pub(super) rows: Vec<f32>,
    pub(super) frontend: frontend::Scratch,
    pub(super) scratch: Scratch,
}

impl EncoderState {
    pub(super) fn new(config: &SanmConfig) -> Self {
        let layer = || LayerState {
            keys: Vec::new(),
            values: Vec::new(),
            left_context: config.left_context,
            memory_left: config.memory_left(),
        };
        Self {
            layers: (0..config.layers + config.tp_layers)
                .map(|_| layer())
                .collect(),
            frames: 0,
            rows: Vec::new(),
            frontend: frontend::Scratch::default(),
            scratch: Scratch::default(),
        }
    }

    /// Back to the start of a stream.
    pub fn reset(&mut self) {
        self.frames = 0;
        for layer in &mut self.layers {
            layer.keys.clear();
            layer.values.clear();
        }
    }

    /// Frames encoded since the start.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The most bytes of keys and values a stream of an encoder of `config` holds when it is fed up to `frames`
    /// frames a call.
    pub fn max_bytes(config: &SanmConfig, frames: usize) -> usize {
        let values = config.left_context.max(config.memory_left());
        let rows = config.left_context + values + 2 * frames;
        (config.layers + config.tp_layers) * rows * config.dim * size_of::<f32>()
    }
}

impl std::fmt::Debug for EncoderState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EncoderState({} frames)", self.frames)
    }
}

/// The keys and values of one layer, oldest first.
pub(super) struct LayerState {
    keys: Vec<f32>,
    values: Vec<f32>,
    left_context: usize,
    memory_left: usize,
}

impl LayerState {
    /// Adds the keys and values of rows `[q | k | v]`.
    pub(super) fn append(&mut self, q_k_v: &[f32], dim: usize) {
        for row in q_k_v.chunks_exact(3 * dim) {
            self.keys.extend_from_slice(&row[dim..2 * dim]);
            self.values.extend_from_slice(&row[2 * dim..]);
        }
    }

    /// The keys and values that the attention of a chunk sees: the chunk's own and those of up to `left_context`
    /// frames before it. The chunk begins `from_end.end` rows before the end of what was appended and ends
    /// `from_end.start` rows before it.
    pub(super) fn seen(&self, from_end: std::ops::Range<usize>, dim: usize) -> Seen<'_> {
        let before = self.keys.len() / dim - from_end.end;
        let rows = self.left_context.min(before) + from_end.len();
        let window = |kept: &'_ [f32]| {
            let end = kept.len() - from_end.start * dim;
            end - rows * dim..end
        };
        Seen {
            keys: &self.keys[window(&self.keys)],
            values: &self.values[window(&self.values)],
            rows,
        }
    }

    /// Drops what no later chunk can see.
    pub(super) fn forget(&mut self, dim: usize) {
        keep_last(&mut self.keys, self.left_context * dim);
        keep_last(
            &mut self.values,
            self.left_context.max(self.memory_left) * dim,
        );
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Rows that a chunk attends to.
pub(super) struct Seen<'a> {
    pub(super) keys: &'a [f32],
    pub(super) values: &'a [f32],
    pub(super) rows: usize,
}

fn keep_last(rows: &mut Vec<f32>, count: usize) {
    rows.drain(..rows.len().saturating_sub(count));
}
