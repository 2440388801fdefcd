//! How tokens and words are pronounced: `sounds.txt` and `lexicon.txt.gz`.

use std::collections::HashMap;

use crate::error::{ModelError, ModelErrorKind};
use crate::tokens::Tokens;

/// The pronunciations of tokens and of whole words.
///
/// `sounds.txt` has one sound a line (a phone, a toned syllable, a mora), the line number from 0 being its id; 0 is the blank of the
/// [`PronunciationHead`](crate::PronunciationHead). `lexicon.txt.gz` is a text packed with gzip; a line of it is a token as `tokens.txt` writes it, or a word that is
/// written between spaces as `▁word▁`; then a tab, and its pronunciations with `|` between them and spaces between their sounds
/// (`行<tab>xing2|hang2`). A pronunciation may be empty. A word that has a line is pronounced as that says, others as their
/// tokens. `training/lexicon.py` writes both files.
#[derive(Clone, Debug)]
pub struct Lexicon {
    sounds: usize,
    /// The sounds of all pronunciations, one after the other.
    flat: Vec<u16>,
    /// Where each pronunciation begins in `flat`, and one more: the end of the last.
    starts: Vec<u32>,
    /// For each token its pronunciations; none where it has no line.
    of_token: Vec<Span>,
    /// Words and their pronunciations, in ascending order.
    words: Vec<(Box<str>, Span)>,
}

/// Pronunciations from one number to before another.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    from: u32,
    to: u32,
}

/// Begins and ends a word.
const WORD: char = '▁';

impl Lexicon {
    /// Reads the unpacked text of `lexicon.txt.gz` and that of `sounds.txt` for `tokens`.
    ///
    /// # Errors
    /// `Format`, naming the file and the line: a sound that is there twice, none at all, or more than 65535; an entry
    /// without a tab, that is no token and no `▁word▁`, that is there twice, or with a sound that is not in `sounds.txt`.
    pub fn parse(lexicon: &str, sounds: &str, tokens: &Tokens) -> Result<Self, ModelError> {
        let ids = sound_ids(sounds)?;
        let fail = |line: usize, what: String| {
            let message = format!("lexicon.txt.gz: line {}: {what}", line + 1);
            Err(ModelError::new(ModelErrorKind::Format, message))
        };
        let mut result = Self {
            sounds: ids.len(),
            flat: Vec::new(),
            starts: vec![0],
            of_token: vec![Span::default(); tokens.len()],
            words: Vec::new(),
        };
        for (line, content) in lexicon.lines().enumerate() {
            let Some((key, pronunciations)) = content.split_once('\t') else {
                return fail(
                    line,
                    "there is no tab between an entry and its pronunciations".to_owned(),
                );
            };
            // The file is far shorter than 2^32.
            let from = result.starts.len() as u32 - 1;
            for pronunciation in pronunciations.split('|') {
                for sound in pronunciation.split_whitespace() {
                    let Some(id) = ids.get(sound) else {
                        return fail(line, format!("`{sound}` is not in sounds.txt"));
                    };
                    result.flat.push(*id);
                }
                result.starts.push(result.flat.len() as u32);
            }
            let span = Span {
                from,
                to: result.starts.len() as u32 - 1,
            };
            let word = key
                .strip_prefix(WORD)
                .and_then(|rest| rest.strip_suffix(WORD));
            if let Some(word) = word.filter(|word| !word.is_empty()) {
                result.words.push((word.into(), span));
                continue;
            }
            let Some(entry) = tokens.id(key).map(|token| &mut result.of_token[token]) else {
                return fail(
                    line,
                    format!("`{key}` is no token, and no word as `▁word▁`"),
                );
            };
            if entry.to > 0 {
                return fail(line, format!("`{key}` is there twice"));
            }
            *entry = span;
        }
        result.words.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some([(word, _), _]) = result.words.array_windows().find(|[a, b]| a.0 == b.0) {
            let message = format!("lexicon.txt.gz: the word `{word}` is there twice");
            return Err(ModelError::new(ModelErrorKind::Format, message));
        }
        Ok(result)
    }

    /// Number of sounds, the blank included.
    pub fn sounds(&self) -> usize {
        self.sounds
    }

    /// How the text `ids`, tokens of `tokens`, is said: for each of its words or characters the pronunciations it may have. Marks are
    /// not said. None when a token has no pronunciation.
    pub fn pronounce(&self, tokens: &Tokens, ids: &[u16]) -> Option<Vec<Vec<&[u16]>>> {
        let mut said = Vec::with_capacity(ids.len());
        let mut rest = ids.iter().map(|id| usize::from(*id)).peekable();
        let mut pieces = Vec::new();
        while let Some(first) = rest.next() {
            if tokens.is_punctuation(first) {
                continue;
            }
            if tokens.is_cjk(first) || !tokens.starts_word(first) {
                said.push(self.pronunciations(self.of_token[first])?);
                continue;
            }
            pieces.clear();
            pieces.push(first);
            while let Some(piece) = rest.next_if(|id| tokens.is_word_part(*id)) {
                pieces.push(piece);
            }
            let word: String = pieces.iter().map(|id| tokens.text(*id)).collect();
            if let Some(pronunciations) = self.word(&word) {
                said.push(pronunciations);
                continue;
            }
            for piece in &pieces {
                said.push(self.pronunciations(self.of_token[*piece])?);
            }
        }
        Some(said)
    }

    /// The pronunciations of a word that is written between spaces, in lower case; none where it has no line.
    pub fn word(&self, word: &str) -> Option<Vec<&[u16]>> {
        let found = self.words.binary_search_by(|(w, _)| (**w).cmp(word));
        self.pronunciations(self.words[found.ok()?].1)
    }

    fn pronunciations(&self, span: Span) -> Option<Vec<&[u16]>> {
        let one = |at: u32| {
            let [from, to] = [at, at + 1].map(|at| self.starts[at as usize] as usize);
            &self.flat[from..to]
        };
        (span.to > span.from).then(|| (span.from..span.to).map(one).collect())
    }
}

/// The ids of the sounds of `sounds.txt`.
pub(crate) fn sound_ids(text: &str) -> Result<HashMap<&str, u16>, ModelError> {
    let fail = |message: String| Err(ModelError::new(ModelErrorKind::Format, message));
    let mut ids = HashMap::new();
    for (line, sound) in text.lines().enumerate() {
        let Ok(id) = u16::try_from(line) else {
            return fail("sounds.txt: there are more than 65535 sounds".to_owned());
        };
        if ids.insert(sound, id).is_some() {
            return fail(format!(
                "sounds.txt: line {}: `{sound}` is there twice",
                line + 1
            ));
        }
    }
    if ids.is_empty() {
        return fail("sounds.txt: there are no sounds".to_owned());
    }
    Ok(ids)
}
