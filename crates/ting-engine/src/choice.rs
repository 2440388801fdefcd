//! Which of the texts that a search ends with becomes the final.

use std::collections::HashMap;

use ting_models::Tokens;

use crate::beam::Candidate;
use crate::transcript::{Symbol, said};

/// The symbols of the likeliest of `candidates` (the search's best first), by their scores and by what `judge` adds for a text without its
/// marks.
///
/// Only texts with the hotwords of the first are considered: how a listed name is said, and how often, is not known well enough to judge
/// it. Where `judge` knows nothing of a text, it does not win; where it knows nothing of the first, that stays.
pub(crate) fn likeliest(
    candidates: Vec<Candidate>,
    tokens: &Tokens,
    judge: impl Fn(&[u16]) -> Option<f64>,
) -> Vec<Symbol> {
    let hotwords = |candidate: &Candidate| -> Vec<u16> {
        let hot = candidate.symbols.iter().filter(|s| s.hot.is_some());
        hot.map(|symbol| symbol.token).collect()
    };
    let wanted = candidates.first().map(hotwords).unwrap_or_default();
    // Many differ in their marks alone.
    let mut known: HashMap<Vec<u16>, Option<f64>> = HashMap::new();
    let mut chosen: Option<(f64, usize)> = None;
    for (i, candidate) in candidates.iter().enumerate() {
        if hotwords(candidate) != wanted {
            continue;
        }
        let said = said(&candidate.symbols, tokens);
        let Some(added) = *known.entry(said).or_insert_with_key(|said| judge(said)) else {
            if i == 0 {
                break;
            }
            continue;
        };
        let score = f64::from(candidate.score) + added;
        if chosen.is_none_or(|(best, _)| score > best) {
            chosen = Some((score, i));
        }
    }
    let chosen = chosen.map_or(0, |(_, i)| i);
    let chosen = candidates.into_iter().nth(chosen);
    chosen
        .map(|candidate| candidate.symbols)
        .unwrap_or_default()
}
