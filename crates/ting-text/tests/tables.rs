//! What was said and what is written, as tables.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its table has failed"
)]

mod common;

use std::path::Path;

use common::words;
use ting_text::{Options, Word, WordFilter, join, rewrite};

/// A row of a table.
struct Case {
    /// File and line.
    place: String,
    /// What was said.
    spoken: String,
    /// What is to be written.
    written: String,
}

/// The rows of `tests/data/NAME`: what was said, a tab, what is written. Lines that begin with `#` are comments.
fn table(name: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let rows = text.lines().enumerate();
    rows.filter(|(_, line)| !line.starts_with('#') && !line.is_empty())
        .map(|(i, line)| {
            let (spoken, written) = line
                .split_once('\t')
                .unwrap_or_else(|| panic!("{name}:{}: no tab", i + 1));
            Case {
                place: format!("{name}:{}", i + 1),
                spoken: spoken.to_owned(),
                written: written.to_owned(),
            }
        })
        .collect()
}

/// Rows that are not written as the table says, and rows that a second pass changes.
fn failures(cases: &[Case], options: &Options<'_>) -> Vec<String> {
    let mut failed = Vec::new();
    for case in cases {
        let mut words = words(&case.spoken);
        rewrite(&mut words, options);
        let got = join(&words);
        if got != case.written {
            failed.push(format!(
                "{}: {}\n    got  {got}\n    want {}",
                case.place, case.spoken, case.written
            ));
        }
        let once = words.clone();
        rewrite(&mut words, options);
        if words != once {
            failed.push(format!(
                "{}: a second pass makes {got} {}",
                case.place,
                join(&words)
            ));
        }
    }
    failed
}

fn check(names: &[&str], disfluency_removal: bool) {
    let filter = WordFilter::default();
    let options = Options {
        inverse_text_normalization: true,
        disfluency_removal,
        filter: &filter,
    };
    let cases: Vec<Case> = names.iter().flat_map(|name| table(name)).collect();
    assert!(cases.len() > 20, "the table is not complete");
    let failed = failures(&cases, &options);
    assert!(
        failed.is_empty(),
        "{} of {}\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}

#[test]
fn chinese() {
    check(&["chinese_numbers.tsv", "chinese_words.tsv"], false);
}

#[test]
fn english() {
    check(&["english_numbers.tsv", "english_words.tsv"], false);
}

#[test]
fn japanese() {
    check(&["japanese.tsv"], false);
}

#[test]
fn case_marks_and_spaces() {
    check(&["casing.tsv", "mixed.tsv"], false);
}

#[test]
fn disfluencies() {
    check(&["disfluency.tsv"], true);
}

/// Words with [`ting_text::LOOK_AHEAD`] words after them are written the same however a sentence goes on: partials stand on it.
#[test]
fn words_with_enough_after_them_stay() {
    let filter = WordFilter::default();
    let options = Options {
        inverse_text_normalization: true,
        disfluency_removal: false,
        filter: &filter,
    };
    let mut failed = Vec::new();
    for name in [
        "chinese_numbers.tsv",
        "chinese_words.tsv",
        "english_numbers.tsv",
        "english_words.tsv",
        "japanese.tsv",
    ] {
        let mut cases = table(name);
        // Digits in a long row, with points between them, are known at their end only.
        cases.retain(|case| !case.spoken.contains("点一六八点"));
        for pair in cases.windows(2) {
            // Numbers of two rows must not become one.
            let spoken = words(&format!("{} x {}", pair[0].spoken, pair[1].spoken));
            let mut whole = spoken.clone();
            rewrite(&mut whole, &options);
            for known in ting_text::LOOK_AHEAD..spoken.len() {
                let settled_ms = spoken[known - ting_text::LOOK_AHEAD].begin_ms;
                let mut partial = spoken[..known].to_vec();
                rewrite(&mut partial, &options);
                let settled = |words: &[Word]| -> Vec<Word> {
                    let of = words.iter().filter(|word| word.end_ms <= settled_ms);
                    of.cloned().collect()
                };
                if settled(&partial) != settled(&whole) {
                    failed.push(format!(
                        "{}: {} becomes {}",
                        pair[0].place,
                        join(&partial),
                        join(&whole)
                    ));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
}

/// Without inverse normalisation nothing that was said is lost: only case, marks and spaces differ.
#[test]
fn without_inverse_normalisation_words_stay() {
    let filter = WordFilter::default();
    let options = Options {
        inverse_text_normalization: false,
        disfluency_removal: false,
        filter: &filter,
    };
    let letters = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let mut failed = Vec::new();
    for name in [
        "chinese_numbers.tsv",
        "english_numbers.tsv",
        "mixed.tsv",
        "japanese.tsv",
    ] {
        for case in table(name) {
            let mut words = words(&case.spoken);
            rewrite(&mut words, &options);
            if letters(&join(&words)) != letters(&case.spoken) {
                failed.push(format!("{}: {}", case.place, join(&words)));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
