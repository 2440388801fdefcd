//! How much of what partials show is changed later: by the final, and within the pass that makes them.

use std::collections::BTreeMap;

use serde::Serialize;
use ting_engine::{Event, Sentence, Word};

use super::report::Scored;
use crate::score::align::{Step, align};
use crate::table::markdown;

/// Counts of one recording or of many.
///
/// A word of a partial is changed by the final when it has no equal in the alignment of the partial with the beginning of
/// the final that fits it best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Stability {
    /// Partials of sentences that ended.
    pub(crate) partials: usize,
    /// Their words, those of each partial counted.
    pub(crate) words: usize,
    /// Of these, words whose text the final changes.
    pub(crate) changed: usize,
    /// Of these, words whose text or punctuation the final changes.
    pub(crate) changed_or_marked: usize,
    /// Words that were fixed in some partial, each counted once.
    pub(crate) fixed: usize,
    /// Of these, words of which a later partial has another text or punctuation.
    pub(crate) fixed_broken: usize,
    /// Of these, words whose text the final changes.
    pub(crate) fixed_changed: usize,
}

impl Stability {
    fn plus(self, other: &Self) -> Self {
        Self {
            partials: self.partials + other.partials,
            words: self.words + other.words,
            changed: self.changed + other.changed,
            changed_or_marked: self.changed_or_marked + other.changed_or_marked,
            fixed: self.fixed + other.fixed,
            fixed_broken: self.fixed_broken + other.fixed_broken,
            fixed_changed: self.fixed_changed + other.fixed_changed,
        }
    }
}

/// Counts while a recording is recognised.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    done: Stability,
    /// Words of the partials of the open sentence.
    partials: Vec<Vec<Word>>,
    /// The words that are fixed so far, as they were when they became it, and whether a later partial changed them.
    fixed: Vec<(Word, bool)>,
}

impl Watch {
    /// Takes the task's next event.
    pub(crate) fn see(&mut self, event: &Event) {
        match event {
            Event::Partial { sentence } => self.partial(sentence),
            Event::Final { sentence, .. } => self.end(sentence),
            _ => {}
        }
    }

    /// The counts of all sentences that ended.
    pub(crate) fn counts(&self) -> Stability {
        self.done
    }

    fn partial(&mut self, sentence: &Sentence) {
        let words = &sentence.words;
        for (i, (word, broken)) in self.fixed.iter_mut().enumerate() {
            let same = |now: &Word| now.text == word.text && now.punctuation == word.punctuation;
            *broken |= !words.get(i).is_some_and(same);
        }
        let more = words.iter().take(sentence.fixed).skip(self.fixed.len());
        let more: Vec<_> = more.map(|word| (word.clone(), false)).collect();
        self.fixed.extend(more);
        self.partials.push(words.clone());
    }

    fn end(&mut self, last: &Sentence) {
        let text = |word: &Word| word.text.clone();
        let marked = |word: &Word| format!("{}{}", word.text, word.punctuation);
        for words in std::mem::take(&mut self.partials) {
            self.done.partials += 1;
            self.done.words += words.len();
            self.done.changed += changed(&words, &last.words, text);
            self.done.changed_or_marked += changed(&words, &last.words, marked);
        }
        let fixed = std::mem::take(&mut self.fixed);
        self.done.fixed += fixed.len();
        self.done.fixed_broken += fixed.iter().filter(|(_, broken)| *broken).count();
        let fixed: Vec<Word> = fixed.into_iter().map(|(word, _)| word).collect();
        self.done.fixed_changed += changed(&fixed, &last.words, text);
    }
}

