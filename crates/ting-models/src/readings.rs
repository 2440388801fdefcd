//! How Chinese characters are read: `readings.txt`.

use std::collections::HashMap;

use crate::error::{ModelError, ModelErrorKind};
use crate::tokens::Tokens;

/// The syllables of the tokens that have any.
///
/// The file has one character a line, and after a tab its toned syllables between spaces, the commonest first
/// (`行<tab>xing2 hang2`). It may have characters that are no token: a token that sounds like one can stand in for it.
/// `training/readings.py` writes it.
#[derive(Clone, Debug)]
pub struct Readings {
    /// (token, syllable), by token.
    pairs: Vec<(u16, u16)>,
    /// For each token where its pairs begin, and one more: the end of the last.
    starts: Vec<u32>,
    /// For each syllable the one without a tone.
    toneless: Vec<u16>,
    toneless_count: usize,
    /// For a character that is no token one that has its first reading.
    stand_ins: HashMap<char, u16>,
}

impl Readings {
    /// Reads the text of `readings.txt` for `tokens`.
    ///
    /// # Errors
    /// `Format`, naming the line: no tab, no syllable, a repeated character, or more syllables than 65535.
    pub fn parse(text: &str, tokens: &Tokens) -> Result<Self, ModelError> {
        let fail = |line: usize, what: &str| {
            Err(ModelError::new(
                ModelErrorKind::Format,
                format!("line {}: {what}", line + 1),
            ))
        };
        let mut syllables: HashMap<&str, u16> = HashMap::new();
        let mut of_token: Vec<Vec<u16>> = vec![Vec::new(); tokens.len()];
        let mut others: Vec<(char, &str)> = Vec::new();
        for (line, content) in text.lines().enumerate() {
            let Some((character, readings)) = content.split_once('\t') else {
                return fail(
                    line,
                    "there is no tab between a character and its syllables",
                );
            };
            if readings.trim().is_empty() {
                return fail(line, "the character has no syllable");
            }
            let Some(token) = tokens.id(character) else {
                let first = readings.split_whitespace().next();
                others.extend(character.chars().next().zip(first));
                continue;
            };
            if !of_token[token].is_empty() {
                return fail(line, "the character is there twice");
            }
            for syllable in readings.split_whitespace() {
                let next = u16::try_from(syllables.len());
                let Ok(next) = next else {
                    return fail(line, "there are more than 65535 syllables");
                };
                of_token[token].push(*syllables.entry(syllable).or_insert(next));
            }
        }
        let mut first_of: HashMap<u16, u16> = HashMap::new();
        for (token, readings) in of_token.iter().enumerate() {
            if let Some(reading) = readings.first() {
                first_of.entry(*reading).or_insert(token as u16);
            }
        }
        let stand_in = |(character, reading): (char, &str)| {
            let token = first_of.get(syllables.get(reading)?)?;
            Some((character, *token))
        };
        let stand_ins = others.into_iter().filter_map(stand_in).collect();
        let mut toneless = vec![0; syllables.len()];
        let mut plain: HashMap<&str, u16> = HashMap::new();
        let mut ordered: Vec<(&str, u16)> = syllables.into_iter().collect();
        ordered.sort_unstable_by_key(|(_, id)| *id);
        for (syllable, id) in ordered {
            let without = syllable.trim_end_matches(|c: char| c.is_ascii_digit());
            let next = plain.len() as u16;
            toneless[usize::from(id)] = *plain.entry(without).or_insert(next);
        }
        let mut pairs = Vec::new();
        let mut starts = vec![0];
        for (token, syllables) in of_token.iter().enumerate() {
            // Token ids fit: `Tokens` has at most 65535.
            pairs.extend(syllables.iter().map(|syllable| (token as u16, *syllable)));
            starts.push(pairs.len() as u32);
        }
        Ok(Self {
            pairs,
            starts,
            toneless,
            toneless_count: plain.len(),
            stand_ins,
        })
    }

    /// All (token, syllable) pairs, by token. Syllables count from 0 to [`Readings::syllables`].
    pub fn pairs(&self) -> &[(u16, u16)] {
        &self.pairs
    }

    /// The pairs of one token; empty when it has no reading.
    pub fn of(&self, token: usize) -> &[(u16, u16)] {
        match self.starts.get(token..token + 2) {
            Some(&[from, to]) => &self.pairs[from as usize..to as usize],
            _ => &[],
        }
    }

    /// For a character that is no token the first that has its commonest reading, as its commonest too.
    pub fn stand_in(&self, character: char) -> Option<usize> {
        self.stand_ins
            .get(&character)
            .map(|token| usize::from(*token))
    }

    /// Number of toned syllables.
    pub fn syllables(&self) -> usize {
        self.toneless.len()
    }

    /// The syllable without its tone, counted from 0 to [`Readings::toneless_syllables`].
    ///
    /// # Panics
    /// When `syllable` is none.
    pub fn toneless(&self, syllable: u16) -> u16 {
        self.toneless[usize::from(syllable)]
    }

    /// Number of syllables that differ in more than their tone.
    pub fn toneless_syllables(&self) -> usize {
        self.toneless_count
    }
}
