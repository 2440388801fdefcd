//! What a stream keeps between chunks.

use super::config::SanmConfig;
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

    /// The most bytes of keys and values a stream of an encoder of `config` holds when it is fed chunks of
    /// `chunk` frames.
    pub fn max_bytes(config: &SanmConfig, chunk: usize) -> usize {
        let values = config.left_context.max(config.memory_left());
        let rows = config.left_context + values + 2 * chunk;
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

/// Which of the kept rows the attention of a chunk sees, besides the chunk's own.
pub(super) struct Seen {
    /// Frames before the chunk.
    pub(super) context: usize,
    /// Row of the first of them in the keys.
    pub(super) first_key: usize,
    /// Row of the first of them in the values, which may reach further back.
    pub(super) first_value: usize,
}

impl LayerState {
    /// Adds the keys and values of a chunk of rows `[q | k | v]`.
    pub(super) fn append(&mut self, q_k_v: &[f32], dim: usize) -> Seen {
        let context = self.left_context.min(self.keys.len() / dim);
        let first_key = self.keys.len() / dim - context;
        let first_value = self.values.len() / dim - context;
        for row in q_k_v.chunks_exact(3 * dim) {
            self.keys.extend_from_slice(&row[dim..2 * dim]);
            self.values.extend_from_slice(&row[2 * dim..]);
        }
        Seen {
            context,
            first_key,
            first_value,
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

    pub(super) fn keys(&self) -> &[f32] {
        &self.keys
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }
}

fn keep_last(rows: &mut Vec<f32>, count: usize) {
    rows.drain(..rows.len().saturating_sub(count));
}
