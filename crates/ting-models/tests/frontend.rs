//! The convolutions before an encoder: against the definition, against PyTorch, and how rows are cut.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{Change, File, distance, noise, not_refused};
use ting_models::{
    Checkpoint, FrontendConfig, ModelConfig, ModelErrorKind, SanmConfig, SanmEncoder,
};

const TIMES: usize = 11;
const BANDS: usize = 80;
const ROW: usize = TIMES * BANDS;
/// More than two blocks of the convolutions' output layer.
const FRAMES: usize = 103;

fn config(input_dim: usize, channels: [usize; 2]) -> SanmConfig {
    SanmConfig {
        input_dim,
        dim: 24,
        heads: 2,
        ffn_dim: 32,
        layers: 2,
        tp_layers: 0,
        kernel: 5,
        sanm_shift: 2,
        position: false,
        norm_eps: 1e-5,
        left_context: 7,
        frontend: Some(FrontendConfig {
            frames: TIMES,
            channels,
        }),
    }
}

/// Random tensors of an encoder of `config`, with input norm.
fn random(config: &SanmConfig) -> File {
    let mut file = File::random(config);
    let scale: Vec<f32> = noise(801, ROW).iter().map(|v| 1.5 + v).collect();
    file.put("cmvn.shift", &[ROW], &noise(800, ROW));
    file.put("cmvn.scale", &[ROW], &scale);
    file
}

