//! The numbers of an evaluation, for people and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::stability::Stability;
use crate::score::align::{Errors, Step};
use crate::score::bootstrap::interval;
use crate::score::language::ScoredLanguage;
use crate::score::rate::{Pair, Unit};
use crate::table::markdown;

/// Seed of the intervals: any, but always the same.
const SEED: u64 = 20_260_101;

/// Columns of a block of two aligned lines.
const BLOCK_COLUMNS: usize = 100;

/// An utterance that was recognised.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Scored {
    /// The set's name.
    pub(crate) set: String,
    /// The utterance's id.
    pub(crate) id: String,
    /// Its group, when groups are reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    /// What it is scored as.
    pub(crate) language: ScoredLanguage,
    /// The text as published.
    pub(crate) reference: String,
    /// All finals, as recognised.
    pub(crate) hypothesis: String,
    /// Both sides as compared.
    #[serde(skip)]
    pub(crate) pair: Pair,
    /// Errors by character.
    pub(crate) characters: Errors,
    /// Errors by word.
    pub(crate) words: Errors,
    /// What became of its partials.
    pub(crate) stability: Stability,
    /// Length of the audio in ms.
    pub(crate) audio_ms: u64,
    /// Time to recognise it on one thread, in seconds.
    pub(crate) seconds: f64,
    /// Why it could not be recognised; it is then scored as empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

impl Scored {
    fn errors(&self, unit: Unit) -> &Errors {
        if unit == Unit::Word {
            &self.words
        } else {
            &self.characters
        }
    }

    /// The unit of the language's main rate.
    fn unit(&self) -> Unit {
        if self.language.counts_words() {
            Unit::Word
        } else {
            Unit::Character
        }
    }
}

/// An error rate over utterances.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rate {
    /// The set or the group, or all of them together.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<String>,
    language: ScoredLanguage,
    /// `CER` or `WER`.
    metric: &'static str,
    utterances: usize,
    /// Errors over units of the references.
    rate: f64,
    /// The 95 % interval of it.
    interval: Option<(f64, f64)>,
    #[serde(flatten)]
    errors: Errors,
}

/// The rates per language, and after them per set and language when there are several sets.
pub(crate) fn rates(scored: &[Scored]) -> Vec<Rate> {
    let several = scored.iter().any(|s| s.set != scored[0].set);
    let mut rates = rates_by(scored, |_| Some(None));
    if several {
        rates.extend(rates_by(scored, |s| Some(Some(s.set.as_str()))));
    }
    rates
}

/// The rates per group and language.
pub(crate) fn group_rates(scored: &[Scored]) -> Vec<Rate> {
    rates_by(scored, |s| s.group.as_deref().map(Some))
}

/// The rates per name and language, of the utterances that `name` has one for.
fn rates_by<'a>(
    scored: &'a [Scored],
    name: impl Fn(&'a Scored) -> Option<Option<&'a str>>,
) -> Vec<Rate> {
    let mut groups: BTreeMap<(Option<&str>, ScoredLanguage), Vec<&Scored>> = BTreeMap::new();
    for utterance in scored {
        if let Some(name) = name(utterance) {
            groups
                .entry((name, utterance.language))
                .or_default()
                .push(utterance);
        }
    }
    let mut rates = Vec::new();
    for ((set, language), utterances) in groups {
        let units: &[Unit] = if language.counts_words() {
            &[Unit::Word, Unit::Character]
        } else {
            &[Unit::Character]
        };
        for unit in units {
            let each: Vec<Errors> = utterances.iter().map(|u| *u.errors(*unit)).collect();
            let errors = each.iter().fold(Errors::default(), |sum, e| sum.plus(e));
            rates.push(Rate {
                set: set.map(str::to_owned),
                language,
                metric: unit.rate_name(),
                utterances: utterances.len(),
                rate: errors.rate(),
                interval: interval(&each, SEED),
                errors,
            });
        }
    }
    rates
}

