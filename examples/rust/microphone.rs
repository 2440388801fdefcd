//! Recognises what a microphone hears until Enter is pressed, as the second example of the public page does.
//!
//! ```console
//! $ cargo run --release -p ting-examples --features microphone --bin microphone
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use ting_client::blocking::Recognition;
use ting_client::{Error, RecognitionCallback, RecognitionResult};

/// Recognise what the microphone hears until Enter is pressed
#[derive(Parser)]
struct Args {
    /// Where to recognise: a server's ws:// or wss:// URL, or in this program
    #[arg(long, default_value = "embedded")]
    endpoint: String,
}

/// Prints what is heard. The methods are called on a thread of the task, never two at once.
struct Print;

impl RecognitionCallback for Print {
    fn on_event(&mut self, result: &RecognitionResult) {
        let Some(sentence) = result.sentence() else {
            return;
        };
        match result.is_sentence_end() {
            true => println!("{}", sentence.text),
            // It may still change, and the next result says how.
            false => eprintln!("  … {}", sentence.text),
        }
    }

    fn on_error(&mut self, error: &Error) {
        eprintln!("{error}");
        if let Some(progress) = error.progress() {
            eprintln!("recognised up to {} ms", progress.recognised_ms);
        }
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let host = cpal::default_host();
    let device = host
        .default_input_device()
        .ok_or("there is no microphone")?;
    let config = device.default_input_config()?;
    let recognition = Recognition::builder("fun-asr-realtime")
        .endpoint(&args.endpoint)
        // The recogniser takes any rate, but one channel only.
        .sample_rate(config.sample_rate())
        // Pauses of any length do not end it.
        .heartbeat(true)
        .build_blocking()?;
    let recognition = Arc::new(recognition);
    recognition.start(Print)?;

    let sender = Arc::clone(&recognition);
    let channels = usize::from(config.channels()).max(1);
    let stream = device.build_input_stream(
        config.config(),
        move |samples: &[f32], _: &cpal::InputCallbackInfo| {
            let frames = samples.chunks_exact(channels);
            let mono = frames.map(|frame| frame.iter().sum::<f32>() / channels as f32);
            let bytes: Vec<u8> = mono
                .flat_map(|sample| ((sample * 32767.0) as i16).to_le_bytes())
                .collect();
            // Only queues. It fails once the task has ended, which `on_error` tells.
            let _ = sender.send_audio_frame(bytes);
        },
        |error| eprintln!("microphone: {error}"),
        None,
    )?;
    stream.play()?;
    eprintln!("listening at {} Hz; Enter ends", config.sample_rate());
    std::io::stdin().read_line(&mut String::new())?;
    drop(stream);
    // Waits for the last sentence. When the task has failed, `on_error` has said so.
    recognition.stop()?;
    Ok(())
}
