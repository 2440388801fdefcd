//! Confidence intervals of an error rate by resampling utterances.

use super::align::Errors;

/// Resamplings behind an interval. More narrows the noise of the interval's own ends below a tenth of its width.
const RESAMPLINGS: usize = 2000;

/// The 95 % interval of the error rate of `utterances`: percentile bootstrap over utterances (Bisani and Ney,
/// "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004).
///
/// The same utterances in the same order and the same `seed` give the same interval. It says how much the rate
/// would move with other utterances like these, not with other speakers.
///
/// `None` when there are no utterances or no units in the references.
pub(crate) fn interval(utterances: &[Errors], seed: u64) -> Option<(f64, f64)> {
    if utterances.iter().all(|errors| errors.reference == 0) {
        return None;
    }
    let mut random = SplitMix64(seed);
    let mut rates: Vec<f64> = Vec::with_capacity(RESAMPLINGS);
    while rates.len() < RESAMPLINGS {
        let sum = (0..utterances.len()).fold(Errors::default(), |sum, _| {
            sum.plus(&utterances[random.below(utterances.len())])
        });
        // A draw of nothing but empty references has no rate; draw again.
        if sum.reference > 0 {
            rates.push(sum.rate());
        }
    }
    rates.sort_by(f64::total_cmp);
    Some((
        rates[RESAMPLINGS / 40],
        rates[RESAMPLINGS - 1 - RESAMPLINGS / 40],
    ))
}

/// The SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014): small, and the same everywhere.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0; the bias of the multiplication is far below 2⁻³².
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{SplitMix64, interval};
    use crate::score::align::Errors;

    fn utterance(substitutions: usize, reference: usize) -> Errors {
        Errors {
            substitutions,
            reference,
            ..Errors::default()
        }
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // First outputs for seed 1234567, as other implementations of the algorithm give them.
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn same_seed_same_interval() {
        let utterances: Vec<_> = (0..50).map(|i| utterance(i % 5, 10)).collect();
        assert_eq!(interval(&utterances, 7), interval(&utterances, 7));
        assert_ne!(interval(&utterances, 7), interval(&utterances, 8));
    }

    #[test]
    fn the_interval_is_about_the_rate_and_narrows_with_more_utterances() {
        let few: Vec<_> = (0..20)
            .map(|i| utterance(usize::from(i % 2 == 0) * 2, 10))
            .collect();
        let many: Vec<_> = (0..2000)
            .map(|i| utterance(usize::from(i % 2 == 0) * 2, 10))
            .collect();
        let (low, high) = interval(&few, 1).unwrap();
        assert!(low < 0.1 && 0.1 < high, "{low} {high}");
        let (low_many, high_many) = interval(&many, 1).unwrap();
        assert!(low_many < 0.1 && 0.1 < high_many, "{low_many} {high_many}");
        // The standard error goes with the root of the number: 10 times here.
        let ratio = (high - low) / (high_many - low_many);
        assert!((7.0..14.0).contains(&ratio), "{ratio}");
        // A normal approximation of the same interval: 1.96 * 0.1 / sqrt(20) each way.
        assert!(
            (high - low - 2.0 * 1.96 * 0.1 / 20f64.sqrt()).abs() < 0.02,
            "{low} {high}"
        );
    }

    #[test]
    fn degenerate_sets() {
        assert_eq!(interval(&[], 1), None);
        assert_eq!(interval(&[utterance(0, 0)], 1), None);
        assert_eq!(interval(&[utterance(1, 4)], 1), Some((0.25, 0.25)));
        // Mostly empty references must not make it loop or divide by nothing.
        let sparse = [utterance(0, 0), utterance(0, 0), utterance(1, 2)];
        assert_eq!(interval(&sparse, 1), Some((0.5, 0.5)));
    }
}
