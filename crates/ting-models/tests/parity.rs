//! The networks against FunASR's own, whose outputs `make_fixtures.py` has stored beside the weights.

mod common;

use common::{Change, not_refused};
use ting_models::{
    Checkpoint, CtcHead, EncoderState, FsmnVad, FsmnVadState, ModelErrorKind, SanmConfig,
    SanmEncoder, VadConfig,
};

fn fixture(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/tests/data/{name}.safetensors",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Largest difference as a share of the largest expected value.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "different number of values");
    let scale = expected.iter().fold(0.0f32, |top, e| top.max(e.abs()));
    let differences = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    // A NaN compares as neither larger nor smaller, and has to count as far away.
    differences.fold(0.0f32, |top, d| if d <= top { top } else { d }) / scale
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// Input, output, heads, feed-forward, layers, kernel, shift, as in `make_fixtures.py`.
    sizes: [usize; 7],
    tp_layers: usize,
    frames: usize,
    position: bool,
    norm_eps: f32,
    /// Chunk and left context of the stored streaming output.
    chunk: Option<(usize, usize)>,
    ctc: bool,
}

const SANM: Case = Case {
    name: "",
    sizes: [0; 7],
    tp_layers: 0,
    frames: 0,
    position: false,
    norm_eps: 1e-12,
    chunk: None,
    ctc: true,
};

const CASES: [Case; 8] = [
    Case {
        name: "sanm_causal",
        sizes: [28, 32, 4, 48, 3, 11, 5],
        frames: 23,
        chunk: Some((3, 7)),
        ..SANM
    },
    Case {
        name: "sanm_causal_position",
        sizes: [16, 24, 2, 20, 2, 5, 2],
        frames: 14,
        position: true,
        chunk: Some((4, 2)),
        ..SANM
    },
    Case {
        name: "sanm_same_width",
        sizes: [16, 16, 1, 20, 2, 3, 1],
        frames: 9,
        position: true,
        chunk: Some((2, 1)),
        ..SANM
    },
    Case {
        name: "sanm_centred",
        sizes: [20, 16, 2, 24, 3, 11, 0],
        frames: 19,
        position: true,
        ..SANM
    },
    Case {
        name: "sanm_one_frame",
        sizes: [20, 16, 2, 24, 1, 11, 5],
        frames: 1,
        chunk: Some((3, 60)),
        ..SANM
    },
    Case {
        name: "sanm_f16",
        sizes: [12, 8, 2, 16, 2, 5, 2],
        frames: 7,
        chunk: Some((3, 60)),
        ..SANM
    },
    Case {
        name: "sanm_bf16",
        sizes: [12, 8, 2, 16, 2, 5, 1],
        frames: 7,
        ..SANM
    },
    Case {
        name: "sense_voice",
        sizes: [20, 16, 2, 24, 3, 11, 0],
        tp_layers: 2,
        frames: 17,
        position: true,
        norm_eps: 1e-5,
        ctc: false,
        ..SANM
    },
];

impl Case {
    fn config(&self) -> SanmConfig {
        let [input_dim, dim, heads, ffn_dim, layers, kernel, sanm_shift] = self.sizes;
        SanmConfig {
            input_dim,
            dim,
            heads,
            ffn_dim,
            layers,
            tp_layers: self.tp_layers,
            kernel,
            sanm_shift,
            position: self.position,
            norm_eps: self.norm_eps,
            left_context: self.chunk.map_or(0, |(_, left)| left),
            frontend: None,
        }
    }
}

