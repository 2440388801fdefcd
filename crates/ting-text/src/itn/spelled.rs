//! Abbreviations that are spoken letter by letter.

use super::{Run, Step};
use crate::casing::abbreviation;

/// Letters of the longest abbreviation that is looked for.
const LONGEST: usize = 5;

/// `i b m` as `IBM`, if it is a known abbreviation: other letters in a row are left alone.
pub(super) fn step(run: &Run, at: usize) -> Option<Step> {
    let is_letter =
        |word: &str| word.len() == 1 && word.starts_with(|c: char| c.is_ascii_alphabetic());
    let letters = run.words[at..]
        .iter()
        .take(LONGEST)
        .take_while(|word| is_letter(word))
        .count();
    (2..=letters).rev().find_map(|length| {
        let word = run.words[at..at + length].concat();
        abbreviation(&word).map(|text| Step::one(at, length, text))
    })
}
