//! What a list of hotwords does: which of its words are found, which are written where nobody said them, and what it costs.

use std::collections::HashSet;

use serde::Serialize;
use ting_engine::Hotword;

use super::report::Scored;
use crate::score::normalize::{is_cjk, normalize};
use crate::table::markdown;

/// What a list did in one set, or in all of them together.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Found {
    set: String,
    /// Words of the list that were said.
    said: usize,
    /// Those of them that were written, without the list and with it.
    found: [usize; 2],
    /// Words of the list that were written and not said.
    inserted: [usize; 2],
    /// Recordings with such a word.
    with_insertions: [usize; 2],
    utterances: usize,
    /// Names of up to 10 words that were said and not written with the list, and of those written and not said.
    missed_words: Vec<String>,
    inserted_words: Vec<String>,
}

/// A list against what was recognised without it and with it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Effect {
    words: usize,
    sets: Vec<Found>,
    /// Processor time with the list over that without it, less one.
    cost: f64,
}

/// Compares the same recordings recognised without `hotwords` (`plain`) and with them (`listed`).
pub(crate) fn effect(hotwords: &[Hotword], plain: &[Scored], listed: &[Scored]) -> Effect {
    let words: HashSet<String> = hotwords.iter().map(|word| normalize(&word.text)).collect();
    let mut words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.sort();
    let mut sets: Vec<Found> = Vec::new();
    for (plain, listed) in plain.iter().zip(listed) {
        if sets.last().is_none_or(|set| set.set != plain.set) {
            sets.push(Found {
                set: plain.set.clone(),
                ..Found::default()
            });
        }
        if let Some(set) = sets.last_mut() {
            set.add(
                &words,
                &plain.reference,
                [&plain.hypothesis, &listed.hypothesis],
            );
        }
    }
    if sets.len() > 1 {
        let mut all = Found {
            set: "all".to_owned(),
            ..Found::default()
        };
        for set in &sets {
            all.merge(set);
        }
        sets.push(all);
    }
    let seconds = |scored: &[Scored]| scored.iter().map(|s| s.seconds).sum::<f64>();
    let before = seconds(plain);
    Effect {
        words: words.len(),
        sets,
        cost: if before > 0.0 {
            seconds(listed) / before - 1.0
        } else {
            0.0
        },
    }
}

impl Found {
    fn add(&mut self, words: &[String], reference: &str, hypotheses: [&str; 2]) {
        let reference = normalize(reference);
        let hypotheses = hypotheses.map(normalize);
        self.utterances += 1;
        let mut clean = [true; 2];
        for word in words {
            let said = count(&reference, word);
            self.said += said;
            for (i, hypothesis) in hypotheses.iter().enumerate() {
                let written = count(hypothesis, word);
                self.found[i] += written.min(said);
                self.inserted[i] += written.saturating_sub(said);
                clean[i] &= written <= said;
                if i == 1 && written != said {
                    let list = if written < said {
                        &mut self.missed_words
                    } else {
                        &mut self.inserted_words
                    };
                    list.push(word.clone());
                }
            }
        }
        for (with, clean) in self.with_insertions.iter_mut().zip(clean) {
            *with += usize::from(!clean);
        }
        self.missed_words.truncate(10);
        self.inserted_words.truncate(10);
    }

    fn merge(&mut self, other: &Self) {
        self.said += other.said;
        self.utterances += other.utterances;
        for i in 0..2 {
            self.found[i] += other.found[i];
            self.inserted[i] += other.inserted[i];
            self.with_insertions[i] += other.with_insertions[i];
        }
    }
}

/// How often `word` is in `text`, both normalised. Words of letters are only there between others.
fn count(text: &str, word: &str) -> usize {
    let spaced = |c: Option<char>| c.is_some_and(|c| !is_cjk(c) && c != ' ');
    text.match_indices(word)
        .filter(|(at, _)| {
            let before = text[..*at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            let begins_whole = !(spaced(before) && spaced(word.chars().next()));
            let ends_whole = !(spaced(after) && spaced(word.chars().next_back()));
            begins_whole && ends_whole
        })
        .count()
}

impl Effect {
    /// The table of it, and what it missed.
    pub(crate) fn report(&self) -> String {
        let percent = |part: usize, whole: usize| match whole {
            0 => "-".to_owned(),
            _ => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
        };
        let row = |found: &Found| {
            vec![
                found.set.clone(),
                found.said.to_string(),
                percent(found.found[0], found.said),
                percent(found.found[1], found.said),
                found.inserted[0].to_string(),
                found.inserted[1].to_string(),
                found.utterances.to_string(),
                percent(found.with_insertions[1], found.utterances),
            ]
        };
        let header = [
            "set",
            "listed words said",
            "found without the list",
            "found with it",
            "inserted without",
            "inserted with",
            "utterances",
            "of them with an insertion",
        ];
        let rows: Vec<Vec<String>> = self.sets.iter().map(row).collect();
        let mut report =
            format!("\nhotwords: {} words\n\n", self.words) + &markdown(&header, &rows);
        report += &format!(
            "\nthe list costs {:+.1} % processor time\n",
            100.0 * self.cost
        );
        for set in self.sets.iter().filter(|set| !set.missed_words.is_empty()) {
            report += &format!(
                "{}: not found, among others: {}\n",
                set.set,
                set.missed_words.join(", ")
            );
        }
        for set in self
            .sets
            .iter()
            .filter(|set| !set.inserted_words.is_empty())
        {
            report += &format!(
                "{}: inserted, among others: {}\n",
                set.set,
                set.inserted_words.join(", ")
            );
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, count};

    #[test]
    fn words_are_counted_whole() {
        let cases = [
            ("吴贻弓和吴贻弓", "吴贻弓", 2),
            ("anna and ann", "ann", 1),
            ("ann's", "ann", 0),
            ("marek kowalski's", "marek", 1),
            ("我用ting说话", "ting", 1),
            ("", "ting", 0),
        ];
        let failed: Vec<_> = cases
            .iter()
            .filter(|(text, word, want)| count(text, word) != *want)
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn finds_and_insertions_are_told_apart() {
        let words = ["ann".to_owned(), "bob".to_owned()];
        let mut found = Found::default();
        found.add(&words, "Ann and Ann.", ["and an", "Ann and Bob"]);
        found.add(&words, "Nobody", ["bob ann", "nobody"]);
        assert_eq!(found.said, 2);
        assert_eq!(found.found, [0, 1]);
        assert_eq!(found.inserted, [2, 1]);
        assert_eq!(found.with_insertions, [1, 1]);
        assert_eq!(found.missed_words, ["ann"]);
        assert_eq!(found.inserted_words, ["bob"]);
    }
}