#[test]
fn encoder_and_ctc_equal_funasr() {
    let mut failures = Vec::new();
    for case in CASES {
        let bytes = fixture(case.name);
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        let (frames, config) = (case.frames, case.config());
        let input = checkpoint
            .tensor("test.input", &[frames, config.input_dim])
            .unwrap();
        let expected = checkpoint
            .tensor("test.encoded", &[frames, config.dim])
            .unwrap();
        let encoder = SanmEncoder::load(&checkpoint, "encoder.", config.clone()).unwrap();
        let encoded = encoder.forward_full(&input, frames);
        let off = distance(&encoded, &expected);
        if off.is_nan() || off > 1e-4 {
            failures.push(format!("{}: encoder off by {off:e}", case.name));
        }
        if case.ctc {
            let ctc = CtcHead::load(&checkpoint, "ctc.", config.dim, 0).unwrap();
            let expected = checkpoint
                .tensor("test.log_probs", &[frames, ctc.tokens()])
                .unwrap();
            let off = distance(&ctc.log_probs(&encoded, frames), &expected);
            if off.is_nan() || off > 1e-4 {
                failures.push(format!("{}: ctc off by {off:e}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn streaming_encoder_equals_funasr_with_a_chunk_mask() {
    let mut failures = Vec::new();
    for case in CASES {
        let Some((chunk, left)) = case.chunk else {
            continue;
        };
        let bytes = fixture(case.name);
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        let (frames, config) = (case.frames, case.config());
        let input = checkpoint
            .tensor("test.input", &[frames, config.input_dim])
            .unwrap();
        let expected = checkpoint
            .tensor("test.chunked", &[frames, config.dim])
            .unwrap();
        let encoder = SanmEncoder::load(&checkpoint, "encoder.", config.clone()).unwrap();
        let mut state = encoder.new_state().unwrap();
        let stream = |state: &mut EncoderState| {
            let mut out = Vec::new();
            for rows in input.chunks(chunk * config.input_dim) {
                encoder.forward_chunk(rows, rows.len() / config.input_dim, state, &mut out);
            }
            out
        };
        let first = stream(&mut state);
        let off = distance(&first, &expected);
        if off.is_nan() || off > 1e-4 {
            failures.push(format!(
                "{} chunk {chunk} left {left}: off by {off:e}",
                case.name
            ));
        }
        assert_eq!(state.frames(), frames);
        for chunks in [2, 3, 100] {
            let (mut state, mut out) = (encoder.new_state().unwrap(), Vec::new());
            for rows in input.chunks(chunks * chunk * config.input_dim) {
                let count = rows.len() / config.input_dim;
                encoder.forward_chunks(rows, count, chunk, &mut state, &mut out);
            }
            if bits(&out) != bits(&first) {
                failures.push(format!("{}: {chunks} chunks at once differ", case.name));
            }
        }
        state.reset();
        if bits(&stream(&mut state)) != bits(&first) {
            failures.push(format!(
                "{}: a reset state differs from a new one",
                case.name
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_unbounded_chunk_is_the_whole_utterance() {
    let case = CASES[0];
    let bytes = fixture(case.name);
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let config = case.config();
    let input = checkpoint
        .tensor("test.input", &[case.frames, config.input_dim])
        .unwrap();
    let encoder = SanmEncoder::load(&checkpoint, "encoder.", config).unwrap();
    let mut out = Vec::new();
    encoder.forward_chunk(
        &input,
        case.frames,
        &mut encoder.new_state().unwrap(),
        &mut out,
    );
    assert_eq!(bits(&out), bits(&encoder.forward_full(&input, case.frames)));
}

#[test]
fn detector_equals_funasr_however_the_rows_are_cut() {
    let config = VadConfig {
        input_dim: 20,
        input_affine_dim: 14,
        linear_dim: 25,
        proj_dim: 12,
        layers: 3,
        lorder: 6,
        output_affine_dim: 14,
        out_dim: 2,
    };
    let mut failures = Vec::new();
    for name in ["fsmn_vad", "fsmn_vad_cmvn"] {
        let bytes = fixture(name);
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        let frames = 40;
        let input = checkpoint.tensor("test.input", &[frames, 20]).unwrap();
        let expected = checkpoint
            .tensor("test.probabilities", &[frames, 2])
            .unwrap();
        let vad = FsmnVad::load(&checkpoint, "encoder.", config.clone()).unwrap();
        let whole = vad.forward(&input, frames, &mut FsmnVadState::default());
        let off = distance(&whole, &expected);
        if off.is_nan() || off > 1e-4 {
            failures.push(format!("{name}: off by {off:e}"));
        }
        for cut in [1, 2, 3, 5, 7, 13, 39] {
            let mut state = FsmnVadState::default();
            let mut cut_up = Vec::new();
            for rows in input.chunks(cut * 20) {
                cut_up.extend(vad.forward(rows, rows.len() / 20, &mut state));
            }
            if bits(&cut_up) != bits(&whole) {
                failures.push(format!("{name}: cut every {cut} rows, it differs"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_encoder_that_looks_ahead_does_not_stream() {
    let case = CASES[3];
    let bytes = fixture(case.name);
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let encoder = SanmEncoder::load(&checkpoint, "encoder.", case.config()).unwrap();
    let error = encoder.new_state().unwrap_err();
    assert_eq!(error.kind(), ModelErrorKind::Unsupported);
    assert!(error.to_string().contains("sanm_shift 5"), "{error}");
}

#[test]
fn an_unfit_checkpoint_is_named() {
    let cases: [(&str, Change, ModelErrorKind, &str); 8] = [
        (
            "layers",
            |c| c.layers = 4,
            ModelErrorKind::MissingTensor,
            "encoder.encoders.2.norm1.weight",
        ),
        (
            "tp",
            |c| c.tp_layers = 1,
            ModelErrorKind::MissingTensor,
            "encoder.tp_encoders.0.norm1.weight",
        ),
        (
            "ffn",
            |c| c.ffn_dim = 49,
            ModelErrorKind::Shape,
            "[48, 32], expected [49, 32]",
        ),
        (
            "kernel",
            |c| c.kernel = 13,
            ModelErrorKind::Shape,
            "fsmn_block.weight",
        ),
        (
            "heads",
            |c| c.heads = 5,
            ModelErrorKind::Config,
            "heads (5)",
        ),
        (
            "shift",
            |c| c.sanm_shift = 6,
            ModelErrorKind::Config,
            "sanm_shift (6)",
        ),
        ("zero", |c| c.kernel = 0, ModelErrorKind::Config, "kernel"),
        (
            "huge",
            |c| c.dim = usize::MAX,
            ModelErrorKind::Config,
            "encoder.dim",
        ),
    ];
    let bytes = fixture(CASES[0].name);
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let failures = not_refused(&checkpoint, &CASES[0].config(), &cases);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn bytes_that_are_no_checkpoint_are_refused() {
    let whole = fixture("sanm_f16");
    let cut_off: Vec<usize> = vec![0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1];
    for length in cut_off {
        let error = Checkpoint::from_bytes(&whole[..length]).unwrap_err();
        assert_eq!(error.kind(), ModelErrorKind::Format, "cut to {length}");
    }
    let mut endless = whole;
    endless[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(
        Checkpoint::from_bytes(&endless).unwrap_err().kind(),
        ModelErrorKind::Format
    );
}
