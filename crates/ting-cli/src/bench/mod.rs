//! `ting bench`: the measurements behind `docs/benchmarks.md`. Every one prints the machine and a Markdown table.

mod audio;
mod burst;
mod child;
mod client;
mod decode;
mod latency;
mod memory;
mod noise;
mod percentile;
mod rtf;

use std::process::ExitCode;

use clap::Subcommand;

use crate::error::{CliError, CliErrorKind};
use crate::{machine, stdout};

/// What is measured.
#[derive(Subcommand, Debug)]
pub(crate) enum BenchCommand {
    /// Processing time over audio time, on one thread, without a server
    Rtf(rtf::RtfArgs),
    /// Speed and memory of the decoders of audio
    Decode(decode::DecodeArgs),
    /// Delays of a server under sessions that send in real time
    Latency(latency::LatencyArgs),
    /// A long file sent as fast as TCP takes it
    Burst(burst::BurstArgs),
    /// Resident memory of a server, idle and with one session
    Memory(memory::MemoryArgs),
    /// What noise is taken for, and what speech for noise, by speech_noise_threshold
    Noise(noise::NoiseArgs),
    /// Time from starting a server until it listens
    Start(memory::StartArgs),
}

/// Runs the command.
pub(crate) fn run(command: &BenchCommand) -> Result<ExitCode, CliError> {
    stdout::print(&format!("machine: {}\n\n", machine::describe()))?;
    match command {
        BenchCommand::Rtf(args) => rtf::run(args)?,
        BenchCommand::Decode(args) => decode::run(args)?,
        BenchCommand::Latency(args) => block_on(latency::run(args))?,
        BenchCommand::Burst(args) => block_on(burst::run(args))?,
        BenchCommand::Memory(args) => block_on(memory::run(args))?,
        BenchCommand::Noise(args) => noise::run(args)?,
        BenchCommand::Start(args) => memory::start(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn block_on(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        CliError::new(
            CliErrorKind::Network,
            format!("cannot start the threads of the client: {error}"),
        )
    })?;
    runtime.block_on(work)
}
