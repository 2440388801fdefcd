//! `ting listen`: live captions in the terminal.

mod devices;
#[cfg(test)]
mod emulator;
mod feed;
mod file;
mod hotword_list;
#[cfg(any(feature = "microphone", not(target_os = "linux")))]
mod microphone;
#[cfg_attr(
    any(feature = "microphone", not(target_os = "linux")),
    allow(dead_code, reason = "the microphone is opened without a program")
)]
mod recorder;
mod save;
mod screen;
mod server;
mod source;
mod task;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::error::CliError;
use crate::stdout;
use crate::transcribe::SpokenLanguage;
use crate::transcribe::input::Encoding;
use source::Source;

// A Linux binary records through a program unless it was built to do so itself; see the feature in Cargo.toml.
#[cfg(any(feature = "microphone", not(target_os = "linux")))]
use microphone as input_devices;
#[cfg(not(any(feature = "microphone", not(target_os = "linux"))))]
use recorder as input_devices;

/// Show what is said, as it is said: live captions from the microphone
///
/// What may still change is rewritten in place, sentences that are over scroll up. Ctrl+C ends it; a second Ctrl+C ends it at
/// once. Where standard output is no terminal, only the sentences that are over are printed, a line each.
#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    /// Listen to this file, as it would sound, instead of the microphone; - is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["device", "list_devices"])]
    file: Option<String>,
    /// The microphone: its name, or a part that only one has [default: the one of the system]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Print the names of all microphones
    #[arg(long)]
    list_devices: bool,
    /// Write the sentences to FILE as they come: .txt, .json, .srt or .vtt. A file that is there is replaced
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Have this server recognise, instead of the program itself: ws://HOST:PORT or wss://…
    #[arg(long, value_name = "URL", conflicts_with = "model_dir")]
    url: Option<String>,
    /// The key for the server; TING_API_KEY counts too
    #[arg(
        long,
        value_name = "KEY",
        env = "DASHSCOPE_API_KEY",
        hide_env_values = true
    )]
    api_key: Option<String>,
    /// Languages to recognise, of zh, en, ja; all by default
    #[arg(long, value_delimiter = ',', value_name = "LANGUAGES")]
    language: Vec<SpokenLanguage>,
    /// Silence that ends a sentence, in ms, 200 to 6000 [default: 1300]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(200..=6000))]
    max_sentence_silence: Option<u32>,
    /// End sentences by what is said, not by silence
    #[arg(long, conflicts_with = "max_sentence_silence")]
    semantic: bool,
    /// End when nothing but silence was heard for a minute
    #[arg(long)]
    no_heartbeat: bool,
    /// Prefer the words of FILE: a word a line, or between tabs a word, its weight (1 to 5, or 50) and its language (zh,
    /// en, ja), or a JSON list as the service has it
    #[arg(long, value_name = "FILE")]
    hotwords: Option<PathBuf>,
    /// FILE is headerless 16-bit little-endian mono at RATE Hz, 8000 to 192000
    #[arg(long, value_name = "RATE", requires = "file", value_parser = clap::value_parser!(u32).range(8000..=192000))]
    raw: Option<u32>,
    /// Recognise FILE as fast as it can be
    #[arg(long, requires = "file")]
    fast: bool,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

impl ListenArgs {
    /// The key for the server. `TING_API_KEY` may hold several, for `ting serve`.
    fn key(&self) -> Option<String> {
        let ours = std::env::var("TING_API_KEY").ok();
        let first = |keys: String| {
            keys.split(',')
                .map(|key| key.trim().to_owned())
                .find(|key| !key.is_empty())
        };
        self.api_key.clone().or_else(|| ours.and_then(first))
    }
}

/// Runs the command until the sound ends or it is told to stop.
pub(crate) fn run(args: &ListenArgs) -> Result<ExitCode, CliError> {
    if args.list_devices {
        stdout::print(&input_devices::list()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // What is wrong with the command line is told before a microphone is opened.
    if let Some(path) = &args.save {
        save::format_of(path)?;
    }
    let hotwords = args.hotwords.as_deref().map(crate::hotwords::read);
    let hotwords = hotwords.transpose()?;
    task::run(args, hotwords.unwrap_or_default())
}

/// Starts to listen. Gives up where it has to wait and `cancelled` becomes true.
fn open(args: &ListenArgs, cancelled: &AtomicBool) -> Result<Source, CliError> {
    match &args.file {
        Some(name) => {
            let encoding = args.raw.map_or(Encoding::Told, Encoding::Raw);
            file::open(name, encoding, args.fast)
        }
        None => input_devices::open(args.device.as_deref(), cancelled),
    }
}
