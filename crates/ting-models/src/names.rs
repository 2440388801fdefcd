//! Names that a dictionary only reads.

use std::collections::{HashMap, HashSet};

use crate::tokens::Tokens;

/// How a part of a hotword may be said.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its sounds.
    pub sounds: Vec<u16>,
    /// Its class for what stands before it, and its class for what follows.
    pub classes: (u16, u16),
}

/// Names that are too rare to be written unasked, and how kana are said: what tells how a hotword may sound that is no word of the
/// [`Dictionary`](crate::Dictionary).
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The tokens of all names, one after the other, and their sounds.
    spellings: Vec<u16>,
    sounds: Vec<u16>,
    all: Vec<Name>,
    /// What stands in names for characters that are no tokens.
    letters: HashMap<char, Letter>,
    /// The sounds of the dictionary by their names in `sounds.txt`.
    pub(crate) kana: HashMap<Box<str>, u16>,
}

#[derive(Clone, Copy, Debug)]
struct Name {
    /// Where its spelling and its sounds end; they begin where those of the name before end.
    spelling: u32,
    sounds: u32,
    classes: (u16, u16),
}

/// Spellings that are looked for. Most words do not even begin like one.
pub(crate) struct Parts<'s, 'a> {
    all: &'s HashSet<&'a [u16]>,
    begins: Vec<bool>,
}

impl<'s, 'a> Parts<'s, 'a> {
    pub(crate) fn new(all: &'s HashSet<&'a [u16]>) -> Self {
        let mut begins = vec![false; usize::from(u16::MAX) + 1];
        for first in all.iter().filter_map(|part| part.first()) {
            begins[usize::from(*first)] = true;
        }
        Self { all, begins }
    }

    pub(crate) fn get(&self, spelling: &[u16]) -> Option<&'a [u16]> {
        let first = spelling.first()?;
        let there = self.begins[usize::from(*first)];
        there.then(|| self.all.get(spelling).copied()).flatten()
    }
}

/// A character that is no token.
#[derive(Clone, Copy, Debug)]
struct Letter {
    /// Above those of all tokens.
    id: u16,
    stand_in: u16,
}

impl Names {
    /// The tokens of a name that begins with the sound `spoken`, and what stands for its other characters. None when these are too many or cannot be
    /// stood in for.
    pub(crate) fn spell(&mut self, name: &str, spoken: &str, tokens: &Tokens) -> Option<Vec<u16>> {
        let mut letter = [0; 4];
        let mut id = |c: char| {
            if let Some(token) = tokens.id(c.encode_utf8(&mut letter)) {
                // Token lists have at most 65535 entries, so the id fits.
                return Some(token as u16);
            }
            if let Some(letter) = self.letters.get(&c) {
                return Some(letter.id);
            }
            let id = u16::try_from(tokens.len() + self.letters.len()).ok()?;
            let kana = spoken.chars().next()?;
            let stand_in = tokens.id(kana.encode_utf8(&mut letter))? as u16;
            self.letters.insert(c, Letter { id, stand_in });
            Some(id)
        };
        name.chars().map(&mut id).collect()
    }

    pub(crate) fn add(&mut self, spelling: &[u16], sounds: Vec<u16>, classes: (u16, u16)) {
        self.spellings.extend(spelling);
        self.sounds.extend(sounds);
        // The file is far shorter than 2^32.
        self.all.push(Name {
            spelling: self.spellings.len() as u32,
            sounds: self.sounds.len() as u32,
            classes,
        });
    }

    /// Adds to `found` how those of `parts` are said that are names.
    pub(crate) fn add_readings<'a>(
        &self,
        parts: &Parts<'_, 'a>,
        found: &mut HashMap<&'a [u16], Vec<Reading>>,
    ) {
        let (mut spelling, mut sounds) = (0, 0);
        for name in &self.all {
            let (from, spoken) = (spelling, sounds);
            (spelling, sounds) = (name.spelling as usize, name.sounds as usize);
            let Some(part) = parts.get(&self.spellings[from..spelling]) else {
                continue;
            };
            let readings = found.entry(part).or_default();
            let heard = &self.sounds[spoken..sounds];
            if readings.iter().all(|other| other.sounds != heard) {
                readings.push(Reading {
                    sounds: heard.to_vec(),
                    classes: name.classes,
                });
            }
        }
    }

    /// The classes of the kind of name that there is most of; class 0 without names.
    pub fn usual_classes(&self) -> (u16, u16) {
        let mut counts: HashMap<(u16, u16), usize> = HashMap::new();
        for name in &self.all {
            *counts.entry(name.classes).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(classes, n)| (*n, *classes));
        most.map(|(classes, _)| classes).unwrap_or_default()
    }

    /// What stands in [`Dictionary::readings`](crate::Dictionary::readings) for a character that is no token.
    pub fn letter(&self, character: char) -> Option<u16> {
        self.letters.get(&character).map(|letter| letter.id)
    }

    /// A token, of a kana, that may stand for a character that is none.
    pub fn stand_in(&self, character: char) -> Option<usize> {
        let letter = self.letters.get(&character);
        letter.map(|letter| usize::from(letter.stand_in))
    }

    /// The name of a sound in `sounds.txt`.
    pub fn name_of(&self, sound: u16) -> Option<&str> {
        let mut all = self.kana.iter();
        all.find(|(_, id)| **id == sound).map(|(name, _)| &**name)
    }

    /// The sound that `sounds.txt` writes so.
    pub fn kana(&self, name: &str) -> Option<u16> {
        self.kana.get(name).copied()
    }
}
