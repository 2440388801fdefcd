//! A second look at the texts that a search ends with: how likely anyone says them.
//!
//! The n-gram model of the search sees three tokens back. A recurrent network sees the whole sentence, and costs too much for a search,
//! but not for the few dozen texts that are left of it.

use ting_models::Rescorer;

use crate::beam::Candidate;

/// Adds to the scores of `candidates` what the network says of their tokens, which is beside what the n-gram model said: they err
/// in different places. Tokens of hotwords get nothing, as they have no score of the n-gram model either.
pub(crate) fn rescore(candidates: &mut [Candidate], rescorer: &Rescorer) {
    let texts: Vec<Vec<u16>> = candidates
        .iter()
        .map(|candidate| candidate.symbols.iter().map(|s| s.token).collect())
        .collect();
    let texts: Vec<&[u16]> = texts.iter().map(Vec::as_slice).collect();
    let config = &rescorer.config;
    for (candidate, ln_p) in candidates.iter_mut().zip(rescorer.network.ln_p(&texts)) {
        for (symbol, ln_p) in candidate.symbols.iter().zip(ln_p) {
            if symbol.hot.is_none() {
                candidate.score += config.weight * ln_p + config.bonus;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ting_models::{Checkpoint, RecurrentLm, RecurrentLmConfig};

    use super::*;
    use crate::hotwords::Target;
    use crate::transcript::Symbol;

    #[test]
    fn every_token_but_those_of_hotwords_counts() {
        let bytes = include_bytes!("../../ting-models/tests/data/recurrent_lm.safetensors");
        let checkpoint = Checkpoint::from_bytes(bytes).unwrap();
        let rescorer = Rescorer {
            network: RecurrentLm::load(&checkpoint, 0).unwrap(),
            config: RecurrentLmConfig {
                weight: 0.7,
                bonus: 0.5,
            },
        };
        let text = [3, 5, 7, 5];
        let ln_p = &rescorer.network.ln_p(&[&text])[0];
        for hot in [None, Some(1)] {
            let mut symbols: Vec<Symbol> = text.into_iter().map(Symbol::of).collect();
            if let Some(hot) = hot {
                symbols[hot].hot = Some(Target {
                    token: 5,
                    sound: false,
                });
            }
            let mut candidates = [Candidate {
                symbols,
                score: -1.0,
            }];
            rescore(&mut candidates, &rescorer);
            let counted = (0..text.len()).filter(|i| Some(*i) != hot);
            let want = -1.0 + counted.map(|i| 0.7 * ln_p[i] + 0.5).sum::<f32>();
            let got = candidates[0].score;
            assert!((got - want).abs() < 1e-5, "{hot:?}: {got}, not {want}");
        }
    }
}
