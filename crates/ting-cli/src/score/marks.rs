//! Precision and recall of punctuation marks, on text that may have wrong words.

use super::align::{Step, align};
use super::normalize::{is_cjk, normalize};
use super::rate::{Unit, units};

/// The marks that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mark {
    /// `，` and `,`, also for `；` and `：`; in Japanese `、`.
    Comma,
    /// `。` and `.`, also for `！` and `…`.
    Stop,
    /// `？` and `?`.
    Question,
    /// The `、` of Chinese lists.
    Pause,
}

impl Mark {
    /// All of them, in the order of reports.
    pub(crate) const ALL: [Self; 4] = [Self::Comma, Self::Stop, Self::Question, Self::Pause];

    /// The mark as it is written in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Comma => "，",
            Self::Stop => "。",
            Self::Question => "？",
            Self::Pause => "、",
        }
    }

    fn of(c: char, japanese: bool) -> Option<Self> {
        match c {
            '、' if japanese => Some(Self::Comma),
            '、' => Some(Self::Pause),
            '，' | ',' | '；' | ';' | '：' | ':' => Some(Self::Comma),
            '。' | '.' | '！' | '!' | '…' => Some(Self::Stop),
            '？' | '?' => Some(Self::Question),
            _ => None,
        }
    }

    fn ends_sentence(self) -> bool {
        matches!(self, Self::Stop | Self::Question)
    }
}

/// How often a mark was written, and how often rightly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct MarkCounts {
    /// In references.
    pub(crate) reference: usize,
    /// In hypotheses.
    pub(crate) hypothesis: usize,
    /// In both at the same place.
    pub(crate) both: usize,
}

impl MarkCounts {
    /// Of the marks that were written, the share that is right; None without any.
    pub(crate) fn precision(&self) -> Option<f64> {
        (self.hypothesis > 0).then(|| self.both as f64 / self.hypothesis as f64)
    }

    /// Of the marks in the references, the share that was written; None without any.
    pub(crate) fn recall(&self) -> Option<f64> {
        (self.reference > 0).then(|| self.both as f64 / self.reference as f64)
    }

    /// The harmonic mean of both; None when there is nothing to count.
    pub(crate) fn f1(&self) -> Option<f64> {
        let all = self.reference + self.hypothesis;
        (all > 0).then(|| 2.0 * self.both as f64 / all as f64)
    }

    /// The sum of both.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            reference: self.reference + other.reference,
            hypothesis: self.hypothesis + other.hypothesis,
            both: self.both + other.both,
        }
    }
}

/// Counts the marks of `hypothesis` against those of `reference`, in the order of [`Mark::ALL`].
///
/// The words of both sides are aligned first. A mark is at its place when it stands between the same two aligned words,
/// so that words left out or put in beside it do not count. A reference without a mark at its end says nothing of
/// what belongs there, and neither side's end of the sentence is counted.
pub(crate) fn count(reference: &str, hypothesis: &str, japanese: bool) -> [MarkCounts; 4] {
    let (reference, hypothesis) = (
        marked_units(reference, japanese),
        marked_units(hypothesis, japanese),
    );
    fn texts(units: &[(String, Option<Mark>)]) -> Vec<&str> {
        units.iter().map(|(unit, _)| unit.as_str()).collect()
    }
    let mut counts = [MarkCounts::default(); 4];
    let mut places: Vec<(Vec<Mark>, Vec<Mark>)> = vec![(Vec::new(), Vec::new())];
    let (mut left, mut right) = (reference.iter(), hypothesis.iter());
    for step in align(&texts(&reference), &texts(&hypothesis)) {
        if matches!(step, Step::Match(_) | Step::Substitution(..)) {
            places.push((Vec::new(), Vec::new()));
        }
        let Some((in_reference, in_hypothesis)) = places.last_mut() else {
            continue;
        };
        if !matches!(step, Step::Insertion(_)) {
            in_reference.extend(left.next().and_then(|(_, mark)| *mark));
        }
        if !matches!(step, Step::Deletion(_)) {
            in_hypothesis.extend(right.next().and_then(|(_, mark)| *mark));
        }
    }
    let ended = reference.last().is_none_or(|(_, mark)| mark.is_some());
    if let (false, Some((_, in_hypothesis))) = (ended, places.last_mut()) {
        in_hypothesis.retain(|mark| !mark.ends_sentence());
    }
    for (in_reference, in_hypothesis) in places {
        for (mark, counts) in Mark::ALL.into_iter().zip(&mut counts) {
            let of = |marks: &[Mark]| marks.iter().filter(|m| **m == mark).count();
            let (reference, hypothesis) = (of(&in_reference), of(&in_hypothesis));
            *counts = counts.plus(&MarkCounts {
                reference,
                hypothesis,
                both: reference.min(hypothesis),
            });
        }
    }
    counts
}

