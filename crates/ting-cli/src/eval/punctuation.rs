//! Precision and recall of punctuation marks over an evaluation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::report::Scored;
use crate::score::language::ScoredLanguage;
use crate::score::marks::{Mark, MarkCounts, count};
use crate::table::markdown;

/// A mark in a language; without a mark, all of them together.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MarkRate {
    language: ScoredLanguage,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
    #[serde(flatten)]
    counts: MarkCounts,
}

/// The marks of each language that its references or hypotheses have, and all of them together. Text without any
/// mark in its reference tells nothing, and is left out.
pub(crate) fn mark_rates(scored: &[Scored]) -> Vec<MarkRate> {
    let mut languages: BTreeMap<ScoredLanguage, [MarkCounts; 4]> = BTreeMap::new();
    for utterance in scored {
        let japanese = utterance.language == ScoredLanguage::Ja;
        let reference = utterance.reference.split('|').next().unwrap_or_default();
        let counts = count(reference, &utterance.hypothesis, japanese);
        if counts.iter().all(|counts| counts.reference == 0) {
            continue;
        }
        let sums = languages.entry(utterance.language).or_default();
        for (sum, counts) in sums.iter_mut().zip(&counts) {
            *sum = sum.plus(counts);
        }
    }
    let mut rates = Vec::new();
    for (language, counts) in languages {
        for (mark, counts) in Mark::ALL.into_iter().zip(&counts) {
            if counts.f1().is_some() {
                rates.push(MarkRate {
                    language,
                    mark: Some(mark),
                    counts: *counts,
                });
            }
        }
        let all = counts.iter().fold(MarkCounts::default(), |s, c| s.plus(c));
        rates.push(MarkRate {
            language,
            mark: None,
            counts: all,
        });
    }
    rates
}

/// The rates as a table.
pub(crate) fn mark_table(rates: &[MarkRate]) -> String {
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{:.1} %", 100.0 * share),
        None => "-".to_owned(),
    };
    let row = |rate: &MarkRate| {
        let counts = &rate.counts;
        vec![
            rate.language.name().to_owned(),
            rate.mark.map_or("all", Mark::name).to_owned(),
            counts.reference.to_string(),
            counts.hypothesis.to_string(),
            percent(counts.precision()),
            percent(counts.recall()),
            percent(counts.f1()),
        ]
    };
    markdown(
        &[
            "language",
            "mark",
            "said",
            "written",
            "precision",
            "recall",
            "F1",
        ],
        &rates.iter().map(row).collect::<Vec<_>>(),
    )
}
