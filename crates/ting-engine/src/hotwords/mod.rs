//! Hotwords: what a listed word is made of ([`Graph`]), and where in the audio it may have been said ([`Spotter`]).
//!
//! A word is boosted as a whole and only as a whole. The spotter runs a Viterbi search for every word of the list beside the
//! beam, over the tokens' likelihoods in each frame, from every frame on; a word that is complete enters the beam as one
//! step from the hypothesis that was best before it began. So a beam of a few hypotheses need not hold the beginnings
//! of hundreds of words, nothing has to be taken back when a match breaks, and a word of unlikely tokens is found although each
//! of them alone would not come through.
//!
//! In a language that the network hears better than it can write, a list's words are words of the search by sounds, too
//! ([`Pronounced`]).
//!
//! Related: Andrusenko et al., "Fast Context-Biasing for CTC and Transducer ASR models with CTC-based Word Spotter"
//! (2024), which replaces words of the finished text; here they compete within the search.

pub(crate) mod context;
mod graph;
mod letters;
mod listener;
mod pronounced;
mod sounds;
mod spelling;
mod spotter;
#[cfg(test)]
mod tests;

pub(crate) use graph::{Graph, GraphOptions};
pub(crate) use listener::{Occurrence, listen};
pub(crate) use pronounced::{Listed, Pronounced};
pub(crate) use sounds::Sounds;
pub(crate) use spotter::{Completed, Spotter, Start};

/// A token as hotwords look for it. With `sound` set, what sounds like it counts as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Target {
    pub(crate) token: u16,
    pub(crate) sound: bool,
}
