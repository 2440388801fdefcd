//! A file in place of a microphone.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use ting_audio::{AudioStream, SAMPLE_RATE};
use tokio::sync::mpsc;

use super::source::{Heard, Lost, Source, WAITING, to_bytes};
use crate::error::{CliError, CliErrorKind};
use crate::transcribe::input::{self, Encoding};

/// Samples sent at once: 100 ms, as the service asks for.
const FRAME: usize = SAMPLE_RATE as usize / 10;

/// Bytes read at once. Small, so that sound which comes by a pipe as it is made does not wait for more of it.
const PIECE: usize = 4096;

/// Listens to the file `name` (`-` is standard input). Unless `fast`, no sooner than it would sound.
///
/// # Errors
/// `Input` when it cannot be opened or is of no known format.
pub(crate) fn open(name: &str, encoding: Encoding, fast: bool) -> Result<Source, CliError> {
    let shown = if name == "-" { "standard input" } else { name };
    let wrong = |error: &str| CliError::input(format!("{shown}: {error}"));
    let input = input::open(name, encoding).map_err(|error| wrong(&error.to_string()))?;
    // Decoded here: so that it can be paced whatever its format, and formats work that are not on the wire.
    let decoder = AudioStream::new(input.format, input.sample_rate)
        .map_err(|error| wrong(&error.to_string()))?;
    let (sender, heard) = mpsc::channel(WAITING);
    let player = Player {
        decoder,
        samples: Vec::new(),
        sender,
        next: (!fast).then(Instant::now),
    };
    let named = shown.to_owned();
    let thread = move || player.play(input.bytes, &named);
    std::thread::Builder::new()
        .name("ting-file".to_owned())
        .spawn(thread)
        .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    Ok(Source {
        sample_rate: SAMPLE_RATE,
        name: shown.to_owned(),
        heard,
        lost: Lost::default(),
        _alive: Box::new(()),
    })
}

/// Why nothing more was sent.
enum Stop {
    /// Nobody listens any more.
    Unheard,
    /// The file is not what it should be.
    Failed(String),
}

struct Player {
    decoder: AudioStream,
    /// Decoded and not yet sent.
    samples: Vec<f32>,
    sender: mpsc::Sender<Heard>,
    /// When the next frame may be sent; `None` is at once.
    next: Option<Instant>,
}

impl Player {
    fn play(mut self, mut bytes: impl Read, name: &str) {
        let end = match self.run(&mut bytes) {
            Ok(()) => Ok(()),
            Err(Stop::Unheard) => return,
            Err(Stop::Failed(reason)) => Err(CliError::new(
                CliErrorKind::Input,
                format!("{name}: {reason}"),
            )),
        };
        // Fails only when nobody listens.
        let _ = self.sender.blocking_send(Heard::End(end));
    }

    fn run(&mut self, bytes: &mut impl Read) -> Result<(), Stop> {
        let mut piece = [0; PIECE];
        loop {
            let length = match bytes.read(&mut piece) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stop::Failed(format!("cannot be read: {error}"))),
            };
            let decoded = match length {
                0 => self.decoder.finish(&mut self.samples),
                _ => self.decoder.push(&piece[..length], &mut self.samples),
            };
            // What came before a fault is heard.
            let least = if length == 0 || decoded.is_err() {
                1
            } else {
                FRAME
            };
            self.send(least)?;
            decoded.map_err(|error| Stop::Failed(error.to_string()))?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    /// Sends what is decoded, except for a rest of less than `least` samples.
    fn send(&mut self, least: usize) -> Result<(), Stop> {
        let mut start = 0;
        while self.samples.len() - start >= least {
            let frame = &self.samples[start..(start + FRAME).min(self.samples.len())];
            let length = Duration::from_secs_f64(frame.len() as f64 / f64::from(SAMPLE_RATE));
            if let Some(next) = &mut self.next {
                // On one schedule, so that no delay adds up. A frame is complete when it has sounded.
                *next += length;
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            let bytes = to_bytes(frame);
            start += frame.len();
            let sent = self.sender.blocking_send(Heard::Samples(bytes));
            sent.map_err(|_| Stop::Unheard)?;
        }
        self.samples.drain(..start);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::source::Heard;
    use super::open;
    use crate::transcribe::input::Encoding;

    /// What a source gives: the bytes of all samples, and how it ends.
    fn hear(bytes: &[u8], encoding: Encoding, fast: bool) -> (Vec<u8>, Result<(), String>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        let mut source = open(path.to_str().unwrap(), encoding, fast).unwrap();
        let mut all = Vec::new();
        loop {
            match source.heard.blocking_recv().unwrap() {
                Heard::Samples(bytes) => all.extend(bytes),
                Heard::Note(note) => panic!("{note}"),
                Heard::End(end) => return (all, end.map_err(|error| error.to_string())),
            }
        }
    }

    #[test]
    fn samples_come_as_they_are_and_at_their_pace() {
        let samples: Vec<u8> = (0..3 * 3200 + 101u32).map(|i| (i / 7) as u8).collect();
        let whole = &samples[..samples.len() / 2 * 2];
        let (fast, end) = hear(&samples, Encoding::Raw(16_000), true);
        assert_eq!((fast.as_slice(), end), (whole, Ok(())));
        let start = Instant::now();
        let (paced, _) = hear(&samples, Encoding::Raw(16_000), false);
        assert_eq!(paced, whole);
        // How much later it may be depends on the machine.
        assert!(start.elapsed() >= Duration::from_millis(300));
    }

    #[test]
    fn files_that_fail_are_heard_up_to_there() {
        let error = |name: &str| open(name, Encoding::Told, true).err().unwrap().to_string();
        assert!(error("/no/such").starts_with("/no/such: cannot be read"));
        assert!(error("/").contains("is a folder"));
        let (heard, end) = hear(b"RIFF\0\0\0\0WAVEfmt ", Encoding::Told, true);
        assert!(heard.is_empty() && end.is_err(), "{end:?}");
    }
}
