//! From tokens with times to words, and from words to the text of a sentence.

use ting_models::Tokens;

use crate::api::Word;

/// A token and when it was spoken, in ms from the first sample of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimedToken<'a> {
    pub(crate) token: u16,
    /// What is written instead of the token's own text; empty for the rest of a word whose first token writes it all.
    pub(crate) spelling: Option<&'a str>,
    pub(crate) begin_ms: u64,
    pub(crate) end_ms: u64,
}

/// How the marks of a sentence are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Chinese,
    Japanese,
}

/// Joins tokens into words: one per CJK character or English word, marks attached to the word before them.
///
/// Marks are written as the script around them does: `，。` in Chinese, `、。` in Japanese, `,` and `.` after Latin words.
/// English words that begin a sentence, and the pronoun I, get a capital.
pub(crate) fn words(tokens: &Tokens, timed: &[TimedToken<'_>]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    // Whether the next piece without a word start still belongs to the last word.
    let mut joinable = false;
    for piece in timed {
        let id = usize::from(piece.token);
        if tokens.is_punctuation(id) {
            if let Some(word) = words.last_mut().filter(|word| word.punctuation.is_empty()) {
                word.punctuation = tokens.text(id).to_owned();
            }
            joinable = false;
            continue;
        }
        if let (Some(""), Some(word)) = (piece.spelling, words.last_mut()) {
            word.end_ms = piece.end_ms;
            continue;
        }
        let text = piece.spelling.unwrap_or(tokens.text(id));
        if text.is_empty() {
            // A lone word start: what follows is a new word.
            joinable = false;
            continue;
        }
        let cjk = tokens.is_cjk(id);
        match words.last_mut() {
            Some(word) if joinable && !cjk && !tokens.starts_word(id) => {
                word.text.push_str(text);
                word.end_ms = piece.end_ms;
            }
            _ => words.push(Word {
                begin_ms: piece.begin_ms,
                end_ms: piece.end_ms,
                text: text.to_owned(),
                punctuation: String::new(),
            }),
        }
        joinable = !cjk;
    }
    let japanese = words.iter().any(|word| word.text.chars().any(is_kana));
    let mut begins_sentence = true;
    for word in &mut words {
        let script = match (is_latin(&word.text), japanese) {
            (true, _) => Script::Latin,
            (false, true) => Script::Japanese,
            (false, false) => Script::Chinese,
        };
        if script == Script::Latin {
            word.text = capitalize(&word.text, begins_sentence);
        }
        begins_sentence = matches!(word.punctuation.as_str(), "。" | "？" | "！");
        word.punctuation = render_mark(&word.punctuation, script).to_owned();
    }
    words
}

/// The text of a sentence: CJK words without spaces, spaces around words that are written with them.
pub(crate) fn text(words: &[Word]) -> String {
    let mut text = String::new();
    let mut spaced = false;
    for word in words {
        let latin = is_latin(&word.text);
        if !text.is_empty() && (latin || spaced) && !text.ends_with(is_wide_mark) {
            text.push(' ');
        }
        text.push_str(&word.text);
        text.push_str(&word.punctuation);
        spaced = latin;
    }
    text
}

fn is_latin(word: &str) -> bool {
    word.chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || c == '\'')
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}')
}

fn is_wide_mark(c: char) -> bool {
    matches!(c, '，' | '。' | '？' | '！' | '、')
}

fn render_mark(mark: &str, script: Script) -> &str {
    match (mark, script) {
        ("，", Script::Latin) => ",",
        ("。", Script::Latin) => ".",
        ("？", Script::Latin) => "?",
        ("！", Script::Latin) => "!",
        ("，", Script::Japanese) => "、",
        _ => mark,
    }
}

fn capitalize(word: &str, begins_sentence: bool) -> String {
    let is_i = word == "i" || word.starts_with("i'");
    let mut chars = word.chars();
    match chars.next() {
        Some(first) if begins_sentence || is_i => first.to_uppercase().chain(chars).collect(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        let list = [
            "<blank>", "，", "。", "？", "▁the", "▁i", "▁cat", "s", "'m", "▁", "好", "我", "の",
            "猫",
        ];
        Tokens::parse(&list.join("\n")).unwrap()
    }

    #[test]
    fn joins_pieces_and_writes_marks() {
        struct Case {
            pieces: &'static [&'static str],
            text: &'static str,
            words: &'static [&'static str],
        }
        let cases = [
            Case {
                pieces: &["好", "，", "我"],
                text: "好，我",
                words: &["好", "我"],
            },
            Case {
                pieces: &["▁the", "▁cat", "s", "。"],
                text: "The cats.",
                words: &["The", "cats"],
            },
            Case {
                pieces: &["▁cat", "，", "▁i", "'m"],
                text: "Cat, I'm",
                words: &["Cat", "I'm"],
            },
            Case {
                pieces: &["▁cat", "。", "▁the"],
                text: "Cat. The",
                words: &["Cat", "The"],
            },
            Case {
                pieces: &["猫", "の", "，", "猫"],
                text: "猫の、猫",
                words: &["猫", "の", "猫"],
            },
            Case {
                pieces: &["我", "▁cat", "？", "我"],
                text: "我 cat? 我",
                words: &["我", "cat", "我"],
            },
            Case {
                pieces: &["，", "好", "。", "，"],
                text: "好。",
                words: &["好"],
            },
            Case {
                pieces: &["▁", "s", "▁", "s"],
                text: "S s",
                words: &["S", "s"],
            },
            Case {
                pieces: &[],
                text: "",
                words: &[],
            },
        ];
        let tokens = tokens();
        let mut failed = Vec::new();
        for case in cases {
            let timed: Vec<TimedToken> = case
                .pieces
                .iter()
                .enumerate()
                .map(|(i, piece)| TimedToken {
                    token: tokens.id(piece).unwrap() as u16,
                    spelling: None,
                    begin_ms: 100 * i as u64,
                    end_ms: 100 * i as u64 + 100,
                })
                .collect();
            let words = words(&tokens, &timed);
            let got: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            if text(&words) != case.text || got != case.words {
                failed.push(format!("{:?}: {} {got:?}", case.pieces, text(&words)));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
