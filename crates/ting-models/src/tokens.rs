//! The token list: `tokens.txt`.

use std::collections::HashMap;
use std::ops::BitOr;

use crate::error::{ModelError, ModelErrorKind};

/// A set of languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Languages(u8);

impl Languages {
    /// Mandarin Chinese (`zh`).
    pub const CHINESE: Self = Self(1);
    /// English (`en`).
    pub const ENGLISH: Self = Self(2);
    /// Japanese (`ja`).
    pub const JAPANESE: Self = Self(4);
    /// Every language.
    pub const ALL: Self = Self(7);

    /// The language of an ISO 639-1 code.
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "zh" => Some(Self::CHINESE),
            "en" => Some(Self::ENGLISH),
            "ja" => Some(Self::JAPANESE),
            _ => None,
        }
    }

    /// Whether the two sets share a language.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Languages {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The tokens of a model by id.
///
/// The file has one token a line, the line number from 0 being its id, and after a tab the languages that use it
/// (`愛<tab>ja,zh`; none means all). Chinese and Japanese characters and punctuation marks are tokens of their own;
/// `▁` begins the first piece of a word that is written between spaces; `<...>` writes nothing.
#[derive(Clone, Debug)]
pub struct Tokens {
    entries: Vec<Entry>,
    ids: HashMap<String, u16>,
}

#[derive(Clone, Debug)]
struct Entry {
    piece: String,
    languages: Languages,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Special,
    Cjk,
    Punctuation,
    WordStart,
    WordPart,
}

/// Begins the first piece of a word, as SentencePiece writes it.
const WORD_START: char = '▁';

impl Tokens {
    /// Reads the text of `tokens.txt`.
    ///
    /// # Errors
    /// `Format`, naming the line: an empty or repeated token, an unknown language, or more tokens than 65535.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let fail = |line: usize, what: String| {
            Err(ModelError::new(
                ModelErrorKind::Format,
                format!("line {}: {what}", line + 1),
            ))
        };
        let (mut entries, mut ids) = (Vec::new(), HashMap::new());
        for (line, content) in text.lines().enumerate() {
            let (piece, codes) = content.split_once('\t').unwrap_or((content, ""));
            if piece.is_empty() {
                return fail(line, "the token is empty".to_owned());
            }
            let mut languages = None::<Languages>;
            for code in codes
                .split(',')
                .map(str::trim)
                .filter(|code| !code.is_empty())
            {
                let Some(language) = Languages::parse(code) else {
                    return fail(line, format!("unknown language `{code}`; use zh, en or ja"));
                };
                languages = Some(languages.map_or(language, |l| l | language));
            }
            // 65535 is left free: the language model's file uses it for "none".
            let Some(id) = u16::try_from(line).ok().filter(|id| *id < u16::MAX) else {
                return fail(line, "there are more than 65535 tokens".to_owned());
            };
            if let Some(other) = ids.insert(piece.to_owned(), id) {
                return fail(line, format!("`{piece}` is already token {other}"));
            }
            let languages = languages.unwrap_or(Languages::ALL);
            entries.push(Entry {
                piece: piece.to_owned(),
                languages,
                kind: kind_of(piece),
            });
        }
        if entries.is_empty() {
            return fail(0, "there are no tokens".to_owned());
        }
        Ok(Self { entries, ids })
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Always false: a list without tokens is refused.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The token as the file writes it, or an empty string for an id that is none.
    pub fn piece(&self, id: usize) -> &str {
        self.entries.get(id).map_or("", |entry| &entry.piece)
    }

    /// The id of a token as the file writes it.
    pub fn id(&self, piece: &str) -> Option<usize> {
        self.ids.get(piece).map(|id| usize::from(*id))
    }

    /// What the token writes: without `▁`, and nothing for `<blank>` and its like.
    pub fn text(&self, id: usize) -> &str {
        match self.kind(id) {
            None | Some(Kind::Special) => "",
            Some(_) => {
                let piece = self.piece(id);
                piece.strip_prefix(WORD_START).unwrap_or(piece)
            }
        }
    }

    /// Whether the token is Chinese or Japanese characters, which are written without spaces.
    pub fn is_cjk(&self, id: usize) -> bool {
        self.kind(id) == Some(Kind::Cjk)
    }

    /// Whether the token is a punctuation mark.
    pub fn is_punctuation(&self, id: usize) -> bool {
        self.kind(id) == Some(Kind::Punctuation)
    }

    /// Whether the token begins a word: a piece with `▁`, or a CJK character, each of which is a word of its own.
    pub fn starts_word(&self, id: usize) -> bool {
        matches!(self.kind(id), Some(Kind::WordStart | Kind::Cjk))
    }

    /// Whether the token goes on with the word before it.
    pub fn is_word_part(&self, id: usize) -> bool {
        self.kind(id) == Some(Kind::WordPart)
    }

    /// The languages that use the token.
    pub fn languages(&self, id: usize) -> Languages {
        self.entries
            .get(id)
            .map_or(Languages::ALL, |entry| entry.languages)
    }

    /// For each id whether the token is used by one of `languages`. Special tokens always are.
    pub fn mask(&self, languages: Languages) -> Vec<bool> {
        let used = |e: &Entry| e.kind == Kind::Special || e.languages.intersects(languages);
        self.entries.iter().map(used).collect()
    }

    fn kind(&self, id: usize) -> Option<Kind> {
        self.entries.get(id).map(|entry| entry.kind)
    }
}

fn kind_of(piece: &str) -> Kind {
    if piece.len() > 2 && piece.starts_with('<') && piece.ends_with('>') {
        Kind::Special
    } else if piece.starts_with(WORD_START) {
        Kind::WordStart
    } else if piece.chars().all(is_punctuation) {
        Kind::Punctuation
    } else if piece.chars().all(is_cjk) {
        Kind::Cjk
    } else {
        Kind::WordPart
    }
}

fn is_punctuation(c: char) -> bool {
    // An apostrophe and a hyphen are parts of English words.
    matches!(
        c,
        '，' | '。' | '？' | '！' | '、' | '；' | '：' | ',' | '.' | '?' | '!' | ';' | ':' | '…'
    )
}

/// Han characters, kana, and the marks that stand for one of them.
fn is_cjk(c: char) -> bool {
    matches!(c,
        '々' | '〆' | '〇'
        | '\u{3041}'..='\u{3096}' | '\u{309d}' | '\u{309e}'   // hiragana
        | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30fe}'   // katakana and the long vowel mark
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}