/// The normalised words of a text, characters of Chinese and Japanese one by one, and the mark after each.
fn marked_units(text: &str, japanese: bool) -> Vec<(String, Option<Mark>)> {
    let mut marked: Vec<(String, Option<Mark>)> = Vec::new();
    let mut rest = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // `3.5`, `1,000` and `a.m.` are words.
        let inside = c.is_ascii()
            && chars
                .peek()
                .is_some_and(|next| next.is_alphanumeric() && !is_cjk(*next));
        match Mark::of(c, japanese).filter(|_| !inside) {
            None => rest.push(c),
            Some(mark) => {
                push_units(&mut marked, &rest);
                rest.clear();
                if let Some((_, after)) = marked.last_mut() {
                    after.get_or_insert(mark);
                }
            }
        }
    }
    push_units(&mut marked, &rest);
    marked
}

fn push_units(marked: &mut Vec<(String, Option<Mark>)>, text: &str) {
    let text = normalize(text);
    let words = units(&text, Unit::Word);
    marked.extend(words.into_iter().map(|unit| (unit.to_owned(), None)));
}

#[cfg(test)]
mod tests {
    use super::{Mark, count, marked_units};

    #[test]
    fn marks_are_read_after_their_words() {
        let cases = [
            ("你好，世界。", "你 好， 世 界。"),
            ("Hello, world!", "hello， world。"),
            ("at 3.5 or 1,000?", "at 3.5 or 1000？"),
            ("really?! yes…", "really？ yes。"),
            ("。好", "好"),
            ("我用 Python，好吗？", "我 用 python， 好 吗？"),
            ("", ""),
        ];
        let mut failed = Vec::new();
        for (text, want) in cases {
            let words = marked_units(text, false).into_iter();
            let words = words.map(|(word, mark)| word + mark.map_or("", Mark::name));
            let got = words.collect::<Vec<_>>().join(" ");
            if got != want {
                failed.push((text, got, want));
            }
        }
        assert!(failed.is_empty(), "(text, got, want): {failed:#?}");
    }

    #[test]
    fn marks_count_at_their_place() {
        // reference, hypothesis, (in reference, in hypothesis, in both) of comma, stop, question, pause
        type Counts = [(usize, usize, usize); 4];
        let none = (0, 0, 0);
        let cases: [(&str, &str, Counts); 9] = [
            (
                "好，我去。",
                "好，我去。",
                [(1, 1, 1), (1, 1, 1), none, none],
            ),
            (
                "好，我去。",
                "好我去？",
                [(1, 0, 0), (1, 0, 0), (0, 1, 0), none],
            ),
            (
                "好，我去。",
                "好我，去。",
                [(1, 1, 0), (1, 1, 1), none, none],
            ),
            // A wrong word, one left out and one put in beside the mark.
            ("好，我去。", "号，我。", [(1, 1, 1), (1, 1, 1), none, none]),
            (
                "Well, I go.",
                "Well um, I go.",
                [(1, 1, 1), (1, 1, 1), none, none],
            ),
            // Nobody says what this one ends with.
            ("好我去", "好我去？", [none; 4]),
            ("好我去", "好，我去。", [(0, 1, 0), none, none, none]),
            ("红、黄。", "红、黄。", [none, (1, 1, 1), none, (1, 1, 1)]),
            ("好。", "", [none, (1, 0, 0), none, none]),
        ];
        let mut failed = Vec::new();
        for (reference, hypothesis, want) in cases {
            let counts = count(reference, hypothesis, false);
            let got = counts.map(|c| (c.reference, c.hypothesis, c.both));
            if got != want {
                failed.push((reference, hypothesis, got, want));
            }
        }
        assert!(
            failed.is_empty(),
            "(reference, hypothesis, got, want): {failed:#?}"
        );
        let japanese = count("猫、犬。", "猫，犬。", true);
        assert_eq!((japanese[0].both, japanese[3].reference), (1, 0));
    }
}
