//! Error rates: how recognised text is compared with a reference.
//!
//! # Architecture invariants
//! - Knows nothing of audio, models or files: text in, numbers out.
//! - Every rate this project publishes went through [`normalize::normalize`].

pub(crate) mod align;
pub(crate) mod bootstrap;
pub(crate) mod language;
pub(crate) mod marks;
pub(crate) mod normalize;
pub(crate) mod rate;
