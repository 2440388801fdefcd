//! Checkpoints whose matrices are int8: against the same in f32, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView};
use ting_models::{Checkpoint, CtcHead, ModelErrorKind, SanmConfig, SanmEncoder};

const CONFIG: SanmConfig = SanmConfig {
    input_dim: 42,
    dim: 32,
    heads: 4,
    ffn_dim: 48,
    layers: 3,
    tp_layers: 0,
    kernel: 11,
    sanm_shift: 5,
    position: false,
    norm_eps: 1e-5,
    left_context: 7,
};
const TOKENS: usize = 37;
const FRAMES: usize = 23;

/// Tensors by name, in little-endian bytes.
#[derive(Clone, Default)]
struct File(BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>);

impl File {
    fn put(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.0
            .insert(name.to_owned(), (Dtype::F32, shape.to_vec(), bytes));
    }

    /// Random weights as `training/random_model.py` draws them.
    fn random() -> Self {
        let (mut file, mut seed) = (Self::default(), 0);
        let mut tensor = |name: &str, shape: &[usize], spread: f32, mean: f32| {
            seed += 1;
            let values = noise(seed, shape.iter().product());
            let values: Vec<f32> = values.iter().map(|v| mean + v * spread).collect();
            file.put(name, shape, &values);
        };
        let SanmConfig { dim, ffn_dim, .. } = CONFIG;
        for i in 0..CONFIG.layers {
            let (inputs, name) = match i {
                0 => (CONFIG.input_dim, "encoder.encoders0.0".to_owned()),
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
            tensor(&taps, &[dim, 1, CONFIG.kernel], 0.3, 0.0);
            for (norm, dim) in [("norm1", inputs), ("norm2", dim)] {
                tensor(&format!("{name}.{norm}.weight"), &[dim], 0.2, 1.0);
                tensor(&format!("{name}.{norm}.bias"), &[dim], 0.2, 0.0);
            }
        }
        tensor("encoder.after_norm.weight", &[dim], 0.2, 1.0);
        tensor("encoder.after_norm.bias", &[dim], 0.2, 0.0);
        tensor("ctc.ctc_lo.weight", &[TOKENS, dim], 0.5, 0.0);
        tensor("ctc.ctc_lo.bias", &[TOKENS], 0.2, 0.0);
        file
    }

    /// The weights of two dimensions as int8, with a scale for each row.
    fn quantized(&self) -> Self {
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

    fn bytes(&self) -> Vec<u8> {
        let views = self.0.iter().map(|(name, (dtype, shape, bytes))| {
            (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }
}

/// Reproducible values in -1 .. 1 (xorshift64*, Vigna 2016).
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn load(bytes: &[u8]) -> Result<(SanmEncoder, CtcHead), ting_models::ModelError> {
    let checkpoint = Checkpoint::from_bytes(bytes)?;
    let encoder = SanmEncoder::load(&checkpoint, "encoder.", CONFIG)?;
    let head = CtcHead::load(&checkpoint, "ctc.", CONFIG.dim, 0)?;
    Ok((encoder, head))
}

/// Root mean square of the difference as a share of that of the expected values.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "different number of values");
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let differences = &mut found.iter().zip(expected).map(|(f, e)| f - e);
    (square(differences) / square(&mut expected.iter().copied())).sqrt()
}

#[test]
fn int8_is_near_f32() {
    let file = File::random();
    let (floats, int8) = (file.bytes(), file.quantized().bytes());
    assert!(int8.len() < floats.len() / 2);
    let (encoder, head) = load(&floats).unwrap();
    let (small, small_head) = load(&int8).unwrap();
    assert!(small.bytes() < encoder.bytes() / 2);
    let x = noise(99, FRAMES * CONFIG.input_dim);
    let expected = encoder.forward_full(&x, FRAMES);
    let found = small.forward_full(&x, FRAMES);
    // Three layers of weights and of inputs, each rounded to a 255th of its range.
    let off = distance(&found, &expected);
    assert!(off > 0.0 && off < 0.02, "the encoder is off by {off}");
    let expected = head.log_probs(&expected, FRAMES);
    let off = distance(&small_head.log_probs(&found, FRAMES), &expected);
    assert!(off > 0.0 && off < 0.02, "the head is off by {off}");
}

#[test]
fn an_int8_encoder_streams_bit_for_bit() {
    let bytes = File::random().quantized().bytes();
    let (encoder, _) = load(&bytes).unwrap();
    let x = noise(98, FRAMES * CONFIG.input_dim);
    let stream = |chunks: usize| {
        let (mut state, mut out) = (encoder.new_state().unwrap(), Vec::new());
        for rows in x.chunks(chunks * 3 * CONFIG.input_dim) {
            let count = rows.len() / CONFIG.input_dim;
            encoder.forward_chunks(rows, count, 3, &mut state, &mut out);
        }
        out.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    let one_by_one = stream(1);
    for chunks in [2, 3, 100] {
        assert!(stream(chunks) == one_by_one, "{chunks} chunks differ");
    }
}

#[test]
fn scales_that_do_not_fit_are_refused_by_name() {
    type Damage = fn(&mut File);
    const SCALE: &str = "encoder.encoders.0.feed_forward.w_1.weight_scale";
    let cases: [(&str, Damage, ModelErrorKind, &str); 9] = [
        (
            "no scale",
            |file| drop(file.0.remove(SCALE)),
            ModelErrorKind::MissingTensor,
            "holds I8, but the checkpoint has no tensor \
             `encoder.encoders.0.feed_forward.w_1.weight_scale` (expected shape [48])",
        ),
        (
            "a scale too few",
            |file| file.put(SCALE, &[47], &[0.1; 47]),
            ModelErrorKind::Shape,
            "`encoder.encoders.0.feed_forward.w_1.weight_scale` has shape [47], expected [48]",
        ),
        (
            "one scale for all",
            |file| file.put("ctc.ctc_lo.weight_scale", &[1], &[0.1]),
            ModelErrorKind::Shape,
            "`ctc.ctc_lo.weight_scale` has shape [1], expected [37]",
        ),
        (
            "integer scales",
            |file| {
                let scales = (Dtype::I8, vec![48], vec![1; 48]);
                file.0.insert(SCALE.to_owned(), scales);
            },
            ModelErrorKind::Shape,
            "`encoder.encoders.0.feed_forward.w_1.weight_scale` holds I8",
        ),
        (
            "a scale that is no number",
            |file| file.put(SCALE, &[48], &[f32::NAN; 48]),
            ModelErrorKind::Shape,
            "w_1.weight_scale` has no finite number at 0",
        ),
        (
            "a scale beside floats",
            |file| {
                let name = SCALE.trim_end_matches("_scale");
                file.put(name, &[48, 32], &[0.1; 48 * 32]);
            },
            ModelErrorKind::Shape,
            "`encoder.encoders.0.feed_forward.w_1.weight` holds F32, but there is a",
        ),
        (
            "unsigned weights",
            |file| {
                let weight = (Dtype::U8, vec![48, 32], vec![1; 48 * 32]);
                file.0
                    .insert(SCALE.trim_end_matches("_scale").to_owned(), weight);
                file.0.remove(SCALE);
            },
            ModelErrorKind::Shape,
            "`encoder.encoders.0.feed_forward.w_1.weight` holds U8",
        ),
        (
            "another shape",
            |file| {
                let weight = (Dtype::I8, vec![32, 48], vec![1; 48 * 32]);
                file.0
                    .insert(SCALE.trim_end_matches("_scale").to_owned(), weight);
            },
            ModelErrorKind::Shape,
            "`encoder.encoders.0.feed_forward.w_1.weight` has shape [32, 48], expected [48, 32]",
        ),
        (
            "an int8 norm",
            |file| {
                let weight = (Dtype::I8, vec![32], vec![1; 32]);
                file.0
                    .insert("encoder.after_norm.weight".to_owned(), weight);
            },
            ModelErrorKind::Shape,
            "`encoder.after_norm.weight` holds I8",
        ),
    ];
    let mut failures = Vec::new();
    for (name, damage, kind, part) in cases {
        let mut file = File::random().quantized();
        damage(&mut file);
        match load(&file.bytes()) {
            Err(error) if error.kind() == kind && error.to_string().contains(part) => {}
            Err(error) => failures.push(format!("{name}: {:?} {error}", error.kind())),
            Ok(_) => failures.push(format!("{name}: loaded")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn int8_rows_that_would_overflow_are_refused() {
    let width = 65_537;
    let mut file = File::default();
    let weight = (Dtype::I8, vec![2, width], vec![1; 2 * width]);
    file.0.insert("ctc.ctc_lo.weight".to_owned(), weight);
    file.put("ctc.ctc_lo.weight_scale", &[2], &[0.1; 2]);
    file.put("ctc.ctc_lo.bias", &[2], &[0.1; 2]);
    let bytes = file.bytes();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let error = CtcHead::load(&checkpoint, "ctc.", width, 0).unwrap_err();
    assert_eq!(error.kind(), ModelErrorKind::Shape);
    assert!(error.to_string().contains("at most 65536"), "{error}");
}
