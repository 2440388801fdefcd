//! What a search has found: tokens, and how they are to be written.

use std::sync::Arc;

use ting_models::Tokens;

use crate::hotwords::Target;
use crate::posteriors::Frame;

/// A token of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Symbol {
    pub(crate) token: u16,
    /// The token is of a hotword, and was looked for as this.
    pub(crate) hot: Option<Target>,
    /// What is written instead of the token's own text: a word of a hotword at its first token, nothing at its others.
    pub(crate) spelling: Option<Arc<str>>,
}

impl Symbol {
    /// A token that writes itself.
    pub(crate) fn of(token: u16) -> Self {
        Self {
            token,
            hot: None,
            spelling: None,
        }
    }

    /// ln P of it in `frame`.
    pub(crate) fn ln_p(&self, frame: &Frame) -> f32 {
        let own = frame.ln_p(self.token);
        self.hot
            .map_or(own, |target| own.max(frame.hot_ln_p(target)))
    }
}

/// The tokens of `symbols` that are said: all but the marks.
pub(crate) fn said(symbols: &[Symbol], tokens: &Tokens) -> Vec<u16> {
    let all = symbols.iter().map(|symbol| symbol.token);
    all.filter(|token| !tokens.is_punctuation(usize::from(*token)))
        .collect()
}
