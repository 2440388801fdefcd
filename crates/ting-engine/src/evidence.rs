//! Whether a final is supported by its audio: noise that is taken for speech gives few and unsure tokens.
//!
//! The limits were measured with `ting bench noise` on half an hour of noise and on recordings of sentences and of single
//! words: at `speech_noise_threshold` 0 they leave no text of the noise, and of the recordings take away the unsure
//! half or more of the shortest. They go with the weights: a network that has heard more people is surer of a cough, too.

use crate::segmenter::Likeness;

/// Of a final whose tokens are on average less likely than this (natural log) nothing is printed: the acoustic evidence
/// does not support it.
const SURE: f32 = -2.3;
/// The same for a final of at most `FEW` tokens: the fewer there are, the surer they have to be.
const SURE_OF_FEW: f32 = -1.3;
/// And these unless the detector is this sure of speech.
const SURE_OF_FEW_ALONE: f32 = -0.45;
const FEW_SPEECH: f32 = 0.95;
const FEW: usize = 2;
/// Nor of a segment whose frames are on average less likely speech than this, at `speech_noise_threshold` 0 and above ...
const SPEECH: f32 = 0.6;
/// ... and at -1, where faint speech is wanted.
const SPEECH_AT_LEAST: f32 = 0.2;
/// Unless what is left without the pauses is this likely: a speaker may pause for as long as `max_sentence_silence`.
const SPEECH_WITHOUT_PAUSES: f32 = 0.87;

/// How sure the spikes of a text's tokens are, marks left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    /// Sum of their ln P.
    pub(crate) sum: f32,
    pub(crate) tokens: usize,
}

impl Evidence {
    /// Whether the text stands, recognised in a segment that is as likely speech as `speech`.
    pub(crate) fn is_enough(self, speech: Likeness, noise_threshold: f32) -> bool {
        let mean = self.sum / self.tokens.max(1) as f32;
        let sure = match self.tokens {
            0 => false,
            1..=FEW if speech.spoken < FEW_SPEECH => mean >= SURE_OF_FEW_ALONE,
            1..=FEW => mean >= SURE_OF_FEW,
            _ => mean >= SURE,
        };
        let least = SPEECH + (SPEECH - SPEECH_AT_LEAST) * noise_threshold.clamp(-1.0, 0.0);
        sure && (speech.whole >= least || speech.spoken >= SPEECH_WITHOUT_PAUSES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_unsure_tokens_are_no_text() {
        struct Case {
            name: &'static str,
            /// Tokens and their mean ln P.
            tokens: (usize, f32),
            /// Whole and without pauses.
            speech: (f32, f32),
            threshold: f32,
            want: bool,
        }
        let case = |name, tokens, speech, want| Case {
            name,
            tokens,
            speech,
            threshold: 0.0,
            want,
        };
        let cases = [
            case("nothing", (0, 0.0), (1.0, 1.0), false),
            case("a sentence", (9, -2.0), (0.9, 0.9), true),
            case("an unsure sentence", (9, -2.5), (0.9, 0.9), false),
            case("a sure word", (1, -0.3), (0.7, 0.8), true),
            case("a word in clear speech", (1, -1.2), (0.95, 0.95), true),
            case("a word in doubtful speech", (1, -1.2), (0.88, 0.88), false),
            case("an unsure word", (2, -1.4), (0.95, 0.95), false),
            case("words in noise", (4, -1.5), (0.56, 0.77), false),
            case("words with a long pause", (4, -1.5), (0.3, 0.95), true),
            Case {
                threshold: -1.0,
                ..case("faint words that are wanted", (4, -1.5), (0.25, 0.5), true)
            },
            Case {
                threshold: -0.5,
                ..case("the same, less wanted", (4, -1.5), (0.25, 0.5), false)
            },
            Case {
                threshold: 1.0,
                ..case("never more than at 0", (4, -1.5), (0.61, 0.7), true)
            },
        ];
        let mut failed = Vec::new();
        for case in cases {
            let (tokens, mean) = case.tokens;
            let (whole, spoken) = case.speech;
            let evidence = Evidence {
                sum: mean * tokens as f32,
                tokens,
            };
            if evidence.is_enough(Likeness { whole, spoken }, case.threshold) != case.want {
                failed.push(case.name);
            }
        }
        assert!(failed.is_empty(), "{failed:?}");
    }
}
