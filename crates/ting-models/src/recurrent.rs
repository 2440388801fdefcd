//! A recurrent language model over tokens.

use std::collections::HashMap;

use serde::Deserialize;
use ting_kernels::log_softmax;

use crate::checkpoint::{Checkpoint, Matrix};
use crate::config::{MAX_SIZE, require};
use crate::error::ModelError;
use crate::layers::Linear;

/// Section `recurrent_lm` of `config.json`: what the network counts when a final is chosen.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RecurrentLmConfig {
    /// Weight of the natural log probabilities of the tokens, beside those of the n-gram model.
    pub weight: f32,
    /// Added per token, against the network's liking for short texts.
    pub bonus: f32,
}

impl RecurrentLmConfig {
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        require(self.weight.is_finite() && self.weight >= 0.0, || {
            "recurrent_lm.weight should be a number of at least 0".to_owned()
        })?;
        require(self.bonus.is_finite(), || {
            "recurrent_lm.bonus should be finite".to_owned()
        })
    }
}

/// A long short-term memory with a projection (Sak et al. 2014, "Long Short-Term Memory Based Recurrent Neural Network Architectures
/// for Large Scale Acoustic Modeling"), whose output layer is its embedding (Press and Wolf 2017, "Using the Output Embedding to
/// Improve Language Models").
///
/// With the gates in the order of `torch.nn.LSTM` (input, forget, cell, output), and σ the logistic function:
///
/// ```text
/// i, f, g, o = input · embedding[token] + bias + recurrent · h
/// c = σ(f) c + σ(i) tanh(g)
/// h = projection · (σ(o) tanh(c))
/// ln P(next) = log_softmax(embedding · h + output.bias)
/// ```
///
/// `training/recurrent_lm.py` trains it.
#[derive(Debug)]
pub struct RecurrentLm {
    embedding: Embedding,
    input: Linear,
    recurrent: Linear,
    projection: Linear,
    output: Linear,
    dim: usize,
    cells: usize,
    tokens: usize,
    /// Stands for the start of a sentence.
    start: u16,
}

/// The rows of tokens, as the checkpoint has them.
#[derive(Debug)]
enum Embedding {
    Float(Vec<f32>),
    Int8 { weight: Vec<i8>, scales: Vec<f32> },
}

impl Embedding {
    /// Appends the row of `token`, `dim` values, to `out`.
    fn push_row(&self, token: u16, dim: usize, out: &mut Vec<f32>) {
        let token = usize::from(token);
        let row = token * dim..(token + 1) * dim;
        match self {
            Self::Float(weight) => out.extend_from_slice(&weight[row]),
            Self::Int8 { weight, scales } => {
                let scale = scales[token];
                out.extend(weight[row].iter().map(|w| f32::from(*w) * scale));
            }
        }
    }
}

/// What is remembered of several beginnings of texts.
struct Memory {
    /// `[rows][dim]`
    hidden: Vec<f32>,
    /// `[rows][cells]`
    cells: Vec<f32>,
}

