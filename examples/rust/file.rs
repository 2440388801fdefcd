//! Recognises a WAV file and prints its sentences, as the first example of the public page does.
//!
//! ```console
//! $ cargo run --release -p ting-examples --bin file -- tests/data/hello_zh.wav
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ting_client::blocking::Recognition;
use ting_client::{AudioFormat, Error};

/// Recognise a WAV file
#[derive(Parser)]
struct Args {
    /// The file
    file: PathBuf,
    /// Where to recognise: a server's ws:// or wss:// URL, or in this program
    #[arg(long, default_value = "embedded")]
    endpoint: String,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With the server's code, if it gave one.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Error> {
    let recognition = Recognition::builder("fun-asr-realtime")
        .endpoint(&args.endpoint)
        .format(AudioFormat::Wav)
        .build_blocking()?;
    // Waits until all is recognised. The file is sent as fast as it can be.
    let result = recognition.call(&args.file)?;
    for sentence in result.sentences() {
        let end = sentence.end_time.unwrap_or_default();
        println!(
            "{:>6} to {end:>6} ms: {}",
            sentence.begin_time, sentence.text
        );
        for word in &sentence.words {
            println!("{:>6} {}{}", word.begin_time, word.text, word.punctuation);
        }
    }
    eprintln!(
        "request {}, first text after {:?}, all done {:?} after the last byte",
        recognition.last_request_id(),
        recognition.first_package_delay().unwrap_or_default(),
        recognition.last_package_delay().unwrap_or_default(),
    );
    Ok(())
}
