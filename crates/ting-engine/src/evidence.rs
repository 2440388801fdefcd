//! Whether a final is supported by its audio: noise that is taken for speech gives few and unsure tokens.
//!
//! What tells a word from a cough is less which token the network heard than that it heard something clearly: of a word it may be unsure
//! what it is, but hardly that there is one. So what speaks for a short final is weighed together, by logistic regression; sentences
//! have to be likely as a whole.
//!
//! The weights were fitted to the finals of `ting bench noise`, half an hour of noise, and of recordings of sentences and of single words:
//! at `speech_noise_threshold` 0 they leave no text of the noise, and of the recordings 98 % of the finals of up to twelve tokens. They go
//! with the weights of the recogniser and of the detector.

use crate::segmenter::Likeness;
use crate::sounding::Fit;

/// What speaks for a final of up to `FEW` tokens, as a log odds: it stands above 0. Means are over the spikes of its tokens.
struct Weights {
    bias: f32,
    /// Of a final of one, two, three, four and five to eight tokens: the fewer there are, the surer they have to be.
    count: [f32; 5],
    /// Of the tokens' mean ln P.
    sure: f32,
    /// Of the mean ln P of the likeliest token where each is, which a language model may have overruled.
    likeliest: f32,
    /// Of how likely the frames without the pauses are speech, as the detector says.
    spoken: f32,
    /// Of the share of tokens that are there before: rhythmic noise is taken for the same again and again.
    repeated: f32,
}

/// Of a model with a pronunciation head, beside [`CLEAR`] and [`FIT`].
const WITH_SOUNDS: Weights = Weights {
    bias: 1.0,
    count: [-5.11, -4.66, -4.9, -3.21, -0.98],
    sure: 0.83,
    likeliest: 2.26,
    spoken: 14.27,
    repeated: -15.36,
};
/// Of the root of how far from sure the sounds are that were heard.
const CLEAR: f32 = -5.09;
/// Of the root of how far the text is from them.
const FIT: f32 = -1.08;
/// Of one without, and of texts whose sounds are not known.
const WITHOUT: Weights = Weights {
    bias: -3.25,
    count: [-5.32, -4.39, -4.6, -2.8, -1.08],
    sure: 1.08,
    likeliest: 3.62,
    spoken: 14.09,
    repeated: -13.41,
};
/// Of a text of fewer than `SOME` tokens that was written with a dictionary: nothing is known of its own tokens, only that something was heard there, so the detector has to be this sure
/// that the frames are speech ...
const SURELY_SPOKEN: f32 = 0.95;
/// ... or so much speaks against the text, for each unit that it is less sure.
const CONVERTED: f32 = -40.0;
/// Tokens of the longest final that is weighed so.
const FEW: usize = 12;
/// The mean ln P of the tokens of a longer one, at least.
const SENTENCE: f32 = -3.3;
/// How many tokens may tell that they repeat themselves.
const SOME: usize = 5;
/// At `speech_noise_threshold` -1, where faint speech is wanted, the detector's word counts as if it were so much surer.
const FAINT: f32 = 0.1;

/// Nor is anything printed of a segment whose frames are on average less likely speech than this, at `speech_noise_threshold` 0 and
/// above ...
const SPEECH: f32 = 0.6;
/// ... and at -1.
const SPEECH_AT_LEAST: f32 = 0.2;
/// Unless what is left without the pauses is this likely: a speaker may pause for as long as `max_sentence_silence`.
const SPEECH_WITHOUT_PAUSES: f32 = 0.87;

/// How sure the spikes of a text's tokens are, marks left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    /// Sum of their ln P.
    pub(crate) sum: f32,
    /// Sum of the ln P of the likeliest tokens of their frames.
    pub(crate) likeliest: f32,
    pub(crate) tokens: usize,
    /// Of the tokens, those that are different.
    pub(crate) different: usize,
    /// Whether the text was written with a dictionary, and the two sums are the same.
    pub(crate) converted: bool,
    /// How well the text fits the sounds that were heard; none of a model without these, or where nobody [asks](Self::asks_for_fit).
    pub(crate) fit: Option<Fit>,
}

