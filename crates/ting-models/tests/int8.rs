//! Checkpoints whose matrices are int8: against the same in f32, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{File, distance, noise};
use safetensors::tensor::Dtype;
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
    frontend: None,
};
const TOKENS: usize = 37;
const FRAMES: usize = 23;

fn random() -> File {
    let mut file = File::random(&CONFIG);
    let weight = noise(900, TOKENS * CONFIG.dim);
    let weight: Vec<f32> = weight.iter().map(|v| v * 0.5).collect();
    file.put("ctc.ctc_lo.weight", &[TOKENS, CONFIG.dim], &weight);
    file.put("ctc.ctc_lo.bias", &[TOKENS], &noise(901, TOKENS));
    file
}

fn load(bytes: &[u8]) -> Result<(SanmEncoder, CtcHead), ting_models::ModelError> {
    let checkpoint = Checkpoint::from_bytes(bytes)?;
    let encoder = SanmEncoder::load(&checkpoint, "encoder.", CONFIG)?;
    let head = CtcHead::load(&checkpoint, "ctc.", CONFIG.dim, 0)?;
    Ok((encoder, head))
}

#[test]
fn int8_is_near_f32() {
    let file = random();
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
    let bytes = random().quantized().bytes();
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
        let mut file = random().quantized();
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
