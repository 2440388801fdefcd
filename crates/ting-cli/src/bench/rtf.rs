//! `ting bench rtf`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use ting_engine::TaskOptions;

use super::audio;
use super::percentile::percentile;
use crate::error::CliError;
use crate::machine::thread_cpu_seconds;
use crate::recognise::{Model, recognise};
use crate::stdout;
use crate::table::markdown;

/// Measure the real-time factor of the recogniser on one thread: processing time over audio time
///
/// Partials are made as for a live client. Besides the time on the clock it reports the processor's time, which other
/// work on the machine disturbs less.
#[derive(Args, Debug)]
pub(crate) struct RtfArgs {
    /// Recordings of speech
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How often to recognise each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &RtfArgs) -> Result<(), CliError> {
    let model = Model::load(args.model_dir.as_deref())?;
    let mut rows = Vec::new();
    for name in &args.files {
        let named = |what: String| CliError::input(format!("{name}: {what}"));
        let (input, bytes) = audio::read(name)?;
        let mut audio_seconds = 0.0;
        let (mut wall, mut cpu) = (Vec::new(), Vec::new());
        // Once before the clock starts: caches are cold, and pages of the model not read yet.
        for round in 0..=args.repeat {
            let options = TaskOptions::new(input.format, input.sample_rate);
            let (started, cpu_before) = (Instant::now(), thread_cpu_seconds());
            let audio_ms = recognise(&model, options, &mut bytes.as_slice(), &mut |_| Ok(()))
                .map_err(|error| named(error.to_string()))?;
            let elapsed = started.elapsed().as_secs_f64();
            if audio_ms == 0 {
                return Err(named("has no audio".to_owned()));
            }
            audio_seconds = audio_ms as f64 / 1000.0;
            if round > 0 {
                wall.push(elapsed / audio_seconds);
                let used = thread_cpu_seconds()
                    .zip(cpu_before)
                    .map(|(after, before)| after - before);
                cpu.extend(used.map(|used| used / audio_seconds));
            }
        }
        let cell = |values: &[f64], p| {
            percentile(values, p).map_or("-".to_owned(), |rtf| format!("{rtf:.4}"))
        };
        rows.push(vec![
            name.clone(),
            format!("{audio_seconds:.2} s"),
            cell(&wall, 0.0),
            cell(&wall, 50.0),
            cell(&wall, 100.0),
            cell(&cpu, 50.0),
        ]);
    }
    stdout::print(&format!(
        "model {}, one thread, {} runs after a first\n\n",
        model.name, args.repeat
    ))?;
    let header = [
        "file",
        "audio",
        "RTF min",
        "RTF median",
        "RTF max",
        "RTF median, processor time",
    ];
    stdout::print(&markdown(&header, &rows))?;
    Ok(())
}
