//! How many sessions the threads can serve in real time.

use std::time::Instant;

use ting_models::Model;

use crate::api::{EngineError, EngineErrorKind};

/// Share of a thread's time that admission plans with; the rest absorbs bursts.
const PLANNED_LOAD: f32 = 0.6;

/// Sessions that `threads` threads can serve in real time: at least one.
///
/// # Errors
/// `Internal` when the model cannot stream.
pub(crate) fn sessions(model: &Model, threads: usize) -> Result<usize, EngineError> {
    Ok(((threads as f32 * PLANNED_LOAD / real_time_factor(model)?) as usize).max(1))
}

/// Processing time over audio time of the streaming pass and the final pass together, on one thread.
fn real_time_factor(model: &Model) -> Result<f32, EngineError> {
    const CHUNKS: usize = 12;
    let config = &model.config;
    let mut state = model
        .encoder
        .new_state()
        .map_err(|error| EngineError::new(EngineErrorKind::Internal, error.to_string()))?;
    let chunk = config.decoder.chunk_frames;
    let row = config.encoder.row_len();
    let rows = vec![0.5; CHUNKS * chunk * row];
    let began = Instant::now();
    for chunk_rows in rows.chunks_exact(chunk * row) {
        let mut encoded = Vec::new();
        model
            .encoder
            .forward_chunk(chunk_rows, chunk, &mut state, &mut encoded);
        model.ctc.log_probs(&encoded, chunk);
    }
    let encoded = model.encoder.forward_full(&rows, CHUNKS * chunk);
    model.ctc.log_probs(&encoded, CHUNKS * chunk);
    let audio_s = (CHUNKS * chunk * config.features.lfr_n) as f32 * 0.01;
    // What is not measured here, features and search, is about a third of it.
    Ok(began.elapsed().as_secs_f32() * 1.33 / audio_s)
}
