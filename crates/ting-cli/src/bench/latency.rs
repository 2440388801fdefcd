//! `ting bench latency`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::audio::load_pcm;
use super::child::ServerProcess;
use super::client::{Client, Pace, TaskRecord};
use super::percentile::cells_ms;
use crate::error::CliError;
use crate::stdout;
use crate::table::markdown;

/// Measure delays of N sessions at the same time, each sending its audio in real time
///
/// Starts a server of this program for it, unless --url names one. Frames of 100 ms go out on an absolute schedule. A
/// session sends every FILE as a task, one after the other on one connection.
#[derive(Args, Debug)]
pub(crate) struct LatencyArgs {
    /// Recordings of speech
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Sessions at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    sessions: u16,
    /// How often each session sends all the files
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// A server that runs already, such as ws://127.0.0.1:8000/api-ws/v1/inference
    #[arg(long, value_name = "URL", conflicts_with = "model_dir")]
    url: Option<String>,
    /// The key for it
    #[arg(long, value_name = "KEY", requires = "url")]
    api_key: Option<String>,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(args: &LatencyArgs) -> Result<(), CliError> {
    let audio: Vec<Vec<u8>> = args
        .files
        .iter()
        .map(|file| load_pcm(file))
        .collect::<Result<_, _>>()?;
    let audio = Arc::new(audio);
    let server = match args.url {
        None => Some(ServerProcess::start(args.model_dir.as_deref())?),
        Some(_) => None,
    };
    let url = server
        .as_ref()
        .map(|server| server.url.clone())
        .or(args.url.clone())
        .unwrap_or_default();

    let mut sessions = Vec::new();
    for session in 0..usize::from(args.sessions) {
        let (url, api_key, audio) = (url.clone(), args.api_key.clone(), Arc::clone(&audio));
        let rounds = usize::from(args.rounds);
        sessions.push(tokio::spawn(async move {
            // Clients do not start in step; a second spreads them over the frames' 100 ms and the engine's chunks.
            tokio::time::sleep(Duration::from_millis(session as u64 * 137 % 1000)).await;
            let mut client = Client::connect(&url, api_key.as_deref()).await?;
            let mut records = Vec::new();
            for task in 0..rounds * audio.len() {
                // Each begins with another file, so that not all speak the same words at once.
                let pcm = &audio[(session + task) % audio.len()];
                records.push(client.run_task(pcm, Pace::RealTime).await?);
            }
            Ok::<_, CliError>(records)
        }));
    }
    let mut records: Vec<TaskRecord> = Vec::new();
    let mut failures = Vec::new();
    for session in sessions {
        match session.await {
            Ok(Ok(more)) => records.extend(more),
            Ok(Err(error)) => failures.push(error),
            Err(error) => failures.push(CliError::input(format!("a session ended early: {error}"))),
        }
    }

    let first: Vec<f64> = records
        .iter()
        .filter_map(TaskRecord::first_package_delay)
        .collect();
    let last: Vec<f64> = records.iter().map(TaskRecord::last_package_delay).collect();
    let lag: Vec<f64> = records.iter().flat_map(TaskRecord::response_lags).collect();
    let row = |name: &str, seconds: &[f64]| [vec![name.to_owned()], cells_ms(seconds)].concat();
    let mut report = format!(
        "{} sessions in real time, {} tasks\n\n",
        args.sessions,
        records.len()
    );
    let rows = [
        row("first_package_delay", &first),
        row("last_package_delay", &last),
        row("response lag", &lag),
    ];
    report += &markdown(&["delay", "samples", "P50", "P90", "P99"], &rows);
    let mute = records.len() - first.len();
    if mute > 0 {
        report += &format!("\n{mute} tasks had no text, and are not in first_package_delay\n");
    }
    stdout::print(&report)?;
    for failure in failures.iter().skip(1) {
        eprintln!("ting: a session failed: {failure}");
    }
    failures.into_iter().next().map_or(Ok(()), Err)
}
