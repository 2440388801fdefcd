//! The marks of words: what the punctuation network and the recogniser say of them together.

use ting_models::{Punctuator, RecogniserWeights};

use crate::api::Word;

/// Gives `words`, in lower case and with the marks the recogniser wrote, the marks that are likeliest after both.
///
/// Of a text that has `ended` the last word gets the end of a sentence. Before that, words that have too few words after them
/// for the network's look-ahead get none: a mark that is there stays as long as the words before and shortly after
/// it do.
pub(crate) fn punctuate(punctuator: &Punctuator, words: &mut [Word], ended: bool) {
    let config = punctuator.config();
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let log_probs = punctuator.log_probs(&texts, ended);
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
