//! Marks as the words around them write them.

use crate::Word;
use crate::script::{ends_sentence, is_cjk, is_japanese, is_letter};

/// How many words of each script there are.
#[derive(Clone, Copy, Default)]
struct Count {
    cjk: usize,
    spaced: usize,
}

impl Count {
    fn add(&mut self, word: &Word) {
        self.cjk += word.text.chars().filter(|c| is_cjk(*c)).count();
        self.spaced += usize::from(word.text.chars().any(is_letter));
    }

    /// Whether there are more CJK characters than other words; none when there are as many.
    fn is_wide(self) -> Option<bool> {
        match self.cjk.cmp(&self.spaced) {
            std::cmp::Ordering::Less => Some(false),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(true),
        }
    }
}

/// Writes each mark as the clause before it does: `，。` after Chinese, `、。` after Japanese, `,` and `.` after other words.
///
/// The clause is what stands since the mark before. If it has as many CJK characters as other words, the word before the
/// mark decides, and where that is a number, the whole sentence.
pub(crate) fn apply(words: &mut [Word]) {
    let japanese = is_japanese(words);
    let mut whole = Count::default();
    for word in words.iter() {
        whole.add(word);
    }
    let mut clause = Count::default();
    for word in words {
        clause.add(word);
        if word.punctuation.is_empty() {
            continue;
        }
        let mut last = Count::default();
        last.add(word);
        let wide = clause
            .is_wide()
            .or_else(|| last.is_wide())
            .or_else(|| whole.is_wide())
            .unwrap_or(false);
        word.punctuation = word
            .punctuation
            .chars()
            .map(|mark| glyph(mark, wide, japanese))
            .collect();
        clause = Count::default();
    }
}

fn glyph(mark: char, wide: bool, japanese: bool) -> char {
    match (mark, wide) {
        ('，' | '、', false) => ',',
        ('。', false) => '.',
        ('？', false) => '?',
        ('！', false) => '!',
        ('；', false) => ';',
        ('：', false) => ':',
        (',' | '，' | '、', true) if japanese => '、',
        (',', true) => '，',
        ('.', true) => '。',
        ('?', true) => '？',
        ('!', true) => '！',
        (';', true) => '；',
        (':', true) => '：',
        _ => mark,
    }
}

/// The mark that stays when a word between two marks goes: the one that ends a sentence, else the first.
pub(crate) fn stronger(first: &str, second: &str) -> bool {
    !ends_sentence(first) && (first.is_empty() || ends_sentence(second))
}
