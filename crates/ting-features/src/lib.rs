//! Kaldi-compatible filter banks, low frame rate stacking and mean/variance normalisation, streaming.
//!
//! ```
//! use ting_features::{Fbank, FbankOptions, Lfr};
//! let mut fbank = Fbank::new(FbankOptions::default());
//! let mut lfr = Lfr::new(7, 6, 80);
//! let (mut frames, mut rows) = (Vec::new(), Vec::new());
//! fbank.push(&[0.0; 16_000], &mut frames); // 1 s: 98 frames of 80
//! lfr.push(&frames, &mut rows);
//! lfr.finish(&mut rows);
//! assert_eq!(rows.len(), 98_usize.div_ceil(6) * 560);
//! ```
//!
//! # Architecture invariants
//! - Knows nothing of codecs or models.
//! - What comes out is the same, bit for bit, however the input was cut, and never changes once it is out.

mod cmvn;
mod fbank;
mod lfr;
mod mel;

pub use cmvn::{Cmvn, CmvnError};
pub use fbank::{FRAME_HOP, FRAME_LENGTH, Fbank, FbankOptions, SAMPLE_RATE};
pub use lfr::Lfr;
