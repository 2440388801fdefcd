//! Character and word error rates of one utterance.

use super::align::{Errors, Step, align, count};
use super::normalize::{is_cjk, normalize};

/// What an error rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Characters, spaces not counted (CER).
    Character,
    /// Words between spaces; a Chinese or Japanese character is a word of its own (WER).
    Word,
}

impl Unit {
    /// What the rate is called.
    pub(crate) fn rate_name(self) -> &'static str {
        match self {
            Self::Character => "CER",
            Self::Word => "WER",
        }
    }
}

/// Cuts normalised text into the units that are counted.
pub(crate) fn units(normalized: &str, unit: Unit) -> Vec<&str> {
    let mut units = Vec::new();
    for word in normalized.split(' ').filter(|word| !word.is_empty()) {
        let mut start = 0;
        for (at, c) in word.char_indices() {
            let end = at + c.len_utf8();
            if unit == Unit::Character {
                units.push(&word[at..end]);
            } else if is_cjk(c) {
                if start < at {
                    units.push(&word[start..at]);
                }
                units.push(&word[at..end]);
                start = end;
            }
        }
        if unit == Unit::Word && start < word.len() {
            units.push(&word[start..]);
        }
    }
    units
}

/// A reference and a hypothesis, normalised, so that alignments can borrow from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The reference, normalised.
    pub(crate) reference: String,
    /// The hypothesis, normalised.
    pub(crate) hypothesis: String,
}

impl Pair {
    /// Normalises both sides. Of several equally correct `references` (the spellings of a Japanese word) the one
    /// that makes the rate lowest counts; of equal ones the first. References without any unit are passed over
    /// while there is one with.
    pub(crate) fn new(references: &[&str], hypothesis: &str, unit: Unit) -> Self {
        let hypothesis = normalize(hypothesis);
        let mut best: Option<(f64, Self)> = None;
        for reference in references {
            let pair = Self {
                reference: normalize(reference),
                hypothesis: hypothesis.clone(),
            };
            let errors = pair.errors(unit);
            let rate = if errors.reference == 0 {
                f64::INFINITY
            } else {
                errors.rate()
            };
            if best.as_ref().is_none_or(|(least, _)| rate < *least) {
                best = Some((rate, pair));
            }
        }
        best.map_or_else(
            || Self {
                reference: String::new(),
                hypothesis,
            },
            |(_, pair)| pair,
        )
    }

    /// The alignment of the two.
    pub(crate) fn alignment(&self, unit: Unit) -> Vec<Step<'_>> {
        align(
            &units(&self.reference, unit),
            &units(&self.hypothesis, unit),
        )
    }

    /// The errors of the hypothesis.
    pub(crate) fn errors(&self, unit: Unit) -> Errors {
        count(&self.alignment(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::{Pair, Unit, units};

    #[test]
    fn units_of_text() {
        let cases: [(&str, Unit, &[&str]); 8] = [
            ("", Unit::Word, &[]),
            ("", Unit::Character, &[]),
            ("hello big world", Unit::Word, &["hello", "big", "world"]),
            ("a bc", Unit::Character, &["a", "b", "c"]),
            ("你好", Unit::Character, &["你", "好"]),
            ("你好", Unit::Word, &["你", "好"]),
            ("我用python写", Unit::Word, &["我", "用", "python", "写"]),
            ("データ base", Unit::Word, &["デ", "ー", "タ", "base"]),
        ];
        let failed: Vec<_> = cases
            .iter()
            .filter(|(text, unit, expected)| units(text, *unit) != *expected)
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn rates() {
        /// References, hypothesis, unit, (errors, units of the reference).
        type Case = (&'static [&'static str], &'static str, Unit, (usize, usize));
        let cases: [Case; 10] = [
            (&["Hello, world!"], "hello world", Unit::Word, (0, 2)),
            (&["hello world"], "hello word", Unit::Word, (1, 2)),
            (&["hello world"], "hello word", Unit::Character, (1, 10)),
            (&["今天天气很好。"], "今天天汽很好", Unit::Character, (1, 6)),
            (&["今天"], "", Unit::Character, (2, 2)),
            (&["。"], "啊", Unit::Character, (1, 0)),
            // Either form of a Japanese word is right, and the rate is over the form that was chosen.
            (&["〜丁目", "ちょうめ"], "ちょうめ", Unit::Character, (0, 4)),
            (&["〜丁目", "ちょうめ"], "丁目", Unit::Character, (0, 2)),
            (&["丁目", "ちょうめ"], "ちょうね", Unit::Character, (1, 4)),
            (&["〜", "から"], "あ", Unit::Character, (2, 2)),
        ];
        let mut failed = Vec::new();
        for (references, hypothesis, unit, expected) in cases {
            let errors = Pair::new(references, hypothesis, unit).errors(unit);
            if (errors.total(), errors.reference) != expected {
                failed.push((references, hypothesis, errors, expected));
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