impl RecurrentLm {
    /// Loads `embedding.weight` (`[tokens][dim]`), `input.weight` (`[4 * cells][dim]`) with its bias, `recurrent.weight` (`[4 * cells][dim]`),
    /// `projection.weight` (`[dim][cells]`) and `output.bias` (`[tokens]`). `start` is the token that stands for the start
    /// of a sentence.
    ///
    /// # Errors
    /// `MissingTensor` and `Shape` when the checkpoint does not have them, `Config` when sizes are impossible or `start` is no token.
    pub fn load(checkpoint: &Checkpoint<'_>, start: usize) -> Result<Self, ModelError> {
        let tokens = checkpoint.rows("embedding.weight")?;
        let dim = checkpoint.rows("projection.weight")?;
        let gates = checkpoint.rows("input.weight")?;
        let cells = gates / 4;
        require(
            [tokens, dim, gates]
                .iter()
                .all(|size| (1..MAX_SIZE).contains(size)),
            || format!("{tokens} tokens, {dim} outputs and {gates} gates are no network"),
        )?;
        require(tokens <= usize::from(u16::MAX), || {
            format!("embedding.weight has {tokens} tokens, more than 16 bits hold")
        })?;
        require(start < tokens, || {
            format!("the start of a sentence is token {start}, but there are {tokens}")
        })?;
        let (embedding, output) = match checkpoint.matrix("embedding", tokens, dim)? {
            Matrix::Float(weight) => (Embedding::Float(weight.clone()), Matrix::Float(weight)),
            Matrix::Int8 { weight, scales } => (
                Embedding::Int8 {
                    weight: weight.clone(),
                    scales: scales.clone(),
                },
                Matrix::Int8 { weight, scales },
            ),
        };
        let bias = checkpoint.tensor("output.bias", &[tokens])?;
        Ok(Self {
            embedding,
            input: Linear::load(checkpoint, "input", dim, 4 * cells)?,
            recurrent: Linear::load_without_bias(checkpoint, "recurrent", dim, 4 * cells)?,
            projection: Linear::load_without_bias(checkpoint, "projection", cells, dim)?,
            output: Linear::pack(output, dim, tokens, Some(bias)),
            dim,
            cells,
            tokens,
            start: start as u16,
        })
    }

    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// For each of `texts` the natural log probabilities of its tokens, each after those before it and the start of a sentence.
    ///
    /// Texts that begin alike share the work of their beginning, and all are computed side by side, token by token.
    ///
    /// # Panics
    /// When a token is none of the model's.
    pub fn ln_p(&self, texts: &[&[u16]]) -> Vec<Vec<f32>> {
        let mut found: Vec<Vec<f32>> = texts
            .iter()
            .map(|text| Vec::with_capacity(text.len()))
            .collect();
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        // The beginnings of the texts that go on, `place` tells which is whose.
        let (mut place, mut histories) = (vec![0; texts.len()], vec![(0, self.start)]);
        let mut memory = Memory {
            hidden: vec![0.0; self.dim],
            cells: vec![0.0; self.cells],
        };
        let mut scores = Vec::new();
        for depth in 0..longest {
            memory = self.step(&memory, &histories);
            self.output
                .forward(&memory.hidden, histories.len(), &mut scores);
            log_softmax(&mut scores, self.tokens);
            let mut next = Vec::new();
            let mut places = HashMap::new();
            for ((text, place), found) in texts.iter().zip(&mut place).zip(&mut found) {
                let Some(token) = text.get(depth) else {
                    continue;
                };
                found.push(scores[*place * self.tokens + usize::from(*token)]);
                if depth + 1 < text.len() {
                    let history = (*place, *token);
                    *place = *places.entry(history).or_insert_with(|| {
                        next.push(history);
                        next.len() - 1
                    });
                }
            }
            histories = next;
        }
        found
    }

    /// The memory after one more token each: `histories` are rows of `memory` and the token that follows.
    fn step(&self, memory: &Memory, histories: &[(usize, u16)]) -> Memory {
        let rows = histories.len();
        let (mut embedded, mut hidden) = (Vec::new(), Vec::new());
        let mut cells = Vec::with_capacity(rows * self.cells);
        for (row, token) in histories {
            self.embedding.push_row(*token, self.dim, &mut embedded);
            hidden.extend_from_slice(&memory.hidden[row * self.dim..][..self.dim]);
            cells.extend_from_slice(&memory.cells[row * self.cells..][..self.cells]);
        }
        let (mut gates, mut from_hidden) = (Vec::new(), Vec::new());
        self.input.forward(&embedded, rows, &mut gates);
        self.recurrent.forward(&hidden, rows, &mut from_hidden);
        crate::layers::add(&mut gates, &from_hidden);
        let mut outputs = Vec::with_capacity(rows * self.cells);
        for (gates, cells) in gates
            .chunks_exact(4 * self.cells)
            .zip(cells.chunks_exact_mut(self.cells))
        {
            let (input, rest) = gates.split_at(self.cells);
            let (forget, rest) = rest.split_at(self.cells);
            let (new, output) = rest.split_at(self.cells);
            for (k, cell) in cells.iter_mut().enumerate() {
                *cell = logistic(forget[k]) * *cell + logistic(input[k]) * new[k].tanh();
                outputs.push(logistic(output[k]) * cell.tanh());
            }
        }
        self.projection.forward(&outputs, rows, &mut hidden);
        Memory { hidden, cells }
    }
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
