//! Recognises a WAV file with and without a list of hotwords, which it makes and deletes again.
//!
//! ```console
//! $ cargo run --release -p ting-examples --bin hotwords -- tests/data/hello_zh.wav 龚园
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ting_client::{AudioFormat, Error, Recognition, VocabularyService, VocabularyWord};

const MODEL: &str = "fun-asr-realtime";

/// Recognise a WAV file with and without hotwords
#[derive(Parser)]
struct Args {
    /// The file
    file: PathBuf,
    /// Words to prefer
    #[arg(required = true)]
    words: Vec<String>,
    /// How strongly they are preferred, 1 to 5, or 50
    #[arg(long, default_value_t = 50)]
    weight: u8,
    /// Where to recognise: a server's ws:// or wss:// URL, or in this program
    #[arg(long, default_value = "embedded")]
    endpoint: String,
    /// Where hotword lists are made: a server's http:// or https:// URL, or in this program
    #[arg(long, default_value = "embedded")]
    http_endpoint: String,
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

async fn run(args: &Args) -> Result<(), Error> {
    println!("without: {}", recognise(args, None).await?);
    let service = VocabularyService::builder()
        .endpoint(&args.http_endpoint)
        .build()?;
    let word = |text: &String| VocabularyWord {
        text: text.clone(),
        weight: args.weight,
        lang: None,
    };
    let words = args.words.iter().map(word).collect();
    // Usually a list is made once and its id kept: an account has only a few.
    let id = service.create(MODEL, "example", words).await?;
    let with = recognise(args, Some(&id)).await;
    service.delete(&id).await?;
    println!("with:    {}", with?);
    Ok(())
}

async fn recognise(args: &Args, list: Option<&str>) -> Result<String, Error> {
    let mut builder = Recognition::builder(MODEL)
        .endpoint(&args.endpoint)
        .format(AudioFormat::Wav);
    if let Some(id) = list {
        builder = builder.vocabulary_id(id);
    }
    Ok(builder.build()?.call(&args.file).await?.text())
}
