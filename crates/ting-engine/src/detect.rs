//! Where there is speech, without recognising it: for measurements of the detector and its thresholds.

use std::ops::Range;

use ting_features::{Fbank, FbankOptions, Lfr};
use ting_models::{FsmnVadState, Model};

use crate::api::TaskOptions;
use crate::closing::Closing;
use crate::segment::BANDS;
use crate::segmenter::{Change, FRAME_MS, Segmenter};

/// The speech probability of each 10 ms of `samples` (16 kHz, mono).
pub fn speech_probabilities(model: &Model, samples: &[f32]) -> Vec<f32> {
    let features = &model.config.features;
    let (mut frames, mut rows) = (Vec::new(), Vec::new());
    Fbank::new(FbankOptions::default()).push(samples, &mut frames);
    let mut lfr = Lfr::new(features.vad_lfr_m, features.vad_lfr_n, BANDS);
    lfr.push(&frames, &mut rows);
    lfr.finish(&mut rows);
    let count = rows.len() / lfr.row_len();
    let classes = model.vad.config().out_dim;
    let mut state = FsmnVadState::default();
    let probabilities = model.vad.forward(&rows, count, &mut state);
    probabilities
        .chunks_exact(classes)
        .map(|classes| classes[1])
        .collect()
}

/// The segments that a task with `options` would recognise in audio with these speech probabilities, each from its first to
/// its last frame of speech, in ms. Ends that depend on words (`semantic`) are not among them.
pub fn segments(probabilities: &[f32], options: &TaskOptions) -> Vec<Range<u64>> {
    let closing = Closing::new(options);
    let mut segmenter = Segmenter::new(closing, options.speech_noise_threshold);
    let (mut segments, mut begin) = (Vec::new(), 0);
    let mut note = |change: Change| match change {
        Change::Open { speech, .. } => begin = speech as u64 * FRAME_MS,
        Change::Close { speech_end, .. } => segments.push(begin..speech_end as u64 * FRAME_MS),
    };
    for probability in probabilities {
        if let Some(change) = segmenter.push(*probability) {
            note(change);
            if let Change::Close { cut: true, .. } = change {
                note(segmenter.reopen());
            }
        }
    }
    if let Some(change) = segmenter.finish() {
        note(change);
    }
    segments
}
