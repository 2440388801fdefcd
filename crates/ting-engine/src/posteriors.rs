//! The few tokens per frame that matter: what the search and the alignment look at.

/// Tokens less likely than this (natural log) in a frame are not looked at: e^-9 is about one in eight thousand.
const FLOOR: f32 = -9.0;
/// At most this many tokens per frame besides the blank.
const MOST: usize = 16;

/// One frame of CTC output, reduced to the tokens worth a look.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    /// ln P(blank).
    pub(crate) blank: f32,
    /// (token, ln P), the likeliest first.
    pub(crate) tokens: Vec<(u16, f32)>,
}

impl Frame {
    /// Reduces one row of log probabilities; tokens whose `allowed` is false are left out.
    pub(crate) fn new(log_probs: &[f32], blank: usize, allowed: Option<&[bool]>) -> Self {
        let mut tokens: Vec<(u16, f32)> = log_probs
            .iter()
            .enumerate()
            .filter(|(token, ln_p)| {
                **ln_p > FLOOR && *token != blank && allowed.is_none_or(|allowed| allowed[*token])
            })
            // Token lists have at most 65535 entries, so the id fits.
            .map(|(token, ln_p)| (token as u16, *ln_p))
            .collect();
        tokens.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        tokens.truncate(MOST);
        Self {
            blank: log_probs[blank],
            tokens,
        }
    }

    /// ln P of `token`, or something below the floor where it was left out.
    pub(crate) fn ln_p(&self, token: u16) -> f32 {
        let found = self.tokens.iter().find(|(other, _)| *other == token);
        found.map_or(FLOOR - 4.0, |(_, ln_p)| *ln_p)
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
mod tests {
    use super::*;

    #[test]
    fn keeps_the_likeliest_allowed_tokens() {
        let row = [-0.1, -3.0, -20.0, -2.5, -4.0];
        let frame = Frame::new(&row, 0, Some(&[true, true, true, false, true]));
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
