//! The FSMN voice activity detector.

use serde::Deserialize;
use ting_kernels::{fsmn_memory, relu, softmax};

use crate::checkpoint::Checkpoint;
use crate::config::{MAX_SIZE, require};
use crate::error::{ModelError, ModelErrorKind};
use crate::layers::{InputNorm, Linear, load_taps};

/// The sizes of an FSMN voice activity detector. The names in brackets are those of FunASR's `config.yaml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct VadConfig {
    /// Values of an input row: 400 for 80 filters stacked five times.
    pub input_dim: usize,
    /// Width between the two input layers (`input_affine_dim`).
    pub input_affine_dim: usize,
    /// Width between the blocks (`linear_dim`).
    pub linear_dim: usize,
    /// Width inside a block, where its memory is (`proj_dim`).
    pub proj_dim: usize,
    /// Blocks (`fsmn_layers`).
    pub layers: usize,
    /// Taps of a block's memory, all looking back (`lorder`).
    pub lorder: usize,
    /// Width between the two output layers (`output_affine_dim`).
    pub output_affine_dim: usize,
    /// Classes (`output_dim`).
    pub out_dim: usize,
}

impl VadConfig {
    fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("input_dim", self.input_dim),
            ("input_affine_dim", self.input_affine_dim),
            ("linear_dim", self.linear_dim),
            ("proj_dim", self.proj_dim),
            ("layers", self.layers),
            ("lorder", self.lorder),
            ("output_affine_dim", self.output_affine_dim),
            ("out_dim", self.out_dim),
        ];
        for (name, size) in sizes {
            require((1..=MAX_SIZE).contains(&size), || {
                format!("vad.{name} is {size}; it should be 1 to {MAX_SIZE}")
            })?;
        }
        Ok(())
    }
}

/// FunASR's `FSMN` network (Zhang et al. 2018, DFSMN), preceded by the checkpoint's mean and variance
/// normalisation if it has one.
#[derive(Debug)]
pub struct FsmnVad {
    config: VadConfig,
    input_norm: Option<InputNorm>,
    in_linear1: Linear,
    in_linear2: Linear,
    blocks: Vec<Block>,
    out_linear1: Linear,
    out_linear2: Linear,
}

/// FunASR's `BasicBlock`.
#[derive(Debug)]
struct Block {
    linear: Linear,
    /// `[lorder][proj_dim]`
    conv_left: Vec<f32>,
    affine: Linear,
}

/// What a detector keeps of one stream: the last `lorder - 1` rows of each block, so its memory is bounded.
#[derive(Clone, Debug, Default)]
pub struct FsmnVadState {
    /// Per block, at most `lorder - 1` rows of `proj_dim`. Empty before the first call.
    history: Vec<Vec<f32>>,
}

impl FsmnVad {
    /// Loads the network whose tensor names begin with `prefix`, such as `"encoder."`. The input normalisation is
    /// `cmvn.shift` and `cmvn.scale` without a prefix, both optional together.
    ///
    /// # Errors
    /// `Config` for impossible sizes, `MissingTensor` and `Shape` when the checkpoint does not have them,
    /// `Unsupported` when a block looks ahead (`conv_right`).
    pub fn load(
        checkpoint: &Checkpoint<'_>,
        prefix: &str,
        config: VadConfig,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let linear = |name: &str, inputs, outputs| {
            Linear::load(
                checkpoint,
                &format!("{prefix}{name}.linear"),
                inputs,
                outputs,
            )
        };
        let VadConfig {
            input_affine_dim,
            linear_dim,
            proj_dim,
            lorder,
            output_affine_dim,
            ..
        } = config;
        let block = |i: usize| {
            let name = format!("{prefix}fsmn.{i}");
            let right = format!("{name}.fsmn_block.conv_right.weight");
            if checkpoint.contains(&right) {
                return Err(ModelError::new(
                    ModelErrorKind::Unsupported,
                    format!(
                        "tensor `{right}` looks ahead; only detectors with rorder 0 can stream"
                    ),
                ));
            }
            let left = format!("{name}.fsmn_block.conv_left.weight");
            let (shape, down) = ([proj_dim, 1, lorder, 1], format!("{name}.linear.linear"));
            Ok(Block {
                linear: Linear::load_without_bias(checkpoint, &down, linear_dim, proj_dim)?,
                conv_left: load_taps(checkpoint, &left, &shape, proj_dim, lorder)?,
                affine: linear(&format!("fsmn.{i}.affine"), proj_dim, linear_dim)?,
            })
        };
        Ok(Self {
            input_norm: InputNorm::load(checkpoint, config.input_dim)?,
            in_linear1: linear("in_linear1", config.input_dim, input_affine_dim)?,
            in_linear2: linear("in_linear2", input_affine_dim, linear_dim)?,
            blocks: (0..config.layers).map(block).collect::<Result<_, _>>()?,
            out_linear1: linear("out_linear1", linear_dim, output_affine_dim)?,
            out_linear2: linear("out_linear2", output_affine_dim, config.out_dim)?,
            config,
        })
    }

    /// The sizes the detector was loaded with.
    pub fn config(&self) -> &VadConfig {
        &self.config
    }

    /// Class probabilities, `[frames][out_dim]`, of the next `frames` rows of a stream (`[frames][input_dim]`).
    /// They do not depend on how the rows of the stream are cut into calls.
    ///
    /// `state` starts as `FsmnVadState::default()`.
    ///
    /// # Panics
    /// When `rows` is not `frames` rows, or `state` belongs to a detector of other sizes.
    pub fn forward(&self, rows: &[f32], frames: usize, state: &mut FsmnVadState) -> Vec<f32> {
        let VadConfig {
            input_dim,
            proj_dim,
            lorder,
            layers,
            out_dim,
            ..
        } = self.config;
        assert_eq!(
            rows.len(),
            frames * input_dim,
            "the input should be {frames} rows of {input_dim}"
        );
        state.history.resize(layers, Vec::new());
        let mut x = rows.to_vec();
        if let Some(norm) = &self.input_norm {
            norm.apply(&mut x);
        }
        let mut y = Vec::new();
        self.in_linear1.forward(&x, frames, &mut y);
        self.in_linear2.forward(&y, frames, &mut x);
        relu(&mut x);
        let mut memory = Vec::new();
        for (block, history) in self.blocks.iter().zip(&mut state.history) {
            block.linear.forward(&x, frames, &mut y);
            let start = history.len() / proj_dim;
            history.extend_from_slice(&y);
            memory.resize(frames * proj_dim, 0.0);
            fsmn_memory(
                history,
                proj_dim,
                &block.conv_left,
                lorder - 1,
                start,
                &mut memory,
            );
            history.drain(..history.len().saturating_sub((lorder - 1) * proj_dim));
            block.affine.forward(&memory, frames, &mut x);
            relu(&mut x);
        }
        self.out_linear1.forward(&x, frames, &mut y);
        self.out_linear2.forward(&y, frames, &mut x);
        softmax(&mut x, out_dim);
        x
    }
}
