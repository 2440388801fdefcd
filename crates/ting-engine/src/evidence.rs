//! Whether a final is supported by its audio: noise that is taken for speech gives few and unsure tokens.
//!
//! What tells a word from a cough is less which token the network heard than that it heard any: of a word it may be unsure what it
//! is, but hardly that there is one. For single words that counts alone; sentences have to be likely as a whole.
//!
//! The limits were measured with `ting bench noise` on half an hour of noise and on recordings of sentences and of single
//! words: at `speech_noise_threshold` 0 they leave no text of the noise, and of the recordings all longer finals, nearly all
//! of those of four to eight tokens, two thirds of those of three and more than four fifths of the shorter. They go with the weights of the recogniser and of the detector.

use crate::segmenter::Likeness;

/// What the spikes of a final's tokens have to be at least, on average (natural log). Of one that has less nothing is printed: the
/// acoustic evidence does not support it.
struct Least {
    /// Of the ln P that anything is said.
    anything: f32,
    /// Of the tokens' ln P.
    sure: f32,
}

impl Least {
    /// The fewer the tokens, the surer they have to be.
    fn of(tokens: usize) -> Self {
        let (anything, sure) = match tokens {
            0 | 1 => (-0.0025, f32::NEG_INFINITY),
            2 => (-0.006, f32::NEG_INFINITY),
            3 => (-1.0, -1.5),
            4 => (-1.0, -2.4),
            5..=FEW => (-1.0, -2.8),
            _ => (f32::NEG_INFINITY, -3.3),
        };
        Self { anything, sure }
    }
}

/// Very few tokens may be less sure where their sounds are what was heard: then the ln P that anything is said, and the fit, have to be at
/// least this. Noise that is taken for a word does not sound like it.
fn least_fit(tokens: usize) -> Option<(f32, f32)> {
    match tokens {
        1 => Some((-0.05, -0.2)),
        2 => Some((-0.3, -0.25)),
        3 => Some((-0.3, -0.2)),
        _ => None,
    }
}

/// Nor is anything printed of a segment whose frames are on average less likely speech than this, at `speech_noise_threshold` 0 and
/// above ...
const SPEECH: f32 = 0.6;
/// ... and at -1, where faint speech is wanted.
const SPEECH_AT_LEAST: f32 = 0.2;
/// Unless what is left without the pauses is this likely: a speaker may pause for as long as `max_sentence_silence`.
const SPEECH_WITHOUT_PAUSES: f32 = 0.87;
/// Up to `FEW` tokens need so much more of the frames without the pauses.
const MORE_OF_FEW: f32 = 0.2;
const FEW: usize = 8;

/// How sure the spikes of a text's tokens are, marks left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    /// Sum of their ln P.
    pub(crate) sum: f32,
    /// Sum of their frames' ln P that anything is said: an unsure network knows that before it knows what.
    pub(crate) anything: f32,
    pub(crate) tokens: usize,
    /// How well the text fits the sounds that were heard, per sound (`sounding::fit`); none of a model without these, or where nobody
    /// [asks](Self::asks_for_fit).
    pub(crate) fit: Option<f32>,
}

impl Evidence {
    /// Whether `fit` may make a difference: it is only looked at for very few tokens, and costs a pass over the sounds.
    pub(crate) fn asks_for_fit(&self) -> bool {
        least_fit(self.tokens).is_some()
    }

