//! One layer: attention and memory, then feed-forward, each after a layer norm.

use ting_kernels::{AttentionScratch, Strided, attention, fsmn_memory, relu};

use super::config::SanmConfig;
use super::stream::LayerState;
use crate::checkpoint::Checkpoint;
use crate::error::ModelError;
use crate::layers::{LayerNorm, Linear, add, load_taps};

/// `EncoderLayerSANM` with `normalize_before`.
#[derive(Debug)]
pub(super) struct SanmLayer {
    norm1: LayerNorm,
    linear_q_k_v: Linear,
    /// `[kernel][dim]`
    fsmn_block: Vec<f32>,
    linear_out: Linear,
    norm2: LayerNorm,
    w_1: Linear,
    w_2: Linear,
    dim: usize,
    heads: usize,
    memory_left: usize,
    /// `encoders0` changes the width, and then has no residual around its attention.
    attention_residual: bool,
}

/// Buffers shared by the layers of one call.
#[derive(Default)]
pub(super) struct Scratch {
    normed: Vec<f32>,
    q_k_v: Vec<f32>,
    mixed: Vec<f32>,
    /// The memory block's output.
    memory: Vec<f32>,
    projected: Vec<f32>,
    hidden: Vec<f32>,
    values: Vec<f32>,
    attention: AttentionScratch,
}

impl SanmLayer {
    /// Loads the layer at `name`, whose input rows have `input_dim` values.
    pub(super) fn load(
        checkpoint: &Checkpoint<'_>,
        name: &str,
        input_dim: usize,
        config: &SanmConfig,
    ) -> Result<Self, ModelError> {
        let SanmConfig {
            dim,
            ffn_dim,
            kernel,
            norm_eps,
            ..
        } = *config;
        let part = |part: &str| format!("{name}.{part}");
        let linear =
            |layer, inputs, outputs| Linear::load(checkpoint, &part(layer), inputs, outputs);
        Ok(Self {
            norm1: LayerNorm::load(checkpoint, &part("norm1"), input_dim, norm_eps)?,
            linear_q_k_v: linear("self_attn.linear_q_k_v", input_dim, 3 * dim)?,
            fsmn_block: load_taps(
                checkpoint,
                &part("self_attn.fsmn_block.weight"),
                &[dim, 1, kernel],
                dim,
                kernel,
            )?,
            linear_out: linear("self_attn.linear_out", dim, dim)?,
            norm2: LayerNorm::load(checkpoint, &part("norm2"), dim, norm_eps)?,
            w_1: linear("feed_forward.w_1", dim, ffn_dim)?,
            w_2: linear("feed_forward.w_2", ffn_dim, dim)?,
            dim,
            heads: config.heads,
            memory_left: config.memory_left(),
            attention_residual: input_dim == dim,
        })
    }

    /// All rows of an utterance, each attending to all. `x` goes in as `[rows][input_dim]` and comes out as
    /// `[rows][dim]`.
    pub(super) fn forward_full(&self, x: &mut Vec<f32>, rows: usize, scratch: &mut Scratch) {
        let dim = self.dim;
        self.norm1.forward(x, &mut scratch.normed);
        self.linear_q_k_v
            .forward(&scratch.normed, rows, &mut scratch.q_k_v);
        let part = |i: usize| Strided::new(&scratch.q_k_v[i * dim..], rows, 3 * dim);
        scratch.mixed.resize(rows * dim, 0.0);
        let (q, k, v) = (part(0), part(1), part(2));
        attention(
            q,
            k,
            v,
            self.heads,
            dim,
            &mut scratch.attention,
            &mut scratch.mixed,
        );
        scratch.values.clear();
        for row in scratch.q_k_v.chunks_exact(3 * dim) {
            scratch.values.extend_from_slice(&row[2 * dim..]);
        }
        scratch.memory.resize(rows * dim, 0.0);
        let memory = &mut scratch.memory;
        fsmn_memory(
            &scratch.values,
            dim,
            &self.fsmn_block,
            self.memory_left,
            0,
            memory,
        );
        self.finish(x, rows, scratch);
    }

    /// The rows of whole chunks of `chunk` rows (the last may be shorter), each attending to its chunk and the rows
    /// before it that `state` keeps.
    pub(super) fn forward_chunks(
        &self,
        x: &mut Vec<f32>,
        rows: usize,
        chunk: usize,
        state: &mut LayerState,
        scratch: &mut Scratch,
    ) {
        let dim = self.dim;
        self.norm1.forward(x, &mut scratch.normed);
        self.linear_q_k_v
            .forward(&scratch.normed, rows, &mut scratch.q_k_v);
        state.append(&scratch.q_k_v, dim);
        scratch.mixed.resize(rows * dim, 0.0);
        for (i, mixed) in scratch.mixed.chunks_mut(chunk * dim).enumerate() {
            let (start, own) = (i * chunk, mixed.len() / dim);
            let seen = state.seen(rows - start - own..rows - start, dim);
            let queries = Strided::new(&scratch.q_k_v[start * 3 * dim..], own, 3 * dim);
            let keys = Strided::new(seen.keys, seen.rows, dim);
            let values = Strided::new(seen.values, seen.rows, dim);
            attention(
                queries,
                keys,
                values,
                self.heads,
                dim,
                &mut scratch.attention,
                mixed,
            );
        }
        scratch.memory.resize(rows * dim, 0.0);
        let start = state.values().len() / dim - rows;
        let memory = &mut scratch.memory;
        fsmn_memory(
            state.values(),
            dim,
            &self.fsmn_block,
            self.memory_left,
            start,
            memory,
        );
        state.forget(dim);
        self.finish(x, rows, scratch);
    }

    /// From the mixed values and the memory to the layer's output.
    fn finish(&self, x: &mut Vec<f32>, rows: usize, scratch: &mut Scratch) {
        self.linear_out
            .forward(&scratch.mixed, rows, &mut scratch.projected);
        add(&mut scratch.projected, &scratch.memory);
        if self.attention_residual {
            add(x, &scratch.projected);
        } else {
            x.clear();
            x.extend_from_slice(&scratch.projected);
        }
        self.norm2.forward(x, &mut scratch.normed);
        self.w_1.forward(&scratch.normed, rows, &mut scratch.hidden);
        relu(&mut scratch.hidden);
        self.w_2
            .forward(&scratch.hidden, rows, &mut scratch.projected);
        add(x, &scratch.projected);
    }

    pub(super) fn bytes(&self) -> usize {
        let linears = [&self.linear_q_k_v, &self.linear_out, &self.w_1, &self.w_2];
        linears.iter().map(|l| l.bytes()).sum::<usize>() + size_of_val(self.fsmn_block.as_slice())
    }
}
