//! The punctuation network against FunASR's own (`make_fixtures.py`), and how far it looks ahead.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use ting_models::{
    Checkpoint, FrontendConfig, Model, ModelErrorKind, PunctuationConfig, Punctuator,
    RecogniserWeights, SanmConfig,
};

const CLASSES: [&str; 6] = ["<unk>", "_", "，", "。", "？", "、"];

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

struct Case {
    name: &'static str,
    /// Embedding, output, heads, feed-forward, layers, kernel, shift, as in `make_fixtures.py`.
    sizes: [usize; 7],
    words: usize,
    position: bool,
    look_ahead: usize,
}

const CASES: [Case; 2] = [
    Case {
        name: "ct_punc",
        sizes: [24, 24, 4, 32, 3, 11, 0],
        words: 17,
        position: true,
        look_ahead: 3,
    },
    Case {
        name: "punc_late",
        sizes: [12, 16, 2, 24, 3, 5, 2],
        words: 21,
        position: false,
        look_ahead: 4,
    },
];

impl Case {
    fn config(&self) -> PunctuationConfig {
        let [input_dim, dim, heads, ffn_dim, layers, kernel, sanm_shift] = self.sizes;
        PunctuationConfig {
            encoder: SanmConfig {
                input_dim,
                dim,
                heads,
                ffn_dim,
                layers,
                tp_layers: 0,
                kernel,
                sanm_shift,
                position: self.position,
                norm_eps: 1e-12,
                left_context: 160,
                frontend: None,
            },
            classes: CLASSES.map(str::to_owned).to_vec(),
            look_ahead: self.look_ahead,
            recogniser: RecogniserWeights::default(),
        }
    }

    fn weights(&self) -> Vec<u8> {
        file(&format!("{}.safetensors", self.name))
    }

    fn tokens(&self) -> Vec<u8> {
        file(&format!("{}.json", self.name))
    }

    fn load(&self) -> Punctuator {
        let weights = self.weights();
        let checkpoint = Checkpoint::from_bytes(&weights).unwrap();
        Punctuator::load(&checkpoint, &self.tokens(), self.config()).unwrap()
    }

