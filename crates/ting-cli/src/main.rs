//! The `ting` binary: one file or folder per command.
//!
//! # Architecture invariants
//! - Results go to standard output, everything else to standard error.
//! - Exit status 0: all done. 1: something failed, and stderr says what. 2: the command line is wrong.

mod bench;
mod error;
mod eval;
mod hotwords;
mod listen;
mod machine;
mod recognise;
mod score;
mod serve;
mod signals;
mod stdout;
mod table;
mod text;
mod transcribe;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use error::CliErrorKind;

/// Ting: a real-time speech recogniser that speaks the fun-asr-realtime protocol
#[derive(Parser, Debug)]
#[command(name = "ting", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Serve(serve::ServeArgs),
    Transcribe(transcribe::TranscribeArgs),
    Listen(listen::ListenArgs),
    Eval(eval::EvalArgs),
    /// Measure speed, delays and memory
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A server tells what it does; the other commands only what goes wrong.
    let quiet = if matches!(cli.command, Command::Serve(_)) {
        "info"
    } else {
        "warn"
    };
    let filter = EnvFilter::try_from_env("TING_LOG").unwrap_or_else(|_| EnvFilter::new(quiet));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours are for a terminal; a log file should hold text.
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    let done = match &cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Transcribe(args) => transcribe::run(args),
        Command::Listen(args) => listen::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Bench(command) => bench::run(command),
    };
    match done {
        Ok(status) => status,
        Err(error) if error.kind() == CliErrorKind::ClosedPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ting: {error}");
            ExitCode::FAILURE
        }
    }
}
