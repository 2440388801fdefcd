//! `ting bench memory` and `ting bench start`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::audio::{BYTES_PER_SECOND, load_pcm};
use super::child::ServerProcess;
use super::client::{Client, Pace};
use super::percentile::percentile;
use crate::error::CliError;
use crate::machine::mib;
use crate::stdout;
use crate::table::markdown;

/// How often the memory of the server is read during a session.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// Measure the resident memory of a server, idle and with one session that sends in real time
#[derive(Args, Debug)]
pub(crate) struct MemoryArgs {
    /// A recording of speech
    #[arg(value_name = "FILE")]
    file: String,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

/// Measure the time from starting the process of a server until it listens
#[derive(Args, Debug)]
pub(crate) struct StartArgs {
    /// How often to start it
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

/// Runs `bench memory`.
pub(crate) async fn run(args: &MemoryArgs) -> Result<(), CliError> {
    let pcm = load_pcm(&args.file)?;
    let server = ServerProcess::start(args.model_dir.as_deref())?;
    let idle = server.memory();
    let mut client = Client::connect(&server.url, None).await?;
    let mut active = 0;
    let record = {
        let task = client.run_task(&pcm, Pace::RealTime);
        tokio::pin!(task);
        loop {
            tokio::select! {
                record = &mut task => break record?,
                () = tokio::time::sleep(SAMPLE_EVERY) => {
                    active = active.max(server.memory().map_or(0, |memory| memory.resident));
                }
            }
        }
    };
    let after = server.memory();
    let seconds = pcm.len() as f64 / BYTES_PER_SECOND as f64;
    stdout::print(&format!(
        "one session of {seconds:.1} s in real time, {} results\n\n",
        record.results.len()
    ))?;
    let cell = |bytes: Option<u64>| bytes.filter(|b| *b > 0).map_or("-".to_owned(), mib);
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let rows = [
        row(
            "start to listening",
            format!("{:.0} ms", server.start_seconds * 1000.0),
        ),
        row("resident, idle", cell(idle.map(|memory| memory.resident))),
        row("resident, one session (most seen)", cell(Some(active))),
        row(
            "resident, after the session",
            cell(after.map(|memory| memory.resident)),
        ),
        row("peak resident", cell(after.map(|memory| memory.peak))),
    ];
    stdout::print(&markdown(&["server", "measured"], &rows))?;
    Ok(())
}

/// Runs `bench start`.
pub(crate) fn start(args: &StartArgs) -> Result<(), CliError> {
    let mut seconds = Vec::new();
    for _ in 0..args.repeat {
        seconds.push(ServerProcess::start(args.model_dir.as_deref())?.start_seconds);
    }
    let cell =
        |p| percentile(&seconds, p).map_or("-".to_owned(), |s| format!("{:.0} ms", s * 1000.0));
    let row = vec![vec![
        "start to listening".to_owned(),
        args.repeat.to_string(),
        cell(0.0),
        cell(50.0),
        cell(100.0),
    ]];
    stdout::print(&markdown(
        &["server", "starts", "min", "median", "max"],
        &row,
    ))?;
    Ok(())
}
