//! Measures the networks of a model folder on one core, or those of the embedded model:
//! `cargo run --release -p ting-models --example encoder_speed [FOLDER]`.
//!
//! Prints processing time over audio time, the best of several runs. The input is made up; the work does not
//! depend on it.

use std::path::Path;
use std::time::Instant;

use ting_models::{FsmnVadState, Model, ModelError};

/// Filter bank frames of audio per run.
const FRAMES: usize = 6000;
const RUNS: usize = 5;

fn main() -> Result<(), ModelError> {
    let started = Instant::now();
    let model = match std::env::args().nth(1) {
        Some(folder) => Model::from_dir(Path::new(&folder))?,
        None => Model::embedded()?,
    };
    println!(
        "loaded in {:.0} ms; {}",
        millis(started),
        ting_kernels::instruction_set()
    );
    let config = &model.config;
    let (dim, frames) = (config.encoder.input_dim, FRAMES / config.features.lfr_n);
    let x: Vec<f32> = (0..frames * dim)
        .map(|i| (i * 7919 % 1009) as f32 / 100.0)
        .collect();

    let chunk = config.decoder.chunk_frames * dim;
    let mut state = model.encoder.new_state()?;
    report("streaming encoder and ctc", || {
        for part in x.chunks(chunk) {
            let mut encoded = Vec::new();
            model
                .encoder
                .forward_chunk(part, part.len() / dim, &mut state, &mut encoded);
            model.ctc.log_probs(&encoded, part.len() / dim);
        }
        state.reset();
    });
    for seconds in [2, 5, 20, 60] {
        let rows = frames * seconds / 60;
        report(&format!("whole segments of {seconds:2} s"), || {
            for part in x.chunks_exact(rows * dim) {
                let encoded = model.encoder.forward_full(part, rows);
                model.ctc.log_probs(&encoded, rows);
            }
        });
    }
    let dim = config.vad.input_dim;
    let vad_frames = FRAMES / config.features.vad_lfr_n;
    let x: Vec<f32> = (0..vad_frames * dim)
        .map(|i| (i * 7919 % 1009) as f32 / 100.0)
        .collect();
    report("detector, 20 ms at a time", || {
        let mut state = FsmnVadState::default();
        for part in x.chunks(2 * dim) {
            model.vad.forward(part, part.len() / dim, &mut state);
        }
    });
    Ok(())
}

fn report(what: &str, mut run: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let started = Instant::now();
        run();
        best = best.min(millis(started));
    }
    println!("{what}: rtf {:.5}", best / (FRAMES as f64 * 10.0));
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
