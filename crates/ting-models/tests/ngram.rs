//! The language model against a dictionary of the same n-grams. `make_fixtures.py` writes both.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::HashMap;

use ting_models::{ModelErrorKind, NgramLm};

/// N-gram to (natural log probability, natural log backoff weight).
type Ngrams = HashMap<Vec<u16>, (f32, f32)>;

const UNKNOWN: f32 = -20.0;

fn data(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn ngrams(name: &str) -> Ngrams {
    let rows: Vec<(Vec<u16>, f32, f32)> = serde_json::from_slice(&data(name)).unwrap();
    rows.into_iter()
        .map(|(tokens, prob, backoff)| (tokens, (prob, backoff)))
        .collect()
}

/// The definition: the longest n-gram that ends in `token`, and the backoff weights of the histories too long for it.
fn naive(ngrams: &Ngrams, context: &[u16], token: u16) -> f32 {
    let with_token = [context, &[token]].concat();
    if let Some((prob, _)) = ngrams.get(&with_token) {
        return *prob;
    }
    if context.is_empty() {
        return UNKNOWN;
    }
    ngrams.get(context).map_or(0.0, |entry| entry.1) + naive(ngrams, &context[1..], token)
}

#[test]
fn scores_equal_the_definition() {
    let mut failures = Vec::new();
    for (name, order, tolerance) in [
        ("lm_exact", 3, 1e-5),
        ("lm_unigram", 1, 1e-5),
        ("lm_rounded", 4, 0.1),
    ] {
        let ngrams = ngrams(&format!("{name}.json"));
        let lm = NgramLm::from_bytes(&data(&format!("{name}.bin"))).unwrap();
        assert_eq!(lm.order(), order);
        assert!(lm.entries() >= ngrams.len());
        // Every history of three tokens, one of them no n-gram has, and every token after it.
        for code in 0..10u16.pow(4) {
            let sequence = [code / 1000, code / 100 % 10, code / 10 % 10, code % 10];
            let mut history = vec![0];
            let mut state = lm.state_start();
            for token in sequence {
                let context = &history[history.len().saturating_sub(order - 1)..];
                let expected = naive(&ngrams, context, token);
                let (found, next) = lm.score(state, token);
                if (found - expected).abs() > tolerance {
                    failures.push(format!(
                        "{name} {history:?} {token}: {found}, not {expected}"
                    ));
                }
                state = next;
                history.push(token);
            }
        }
    }
    failures.truncate(20);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn states_that_cannot_differ_are_equal() {
    let lm = NgramLm::from_bytes(&data("lm_exact.bin")).unwrap();
    // No n-gram has token 9, so nothing before it matters.
    let after = |tokens: &[u16]| {
        tokens
            .iter()
            .fold(lm.state_start(), |state, t| lm.score(state, *t).1)
    };
    assert_eq!(after(&[1, 2, 9]), after(&[5, 9]));
    assert_ne!(after(&[1]), after(&[5]));
}

#[test]
fn damaged_files_are_refused_and_never_panic() {
    let whole = data("lm_exact.bin");
    for length in 0..whole.len() {
        let error = NgramLm::from_bytes(&whole[..length]).unwrap_err();
        assert_eq!(error.kind(), ModelErrorKind::Format, "cut to {length}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(NgramLm::from_bytes(&longer).is_err());

    // Any byte changed: refused, or a model that still answers with finite numbers.
    let (mut refused, mut kept) = (0, 0);
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let Ok(lm) = NgramLm::from_bytes(&bytes) else {
                refused += 1;
                continue;
            };
            kept += 1;
            let mut state = lm.state_start();
            for token in [3, 1, 4, 1, 5, 9, 2, 6] {
                let (score, next) = lm.score(state, token);
                assert!(score.is_finite(), "byte {at} set to {value}");
                state = next;
            }
        }
    }
    assert!(
        refused > 100 && kept > 100,
        "{refused} refused, {kept} kept"
    );
}

#[test]
fn wrong_headers_say_what_is_wrong() {
    let whole = data("lm_exact.bin");
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        NgramLm::from_bytes(&file).unwrap_err().to_string()
    };
    let cases = [
        ("magic", changed(0, b"GGUF"), "TNG2"),
        ("order 0", changed(4, &[0]), "order is 0"),
        ("order 5", changed(4, &[5]), "order is 5"),
        (
            "unknown is not a number",
            changed(8, &f32::NAN.to_le_bytes()),
            "not within",
        ),
        (
            "huge count",
            changed(12, &u32::MAX.to_le_bytes()),
            "cut off",
        ),
    ];
    // The children of the first level stand behind its tables, tokens, probabilities and backoff weights.
    let unigrams = u32::from_le_bytes(whole[12..16].try_into().unwrap()) as usize;
    let children = 12 + 4 * 3 + 2 * 1024 + 4 * unigrams;
    let cases = cases.into_iter().chain([
        (
            "children that are not there",
            changed(children, &[0x7f]),
            "the next level has",
        ),
        (
            "more children than a u32 counts",
            changed(children, &[0xff; 5]),
            "too large",
        ),
    ]);
    let wrong: Vec<_> = cases
        .filter(|(_, message, part)| !message.contains(part))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