/// The rates as a table.
pub(crate) fn rate_table(rates: &[Rate]) -> String {
    let percent = |rate: f64| format!("{:.2} %", 100.0 * rate);
    let row = |rate: &Rate| {
        let Rate { errors, .. } = rate;
        let interval = rate.interval.map_or("-".to_owned(), |(low, high)| {
            format!("{:.2} – {:.2} %", 100.0 * low, 100.0 * high)
        });
        vec![
            rate.set.clone().unwrap_or_else(|| "all".to_owned()),
            rate.language.name().to_owned(),
            rate.utterances.to_string(),
            rate.metric.to_owned(),
            percent(rate.rate),
            interval,
            errors.substitutions.to_string(),
            errors.deletions.to_string(),
            errors.insertions.to_string(),
            errors.reference.to_string(),
        ]
    };
    let header = [
        "set",
        "language",
        "utterances",
        "metric",
        "rate",
        "95 % interval",
        "sub",
        "del",
        "ins",
        "of",
    ];
    markdown(&header, &rates.iter().map(row).collect::<Vec<_>>())
}

/// The `count` utterances of the highest rates, those with more errors first among equals, each with its reference
/// above the hypothesis; `*` stands for what one side lacks. Utterances without errors are never among them.
pub(crate) fn worst(scored: &[Scored], count: usize) -> String {
    let mut wrong: Vec<&Scored> = scored
        .iter()
        .filter(|s| s.errors(s.unit()).total() > 0)
        .collect();
    wrong.sort_by(|a, b| {
        let (a, b) = (a.errors(a.unit()), b.errors(b.unit()));
        b.rate()
            .total_cmp(&a.rate())
            .then(b.total().cmp(&a.total()))
    });
    let mut out = String::new();
    for utterance in wrong.into_iter().take(count) {
        let unit = utterance.unit();
        let Errors {
            substitutions,
            deletions,
            insertions,
            reference,
        } = utterance.errors(unit);
        out += &format!(
            "{}  {} {:.0} % ({substitutions} sub, {deletions} del, {insertions} ins of {reference})\n",
            utterance.id,
            unit.rate_name(),
            100.0 * utterance.errors(unit).rate(),
        );
        if let Some(failure) = &utterance.failure {
            out += &format!("  failed: {failure}\n");
        }
        out += &side_by_side(&utterance.pair.alignment(unit), unit);
        out.push('\n');
    }
    out
}

