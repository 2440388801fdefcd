//! The marks of words: what the punctuation network and the recogniser say of them together.

use ting_models::{Punctuator, RecogniserWeights};

use crate::api::Word;

/// What the network said of the last partial: most partials have the words of the one before.
#[derive(Default)]
pub(crate) struct Said {
    words: Vec<String>,
    log_probs: Vec<f32>,
}

impl Said {
    /// As [`Punctuator::log_probs`] of a text that has not ended.
    fn of(&mut self, punctuator: &Punctuator, words: &[&str]) -> &[f32] {
        if self.words != words {
            self.log_probs = punctuator.log_probs(words, false);
            self.words = words.iter().map(|word| (*word).to_owned()).collect();
        }
        &self.log_probs
    }
}

/// Gives the words of a partial their marks, as [`punctuate`]; words that have too few words after them for the network's
/// look-ahead get none, so that a mark that is there stays as long as the words before and shortly after it do.
pub(crate) fn punctuate_partial(punctuator: &Punctuator, words: &mut [Word], said: &mut Said) {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let log_probs = said.of(punctuator, &texts);
    decide(punctuator, words, log_probs, false);
}

/// Gives the words of a whole text, in lower case and with the marks the recogniser wrote, the marks that are likeliest
/// after both. The last gets the end of a sentence.
pub(crate) fn punctuate(punctuator: &Punctuator, words: &mut [Word]) {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let log_probs = punctuator.log_probs(&texts, true);
    decide(punctuator, words, &log_probs, true);
}

fn decide(punctuator: &Punctuator, words: &mut [Word], log_probs: &[f32], ended: bool) {
    let config = punctuator.config();
    let mut rows = log_probs.chunks_exact(config.classes.len());
    let last = words.len().saturating_sub(1);
    for (i, word) in words.iter_mut().enumerate() {
        let Some(row) = rows.next() else {
            word.punctuation.clear();
            continue;
        };
        // The network has no exclamation mark: it is a full stop that the recogniser heard something in.
        let written = match word.punctuation.as_str() {
            "！" => "。",
            mark => mark,
        };
        let RecogniserWeights {
            place,
            kind,
            silence,
        } = config.recogniser;
        let score = |class: usize| {
            let mark = config.classes[class].as_str();
            let added = match (written, mark) {
                ("", "_") => silence,
                ("", _) | (_, "_") => 0.0,
                (written, mark) if written == mark => place + kind,
                _ => place,
            };
            row[class] + added
        };
        let ends = ended && i == last;
        let best = config
            .classes
            .iter()
            .enumerate()
            .filter(|(_, mark)| if ends { is_end(mark) } else { is_mark(mark) })
            .max_by(|(a, _), (b, _)| score(*a).total_cmp(&score(*b)));
        let Some((_, mark)) = best else { continue };
        let exclaimed = word.punctuation == "！" && mark == "。" && config.recogniser.kind > 0.0;
        word.punctuation = match mark.as_str() {
            _ if exclaimed => "！".to_owned(),
            "_" => String::new(),
            mark => mark.to_owned(),
        };
    }
}

fn is_end(mark: &str) -> bool {
    matches!(mark, "。" | "？")
}

/// Whether the class is one to choose: all but `<unk>`.
fn is_mark(mark: &str) -> bool {
    matches!(mark, "_" | "，" | "、") || is_end(mark)
}

#[cfg(test)]
mod tests {
    use ting_models::Model;

    use super::{Said, Word, punctuate, punctuate_partial};

    /// Words from text with a space between any two, and marks after them.
    fn words(text: &str) -> Vec<Word> {
        let word = |piece: &str| {
            let text = piece.trim_end_matches(['，', '。', '？', '！', '、']);
            Word {
                begin_ms: 0,
                end_ms: 0,
                text: text.to_owned(),
                punctuation: piece[text.len()..].to_owned(),
            }
        };
        text.split_whitespace().map(word).collect()
    }

    #[test]
    fn the_network_and_the_recogniser_decide_together() {
        let model = Model::embedded().unwrap();
        let punctuator = model.punctuator.as_ref().unwrap();
        // What the recogniser wrote, whether the text has ended, what is made of it.
        let cases = [
            ("", true, ""),
            ("where is the station", true, "where is the station？"),
            ("where is the station。", true, "where is the station？"),
            ("你 喜 欢 吃 苹 果 吗。", true, "你 喜 欢 吃 苹 果 吗？"),
            ("i do not know，", true, "i do not know。"),
            ("we won the game！", true, "we won the game！"),
            // The network would write no comma here, and is less sure of it than the recogniser.
            (
                "we went home， and then we slept",
                true,
                "we went home， and then we slept。",
            ),
            // Of an open text the last words are not known yet, whatever the recogniser wrote.
            ("yes， i do。", false, "yes i do"),
        ];
        let mut failed = Vec::new();
        for (written, ended, want) in cases {
            let mut got = words(written);
            if ended {
                punctuate(punctuator, &mut got);
            } else {
                punctuate_partial(punctuator, &mut got, &mut Said::default());
            }
            let got: Vec<String> = got.into_iter().map(|w| w.text + &w.punctuation).collect();
            if got.join(" ") != want {
                failed.push((written, got.join(" "), want));
            }
        }
        assert!(failed.is_empty(), "(written, got, want): {failed:#?}");
    }
}
