//! Minimum edit distance between two sequences, with the alignment behind it.

/// One column of an alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// The same unit on both sides.
    Match(&'a str),
    /// The reference has the first, the hypothesis the second.
    Substitution(&'a str, &'a str),
    /// The reference has a unit that the hypothesis lacks.
    Deletion(&'a str),
    /// The hypothesis has a unit that the reference lacks.
    Insertion(&'a str),
}

/// Errors of a hypothesis against a reference, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Errors {
    /// Units of the reference replaced by another.
    pub(crate) substitutions: usize,
    /// Units of the reference that are missing.
    pub(crate) deletions: usize,
    /// Units that the reference does not have.
    pub(crate) insertions: usize,
    /// Units of the reference.
    pub(crate) reference: usize,
}

impl Errors {
    /// Substitutions, deletions and insertions together.
    pub(crate) fn total(&self) -> usize {
        self.substitutions + self.deletions + self.insertions
    }

    /// Errors over units of the reference; 0 for an empty reference without errors, infinite with.
    pub(crate) fn rate(&self) -> f64 {
        match (self.total(), self.reference) {
            (0, 0) => 0.0,
            (total, reference) => total as f64 / reference as f64,
        }
    }

    /// The sum of both.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            substitutions: self.substitutions + other.substitutions,
            deletions: self.deletions + other.deletions,
            insertions: self.insertions + other.insertions,
            reference: self.reference + other.reference,
        }
    }
}

/// The alignment of `hypothesis` with `reference` of the fewest errors (Levenshtein distance). Of equally good
/// ones, the one that substitutes rather than deletes and inserts, and has its errors as early as possible.
///
/// Takes time and memory in proportion to the product of the lengths.
pub(crate) fn align<'a>(reference: &[&'a str], hypothesis: &[&'a str]) -> Vec<Step<'a>> {
    let width = hypothesis.len() + 1;
    // cost[i][j]: errors of the first j units of the hypothesis against the first i of the reference.
    let mut cost = vec![0u32; (reference.len() + 1) * width];
    for (j, insertions) in cost.iter_mut().take(width).enumerate() {
        *insertions = j as u32;
    }
    for (i, r) in reference.iter().enumerate() {
        let (done, row) = cost.split_at_mut((i + 1) * width);
        let above = &done[i * width..];
        row[0] = i as u32 + 1;
        for (j, h) in hypothesis.iter().enumerate() {
            let diagonal = above[j] + u32::from(r != h);
            row[j + 1] = diagonal.min(above[j + 1] + 1).min(row[j] + 1);
        }
    }

    let mut steps = Vec::with_capacity(reference.len().max(hypothesis.len()));
    let (mut i, mut j) = (reference.len(), hypothesis.len());
    while i > 0 || j > 0 {
        let here = cost[i * width + j];
        let differs = i > 0 && j > 0 && reference[i - 1] != hypothesis[j - 1];
        if i > 0 && j > 0 && here == cost[(i - 1) * width + j - 1] + u32::from(differs) {
            (i, j) = (i - 1, j - 1);
            steps.push(match differs {
                true => Step::Substitution(reference[i], hypothesis[j]),
                false => Step::Match(reference[i]),
            });
        } else if i > 0 && here == cost[(i - 1) * width + j] + 1 {
            i -= 1;
            steps.push(Step::Deletion(reference[i]));
        } else {
            j -= 1;
            steps.push(Step::Insertion(hypothesis[j]));
        }
    }
    steps.reverse();
    steps
}

/// Counts the errors of an alignment.
pub(crate) fn count(steps: &[Step<'_>]) -> Errors {
    let mut errors = Errors::default();
    for step in steps {
        match step {
            Step::Match(_) => {}
            Step::Substitution(..) => errors.substitutions += 1,
            Step::Deletion(_) => errors.deletions += 1,
            Step::Insertion(_) => errors.insertions += 1,
        }
        errors.reference += usize::from(!matches!(step, Step::Insertion(_)));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::{Step, align, count};

    /// `=` match, `S` substitution, `D` deletion, `I` insertion.
    fn shape(steps: &[Step<'_>]) -> String {
        let letter = |step: &Step<'_>| match step {
            Step::Match(_) => '=',
            Step::Substitution(..) => 'S',
            Step::Deletion(_) => 'D',
            Step::Insertion(_) => 'I',
        };
        steps.iter().map(letter).collect()
    }

    fn units(text: &str) -> Vec<&str> {
        text.split("").filter(|unit| !unit.is_empty()).collect()
    }

    #[test]
    fn alignments() {
        let cases = [
            // (reference, hypothesis, alignment)
            ("", "", ""),
            ("abc", "abc", "==="),
            ("abc", "", "DDD"),
            ("", "abc", "III"),
            ("abc", "axc", "=S="),
            ("abc", "ac", "=D="),
            ("ac", "abc", "=I="),
            ("abc", "bc", "D=="),
            ("abc", "ab", "==D"),
            ("kitten", "sitting", "S===S=I"),
            ("sunday", "saturday", "=II=S==="),
            ("天气很好", "天汽很好", "=S=="),
            ("ab", "ba", "SS"),
            ("aab", "ab", "D=="),
            ("abcd", "xyz", "DSSS"),
        ];
        let mut failed = Vec::new();
        for (reference, hypothesis, expected) in cases {
            let (r, h) = (units(reference), units(hypothesis));
            let got = shape(&align(&r, &h));
            if got != expected {
                failed.push((reference, hypothesis, got, expected));
            }
        }
        assert!(
            failed.is_empty(),
            "(reference, hypothesis, got, expected): {failed:#?}"
        );
    }

    #[test]
    fn both_sides_can_be_read_off_an_alignment() {
        for (reference, hypothesis) in [
            ("kitten", "sitting"),
            ("abcabc", "cba"),
            ("", "x"),
            ("一二三", "三二一"),
        ] {
            let steps = align(&units(reference), &units(hypothesis)).to_vec();
            let (mut r, mut h) = (String::new(), String::new());
            for step in &steps {
                match step {
                    Step::Match(unit) => {
                        r += unit;
                        h += unit;
                    }
                    Step::Substitution(left, right) => {
                        r += left;
                        h += right;
                    }
                    Step::Deletion(unit) => r += unit,
                    Step::Insertion(unit) => h += unit,
                }
            }
            assert_eq!((r.as_str(), h.as_str()), (reference, hypothesis));
        }
    }

    #[test]
    fn counts_and_rates() {
        let rate = |reference: &str, hypothesis: &str| {
            let errors = count(&align(&units(reference), &units(hypothesis)));
            (
                errors.substitutions,
                errors.deletions,
                errors.insertions,
                errors.reference,
                errors.rate(),
            )
        };
        assert_eq!(rate("abcd", "abxd"), (1, 0, 0, 4, 0.25));
        assert_eq!(rate("abcd", ""), (0, 4, 0, 4, 1.0));
        assert_eq!(rate("ab", "abcdef"), (0, 0, 4, 2, 2.0));
        assert_eq!(rate("", ""), (0, 0, 0, 0, 0.0));
        assert_eq!(rate("", "a"), (0, 0, 1, 0, f64::INFINITY));
    }
}
