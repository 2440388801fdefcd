//! One task of live captions: from the first sound to the last sentence.

use std::cell::OnceCell;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ting_client::{Progress, Recognition, RecognitionResult};
use ting_engine::Hotword;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::feed::Feed;
use super::hotword_list::HotwordList;
use super::save::Saving;
use super::server::{Server, failed};
use super::source::Source;
use super::terminal::Display;
use super::{ListenArgs, open};
use crate::error::{CliError, CliErrorKind};
use crate::signals::Signals;

/// When the last sentence takes longer than this after Ctrl+C, the user is told how to do without.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a program that records has to be ended in, when a signal ends this one.
const TIDY_UP: Duration = Duration::from_millis(500);

/// The exit status after a signal before anything was heard: that of a shell for SIGINT.
const INTERRUPTED: u8 = 130;

/// Runs the command with `hotwords`.
pub(crate) fn run(args: &ListenArgs, hotwords: Vec<Hotword>) -> Result<ExitCode, CliError> {
    let server = Server::of(args);
    let mut builder = server.builder(args);
    // What is wrong with the command line is told before a microphone is opened.
    builder.clone().build().map_err(|error| failed(&error))?;
    let kept = embedded(&server, args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            let message = format!("cannot start the threads of the program: {error}");
            CliError::new(CliErrorKind::Network, message)
        })?;
    let (mut source, signals) = {
        let _entered = runtime.enter();
        let opening = Opening::start()?;
        let source = open(args, &opening.cancelled)?;
        if opening.cancelled.load(Ordering::Relaxed) {
            return Ok(ExitCode::from(INTERRUPTED));
        }
        // From here on a signal ends the sound and not the program, so that what was said before is not lost.
        (source, Signals::new()?)
    };
    builder = builder.sample_rate(source.sample_rate);
    let save = args.save.as_deref();
    let saving = save.map(|path| Saving::create(path, &source.name));
    let saving = saving.transpose()?;
    let done = runtime.block_on(async {
        let list = match hotwords.is_empty() {
            true => None,
            false => Some(HotwordList::create(&server, hotwords).await?),
        };
        if let Some(list) = &list {
            builder = builder.vocabulary_id(&list.id);
        }
        let recognition = builder.build().map_err(|error| failed(&error))?;
        let task = Task {
            recognition: &recognition,
            display: Display::new(),
            saving,
            unsaved: None,
            sample_rate: source.sample_rate,
            sent: Arc::default(),
        };
        let is_microphone = args.file.is_none();
        let done = task.run(&mut source, is_microphone, signals).await;
        if let Some(list) = list {
            list.delete().await;
        }
        done
    });
    drop(source);
    drop(kept);
    // A thread may be waiting for standard input, which would hold up the end.
    runtime.shutdown_background();
    done?;
    Ok(ExitCode::SUCCESS)
}

/// Prepares the recogniser inside the program. The folder of its hotword lists goes with the value.
fn embedded(server: &Server, args: &ListenArgs) -> Result<Option<tempfile::TempDir>, CliError> {
    if !server.is_embedded() {
        return Ok(None);
    }
    let mut options = ting_embedded::Options::default();
    options.model_dir.clone_from(&args.model_dir);
    options.max_sessions = Some(1);
    let mut kept = None;
    if args.hotwords.is_some() {
        // The list of one run is not for other programs to see, and never one too many.
        let folder = tempfile::tempdir();
        let folder = folder.map_err(|error| CliError::output("a folder for hotwords", &error))?;
        // Without it, it would not be as asked.
        options.strict_vocabulary = true;
        options.data_dir = Some(folder.path().to_owned());
        kept = Some(folder);
    }
    ting_embedded::configure(options)
        .map_err(|error| CliError::new(CliErrorKind::Model, error.to_string()))?;
    Ok(kept)
}

/// The time in which the sound is opened, which may be long: standard input has to say what it is. A signal ends the
/// program then.
struct Opening {
    cancelled: Arc<AtomicBool>,
    watching: tokio::task::JoinHandle<()>,
}

