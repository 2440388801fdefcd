//! From tokens with times to words.

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

/// Joins tokens into words: one per CJK character or English word, marks attached to the word before them. Case and marks
/// are those of the token list; `ting_text` writes them as one does.
pub(crate) fn join(tokens: &Tokens, timed: &[TimedToken<'_>]) -> Vec<Word> {
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
    words
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
    fn joins_pieces_and_attaches_marks() {
        struct Case {
            pieces: &'static [&'static str],
            /// Each with the mark after it.
            words: &'static [&'static str],
        }
        let cases = [
            Case {
                pieces: &["好", "，", "我"],
                words: &["好，", "我"],
            },
            Case {
                pieces: &["▁the", "▁cat", "s", "。"],
                words: &["the", "cats。"],
            },
            Case {
                pieces: &["▁cat", "，", "▁i", "'m"],
                words: &["cat，", "i'm"],
            },
            Case {
                pieces: &["猫", "の", "，", "猫"],
                words: &["猫", "の，", "猫"],
            },
            Case {
                pieces: &["我", "▁cat", "？", "我"],
                words: &["我", "cat？", "我"],
            },
            Case {
                pieces: &["，", "好", "。", "，"],
                words: &["好。"],
            },
            Case {
                pieces: &["▁", "s", "▁", "s"],
                words: &["s", "s"],
            },
            Case {
                pieces: &[],
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
            let got: Vec<String> = join(&tokens, &timed)
                .iter()
                .map(|word| format!("{}{}", word.text, word.punctuation))
                .collect();
            if got != case.words {
                failed.push(format!("{:?}: {got:?}", case.pieces));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
