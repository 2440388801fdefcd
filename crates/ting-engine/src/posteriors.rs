//! The few tokens per frame that matter: what the search and the alignment look at.

use crate::hotwords::{Sounds, Target};
use ting_models::Readings;

/// Tokens less likely than this (natural log) in a frame are not looked at: e^-11 is about one in sixty thousand. A network that is
/// unsure of every second word leaves much to the language model: with -9, and 16 tokens a frame, errors were 2 to 3 % more.
const FLOOR: f32 = -11.0;
/// A frame this sure of the blank (natural log) extends nothing.
const SURE_BLANK: f32 = -0.002;
/// At most this many tokens per frame besides the blank.
const MOST: usize = 48;
/// Tokens of hotwords are looked at down to this (natural log): all of a word counts, not each token.
const HOT_FLOOR: f32 = -18.0;
const HOT_LEFT_OUT: f32 = HOT_FLOOR - 2.0;
/// What is known of a token that was left out.
const LEFT_OUT: f32 = FLOOR - 4.0;

/// One frame of CTC output, reduced to the tokens worth a look.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    /// ln P(blank).
    pub(crate) blank: f32,
    /// (token, ln P), the likeliest first.
    pub(crate) tokens: Vec<(u16, f32)>,
    /// ln P of the tokens of hotwords, in ascending order of the target.
    hot: Vec<(Target, f32)>,
}

/// What decides which tokens of a row of the network are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) blank: usize,
    /// Tokens of the languages asked for; none means all.
    pub(crate) allowed: Option<&'a [bool]>,
    /// The tokens of hotwords.
    pub(crate) hot: &'a Sounds,
    pub(crate) readings: Option<&'a Readings>,
}

impl Frame {
    /// Reduces one row of log probabilities.
    pub(crate) fn new(log_probs: &[f32], look: Look<'_>) -> Self {
        let mut tokens: Vec<(u16, f32)> = log_probs
            .iter()
            .enumerate()
            .filter(|(token, ln_p)| {
                **ln_p > FLOOR
                    && *token != look.blank
                    && look.allowed.is_none_or(|allowed| allowed[*token])
            })
            // Token lists have at most 65535 entries, so the id fits.
            .map(|(token, ln_p)| (token as u16, *ln_p))
            .collect();
        tokens.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        tokens.truncate(MOST);
        let blank = log_probs[look.blank];
        let hot = if blank > SURE_BLANK {
            // Nothing begins here.
            Vec::new()
        } else {
            look.hot
                .look_up(log_probs, look.readings, look.allowed, HOT_FLOOR)
        };
        Self { blank, tokens, hot }
    }

    /// Whether the frame is so surely blank that nothing is extended in it: most frames are, and are passed over cheaply.
    pub(crate) fn is_surely_blank(&self) -> bool {
        self.blank > SURE_BLANK
    }

    /// ln P of `token`, or something below the floor where it was left out.
    pub(crate) fn ln_p(&self, token: u16) -> f32 {
        let found = self.tokens.iter().find(|(other, _)| *other == token);
        found.map_or(LEFT_OUT, |(_, ln_p)| *ln_p)
    }

    /// ln P of a token of a hotword, or something below the floor where it was left out.
    pub(crate) fn hot_ln_p(&self, target: Target) -> f32 {
        let found = self
            .hot
            .binary_search_by_key(&target, |(target, _)| *target);
        found.map_or(HOT_LEFT_OUT, |at| self.hot[at].1)
    }

    /// The same for all targets of `sounds`, into `likely`.
    pub(crate) fn hot_ln_ps(&self, sounds: &Sounds, likely: &mut Vec<f32>) {
        likely.clear();
        likely.resize(sounds.targets().len(), HOT_LEFT_OUT);
        let mut known = self.hot.iter().peekable();
        for (likely, target) in likely.iter_mut().zip(sounds.targets()) {
            while known.next_if(|(other, _)| other < target).is_some() {}
            if let Some((_, ln_p)) = known.next_if(|(other, _)| other == target) {
                *likely = *ln_p;
            }
        }
    }

    /// ln P of the likeliest token that is not the blank.
    pub(crate) fn likeliest(&self) -> f32 {
        self.tokens.first().map_or(LEFT_OUT, |(_, ln_p)| *ln_p)
    }
}

/// ln(e^a + e^b).
pub(crate) fn log_add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A frame of a row of log probabilities whose token 0 is the blank; no token is left out.
    pub(crate) fn frame(log_probs: &[f32]) -> Frame {
        let look = Look {
            blank: 0,
            allowed: None,
            hot: &Sounds::default(),
            readings: None,
        };
        Frame::new(log_probs, look)
    }

    #[test]
    fn keeps_the_likeliest_allowed_tokens() {
        let row = [-0.1, -3.0, -20.0, -2.5, -4.0];
        let look = Look {
            blank: 0,
            allowed: Some(&[true, true, true, false, true]),
            hot: &Sounds::default(),
            readings: None,
        };
        let frame = Frame::new(&row, look);
        assert_eq!(frame.tokens, vec![(1, -3.0), (4, -4.0)]);
        assert_eq!(frame.blank, -0.1);
        assert!(frame.ln_p(3) < FLOOR);
    }

    #[test]
    fn adds_in_the_log_domain() {
        let sum = log_add(0.25f32.ln(), 0.5f32.ln());
        assert!((sum - 0.75f32.ln()).abs() < 1e-6);
        assert_eq!(log_add(f32::NEG_INFINITY, -1.0), -1.0);
    }
}
