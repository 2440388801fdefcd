//! Checkpoints with random weights, and what becomes of configurations that do not fit one.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of tests are tests, each of which is a crate of its own"
)]
#![allow(dead_code, reason = "not every test uses all of it")]

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView};
use ting_models::{Checkpoint, ModelErrorKind, SanmConfig, SanmEncoder};

/// Tensors by name, in little-endian bytes.
#[derive(Clone, Default)]
pub struct File(pub BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>);

impl File {
    pub fn put(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.0
            .insert(name.to_owned(), (Dtype::F32, shape.to_vec(), bytes));
    }

    /// The tensors of an encoder of `config` behind `encoder.`, spread as `training/random_model.py` draws them.
    pub fn random(config: &SanmConfig) -> Self {
        let (mut file, mut seed) = (Self::default(), 0);
        let mut tensor = |name: &str, shape: &[usize], spread: f32, mean: f32| {
            seed += 1;
            let values = noise(seed, shape.iter().product());
            let values: Vec<f32> = values.iter().map(|v| mean + v * spread).collect();
            file.put(name, shape, &values);
        };
        let SanmConfig { dim, ffn_dim, .. } = *config;
        for i in 0..config.layers {
            let (inputs, name) = match i {
                0 => (config.input_dim, "encoder.encoders0.0".to_owned()),
                _ => (dim, format!("encoder.encoders.{}", i - 1)),
            };
            for (layer, inputs, outputs) in [
                ("self_attn.linear_q_k_v", inputs, 3 * dim),
                ("self_attn.linear_out", dim, dim),
                ("feed_forward.w_1", dim, ffn_dim),
                ("feed_forward.w_2", ffn_dim, dim),
            ] {
                let spread = 1.7 * (inputs as f32).powf(-0.5);
                let weight = format!("{name}.{layer}.weight");
                tensor(&weight, &[outputs, inputs], spread, 0.0);
                tensor(&format!("{name}.{layer}.bias"), &[outputs], 0.2, 0.0);
            }
            let taps = format!("{name}.self_attn.fsmn_block.weight");
            tensor(&taps, &[dim, 1, config.kernel], 0.3, 0.0);
            for (norm, dim) in [("norm1", inputs), ("norm2", dim)] {
                tensor(&format!("{name}.{norm}.weight"), &[dim], 0.2, 1.0);
                tensor(&format!("{name}.{norm}.bias"), &[dim], 0.2, 0.0);
            }
        }
        tensor("encoder.after_norm.weight", &[dim], 0.2, 1.0);
        tensor("encoder.after_norm.bias", &[dim], 0.2, 0.0);
        if let Some(frontend) = &config.frontend {
            let [a, b] = frontend.channels;
            for (layer, outputs, inputs) in [
                ("conv1", a, &[1, 3, 3][..]),
                ("conv2", b, &[a, 5, 3]),
                ("out", config.input_dim, &[b * 19]),
            ] {
                let shape = [&[outputs], inputs].concat();
                let spread = 1.7 * (inputs.iter().product::<usize>() as f32).powf(-0.5);
                let name = format!("encoder.frontend.{layer}");
                tensor(&format!("{name}.weight"), &shape, spread, 0.0);
                tensor(&format!("{name}.bias"), &[outputs], 0.2, 0.0);
            }
        }
        file
    }

    /// The weights of two dimensions as int8, with a scale for each row.
    pub fn quantized(&self) -> Self {
        let mut file = self.clone();
        for (name, (_, shape, bytes)) in &self.0 {
            if !name.ends_with(".weight") || shape.len() != 2 {
                continue;
            }
            let values: Vec<f32> = bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b))
                .collect();
            let (mut weight, mut scales) = (Vec::new(), Vec::new());
            for row in values.chunks(shape[1]) {
                let scale = row.iter().fold(0.0f32, |top, v| top.max(v.abs())) / 127.0;
                weight.extend(row.iter().map(|v| (v / scale).round() as i8 as u8));
                scales.push(scale);
            }
            file.0
                .insert(name.clone(), (Dtype::I8, shape.clone(), weight));
            file.put(&format!("{name}_scale"), &[shape[0]], &scales);
        }
        file
    }

    pub fn bytes(&self) -> Vec<u8> {
        let views = self.0.iter().map(|(name, (dtype, shape, bytes))| {
            (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }
}

/// Reproducible values in -1 .. 1 (xorshift64*, Vigna 2016).
pub fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Root mean square of the difference as a share of that of the expected values.
pub fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "different number of values");
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let differences = &mut found.iter().zip(expected).map(|(f, e)| f - e);
    (square(differences) / square(&mut expected.iter().copied())).sqrt()
}

/// What makes a configuration unfit.
pub type Change = fn(&mut SanmConfig);

/// Which of the `cases` an encoder of `checkpoint` does not refuse as it should: name, change of `own`, kind of the error, and a
/// part of its message.
pub fn not_refused(
    checkpoint: &Checkpoint<'_>,
    own: &SanmConfig,
    cases: &[(&str, Change, ModelErrorKind, &str)],
) -> Vec<String> {
    let mut failures = Vec::new();
    for (name, change, kind, part) in cases {
        let mut config = own.clone();
        change(&mut config);
        match SanmEncoder::load(checkpoint, "encoder.", config) {
            Err(error) if error.kind() == *kind && error.to_string().contains(part) => {}
            Err(error) => failures.push(format!("{name}: {:?} {error}", error.kind())),
            Ok(_) => failures.push(format!("{name}: loaded")),
        }
    }
    failures
}
