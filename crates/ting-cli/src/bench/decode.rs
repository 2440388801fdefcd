//! `ting bench decode`.

use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use ting_audio::{AudioError, AudioStream, SAMPLE_RATE};

use super::audio;
use super::percentile::percentile;
use crate::error::CliError;
use crate::machine::{anonymous_memory, thread_cpu_seconds};
use crate::stdout;
use crate::table::markdown;
use crate::transcribe::input::Input;

/// Bytes given to a decoder at once: a frame of 100 ms of 16 kHz PCM, as live clients send.
const PIECE: usize = 3_200;
/// A round decodes a file as often as it takes to fill this, in seconds: the system counts processor time in steps of
/// some milliseconds.
const ROUND_SECONDS: f64 = 0.2;
/// Streams open side by side when their memory is measured: enough that what a stream has is many times what a
/// process has, and that pages are full.
const STREAMS: usize = 64;
/// Seconds of audio after which memory does not grow any more: the demuxers and decoders are all at work.
const STEADY_SECONDS: usize = 10;

/// Measure the decoders: speed on one core, and memory per open stream
///
/// A file is decoded whole, in pieces of 3200 bytes, in turn with the others; the speed is audio time over processor
/// time. Memory is what a process of its own holds, beyond what it held before, while 64 streams decode the first 10 s of
/// the file in step; it includes what C code allocates.
#[derive(Args, Debug)]
pub(crate) struct DecodeArgs {
    /// Recordings, one of each format; half a minute or longer
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How often to decode each
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// Print the bytes that a stream of the first file holds, and nothing else: what the measurement of memory calls
    #[arg(long, hide = true)]
    memory_of_first: bool,
}

struct File {
    name: String,
    input: Input,
    bytes: Vec<u8>,
    seconds: f64,
    /// Times in a round.
    times: u32,
    /// Audio seconds per second, of each round.
    by_clock: Vec<f64>,
    by_processor: Vec<f64>,
}

impl File {
    fn read(name: &str) -> Result<Self, CliError> {
        let (input, bytes) = audio::read(name)?;
        Ok(File {
            name: name.to_owned(),
            input,
            bytes,
            seconds: 0.0,
            times: 1,
            by_clock: Vec::new(),
            by_processor: Vec::new(),
        })
    }

    fn stream(&self) -> Result<AudioStream, CliError> {
        AudioStream::new(self.input.format, self.input.sample_rate)
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &AudioError) -> CliError {
        CliError::input(format!("{}: {error}", self.name))
    }

    /// Decodes all of it [`times`](File::times); the first time the caches are cold and nothing is noted.
    fn round(&mut self, noted: bool) -> Result<(), CliError> {
        let (started, before) = (Instant::now(), thread_cpu_seconds());
        let mut samples = 0;
        for _ in 0..self.times {
            samples = self.decode()?;
        }
        let elapsed = started.elapsed().as_secs_f64();
        if samples == 0 {
            return Err(CliError::input(format!("{}: has no audio", self.name)));
        }
        self.seconds = samples as f64 / f64::from(SAMPLE_RATE);
        if !noted {
            self.times = (ROUND_SECONDS / elapsed).ceil().clamp(1.0, 1e6) as u32;
            return Ok(());
        }
        let audio = self.seconds * f64::from(self.times);
        self.by_clock.push(audio / elapsed);
        let used = thread_cpu_seconds()
            .zip(before)
            .map(|(after, before)| after - before);
        self.by_processor
            .extend(used.filter(|used| *used > 0.0).map(|used| audio / used));
        Ok(())
    }

    /// Decodes all of it once. Returns the samples.
    fn decode(&self) -> Result<usize, CliError> {
        let mut stream = self.stream()?;
        let (mut samples, mut out) = (0, Vec::new());
        for piece in self.bytes.chunks(PIECE) {
            let pushed = stream.push(piece, &mut out);
            pushed.map_err(|error| self.failed(&error))?;
            samples += out.len();
            out.clear();
        }
        let finished = stream.finish(&mut out);
        finished.map_err(|error| self.failed(&error))?;
        Ok(samples + out.len())
    }

    /// The most bytes a stream of this file holds while it is decoded; `None` where the system does not tell.
    fn memory(&self) -> Result<Option<u64>, CliError> {
        // Used once before, so that what all streams share counts as little as it does in a server.
        let mut out = Vec::with_capacity(SAMPLE_RATE as usize * 60);
        let first = &self.bytes[..self.bytes.len().min(16 * PIECE)];
        self.stream()?
            .push(first, &mut out)
            .map_err(|error| self.failed(&error))?;
        out.clear();
        let before = anonymous_memory();
        let mut streams = (0..STREAMS)
            .map(|_| self.stream())
            .collect::<Result<Vec<_>, _>>()?;
        let (mut most, mut samples) = (anonymous_memory(), 0);
        for piece in self.bytes.chunks(PIECE) {
            // A stream's own, for all are alike.
            samples += out.len();
            if samples > STEADY_SECONDS * SAMPLE_RATE as usize {
                break;
            }
            for stream in &mut streams {
                out.clear();
                let pushed = stream.push(piece, &mut out);
                pushed.map_err(|error| self.failed(&error))?;
            }
            most = most.max(anonymous_memory());
        }
        Ok(most
            .zip(before)
            .map(|(most, before)| most.saturating_sub(before) / STREAMS as u64))
    }
}

/// Runs the command.
pub(crate) fn run(args: &DecodeArgs) -> Result<(), CliError> {
    let mut files = args
        .files
        .iter()
        .map(|name| File::read(name))
        .collect::<Result<Vec<_>, _>>()?;
    if args.memory_of_first {
        let memory = files.first().map(File::memory).transpose()?.flatten();
        return stdout::print(&memory.map_or("-".to_owned(), |bytes| bytes.to_string()));
    }
    for round in 0..=args.repeat {
        for file in &mut files {
            file.round(round > 0)?;
        }
    }
    let median = |values: &[f64], p| {
        percentile(values, p).map_or("-".to_owned(), |speed| format!("{speed:.0}x"))
    };
    let mut rows = Vec::new();
    for file in &files {
        let memory = memory_in_a_process(&file.name)
            .map_or("-".to_owned(), |bytes| format!("{} KB", bytes / 1000));
        rows.push(vec![
            file.name.clone(),
            file.input.format.name().to_owned(),
            format!("{:.1} s", file.seconds),
            format!(
                "{:.1} kbit/s",
                file.bytes.len() as f64 * 8e-3 / file.seconds
            ),
            median(&file.by_processor, 50.0),
            median(&file.by_processor, 0.0),
            median(&file.by_clock, 50.0),
            memory,
        ]);
    }
    stdout::print(&format!(
        "one thread, {} rounds after a first, pieces of {PIECE} bytes; memory with {STREAMS} streams\n\n",
        args.repeat
    ))?;
    let header = [
        "file",
        "format",
        "audio",
        "rate",
        "speed, processor time",
        "slowest round",
        "speed, clock",
        "memory per stream",
    ];
    stdout::print(&markdown(&header, &rows))
}

/// [`File::memory`] in a process of its own: what others allocated before cannot be reused there.
fn memory_in_a_process(name: &str) -> Option<u64> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args(["bench", "decode", "--memory-of-first", "--", name])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().last()?.trim().parse().ok()
}
