//! The recurrent language model: against PyTorch's, with texts side by side, and what becomes of files that are none.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{File, distance, noise};
use ting_models::{Checkpoint, ModelErrorKind, RecurrentLm};

const TOKENS: usize = 29;
const DIM: usize = 8;
const CELLS: usize = 20;

fn fixture() -> Vec<u8> {
    let folder = env!("CARGO_MANIFEST_DIR");
    std::fs::read(format!("{folder}/tests/data/recurrent_lm.safetensors")).unwrap()
}

fn random() -> File {
    let mut file = File::default();
    for (seed, (name, shape)) in [
        ("embedding.weight", &[TOKENS, DIM][..]),
        ("input.weight", &[4 * CELLS, DIM]),
        ("input.bias", &[4 * CELLS]),
        ("recurrent.weight", &[4 * CELLS, DIM]),
        ("projection.weight", &[DIM, CELLS]),
        ("output.bias", &[TOKENS]),
    ]
    .into_iter()
    .enumerate()
    {
        file.put(name, shape, &noise(seed as u64, shape.iter().product()));
    }
    file
}

fn load(file: &File) -> RecurrentLm {
    let bytes = file.bytes();
    RecurrentLm::load(&Checkpoint::from_bytes(&bytes).unwrap(), 0).unwrap()
}

#[test]
fn equals_that_of_pytorch() {
    let bytes = fixture();
    let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
    let text = checkpoint.tensor("test.text", &[13]).unwrap();
    let expected = checkpoint.tensor("test.ln_p", &[13, TOKENS]).unwrap();
    let lm = RecurrentLm::load(&checkpoint, 0).unwrap();
    assert_eq!(lm.tokens(), TOKENS);
    let text: Vec<u16> = text.iter().map(|token| *token as u16).collect();
    assert_eq!(text[0], 0, "the text begins with the start of a sentence");
    // Every token after every beginning of the text.
    let texts: Vec<Vec<u16>> = (1..=text.len())
        .flat_map(|length| {
            let before = &text[1..length];
            (0..TOKENS as u16).map(move |token| [before, &[token]].concat())
        })
        .collect();
    let texts: Vec<&[u16]> = texts.iter().map(Vec::as_slice).collect();
    let found: Vec<f32> = lm
        .ln_p(&texts)
        .iter()
        .map(|ln_p| *ln_p.last().unwrap())
        .collect();
    let off = distance(&found, &expected);
    assert!(off < 1e-5, "off by {off:e}");
}

#[test]
fn a_text_is_as_likely_alone_as_beside_others() {
    let file = random();
    let texts: [&[u16]; 7] = [
        &[],
        &[5],
        &[5, 6, 7],
        &[5, 6, 7, 8, 9, 10],
        &[5, 6, 1],
        &[5, 6, 7],
        &[4, 5, 6, 7],
    ];
    let bits = |found: &[f32]| found.iter().map(|p| p.to_bits()).collect::<Vec<_>>();
    for (kind, file) in [("f32", &file), ("int8", &file.quantized())] {
        let lm = load(file);
        let together = lm.ln_p(&texts);
        for (text, found) in texts.iter().zip(&together) {
            assert_eq!(found.len(), text.len());
            let alone = &lm.ln_p(&[text])[0];
            assert_eq!(bits(found), bits(alone), "{kind}: {text:?}");
        }
    }
    assert!(load(&file).ln_p(&[]).is_empty());
}

#[test]
fn int8_is_nearly_the_same() {
    let file = random();
    let text: Vec<u16> = (0..40).map(|i| i * 7 % TOKENS as u16).collect();
    let [exact, rounded] = [load(&file), load(&file.quantized())].map(|lm| lm.ln_p(&[&text]));
    let off = distance(&rounded[0], &exact[0]);
    assert!(off > 0.0 && off < 0.02, "off by {off:e}");
}

#[test]
fn files_of_other_networks_are_refused_by_name() {
    type Change = fn(&mut File);
    let cases: [(&str, Change, usize, ModelErrorKind, &str); 6] = [
        (
            "no embedding",
            |file| drop(file.0.remove("embedding.weight")),
            0,
            ModelErrorKind::MissingTensor,
            "embedding.weight",
        ),
        (
            "no bias of the output",
            |file| drop(file.0.remove("output.bias")),
            0,
            ModelErrorKind::MissingTensor,
            "output.bias",
        ),
        (
            "gates that are no four",
            |file| {
                file.put(
                    "input.weight",
                    &[4 * CELLS + 2, DIM],
                    &noise(1, (4 * CELLS + 2) * DIM),
                )
            },
            0,
            ModelErrorKind::Shape,
            "`input.weight` has shape [82, 8], expected [80, 8]",
        ),
        (
            "other cells",
            |file| {
                file.put(
                    "projection.weight",
                    &[DIM, CELLS + 1],
                    &noise(1, DIM * (CELLS + 1)),
                )
            },
            0,
            ModelErrorKind::Shape,
            "`projection.weight` has shape [8, 21], expected [8, 20]",
        ),
        (
            "no outputs",
            |file| file.put("projection.weight", &[0, CELLS], &[]),
            0,
            ModelErrorKind::Config,
            "0 outputs",
        ),
        (
            "a start that is no token",
            |_| {},
            TOKENS,
            ModelErrorKind::Config,
            "token 29, but there are 29",
        ),
    ];
    for (name, change, start, kind, message) in cases {
        let mut file = random();
        change(&mut file);
        let bytes = file.bytes();
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        let error = RecurrentLm::load(&checkpoint, start).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(message), "{name}: {error}");
    }
}
