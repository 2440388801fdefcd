//! Recognises many WAV files, some at the same time, with a progress bar. A file that fails does not hold up the others.
//!
//! ```console
//! $ cargo run --release -p ting-examples --bin many_files -- tests/data/*.wav
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use ting_client::{AudioFormat, Error, Recognition};

/// Recognise many WAV files
#[derive(Parser)]
struct Args {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Files at the same time. A server refuses more tasks than it can do in time, or than the account may have
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Where to recognise: a server's ws:// or wss:// URL, or in this program
    #[arg(long, default_value = "embedded")]
    endpoint: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let bar = ProgressBar::new(args.files.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len} files, {eta} left") {
        bar.set_style(style);
    }
    let endpoint = args.endpoint.as_str();
    let mut failures = 0;
    let mut results = futures_util::stream::iter(&args.files)
        .map(|file| async move { (file, recognise(endpoint, file).await) })
        // In the order given, whichever is done first.
        .buffered(args.jobs.max(1));
    while let Some((file, result)) = results.next().await {
        bar.inc(1);
        // The bar is taken away for a moment, so that lines are not written into it.
        bar.suspend(|| match result {
            Ok(text) => println!("{}: {text}", file.display()),
            Err(error) => {
                failures += 1;
                eprintln!("{}: {error}", file.display());
            }
        });
    }
    bar.finish_and_clear();
    match failures {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn recognise(endpoint: &str, file: &PathBuf) -> Result<String, Error> {
    // One object does one task at a time.
    let recognition = Recognition::builder("fun-asr-realtime")
        .endpoint(endpoint)
        .format(AudioFormat::Wav)
        .build()?;
    Ok(recognition.call(file).await?.text())
}