fn load(file: &File, config: &SanmConfig) -> SanmEncoder {
    let bytes = file.bytes();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    SanmEncoder::load(&checkpoint, "encoder.", config.clone()).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// An image of `[channels][times][bands]`.
struct Image {
    values: Vec<f64>,
    size: [usize; 3],
}

/// `torch.nn.Conv2d` without padding, and a ReLU, as the sums are written down.
fn convolved(
    x: &Image,
    weight: &[f32],
    bias: &[f32],
    kernel: [usize; 2],
    stride: [usize; 2],
) -> Image {
    let [channels, times, bands] = x.size;
    let size = [
        bias.len(),
        (times - kernel[0]) / stride[0] + 1,
        (bands - kernel[1]) / stride[1] + 1,
    ];
    let mut values = Vec::new();
    for (o, bias) in bias.iter().enumerate() {
        for time in 0..size[1] {
            for band in 0..size[2] {
                let mut sum = f64::from(*bias);
                for c in 0..channels {
                    for t in 0..kernel[0] {
                        for b in 0..kernel[1] {
                            let from = (c * times + time * stride[0] + t) * bands;
                            let weight =
                                weight[((o * channels + c) * kernel[0] + t) * kernel[1] + b];
                            sum += x.values[from + band * stride[1] + b] * f64::from(weight);
                        }
                    }
                }
                values.push(sum.max(0.0));
            }
        }
    }
    Image { values, size }
}

/// What the first layer reads of the row `x`, by the definition.
fn by_definition(file: &File, config: &SanmConfig, x: &[f32]) -> Vec<f32> {
    let bytes = file.bytes();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let [a, b] = config.frontend.as_ref().unwrap().channels;
    let dim = config.input_dim;
    let tensor = |name: &str, shape: &[usize]| checkpoint.tensor(name, shape).unwrap();
    let layer = |name: &str, shape: &[usize]| {
        let name = format!("encoder.frontend.{name}");
        let weight = tensor(&format!("{name}.weight"), shape);
        (weight, tensor(&format!("{name}.bias"), &shape[..1]))
    };
    let (shift, scale) = (tensor("cmvn.shift", &[ROW]), tensor("cmvn.scale", &[ROW]));
    let image = Image {
        values: x
            .iter()
            .zip(shift.iter().zip(&scale))
            .map(|(v, (shift, scale))| f64::from((v + shift) * scale))
            .collect(),
        size: [1, TIMES, BANDS],
    };
    let (weight, bias) = layer("conv1", &[a, 1, 3, 3]);
    let first = convolved(&image, &weight, &bias, [3, 3], [2, 2]);
    let (weight, bias) = layer("conv2", &[b, a, 5, 3]);
    let second = convolved(&first, &weight, &bias, [5, 3], [1, 2]);
    assert_eq!(second.size, [b, 1, 19]);
    let (weight, bias) = layer("out", &[dim, b * 19]);
    let sums = weight.chunks(b * 19).zip(bias).map(|(weights, bias)| {
        let products = weights.iter().zip(&second.values);
        products.map(|(w, v)| f64::from(*w) * v).sum::<f64>() + f64::from(bias)
    });
    let middle = &image.values[(ROW - dim) / 2..];
    sums.zip(middle)
        .map(|(sum, own)| (sum + own) as f32)
        .collect()
}

#[test]
fn equals_the_definition() {
    let mut failures = Vec::new();
    for (input_dim, channels) in [(560, [32, 48]), (560, [3, 5]), (80, [1, 1]), (880, [7, 33])] {
        let config = config(input_dim, channels);
        let file = random(&config);
        let x = noise(99, FRAMES * ROW);
        let found = load(&file, &config).forward_full(&x, FRAMES);
        // The same layers without convolutions, on rows that have been through them.
        let rows = x.chunks(ROW);
        let rows: Vec<f32> = rows
            .flat_map(|row| by_definition(&file, &config, row))
            .collect();
        let plain = SanmConfig {
            frontend: None,
            ..config.clone()
        };
        let mut rest = file.clone();
        rest.0.retain(|name, _| !name.starts_with("cmvn."));
        let expected = load(&rest, &plain).forward_full(&rows, FRAMES);
        let off = distance(&found, &expected);
        if off.is_nan() || off > 1e-5 {
            failures.push(format!("{input_dim} {channels:?}: off by {off:e}"));
        }
        // As int8, the output layer is another, but not by much.
        let found = load(&file.quantized(), &config).forward_full(&x, FRAMES);
        let off = distance(&found, &expected);
        if off.is_nan() || off > 0.02 {
            failures.push(format!("{input_dim} {channels:?}: int8 off by {off:e}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_row_does_not_depend_on_how_rows_are_cut() {
    let config = config(560, [5, 6]);
    let file = random(&config);
    let x = noise(98, FRAMES * ROW);
    for (kind, file) in [("f32", &file), ("int8", &file.quantized())] {
        let encoder = load(file, &config);
        let stream = |chunks: usize| {
            let (mut state, mut out) = (encoder.new_state().unwrap(), Vec::new());
            for rows in x.chunks(chunks * 3 * ROW) {
                encoder.forward_chunks(rows, rows.len() / ROW, 3, &mut state, &mut out);
            }
            bits(&out)
        };
        let one_by_one = stream(1);
        for chunks in [2, 3, 17, 100] {
            assert!(
                stream(chunks) == one_by_one,
                "{kind}: {chunks} chunks at once differ"
            );
        }
        let (mut state, mut out) = (encoder.new_state().unwrap(), Vec::new());
        encoder.forward_chunk(&x, FRAMES, &mut state, &mut out);
        assert!(
            bits(&out) == bits(&encoder.forward_full(&x, FRAMES)),
            "{kind}: a chunk of all rows differs from the whole"
        );
    }
}

#[test]
fn equals_the_network_that_is_trained() {
    let path = format!(
        "{}/tests/data/frontend.safetensors",
        env!("CARGO_MANIFEST_DIR")
    );
    let bytes = std::fs::read(path).unwrap();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let config = config(80, [4, 6]);
    let (rows, frames) = (config.row_len(), 9);
    let tensor = |name: &str, dim: usize| checkpoint.tensor(name, &[frames, dim]).unwrap();
    let (input, expected) = (tensor("test.input", rows), tensor("test.encoded", 24));
    let chunked = tensor("test.chunked", 24);
    let encoder = SanmEncoder::load(&checkpoint, "encoder.", config).unwrap();
    let off = distance(&encoder.forward_full(&input, frames), &expected);
    assert!(off < 1e-5, "off by {off:e}");
    let (mut state, mut out) = (encoder.new_state().unwrap(), Vec::new());
    encoder.forward_chunks(&input, frames, 3, &mut state, &mut out);
    let off = distance(&out, &chunked);
    assert!(off < 1e-5, "off by {off:e} in chunks");
}

#[test]
fn sizes_that_do_not_fit_are_refused_by_name() {
    let cases: [(&str, Change, ModelErrorKind, &str); 9] = [
        (
            "few frames",
            |c| c.frontend.as_mut().unwrap().frames = 9,
            ModelErrorKind::Config,
            "encoder.frontend.frames is 9; only 11",
        ),
        (
            "even frames",
            |c| c.frontend.as_mut().unwrap().frames = 12,
            ModelErrorKind::Config,
            "encoder.frontend.frames is 12; only 11",
        ),
        (
            "no channels",
            |c| c.frontend.as_mut().unwrap().channels[1] = 0,
            ModelErrorKind::Config,
            "encoder.frontend.channels is [5, 0]",
        ),
        (
            "endless channels",
            |c| c.frontend.as_mut().unwrap().channels[0] = usize::MAX,
            ModelErrorKind::Config,
            "encoder.frontend.channels",
        ),
        (
            "other channels",
            |c| c.frontend.as_mut().unwrap().channels[0] = 6,
            ModelErrorKind::Shape,
            "`encoder.frontend.conv1.weight` has shape [5, 1, 3, 3], expected [6, 1, 3, 3]",
        ),
        (
            "other channels behind",
            |c| c.frontend.as_mut().unwrap().channels[1] = 7,
            ModelErrorKind::Shape,
            "`encoder.frontend.conv2.weight` has shape [6, 5, 5, 3], expected [7, 5, 5, 3]",
        ),
        (
            "no whole frames",
            |c| c.input_dim = 500,
            ModelErrorKind::Config,
            "encoder.input_dim is 500; behind encoder.frontend",
        ),
        (
            "frames without a middle",
            |c| c.input_dim = 480,
            ModelErrorKind::Config,
            "encoder.input_dim is 480; behind encoder.frontend",
        ),
        (
            "more frames than there are",
            |c| c.input_dim = 13 * 80,
            ModelErrorKind::Config,
            "encoder.input_dim is 1040; behind encoder.frontend",
        ),
    ];
    let own = config(560, [5, 6]);
    let bytes = random(&own).bytes();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let mut failures = not_refused(&checkpoint, &own, &cases);
    // Convolutions are stored as floats.
    let mut int8 = random(&own);
    let conv = int8.0.get_mut("encoder.frontend.conv1.weight").unwrap();
    *conv = (safetensors::Dtype::I8, vec![5, 1, 3, 3], vec![1; 45]);
    let bytes = int8.bytes();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let error = SanmEncoder::load(&checkpoint, "encoder.", own).unwrap_err();
    if !error.to_string().contains("conv1.weight` holds I8") {
        failures.push(format!("an int8 convolution: {error}"));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn rows_are_as_long_as_the_convolutions_want_them() {
    let json = |frames: usize, lfr_m: usize| {
        format!(
            r#"{{
                "encoder": {{
                    "input_dim": 560, "dim": 24, "heads": 2, "ffn_dim": 32, "layers": 2, "kernel": 5,
                    "frontend": {{"frames": {frames}, "channels": [3, 5]}}
                }},
                "vad": {{
                    "input_dim": 400, "input_affine_dim": 8, "linear_dim": 8, "proj_dim": 4, "layers": 1,
                    "lorder": 4, "output_affine_dim": 8, "out_dim": 2
                }},
                "features": {{"lfr_m": {lfr_m}, "lfr_n": 6}}
            }}"#
        )
    };
    let config = ModelConfig::from_json(json(11, 11).as_bytes()).unwrap();
    assert_eq!(config.encoder.row_len(), 880);
    let error = ModelConfig::from_json(json(11, 7).as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ModelErrorKind::Config);
    let message = error.to_string();
    assert!(
        message.contains("encoder.frontend.frames is 11, but features.lfr_m is 7"),
        "{message}"
    );
}