impl Evidence {
    /// Whether `fit` may make a difference: it is only looked at for few tokens, and costs a pass over the sounds.
    pub(crate) fn asks_for_fit(&self) -> bool {
        (1..=FEW).contains(&self.tokens)
    }

    /// Whether the text stands, recognised in a segment that is as likely speech as `speech`.
    pub(crate) fn is_enough(self, speech: Likeness, noise_threshold: f32) -> bool {
        if self.tokens == 0 {
            return false;
        }
        let faint = -noise_threshold.clamp(-1.0, 0.0);
        let speech_least = SPEECH - (SPEECH - SPEECH_AT_LEAST) * faint;
        let spoken = speech.whole >= speech_least || speech.spoken >= SPEECH_WITHOUT_PAUSES;
        let supported = if self.tokens > FEW {
            self.sum / self.tokens as f32 >= SENTENCE
        } else {
            self.ln_odds(speech.spoken + FAINT * faint) > 0.0
        };
        supported && spoken
    }

    /// Natural log odds that a final of up to `FEW` tokens, one at least, was said.
    fn ln_odds(&self, spoken: f32) -> f32 {
        let count = self.tokens as f32;
        let far = |ln_p: f32, most: f32| (-ln_p).clamp(0.0, most);
        let (weights, sounds) = match self.fit {
            Some(Fit { fit, clear }) => (
                &WITH_SOUNDS,
                CLEAR * far(clear, 4.0).sqrt() + FIT * far(fit, 3.0).sqrt(),
            ),
            None => (&WITHOUT, 0.0),
        };
        let own = match self.tokens {
            1..=4 => weights.count[self.tokens - 1],
            5..=8 => weights.count[4],
            _ => 0.0,
        };
        let repeated = if self.tokens >= SOME {
            1.0 - self.different as f32 / count
        } else {
            0.0
        };
        let converted = if self.converted && self.tokens < SOME {
            CONVERTED * (SURELY_SPOKEN - spoken).max(0.0)
        } else {
            0.0
        };
        weights.bias
            + own
            + weights.spoken * spoken
            + weights.repeated * repeated
            + sounds
            + converted
            - weights.sure * far(self.sum / count, 6.0)
            - weights.likeliest * far(self.likeliest / count, 5.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A final of five tokens that is well supported by everything.
    const WELL_HEARD: Case = Case {
        name: "clear words",
        tokens: 5,
        sure: -0.2,
        likeliest: -0.1,
        sounds: Some((-0.05, -0.1)),
        different: None,
        converted: false,
        speech: (0.95, 0.95),
        threshold: 0.0,
        want: true,
    };

    #[derive(Clone, Copy)]
    struct Case {
        name: &'static str,
        tokens: usize,
        /// Mean ln P of the tokens, and of the likeliest where they are.
        sure: f32,
        likeliest: f32,
        /// How far the text is from the sounds, and how clear these are; None without sounds.
        sounds: Option<(f32, f32)>,
        /// Different tokens, where not all are.
        different: Option<usize>,
        converted: bool,
        /// Whole and without pauses.
        speech: (f32, f32),
        threshold: f32,
        want: bool,
    }

    impl Case {
        fn evidence(&self) -> Evidence {
            let count = self.tokens as f32;
            Evidence {
                sum: self.sure * count,
                likeliest: self.likeliest * count,
                tokens: self.tokens,
                different: self.different.unwrap_or(self.tokens),
                converted: self.converted,
                fit: self.sounds.map(|(fit, clear)| Fit { fit, clear }),
            }
        }

        fn stands(&self) -> bool {
            let (whole, spoken) = self.speech;
            let speech = Likeness { whole, spoken };
            self.evidence().is_enough(speech, self.threshold)
        }
    }

    #[test]
    fn noise_is_no_text_and_words_are() {
        let noise = Case {
            name: "noise",
            sure: -2.2,
            likeliest: -1.8,
            sounds: Some((-0.6, -1.2)),
            speech: (0.75, 0.75),
            want: false,
            ..WELL_HEARD
        };
        let cases = [
            WELL_HEARD,
            Case {
                name: "nothing",
                tokens: 0,
                different: Some(0),
                want: false,
                ..WELL_HEARD
            },
            Case {
                name: "one clear word",
                tokens: 1,
                ..WELL_HEARD
            },
            Case {
                name: "clear words of a model without sounds",
                sounds: None,
                ..WELL_HEARD
            },
            Case {
                name: "a word that the language model chose",
                tokens: 2,
                sure: -4.0,
                ..WELL_HEARD
            },
            Case {
                name: "a text unlike its sounds, and unsure",
                sure: -3.3,
                likeliest: -2.0,
                sounds: Some((-2.5, -0.3)),
                speech: (0.8, 0.8),
                want: false,
                ..WELL_HEARD
            },
            noise,
            Case {
                name: "noise of a model without sounds",
                sounds: None,
                ..noise
            },
            Case {
                name: "the same again and again",
                tokens: 8,
                different: Some(2),
                want: false,
                ..WELL_HEARD
            },
            Case {
                name: "a word of the dictionary",
                tokens: 2,
                converted: true,
                ..WELL_HEARD
            },
            Case {
                name: "clear sounds that are hardly speech, as a word of the dictionary",
                tokens: 2,
                sounds: Some((0.0, -1.0)),
                converted: true,
                speech: (0.85, 0.85),
                want: false,
                ..WELL_HEARD
            },
            Case {
                name: "a name said twice",
                tokens: 4,
                different: Some(2),
                ..WELL_HEARD
            },
            Case {
                name: "a sentence",
                tokens: 13,
                sure: -3.0,
                likeliest: -3.0,
                sounds: None,
                ..WELL_HEARD
            },
            Case {
                name: "an unsure sentence",
                tokens: 13,
                sure: -3.5,
                sounds: None,
                want: false,
                ..WELL_HEARD
            },
            Case {
                name: "clear words that are hardly speech",
                speech: (0.5, 0.85),
                want: false,
                ..WELL_HEARD
            },
            Case {
                name: "with a long pause",
                speech: (0.3, 0.95),
                ..WELL_HEARD
            },
            Case {
                name: "faint words where these are wanted",
                speech: (0.3, 0.75),
                threshold: -1.0,
                ..WELL_HEARD
            },
            Case {
                name: "faint words where they are not",
                speech: (0.3, 0.75),
                threshold: -0.5,
                want: false,
                ..WELL_HEARD
            },
            Case {
                name: "never more than at 0",
                speech: (0.61, 0.9),
                threshold: 1.0,
                ..WELL_HEARD
            },
        ];
        let failed: Vec<&str> = cases
            .iter()
            .filter(|case| case.stands() != case.want)
            .map(|case| case.name)
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn what_speaks_for_a_text_speaks_for_it() {
        let sounds = |fit, clear| Case {
            sounds: Some((fit, clear)),
            ..WELL_HEARD
        };
        let odds = |case: Case| case.evidence().ln_odds(case.speech.1);
        for without in [false, true] {
            let clear = Case {
                sounds: WELL_HEARD.sounds.filter(|_| !without),
                ..WELL_HEARD
            };
            let (sure, likeliest) = (clear.sure - 1.0, clear.likeliest - 1.0);
            let less = [
                Case { sure, ..clear },
                Case { likeliest, ..clear },
                Case {
                    speech: (0.95, 0.85),
                    ..clear
                },
                Case {
                    different: Some(3),
                    ..clear
                },
                Case { tokens: 3, ..clear },
            ];
            for (i, less) in less.into_iter().enumerate() {
                assert!(odds(less) < odds(clear), "{i}, without sounds: {without}");
            }
        }
        assert!(odds(sounds(-0.5, -0.1)) < odds(WELL_HEARD));
        assert!(odds(sounds(-0.05, -0.5)) < odds(WELL_HEARD));
    }
}
