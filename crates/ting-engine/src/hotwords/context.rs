//! Which words of a conversation's context are worth looking for.

use std::collections::HashMap;

use ting_models::{LmState, Model};

use super::spelling::is_wide;

/// Texts of a context that count; of more, the newest do. The service has five of the user's and five of the assistant's.
pub(crate) const MAX_TEXTS: usize = 10;
/// Characters of a text that count.
pub(crate) const MAX_CHARS: usize = 400;
/// Words taken from a context, the most surprising ones.
const MAX_WORDS: usize = 200;
/// Chinese and Japanese is not divided into words: any run of so many characters may be one.
const RUN: std::ops::RangeInclusive<usize> = 2..=4;
/// Shorter words of letters are taken for something else too easily.
const LEAST_LETTERS: usize = 4;
/// Words that the language model expects more than this (negative natural log, per token) need no help.
const LEAST_SURPRISE: f32 = 6.0;

/// The words of `texts` that the language model does not expect, most surprising first. Without a language model all of them.
pub(crate) fn words(texts: &[String], model: &Model) -> Vec<String> {
    let mut found: HashMap<String, f32> = HashMap::new();
    let mut note = |word: &str| {
        if !found.contains_key(word)
            && let Some(surprise) = surprise(word, model)
        {
            found.insert(word.to_owned(), surprise);
        }
    };
    for text in texts.iter().rev().take(MAX_TEXTS) {
        let text: String = text.chars().take(MAX_CHARS).collect();
        for run in text.split(|c: char| !is_wide(c)) {
            let characters: Vec<char> = run.chars().collect();
            for length in RUN {
                for gram in characters.windows(length) {
                    note(&gram.iter().collect::<String>());
                }
            }
        }
        let between = |c: char| is_wide(c) || !(c.is_alphabetic() || c == '\'' || c == '’');
        for word in text.split(between) {
            if word.chars().count() >= LEAST_LETTERS {
                note(word);
            }
        }
    }
    let mut words: Vec<(String, f32)> = found.into_iter().collect();
    words.retain(|(_, surprise)| *surprise >= LEAST_SURPRISE);
    // By name among equals: the order must not be that of a hash map.
    words.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    words.truncate(MAX_WORDS);
    words.into_iter().map(|(word, _)| word).collect()
}

/// How little the language model expects the tokens of a word, per token; none when no tokens write it.
fn surprise(word: &str, model: &Model) -> Option<f32> {
    let tokens = longest_tokens(word, model)?;
    let Some(lm) = &model.lm else {
        return Some(f32::INFINITY);
    };
    let mut state = LmState::default();
    let mut sum = 0.0;
    for token in &tokens {
        let (ln_p, next) = lm.score(state, *token);
        sum -= ln_p;
        state = next;
    }
    Some(sum / tokens.len() as f32)
}

/// `word` as tokens, from the left the longest that fits each time.
fn longest_tokens(word: &str, model: &Model) -> Option<Vec<u16>> {
    let wide = word.chars().next().is_some_and(is_wide);
    let spelled = if wide {
        word.to_owned()
    } else {
        format!("▁{}", word.to_lowercase().replace('’', "'"))
    };
    let mut tokens = Vec::new();
    let mut rest = spelled.as_str();
    while !rest.is_empty() {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
        let longest = ends
            .filter_map(|end| Some((end, model.tokens.id(&rest[..end])?)))
            .next_back()?;
        tokens.push(longest.1 as u16);
        rest = &rest[longest.0..];
    }
    Some(tokens)
}
