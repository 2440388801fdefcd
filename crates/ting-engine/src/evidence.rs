//! Whether a final is supported by its audio: noise that is taken for speech gives few and unsure tokens.
//!
//! What tells a word from a cough is less which token the network heard than that it heard any: of a word it may be unsure what it
//! is, but hardly that there is one. So a short final has several ways to stand; sentences have to be likely as a whole.
//!
//! The limits were measured with `ting bench noise` on half an hour of noise and on recordings of sentences and of single
//! words: at `speech_noise_threshold` 0 they leave no text of the noise, and of the recordings all longer finals and 94 % of
//! those of up to eight tokens. They go with the weights of the recogniser and of the detector.

use crate::segmenter::Likeness;

/// One way for a final to stand: what has to be at least so much, all natural logs. Of a final that has none nothing is printed: the
/// acoustic evidence does not support it.
struct Way {
    /// Of the ln P that anything is said, the mean over the spikes of the tokens.
    anything: f32,
    /// Of the tokens' ln P, likewise.
    sure: f32,
    /// Of the fit to the sounds that were heard, where it counts: noise that is taken for a word does not sound like it.
    fit: Option<f32>,
}

const NO_LIMIT: f32 = f32::NEG_INFINITY;

const fn way(anything: f32, sure: f32) -> Way {
    Way {
        anything,
        sure,
        fit: None,
    }
}

const fn fitting(anything: f32, fit: f32) -> Way {
    Way {
        anything,
        sure: NO_LIMIT,
        fit: Some(fit),
    }
}

/// The ways of a final of so many tokens: the fewer there are, the surer they have to be.
fn ways(tokens: usize) -> &'static [Way] {
    const ONE: &[Way] = &[
        way(-0.0025, NO_LIMIT),
        way(-0.01, -1.4),
        fitting(-0.05, -0.2),
    ];
    const TWO: &[Way] = &[way(-0.006, NO_LIMIT), way(-0.06, -1.8), fitting(-0.1, -0.2)];
    const THREE: &[Way] = &[way(-0.05, -2.7), way(-0.4, -1.6), fitting(-0.05, -0.4)];
    const FOUR: &[Way] = &[way(-0.05, -2.4), way(-1.0, -1.75), fitting(-0.05, -0.5)];
    const PHRASE: &[Way] = &[way(-0.35, -2.8), way(-1.0, -1.4)];
    const SENTENCE: &[Way] = &[way(NO_LIMIT, -3.3)];
    match tokens {
        0 | 1 => ONE,
        2 => TWO,
        3 => THREE,
        4 => FOUR,
        5..=FEW => PHRASE,
        _ => SENTENCE,
    }
}

/// Rhythmic noise is taken for the same again and again. A text that repeats itself has to be this sure ...
const SURE_THOUGH_REPEATED: f32 = -1.1;
/// ... and repeats itself where of its tokens, `SOME` or more, no greater share are different ones.
const DIFFERENT: f32 = 0.67;
const SOME: usize = 5;

/// Nor is anything printed of a segment whose frames are on average less likely speech than this, at `speech_noise_threshold` 0 and
/// above ...
const SPEECH: f32 = 0.6;
/// ... and at -1, where faint speech is wanted.
const SPEECH_AT_LEAST: f32 = 0.2;
/// Unless what is left without the pauses is this likely: a speaker may pause for as long as `max_sentence_silence`.
const SPEECH_WITHOUT_PAUSES: f32 = 0.87;
/// Up to `FEW` tokens need so much more of the frames without the pauses, unless they are [`BEYOND_DOUBT`]: the detector is least sure of
/// short segments, and of no noise was the network ever so sure.
const MORE_OF_FEW: f32 = 0.2;
const FEW: usize = 8;
const BEYOND_DOUBT: Way = way(-0.1, -0.25);
/// The same for a single token.
const ONE_BEYOND_DOUBT: Way = way(-0.005, -0.05);

/// How sure the spikes of a text's tokens are, marks left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    /// Sum of their ln P.
    pub(crate) sum: f32,
    /// Sum of their frames' ln P that anything is said: an unsure network knows that before it knows what.
    pub(crate) anything: f32,
    pub(crate) tokens: usize,
    /// Of the tokens, those that are different.
    pub(crate) different: usize,
    /// How well the text fits the sounds that were heard, per sound (`sounding::fit`); none of a model without these, or where nobody
    /// [asks](Self::asks_for_fit).
    pub(crate) fit: Option<f32>,
}

impl Evidence {
    /// Whether `fit` may make a difference: it is only looked at for very few tokens, and costs a pass over the sounds.
    pub(crate) fn asks_for_fit(&self) -> bool {
        ways(self.tokens).iter().any(|way| way.fit.is_some())
    }