impl Opening {
    /// From here on.
    fn start() -> Result<Self, CliError> {
        let mut signals = Signals::new()?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let cancel = Arc::clone(&cancelled);
        let watching = tokio::spawn(async move {
            signals.next().await;
            cancel.store(true, Ordering::Relaxed);
            tokio::time::sleep(TIDY_UP).await;
            std::process::exit(INTERRUPTED.into());
        });
        Ok(Self {
            cancelled,
            watching,
        })
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

struct Task<'a> {
    recognition: &'a Recognition,
    display: Display,
    saving: Option<Saving>,
    /// Why something is not saved yet.
    unsaved: Option<CliError>,
    sample_rate: u32,
    /// Samples given to the recogniser.
    sent: Arc<AtomicU64>,
}

impl Task<'_> {
    async fn run(
        mut self,
        source: &mut Source,
        is_microphone: bool,
        signals: Signals,
    ) -> Result<(), CliError> {
        let started = self.recognition.start_stream().await;
        let mut results = started.map_err(|error| failed(&error))?;
        if self.display.is_live() {
            let note = format!("listening to {}; Ctrl+C ends", source.name);
            self.display.note(&note);
        }
        let lost = source.lost.clone();
        let (notes, mut noted) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let feed = Feed {
            recognition: self.recognition,
            source,
            stop: stopped,
            notes,
            sent: Arc::clone(&self.sent),
            is_microphone,
        };
        // What the source failed with.
        let unheard = OnceCell::new();
        let mut feed = std::pin::pin!(feed.run(&unheard));
        let mut fed = false;
        let mut signals = Some(signals);
        let mut resized = signal(SignalKind::window_change()).ok();
        let mut impatient = None;
        let ended = loop {
            tokio::select! {
                result = results.next() => match result {
                    Some(Ok(result)) => self.show(&result)?,
                    Some(Err(error)) => break Err(self.explain(&error)),
                    None => break Ok(()),
                },
                () = &mut feed, if !fed => fed = true,
                Some(note) = noted.recv() => self.display.note(&format!("ting: {note}")),
                () = next_signal(signals.as_mut()) => {
                    stop.send_replace(true);
                    impatient = Some(Instant::now() + PATIENCE);
                    if let Some(signals) = signals.take() {
                        tokio::spawn(signals.exit_on_next());
                    }
                }
                () = reached(impatient) => {
                    impatient = None;
                    self.display.note("ting: waiting for the last sentence; Ctrl+C again ends at once");
                }
                () = next_resize(resized.as_mut()) => self.display.redraw()?,
            }
        };
        self.display.live("")?;
        if lost.samples() > 0 {
            self.display.note(&format!(
                "ting: {} of sound were lost, because they could not be sent in time",
                time(lost.samples() * 1000 / u64::from(self.sample_rate))
            ));
        }
        let heard_ms = self.heard_ms();
        if let Some(saving) = &mut self.saving {
            self.unsaved = saving.finish(heard_ms).err();
        }
        // What ended it comes first; what could not be saved was told when it happened.
        ended?;
        let failure = unheard.get().cloned().or(self.unsaved);
        failure.map_or(Ok(()), Err)
    }

    /// Shows a result, and saves it if it is final.
    fn show(&mut self, result: &RecognitionResult) -> Result<(), CliError> {
        let Some(sentence) = result.sentence() else {
            return Ok(());
        };
        if !result.is_sentence_end() {
            return self.display.live(&sentence.text);
        }
        self.display.clear();
        // An empty final takes back what was shown of it.
        if sentence.text.trim().is_empty() {
            return self.display.live("");
        }
        let heard_ms = self.heard_ms();
        if let Some(saving) = &mut self.saving {
            let saved = saving.add(sentence, heard_ms);
            if let (Err(error), None) = (&saved, &self.unsaved) {
                // Once, and not again for every sentence: it goes on, because this is not all there is of it.
                self.display.note(&format!(
                    "ting: {error}; it is tried again with every sentence"
                ));
            }
            self.unsaved = saved.err();
        }
        self.display.line(&sentence.text)
    }

    /// How much was given to the recogniser, in ms.
    fn heard_ms(&self) -> u64 {
        self.sent.load(Ordering::Relaxed) * 1000 / u64::from(self.sample_rate)
    }

    /// Why the task failed, and what is left of it.
    fn explain(&self, error: &ting_client::Error) -> CliError {
        let failure = failed(error);
        let Progress {
            recognised_ms,
            bytes_sent,
            ..
        } = error.progress().copied().unwrap_or_default();
        if bytes_sent == 0 {
            return failure;
        }
        let sent_ms = bytes_sent / 2 * 1000 / u64::from(self.sample_rate);
        let saved = if self.saving.is_some() {
            " and saved"
        } else {
            ""
        };
        CliError::new(
            failure.kind(),
            format!(
                "{failure}\nting: recognised{saved} up to {}, of {} that were sent",
                time(recognised_ms),
                time(sent_ms)
            ),
        )
    }
}

/// A time for people: minutes and seconds, with hours where there are any.
fn time(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let tenths = ms / 100 % 10;
    match hours {
        0 => format!("{minutes}:{seconds:02}.{tenths}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenths}"),
    }
}

/// The next signal, while they are listened to here.
async fn next_signal(signals: Option<&mut Signals>) {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

/// The next time the terminal gets another size.
async fn next_resize(resized: Option<&mut Signal>) {
    match resized {
        Some(resized) => drop(resized.recv().await),
        None => std::future::pending().await,
    }
}

async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_for_people() {
        let cases = [
            (0, "0:00.0"),
            (12_340, "0:12.3"),
            (3_599_999, "59:59.9"),
            (3_600_000, "1:00:00.0"),
        ];
        for (ms, expected) in cases {
            assert_eq!(time(ms), expected);
        }
    }
}