    /// The words of the stored text, and FunASR's log probabilities.
    fn text(&self) -> (Vec<String>, Vec<f32>) {
        let weights = self.weights();
        let checkpoint = Checkpoint::from_bytes(&weights).unwrap();
        let tokens: Vec<String> = serde_json::from_slice(&self.tokens()).unwrap();
        let ids = checkpoint.tensor("test.ids", &[self.words]).unwrap();
        let shape = [self.words, CLASSES.len()];
        let expected = checkpoint.tensor("test.log_probs", &shape).unwrap();
        let word = |id: &f32| tokens[*id as usize].clone();
        (ids.iter().map(word).collect(), expected)
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn marks_equal_funasr() {
    let mut failures = Vec::new();
    for case in CASES {
        let (words, expected) = case.text();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = case.load().log_probs(&words, true);
        assert_eq!(found.len(), expected.len(), "{}", case.name);
        let scale = expected.iter().fold(0.0f32, |top, e| top.max(e.abs()));
        let differences = found.iter().zip(&expected).map(|(f, e)| (f - e).abs());
        let off = differences.fold(0.0f32, |top, d| if d <= top { top } else { d }) / scale;
        if off.is_nan() || off > 1e-4 {
            failures.push(format!("{}: off by {off:e}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_mark_that_was_given_never_changes() {
    let mut failures = Vec::new();
    for case in CASES {
        let punctuator = case.load();
        let (words, _) = case.text();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let causal = case.config().encoder.is_causal();
        let whole = bits(&punctuator.log_probs(&words, causal));
        for known in 0..words.len() {
            // Whatever comes after the words that are known.
            for more in [&words[known..], &["hello"; 9], &[]] {
                let text: Vec<&str> = words[..known].iter().chain(more).copied().collect();
                let now = bits(&punctuator.log_probs(&words[..known], false));
                let later = bits(&punctuator.log_probs(&text, false));
                if later[..now.len().min(later.len())] != now {
                    failures.push(format!("{}: {known} words, then {more:?}", case.name));
                }
            }
            let given = punctuator.log_probs(&words[..known], false).len() / CLASSES.len();
            let late = case.look_ahead;
            let want = if causal {
                known.saturating_sub(late)
            } else {
                (known / late * late).saturating_sub(late)
            };
            if given != want {
                failures.push(format!("{}: {known} words, {given} marks", case.name));
            }
            let now = bits(&punctuator.log_probs(&words[..known], false));
            if whole.len() >= now.len() && whole[..now.len()] != now {
                failures.push(format!("{}: {known} words, then the end", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn unknown_words_and_capitals_are_read() {
    let punctuator = CASES[0].load();
    let marks = |words: &[&str]| bits(&punctuator.log_probs(words, true));
    assert_eq!(marks(&["Hello", "World"]), marks(&["hello", "world"]));
    assert_eq!(marks(&["好", "qwerty"]), marks(&["好", "<unk>"]));
    assert_ne!(marks(&["好", "hello"]), marks(&["好", "<unk>"]));
    assert!(marks(&[]).is_empty());
}

#[test]
fn unfit_files_are_named() {
    type Change = fn(&mut PunctuationConfig);
    let cases: [(&str, &[u8], Change, ModelErrorKind, &str); 10] = [
        (
            "no list",
            b"{}",
            |_| (),
            ModelErrorKind::Format,
            "invalid type",
        ),
        (
            "no unknown",
            br#"["a"]"#,
            |_| (),
            ModelErrorKind::Format,
            "<unk>",
        ),
        (
            "no end",
            br#"["<unk>"]"#,
            |_| (),
            ModelErrorKind::Format,
            "</s>",
        ),
        (
            "repeated",
            br#"["<unk>", "</s>", "a", "a"]"#,
            |_| (),
            ModelErrorKind::Format,
            "1 of 4 tokens",
        ),
        (
            "too few",
            br#"["<unk>", "</s>"]"#,
            |_| (),
            ModelErrorKind::Shape,
            "embed.weight",
        ),
        (
            "no stop",
            b"",
            |c| c.classes.retain(|class| class != "。"),
            ModelErrorKind::Config,
            "`。`",
        ),
        (
            "a class too many",
            b"",
            |c| c.classes.push("！".to_owned()),
            ModelErrorKind::Shape,
            "decoder.weight",
        ),
        (
            "no look-ahead",
            b"",
            |c| c.look_ahead = 0,
            ModelErrorKind::Config,
            "look_ahead",
        ),
        (
            "no kernel",
            b"",
            |c| c.encoder.kernel = 0,
            ModelErrorKind::Config,
            "kernel",
        ),
        (
            "convolutions",
            b"",
            |c| {
                let channels = [2, 3];
                c.encoder.frontend = Some(FrontendConfig {
                    frames: 11,
                    channels,
                });
            },
            ModelErrorKind::Config,
            "punctuation.encoder.frontend",
        ),
    ];
    let case = &CASES[1];
    let (weights, own) = (case.weights(), case.tokens());
    let checkpoint = Checkpoint::from_bytes(&weights).unwrap();
    let mut failures = Vec::new();
    for (name, tokens, change, kind, part) in cases {
        let mut config = case.config();
        change(&mut config);
        let tokens = if tokens.is_empty() { &own } else { tokens };
        match Punctuator::load(&checkpoint, tokens, config) {
            Err(error) if error.kind() == kind && error.to_string().contains(part) => {}
            Err(error) => failures.push(format!("{name}: {:?} {error}", error.kind())),
            Ok(_) => failures.push(format!("{name}: loaded")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_embedded_network_knows_a_question() {
    let model = Model::embedded().unwrap();
    let punctuator = model.punctuator.as_ref().unwrap();
    let classes = punctuator.config().classes.len();
    let cases = [
        ("你 喜 欢 吃 苹 果 吗", "？"),
        ("我 们 明 天 去 北 京", "。"),
        ("where is the station", "？"),
        ("he went to the station", "。"),
        ("今 日 は と て も 天 気 が い い で す", "。"),
    ];
    let mut failures = Vec::new();
    for (text, want) in cases {
        let words: Vec<&str> = text.split(' ').collect();
        let log_probs = punctuator.log_probs(&words, true);
        let last = &log_probs[log_probs.len() - classes..];
        let best = (0..classes).max_by(|a, b| last[*a].total_cmp(&last[*b]));
        if best != punctuator.class(want) {
            failures.push(format!("{text}: {last:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