/// Words of `partial` that have no equal in the beginning of `last` that fits it best, compared by `key`.
fn changed(partial: &[Word], last: &[Word], key: impl Fn(&Word) -> String) -> usize {
    let partial: Vec<String> = partial.iter().map(&key).collect();
    let last: Vec<String> = last.iter().map(&key).collect();
    // Errors of the whole partial against the first j words of the final.
    let mut errors: Vec<usize> = (0..=last.len()).collect();
    for word in &partial {
        let mut diagonal = errors[0];
        errors[0] += 1;
        for (j, other) in last.iter().enumerate() {
            let best = (diagonal + usize::from(word != other))
                .min(errors[j] + 1)
                .min(errors[j + 1] + 1);
            diagonal = std::mem::replace(&mut errors[j + 1], best);
        }
    }
    // Of beginnings that fit alike the longest: it has most of the words to be found.
    let fits = (0..errors.len()).rev().min_by_key(|j| errors[*j]);
    let fits = fits.unwrap_or(0);
    let reference: Vec<&str> = last[..fits].iter().map(String::as_str).collect();
    let hypothesis: Vec<&str> = partial.iter().map(String::as_str).collect();
    let kept = align(&reference, &hypothesis)
        .iter()
        .filter(|step| matches!(step, Step::Match(_)))
        .count();
    hypothesis.len() - kept
}

/// The counts per language as a table of shares; empty when there was no partial.
pub(crate) fn table(scored: &[Scored]) -> String {
    let mut groups: BTreeMap<_, Stability> = BTreeMap::new();
    for utterance in scored {
        let sum = groups.entry(utterance.language).or_default();
        *sum = sum.plus(&utterance.stability);
    }
    let share = |part: usize, of: usize| match of {
        0 => "-".to_owned(),
        _ => format!("{:.2} %", 100.0 * part as f64 / of as f64),
    };
    let rows: Vec<Vec<String>> = groups
        .iter()
        .filter(|(_, counts)| counts.partials > 0)
        .map(|(language, counts)| {
            vec![
                language.name().to_owned(),
                counts.partials.to_string(),
                counts.words.to_string(),
                share(counts.changed, counts.words),
                share(counts.changed_or_marked, counts.words),
                counts.fixed.to_string(),
                share(counts.fixed_broken, counts.fixed),
                share(counts.fixed_changed, counts.fixed),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = [
        "language",
        "partials",
        "words in them",
        "changed by the final",
        "or its mark",
        "fixed words",
        "changed by a partial",
        "changed by the final",
    ];
    markdown(&header, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let word = |text: &str| {
            let bare = text.trim_end_matches([',', '.']);
            Word {
                begin_ms: 0,
                end_ms: 0,
                text: bare.to_owned(),
                punctuation: text[bare.len()..].to_owned(),
            }
        };
        text.split_whitespace().map(word).collect()
    }

    fn sentence(text: &str, fixed: usize) -> Sentence {
        Sentence {
            id: 1,
            begin_ms: 0,
            end_ms: 0,
            text: text.to_owned(),
            words: words(text),
            fixed,
            first: false,
        }
    }

    #[test]
    fn words_that_the_final_lacks_are_changed() {
        let cases = [
            ("", "a b c", 0),
            ("a b", "a b c", 0),
            ("a x", "a b c", 1),
            ("a b c d", "a b", 2),
            ("a b", "", 2),
            // What the final adds in between changes no word.
            ("a c", "a b c d e", 0),
            ("the world is night", "the weather is nice today", 2),
        ];
        let text = |word: &Word| word.text.clone();
        let failed: Vec<_> = cases
            .into_iter()
            .map(|(partial, last, want)| {
                (partial, changed(&words(partial), &words(last), text), want)
            })
            .filter(|(_, got, want)| got != want)
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn counts_over_a_sentence() {
        let mut watch = Watch::default();
        let last = |text| Event::Final {
            sentence: sentence(text, 3),
            audio_ms: 0,
        };
        for (text, fixed) in [("a", 0), ("a b", 1), ("a. b c", 2)] {
            let sentence = sentence(text, fixed);
            watch.see(&Event::Partial { sentence });
        }
        watch.see(&last("a x c"));
        let want = Stability {
            partials: 3,
            words: 6,
            changed: 2,
            changed_or_marked: 3,
            fixed: 2,
            fixed_broken: 1,
            fixed_changed: 1,
        };
        assert_eq!(watch.counts(), want);
        // The next sentence begins anew.
        watch.see(&last("d"));
        assert_eq!(watch.counts(), want);
    }
}
