//! What kind of character or word something is.

use crate::Word;

/// Whether `c` is written without spaces around it: Han characters and kana.
pub(crate) fn is_cjk(c: char) -> bool {
    is_kana(c)
        || matches!(c,
            '\u{3005}'..='\u{3007}'
            | '\u{3100}'..='\u{312f}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}')
}

/// Whether `c` is hiragana, katakana or the prolonged sound mark.
pub(crate) fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}')
}

/// Whether `c` is a letter of a script that writes spaces.
pub(crate) fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_cjk(c)
}

/// A mark that takes the room of a CJK character, so that no space follows it.
pub(crate) fn is_wide_mark(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{301f}' | '\u{ff01}'..='\u{ff5e}' | '…')
}

/// Whether a mark ends a sentence.
pub(crate) fn ends_sentence(mark: &str) -> bool {
    mark.contains(['。', '？', '！', '.', '?', '!'])
}

/// Whether the words are Japanese: kana is written in no other language.
pub(crate) fn is_japanese(words: &[Word]) -> bool {
    words.iter().any(|word| word.text.chars().any(is_kana))
}