    /// Whether the text stands, recognised in a segment that is as likely speech as `speech`.
    pub(crate) fn is_enough(self, speech: Likeness, noise_threshold: f32) -> bool {
        if self.tokens == 0 {
            return false;
        }
        let count = self.tokens as f32;
        let least = Least::of(self.tokens);
        let anything = self.anything / count;
        let sure = anything >= least.anything && self.sum / count >= least.sure;
        let fits = match (least_fit(self.tokens), self.fit) {
            (Some((least_anything, least_fit)), Some(fit)) => {
                anything >= least_anything && fit >= least_fit
            }
            _ => false,
        };
        let speech_least = SPEECH + (SPEECH - SPEECH_AT_LEAST) * noise_threshold.clamp(-1.0, 0.0);
        let alone = self.tokens > FEW || speech.spoken >= speech_least + MORE_OF_FEW;
        let spoken = speech.whole >= speech_least || speech.spoken >= SPEECH_WITHOUT_PAUSES;
        (sure || fits) && alone && spoken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_unsure_tokens_are_no_text() {
        struct Case {
            name: &'static str,
            /// Tokens, the mean ln P that anything is said, and theirs.
            tokens: (usize, f32, f32),
            /// Whole and without pauses.
            speech: (f32, f32),
            fit: Option<f32>,
            threshold: f32,
            want: bool,
        }
        let case = |name, tokens, speech, want| Case {
            name,
            tokens,
            speech,
            fit: None,
            threshold: 0.0,
            want,
        };
        let faint = |threshold, want| Case {
            threshold,
            ..case("faint words", (4, -0.1, -1.2), (0.25, 0.5), want)
        };
        let fitting = |name, tokens, fit, want| Case {
            fit: Some(fit),
            ..case(name, tokens, (0.9, 0.9), want)
        };
        let cases = [
            fitting("a word as it sounds", (1, -0.04, -2.0), -0.1, true),
            fitting("a sound of no word", (1, -0.04, -2.0), -0.5, false),
            fitting(
                "the sound of a word, and perhaps nothing",
                (1, -0.1, -2.0),
                -0.1,
                false,
            ),
            fitting("two tokens as they sound", (2, -0.2, -2.0), -0.2, true),
            fitting("three as they sound", (3, -0.2, -2.0), -0.1, true),
            fitting("four as they sound", (4, -0.2, -2.5), -0.1, false),
            Case {
                fit: Some(0.0),
                ..case(
                    "a word in noise as it sounds",
                    (1, -0.001, -0.1),
                    (0.7, 0.75),
                    false,
                )
            },
            case("nothing", (0, 0.0, 0.0), (1.0, 1.0), false),
            case("a sentence", (9, -0.5, -3.0), (0.9, 0.9), true),
            case("an unsure sentence", (9, -0.1, -3.5), (0.9, 0.9), false),
            case("a word of any kind", (1, -0.001, -4.0), (0.9, 0.9), true),
            case("a sure word", (1, -0.001, -0.1), (0.8, 0.85), true),
            case("perhaps a word", (1, -0.05, -0.5), (0.95, 0.95), false),
            case("a word in noise", (1, -0.001, -0.1), (0.7, 0.75), false),
            case("two tokens", (2, -0.005, -2.0), (0.9, 0.9), true),
            case("perhaps two tokens", (2, -0.01, -0.5), (0.9, 0.9), false),
            case("three tokens", (3, -0.4, -1.4), (0.9, 0.9), true),
            case("unsure three", (3, -0.4, -1.8), (0.9, 0.9), false),
            case("a few tokens", (4, -0.4, -1.8), (0.9, 0.9), true),
            case("perhaps a few", (3, -1.2, -1.2), (0.8, 0.8), false),
            case("an unsure few", (3, -0.05, -2.5), (0.95, 0.95), false),
            case("a phrase", (6, -0.4, -2.5), (0.9, 0.9), true),
            case("perhaps a phrase", (6, -1.2, -1.2), (0.9, 0.9), false),
            case("a phrase in noise", (6, -0.1, -1.2), (0.7, 0.75), false),
            case("words in noise", (4, -0.1, -1.2), (0.56, 0.77), false),
            case(
                "words with a long pause",
                (4, -0.1, -1.2),
                (0.3, 0.95),
                true,
            ),
            faint(-1.0, true),
            faint(-0.5, false),
            Case {
                threshold: 1.0,
                ..case("never more than at 0", (4, -0.1, -1.2), (0.61, 0.85), true)
            },
        ];
        let mut failed = Vec::new();
        for case in cases {
            let (tokens, anything, mean) = case.tokens;
            let (whole, spoken) = case.speech;
            let evidence = Evidence {
                sum: mean * tokens as f32,
                anything: anything * tokens as f32,
                tokens,
                fit: case.fit,
            };
            if evidence.is_enough(Likeness { whole, spoken }, case.threshold) != case.want {
                failed.push((case.name, case.threshold));
            }
        }
        assert!(failed.is_empty(), "{failed:?}");
    }
}