    /// Whether the text stands, recognised in a segment that is as likely speech as `speech`.
    pub(crate) fn is_enough(self, speech: Likeness, noise_threshold: f32) -> bool {
        if self.tokens == 0 {
            return false;
        }
        let count = self.tokens as f32;
        let (anything, sure) = (self.anything / count, self.sum / count);
        let stands = |way: &Way| {
            let fits = way
                .fit
                .is_none_or(|least| self.fit.is_some_and(|fit| fit >= least));
            anything >= way.anything && sure >= way.sure && fits
        };
        let supported = ways(self.tokens).iter().any(stands);
        let beyond_doubt = stands(match self.tokens {
            1 => &ONE_BEYOND_DOUBT,
            _ => &BEYOND_DOUBT,
        });
        let speech_least = SPEECH + (SPEECH - SPEECH_AT_LEAST) * noise_threshold.clamp(-1.0, 0.0);
        let alone =
            self.tokens > FEW || beyond_doubt || speech.spoken >= speech_least + MORE_OF_FEW;
        let spoken = speech.whole >= speech_least || speech.spoken >= SPEECH_WITHOUT_PAUSES;
        let repeated = self.tokens >= SOME && self.different as f32 <= DIFFERENT * count;
        let noise = repeated && sure < SURE_THOUGH_REPEATED;
        supported && !noise && alone && spoken
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
            /// Different ones, where not all are.
            different: Option<usize>,
            fit: Option<f32>,
            threshold: f32,
            want: bool,
        }
        let case = |name, tokens, speech, want| Case {
            name,
            tokens,
            speech,
            different: None,
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
        let repeated = |name, tokens, different, want| Case {
            different: Some(different),
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
            fitting("two tokens as they sound", (2, -0.08, -2.0), -0.15, true),
            fitting("three as they sound", (3, -0.04, -3.2), -0.3, true),
            fitting("four as they sound", (4, -0.04, -3.0), -0.4, true),
            fitting("a phrase as it sounds", (5, -0.04, -3.0), -0.1, false),
            Case {
                fit: Some(0.0),
                ..case(
                    "a word in noise as it sounds",
                    (1, -0.001, -0.2),
                    (0.7, 0.75),
                    false,
                )
            },
            repeated("the same again and again", (11, -0.05, -1.5), 5, false),
            repeated("and surely so", (9, -0.05, -0.9), 1, true),
            repeated("little of it twice", (11, -0.05, -1.5), 8, true),
            repeated("very few that are the same", (4, -0.04, -1.5), 1, true),
            case("nothing", (0, 0.0, 0.0), (1.0, 1.0), false),
            case("a sentence", (9, -0.5, -3.0), (0.9, 0.9), true),
            case("an unsure sentence", (9, -0.1, -3.5), (0.9, 0.9), false),
            case("a word of any kind", (1, -0.001, -4.0), (0.9, 0.9), true),
            case("a sure word", (1, -0.001, -0.1), (0.8, 0.85), true),
            case("perhaps a word", (1, -0.05, -0.5), (0.95, 0.95), false),
            case("a word in noise", (1, -0.001, -0.1), (0.7, 0.75), false),
            case("a word beyond doubt", (1, -0.001, -0.03), (0.7, 0.75), true),
            case(
                "spelling beyond doubt",
                (5, -0.02, -0.2),
                (0.65, 0.75),
                true,
            ),
            case("and hardly speech", (5, -0.02, -0.2), (0.5, 0.75), false),
            case("two tokens", (2, -0.005, -2.0), (0.9, 0.9), true),
            case("a likely word", (1, -0.008, -1.0), (0.9, 0.9), true),
            case("a less likely word", (1, -0.008, -2.0), (0.9, 0.9), false),
            case("perhaps two tokens", (2, -0.07, -0.5), (0.9, 0.9), false),
            case("three tokens", (3, -0.4, -1.4), (0.9, 0.9), true),
            case("unsure three", (3, -0.4, -1.8), (0.9, 0.9), false),
            case("three clear ones", (3, -0.04, -2.6), (0.9, 0.9), true),
            case("a few tokens", (4, -0.4, -1.7), (0.9, 0.9), true),
            case("perhaps a few", (3, -1.2, -1.2), (0.8, 0.8), false),
            case("an unsure few", (3, -0.05, -2.8), (0.95, 0.95), false),
            case("a clear phrase", (6, -0.3, -2.5), (0.9, 0.9), true),
            case("a sure phrase", (6, -0.9, -1.3), (0.9, 0.9), true),
            case("a phrase neither", (6, -0.4, -1.8), (0.9, 0.9), false),
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
                different: case.different.unwrap_or(tokens),
                fit: case.fit,
            };
            if evidence.is_enough(Likeness { whole, spoken }, case.threshold) != case.want {
                failed.push((case.name, case.threshold));
            }
        }
        assert!(failed.is_empty(), "{failed:?}");
    }
}
