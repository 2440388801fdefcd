//! Writes SubRip subtitles of a WAV file, and prints sentences as they become known: results come as a stream while the
//! file is being sent. (`ting transcribe --format srt` cuts long sentences into lines as well.)
//!
//! ```console
//! $ cargo run --release -p ting-examples --bin subtitles -- tests/data/hello_en.wav hello_en.srt
//! ```

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use ting_client::{AudioFormat, Error, Recognition};

/// Bytes sent at once.
const FRAME: usize = 3200;

/// Write subtitles of a WAV file
#[derive(Parser)]
struct Args {
    /// The file
    file: PathBuf,
    /// The subtitles to write
    subtitles: PathBuf,
    /// Where to recognise: a server's ws:// or wss:// URL, or in this program
    #[arg(long, default_value = "embedded")]
    endpoint: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let audio = std::fs::read(&args.file)?;
    let recognition = Recognition::builder("fun-asr-realtime")
        .endpoint(&args.endpoint)
        .format(AudioFormat::Wav)
        // Subtitles want short sentences.
        .max_sentence_silence(500)
        .build()?;
    let recognition = Arc::new(recognition);
    let mut results = recognition.start_stream().await?;

    let sender = Arc::clone(&recognition);
    tokio::spawn(async move {
        for frame in audio.chunks(FRAME) {
            // Waits while too much is on its way.
            sender.send_audio_frame_wait(frame.to_vec()).await?;
        }
        sender.stop().await?;
        // Why it failed is told to the stream.
        Ok::<(), Error>(())
    });

    let mut subtitles = String::new();
    let mut count = 0;
    while let Some(result) = results.next().await {
        let result = result?;
        // Partials come as well; subtitles are of finals. An empty final takes a partial back.
        let Some(sentence) = result.sentence().filter(|_| result.is_sentence_end()) else {
            continue;
        };
        let Some(end) = sentence
            .end_time
            .filter(|_| !sentence.text.trim().is_empty())
        else {
            continue;
        };
        println!("{}", sentence.text);
        count += 1;
        let (begin, end) = (time(sentence.begin_time), time(end));
        writeln!(subtitles, "{count}\n{begin} --> {end}\n{}\n", sentence.text)?;
    }
    std::fs::write(&args.subtitles, subtitles)?;
    Ok(())
}

/// `HH:MM:SS,mmm`.
fn time(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02},{:03}", ms % 1000)
}
