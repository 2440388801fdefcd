//! Measures the networks of a model folder on one core, or those of the embedded model:
//! `cargo run --release -p ting-models --example encoder_speed [FOLDER]`.
//!
//! Prints processor time over audio time, the best of several runs, and the same of wall time. On a busy machine the
//! two differ. The input is made up; the work does not depend on it.

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
    let (dim, frames) = (config.encoder.row_len(), FRAMES / config.features.lfr_n);
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
    report("the same, 16 chunks at a time", || {
        for part in x.chunks(16 * chunk) {
            let (mut encoded, frames) = (Vec::new(), part.len() / dim);
            model
                .encoder
                .forward_chunks(part, frames, chunk / dim, &mut state, &mut encoded);
            model.ctc.log_probs(&encoded, frames);
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
    let (mut processor, mut wall) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..RUNS {
        let (started, used) = (Instant::now(), processor_millis());
        run();
        wall = wall.min(millis(started));
        processor = processor.min(processor_millis() - used);
    }
    let audio = FRAMES as f64 * 10.0;
    println!(
        "{what}: rtf {:.5} (wall {:.5})",
        processor / audio,
        wall / audio
    );
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Time this thread has run on a processor, which Linux tells; not a number elsewhere.
fn processor_millis() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ')
        .next()
        .and_then(|ns| ns.parse::<f64>().ok())
        .map_or(f64::NAN, |ns| ns / 1e6)
}
