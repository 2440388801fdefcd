//! Putting recognised pieces of text together.

use crate::score::normalize::is_cjk;

/// Appends a sentence to a text. A space goes between them unless one of the two sides is Chinese or Japanese, whose
/// sentences follow each other without.
pub(crate) fn append_sentence(text: &mut String, sentence: &str) {
    let sentence = sentence.trim();
    // An empty sentence must not leave a space behind.
    if let (Some(last), Some(first)) = (text.chars().next_back(), sentence.chars().next())
        && !is_wide(last)
        && !is_wide(first)
    {
        text.push(' ');
    }
    text.push_str(sentence);
}

/// CJK characters and the punctuation that goes with them.
fn is_wide(c: char) -> bool {
    is_cjk(c) || matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff60}')
}

#[cfg(test)]
mod tests {
    use super::append_sentence;

    #[test]
    fn sentences_of_every_script() {
        let cases: [(&[&str], &str); 6] = [
            (&[], ""),
            (&["hello."], "hello."),
            (&["hello.", "good bye."], "hello. good bye."),
            (&["你好。", "再见。"], "你好。再见。"),
            (&["你好。", "Hello.", "再见"], "你好。Hello.再见"),
            (&["hello ", "", " world"], "hello world"),
        ];
        let mut failed = Vec::new();
        for (sentences, expected) in cases {
            let mut text = String::new();
            for sentence in sentences {
                append_sentence(&mut text, sentence);
            }
            if text != expected {
                failed.push((sentences, text, expected));
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
