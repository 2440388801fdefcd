//! Words from text, as the recogniser would give them.

use ting_text::Word;

/// Length of a word made by [`words`], in ms. They follow each other without a pause.
pub(crate) const WORD_MS: u64 = 100;

/// The words of a text: a word for each CJK character and each piece between spaces, with the marks after it.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut joinable = false;
    for c in text.chars() {
        if c.is_whitespace() {
            joinable = false;
        } else if "，。？！、；：,?!".contains(c) {
            if let Some(word) = words.last_mut() {
                word.punctuation.push(c);
            }
            joinable = false;
        } else if c >= '\u{3005}' && !('\u{ff00}'..='\u{ff60}').contains(&c) {
            words.push(word(words.len(), c));
            joinable = false;
        } else if joinable {
            if let Some(word) = words.last_mut() {
                word.text.push(c);
            }
        } else {
            words.push(word(words.len(), c));
            joinable = true;
        }
    }
    words
}

fn word(index: usize, c: char) -> Word {
    let begin_ms = index as u64 * WORD_MS;
    Word {
        begin_ms,
        end_ms: begin_ms + WORD_MS,
        text: c.to_string(),
        punctuation: String::new(),
    }
}
