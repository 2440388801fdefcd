//! The text of words: where spaces go.

use crate::Word;
use crate::script::{is_cjk, is_letter, is_wide_mark};

/// The text of a sentence.
///
/// - No space between CJK characters: `你好`.
/// - A space between other words, and between a CJK character and a letter: `hello world`, `我用 Python 写`.
/// - No space between a CJK character and a figure or sign: `2025年`, `有25%的人`, `他说**`.
/// - No space after a wide mark, one after any other: `你好，Tom`, `Tom, 你好`.
pub fn join(words: &[Word]) -> String {
    let mut text = String::new();
    let mut before: Option<&Word> = None;
    for word in words {
        if before.is_some_and(|before| is_spaced(before, word)) {
            text.push(' ');
        }
        text.push_str(&word.text);
        // The full stop of an abbreviation ends the sentence as well: "at 3 p.m."
        if !(word.punctuation == "." && word.text.ends_with('.')) {
            text.push_str(&word.punctuation);
        }
        before = Some(word);
    }
    text
}

fn is_spaced(before: &Word, after: &Word) -> bool {
    if let Some(mark) = before.punctuation.chars().next_back() {
        return !is_wide_mark(mark);
    }
    match (before.text.chars().next_back(), after.text.chars().next()) {
        (Some(last), Some(first)) => match (is_cjk(last), is_cjk(first)) {
            (true, true) => false,
            (false, false) => true,
            (true, false) => is_letter(first),
            (false, true) => is_letter(last),
        },
        _ => false,
    }
}