/// Two lines, or several blocks of two when they are long, whose columns line up on a terminal.
fn side_by_side(steps: &[Step<'_>], unit: Unit) -> String {
    let gap = if unit == Unit::Word { " " } else { "" };
    let mut blocks = String::new();
    let (mut top, mut bottom) = (String::new(), String::new());
    for step in steps {
        let (reference, hypothesis) = match *step {
            Step::Match(unit) => (unit, unit),
            Step::Substitution(reference, hypothesis) => (reference, hypothesis),
            Step::Deletion(reference) => (reference, "*"),
            Step::Insertion(hypothesis) => ("*", hypothesis),
        };
        let width = reference.width().max(hypothesis.width());
        if !top.is_empty() && top.width() + gap.len() + width > BLOCK_COLUMNS {
            push_block(&mut blocks, &mut top, &mut bottom);
        }
        for (line, cell) in [(&mut top, reference), (&mut bottom, hypothesis)] {
            if !line.is_empty() {
                *line += gap;
            }
            *line += cell;
            // `*` may have to fill two columns.
            let fill = if cell == "*" && unit == Unit::Character {
                "*"
            } else {
                " "
            };
            *line += &fill.repeat(width - cell.width());
        }
    }
    push_block(&mut blocks, &mut top, &mut bottom);
    blocks
}

fn push_block(blocks: &mut String, top: &mut String, bottom: &mut String) {
    *blocks += &format!("  ref {}\n  hyp {}\n", top.trim_end(), bottom.trim_end());
    top.clear();
    bottom.clear();
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::{Scored, group_rates, rate_table, rates, side_by_side, worst};
    use crate::eval::stability::Stability;
    use crate::score::language::ScoredLanguage;
    use crate::score::rate::{Pair, Unit};

    fn scored(set: &str, id: &str, reference: &str, hypothesis: &str) -> Scored {
        let language = ScoredLanguage::from_script(reference);
        let pair = Pair::new(&[reference], hypothesis, Unit::Character);
        Scored {
            set: set.to_owned(),
            id: id.to_owned(),
            group: id.get(..1).map(str::to_owned),
            language,
            reference: reference.to_owned(),
            hypothesis: hypothesis.to_owned(),
            characters: pair.errors(Unit::Character),
            words: pair.errors(Unit::Word),
            pair,
            stability: Stability::default(),
            audio_ms: 1000,
            seconds: 0.01,
            failure: None,
        }
    }

    #[test]
    fn rates_by_language_and_set() {
        let scored = [
            scored("a", "a1", "one two three four", "one two four"),
            scored("b", "b1", "天地玄黄", "天地黄"),
            scored("b", "b2", "天地玄黄", "天地玄黄"),
        ];
        let lines = |table: String| {
            let row = |line: &str| {
                line.split('|')
                    .map(|cell| cell.trim().to_owned())
                    .collect::<Vec<_>>()
            };
            table
                .lines()
                .skip(2)
                .map(row)
                .map(|r| r[1..6].join(" "))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            lines(rate_table(&rates(&scored))),
            [
                "all zh 2 CER 12.50 %",
                "all en 1 WER 25.00 %",
                "all en 1 CER 33.33 %",
                "a en 1 WER 25.00 %",
                "a en 1 CER 33.33 %",
                "b zh 2 CER 12.50 %",
            ]
        );
        assert_eq!(
            lines(rate_table(&rates(&scored[1..]))),
            ["all zh 2 CER 12.50 %"]
        );
        assert!(rates(&[]).is_empty());
        assert_eq!(
            lines(rate_table(&group_rates(&scored))),
            [
                "a en 1 WER 25.00 %",
                "a en 1 CER 33.33 %",
                "b zh 2 CER 12.50 %"
            ]
        );
    }

    #[test]
    fn the_worst_come_first_and_the_right_never() {
        let scored = [
            scored("a", "right", "one two", "One, two."),
            scored("a", "half", "one two", "one"),
            scored("a", "none", "one two", ""),
            scored("a", "more", "one two three", "x y z"),
        ];
        let report = worst(&scored, 10);
        let ids: Vec<&str> = report
            .lines()
            .filter(|line| line.contains("WER"))
            .filter_map(|l| l.split(' ').next())
            .collect();
        assert_eq!(ids, ["more", "none", "half"]);
        assert_eq!(worst(&scored, 1).matches("WER").count(), 1);
    }

    #[test]
    fn columns_line_up() {
        let show = |reference: &str, hypothesis: &str, unit| {
            side_by_side(
                &Pair::new(&[reference], hypothesis, unit).alignment(unit),
                unit,
            )
        };
        assert_eq!(
            show("the cat sat", "a cat sat down", Unit::Word),
            "  ref the cat sat *\n  hyp a   cat sat down\n"
        );
        assert_eq!(
            show("天地玄黄", "天玄黄a", Unit::Character),
            "  ref 天地玄黄*\n  hyp 天**玄黄a\n"
        );
        assert_eq!(show("", "", Unit::Word), "  ref \n  hyp \n");
        let long = show(&"word ".repeat(100), &"ward ".repeat(90), Unit::Word);
        assert!(
            long.lines().count() > 2 && long.lines().all(|line| line.width() <= 106),
            "{long}"
        );
    }
}
