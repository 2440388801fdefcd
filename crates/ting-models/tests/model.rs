//! A model folder as a whole: the embedded one, copied and then damaged.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use ting_models::{EncoderState, FsmnVadState, Model, ModelErrorKind};

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny")
}

/// Reproducible rows about as large as log filter bank energies.
fn rows(count: usize, dim: usize) -> Vec<f32> {
    (0..count * dim)
        .map(|i| 10.0 + 4.0 * ((i * 7919 % 1009) as f32 / 504.5 - 1.0))
        .collect()
}

#[test]
fn the_embedded_model_is_the_folder() {
    let (embedded, folder) = (
        Model::embedded().unwrap(),
        Model::from_dir(&tiny()).unwrap(),
    );
    assert_eq!(embedded.config, folder.config);
    assert_eq!(embedded.lm.is_some(), folder.lm.is_some());
    let dim = embedded.config.encoder.row_len();
    let x = rows(20, dim);
    assert_eq!(
        embedded.encoder.forward_full(&x, 20),
        folder.encoder.forward_full(&x, 20)
    );
}

#[test]
fn the_embedded_model_streams_and_its_outputs_are_probabilities() {
    let model = Model::embedded().unwrap();
    let config = &model.config.encoder;
    let chunk = model.config.decoder.chunk_frames;
    let frames = 40 * chunk + 1;
    let dim = config.row_len();
    let x = rows(frames, dim);
    let mut state = model.encoder.new_state().unwrap();
    let mut encoded = Vec::new();
    for part in x.chunks(chunk * dim) {
        model
            .encoder
            .forward_chunk(part, part.len() / dim, &mut state, &mut encoded);
    }
    assert_eq!(state.frames(), frames);
    let log_probs = model.ctc.log_probs(&encoded, frames);
    assert_eq!(log_probs.len(), frames * model.tokens.len());
    for row in log_probs.chunks(model.tokens.len()) {
        let sum: f32 = row.iter().map(|p| p.exp()).sum();
        assert!(
            (sum - 1.0).abs() < 1e-3,
            "token probabilities add up to {sum}"
        );
    }
    let vad_rows = rows(300, model.config.vad.input_dim);
    let speech = model
        .vad
        .forward(&vad_rows, 300, &mut FsmnVadState::default());
    for row in speech.chunks(model.config.vad.out_dim) {
        let sum: f32 = row.iter().sum();
        assert!(
            (sum - 1.0).abs() < 1e-4,
            "class probabilities add up to {sum}"
        );
    }
    // Two megabytes a stream is what the server's memory budget counts with.
    assert!(EncoderState::max_bytes(config, chunk) < 2 << 20);
}

#[test]
fn the_prior_makes_rare_tokens_likelier() {
    let load = |weight: &str| {
        let dir = tempfile::tempdir().unwrap();
        copy(&tiny(), dir.path());
        edit_config(
            dir.path(),
            "\"prior_weight\": ",
            &format!("\"prior_weight\": {weight}, \"was\": "),
        );
        Model::from_dir(dir.path()).unwrap()
    };
    let x = rows(8, Model::embedded().unwrap().config.encoder.row_len());
    let of = |model: &Model, token: &str| {
        let log_probs = model.ctc.log_probs(&model.encoder.forward_full(&x, 8), 8);
        log_probs[model.tokens.id(token).unwrap()]
    };
    let (without, with) = (load("0"), load("0.5"));
    // The full stop is in nearly every sentence, the other character in hardly any.
    let gained = |token| of(&with, token) - of(&without, token);
    assert!(gained("。") < gained("罄") - 1.0);
}

#[test]
fn a_folder_may_do_without_pronunciation_prior_and_recurrent_lm() {
    let dir = tempfile::tempdir().unwrap();
    copy(&tiny(), dir.path());
    for file in [
        "lexicon.txt.gz",
        "sounds.txt",
        "dictionary.txt.gz",
        "recurrent_lm.safetensors",
    ] {
        std::fs::remove_file(dir.path().join(file)).unwrap();
    }
    edit_config(dir.path(), "\"pronunciation\"", "\"pronounced\"");
    edit_config(dir.path(), "\"dictionary\"", "\"glossary\"");
    edit_config(dir.path(), "\"prior_weight\"", "\"priority\"");
    edit_config(dir.path(), "\"recurrent_lm\"", "\"recurring\"");
    let model = Model::from_dir(dir.path()).unwrap();
    assert!(model.pronunciation.is_none());
    assert!(model.recurrent_lm.is_none());
}

#[test]
fn damaged_folders_name_the_file() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage, ModelErrorKind, &str); 24] = [
        (
            "no config",
            |dir| std::fs::remove_file(dir.join("config.json")).unwrap(),
            ModelErrorKind::File,
            "config.json cannot be read",
        ),
        (
            "config is text",
            |dir| put(dir, "config.json", b"hello"),
            ModelErrorKind::Format,
            "config.json",
        ),
        (
            "config lacks a field",
            |dir| edit_config(dir, "\"kernel\"", "\"colonel\""),
            ModelErrorKind::Format,
            "missing field `kernel`",
        ),
        (
            "stacking contradicts the input",
            |dir| edit_config(dir, "\"lfr_m\": 11", "\"lfr_m\": 6"),
            ModelErrorKind::Config,
            "encoder.frontend.frames is 11, but features.lfr_m is 6",
        ),
        (
            "no beam",
            |dir| edit_config(dir, "\"beam\": ", "\"beam\": 0, \"was\": "),
            ModelErrorKind::Config,
            "decoder.beam",
        ),
        (
            "weights are text",
            |dir| put(dir, "model.safetensors", b"hello"),
            ModelErrorKind::Format,
            "model.safetensors",
        ),
        (
            "weights of the detector",
            |dir| {
                std::fs::copy(dir.join("vad.safetensors"), dir.join("model.safetensors")).unwrap();
            },
            ModelErrorKind::MissingTensor,
            "encoder.encoders0.0",
        ),
        (
            "a token too many",
            |dir| {
                let list = std::fs::read_to_string(dir.join("tokens.txt")).unwrap();
                put(
                    dir,
                    "tokens.txt",
                    format!("{list}one-too-many\n").as_bytes(),
                );
            },
            ModelErrorKind::Config,
            "tokens.txt has",
        ),
        (
            "language model is text",
            |dir| put(dir, "lm.bin", b"hello"),
            ModelErrorKind::Format,
            "lm.bin",
        ),
        (
            "no weight of the prior",
            |dir| {
                edit_config(
                    dir,
                    "\"prior_weight\": ",
                    "\"prior_weight\": 1e999, \"was\": ",
                )
            },
            ModelErrorKind::Format,
            "config.json",
        ),
        (
            "pronunciation of a layer too many",
            |dir| edit_config(dir, "\"layer\": ", "\"layer\": 99, \"was\": "),
            ModelErrorKind::Config,
            "pronunciation.layer is 99, but the encoder has ",
        ),
        (
            "pronunciation has no lexicon",
            |dir| std::fs::remove_file(dir.join("lexicon.txt.gz")).unwrap(),
            ModelErrorKind::File,
            "lexicon.txt.gz",
        ),
        (
            "pronunciation has no sounds",
            |dir| std::fs::remove_file(dir.join("sounds.txt")).unwrap(),
            ModelErrorKind::File,
            "sounds.txt",
        ),
        (
            "the lexicon is not packed",
            |dir| put(dir, "lexicon.txt.gz", b"\xe4\xb8\x80\tyi1"),
            ModelErrorKind::Format,
            "lexicon.txt.gz: cannot be unpacked",
        ),
        (
            "no dictionary",
            |dir| std::fs::remove_file(dir.join("dictionary.txt.gz")).unwrap(),
            ModelErrorKind::File,
            "dictionary.txt.gz should be there",
        ),
        (
            "a dictionary without sounds",
            |dir| edit_config(dir, "\"pronunciation\"", "\"pronounced\""),
            ModelErrorKind::Config,
            "so there should be one `pronunciation`",
        ),
        (
            "a dictionary of a weight below 0",
            |dir| edit_config(dir, "\"cost_weight\": ", "\"cost_weight\": -1, \"was\": "),
            ModelErrorKind::Config,
            "dictionary.cost_weight should be",
        ),
        (
            "a sound too many",
            |dir| {
                let list = std::fs::read_to_string(dir.join("sounds.txt")).unwrap();
                put(dir, "sounds.txt", format!("{list}Oops\n").as_bytes());
            },
            ModelErrorKind::Shape,
            "pronunciation.middle.weight",
        ),
        (
            "recurrent language model of a weight below 0",
            |dir| {
                edit_config(
                    dir,
                    "\"recurrent_lm\": {",
                    "\"recurrent_lm\": { \"weight\": -1, \"bonus\": 0 }, \"was\": {",
                )
            },
            ModelErrorKind::Config,
            "recurrent_lm.weight should be",
        ),
        (
            "no recurrent language model",
            |dir| std::fs::remove_file(dir.join("recurrent_lm.safetensors")).unwrap(),
            ModelErrorKind::File,
            "recurrent_lm.safetensors should be there",
        ),
        (
            "recurrent language model of other tokens",
            |dir| {
                put(
                    dir,
                    "recurrent_lm.safetensors",
                    include_bytes!("data/recurrent_lm.safetensors"),
                )
            },
            ModelErrorKind::Config,
            "recurrent_lm.safetensors has 29 tokens, but tokens.txt has",
        ),
        (
            "punctuation is not in the config",
            |dir| edit_config(dir, "\"punctuation\"", "\"punctuality\""),
            ModelErrorKind::Config,
            "section `punctuation`",
        ),
        (
            "punctuation has no tokens",
            |dir| std::fs::remove_file(dir.join("punc_tokens.json")).unwrap(),
            ModelErrorKind::File,
            "punc_tokens.json",
        ),
        (
            "punctuation is text",
            |dir| put(dir, "punc.safetensors", b"hello"),
            ModelErrorKind::Format,
            "punc.safetensors",
        ),
    ];
    let mut failures = Vec::new();
    for (name, damage, kind, part) in cases {
        let dir = tempfile::tempdir().unwrap();
        copy(&tiny(), dir.path());
        damage(dir.path());
        match Model::from_dir(dir.path()) {
            Err(error) if error.kind() == kind && error.to_string().contains(part) => {}
            Err(error) => failures.push(format!("{name}: {:?} {error}", error.kind())),
            Ok(_) => failures.push(format!("{name}: loaded")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn put(dir: &Path, name: &str, content: &[u8]) {
    std::fs::write(dir.join(name), content).unwrap();
}

fn edit_config(dir: &Path, from: &str, to: &str) {
    let config = std::fs::read_to_string(dir.join("config.json")).unwrap();
    assert!(config.contains(from), "config.json has no {from}");
    put(dir, "config.json", config.replace(from, to).as_bytes());
}
