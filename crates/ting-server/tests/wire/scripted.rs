//! A recogniser whose sentences are a function of the bytes it got, on a thread of its own as the real one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use ting_audio::Format;
use ting_engine::{EngineError, EngineErrorKind, Event, Sentence, TaskOptions, Word};
use ting_server::{Recogniser, RecogniserSession, Sink};

/// Bytes between two results, and of a sentence: 100 ms and 1 s of 16 kHz PCM.
pub(crate) const STEP: usize = 3_200;
pub(crate) const SENTENCE: usize = 32_000;

/// What the script does besides echoing, and what it saw.
#[derive(Default)]
pub(crate) struct Script {
    /// Sessions that are open.
    pub(crate) open: AtomicUsize,
    /// Bytes that all sessions got.
    pub(crate) received: AtomicUsize,
    /// Whether sessions refuse more bytes.
    pub(crate) full: AtomicBool,
    /// Whether opening fails for want of capacity.
    pub(crate) busy: AtomicBool,
    /// Whether finish is never answered.
    pub(crate) hangs: AtomicBool,
    /// Whether the recogniser breaks at the first bytes, dropping its sink.
    pub(crate) breaks: AtomicBool,
    /// Bytes that every text is made longer by.
    pub(crate) padding: AtomicUsize,
    /// Whether sessions say that they have not recognised all they got.
    pub(crate) behind: AtomicBool,
    /// The options of the last task.
    pub(crate) options: Mutex<Option<TaskOptions>>,
    /// The contexts of all sessions, each with the bytes that its session got before.
    pub(crate) contexts: Mutex<Vec<(usize, Vec<String>)>>,
}

pub(crate) struct Scripted(pub(crate) Arc<Script>);

enum Command {
    Push(Vec<u8>),
    Context(Vec<String>),
    Finish,
}

struct Session {
    script: Arc<Script>,
    commands: Sender<Command>,
    rate: u32,
    /// Zero bytes at the end of what came.
    zeros: AtomicUsize,
}

impl Recogniser for Scripted {
    fn open(
        &self,
        options: TaskOptions,
        sink: Sink,
    ) -> Result<Box<dyn RecogniserSession>, EngineError> {
        let script = self.0.clone();
        if script.busy.load(Ordering::SeqCst) {
            return Err(EngineError::new(
                EngineErrorKind::Busy,
                "2 of 2 sessions are open",
            ));
        }
        *script.options.lock().unwrap() = Some(options.clone());
        let (commands, inbox) = channel();
        script.open.fetch_add(1, Ordering::SeqCst);
        let session = Session {
            script: script.clone(),
            commands,
            rate: options.sample_rate,
            zeros: AtomicUsize::new(0),
        };
        std::thread::spawn(move || {
            let mut echo = Echo {
                script,
                options,
                total: 0,
                since_final: 0,
                id: 1,
            };
            for command in inbox {
                let more = match command {
                    Command::Push(bytes) => echo.push(&bytes, &sink),
                    Command::Context(texts) => {
                        let mut contexts = echo.script.contexts.lock().unwrap();
                        contexts.push((echo.total, texts));
                        true
                    }
                    Command::Finish => echo.finish(&sink),
                };
                if !more {
                    return;
                }
            }
        });
        Ok(Box::new(session))
    }
}

impl RecogniserSession for Session {
    fn push(&self, bytes: Vec<u8>) {
        self.script
            .received
            .fetch_add(bytes.len(), Ordering::SeqCst);
        match bytes.iter().rposition(|byte| *byte != 0) {
            Some(last) => self.zeros.store(bytes.len() - last - 1, Ordering::SeqCst),
            None => {
                self.zeros.fetch_add(bytes.len(), Ordering::SeqCst);
            }
        }
        let _ = self.commands.send(Command::Push(bytes));
    }

    fn silence_ms(&self) -> Option<u64> {
        let bytes = self.zeros.load(Ordering::SeqCst) as u64;
        let ms = bytes * 1000 / (2 * u64::from(self.rate));
        (!self.script.behind.load(Ordering::SeqCst)).then_some(ms)
    }

    fn has_room(&self) -> bool {
        !self.script.full.load(Ordering::SeqCst)
    }

    fn set_context(&self, texts: Vec<String>) {
        let _ = self.commands.send(Command::Context(texts));
    }

    fn finish(&self) {
        let _ = self.commands.send(Command::Finish);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.script.open.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Echo {
    script: Arc<Script>,
    options: TaskOptions,
    total: usize,
    since_final: usize,
    id: u32,
}

impl Echo {
    fn push(&mut self, bytes: &[u8], sink: &Sink) -> bool {
        if self.script.breaks.load(Ordering::SeqCst) {
            return false;
        }
        for &byte in bytes {
            if self.options.format == Format::Wav && self.total == 0 && byte != b'R' {
                let message = "the bytes do not start with RIFF";
                sink(Event::Failed(EngineError::new(
                    EngineErrorKind::Audio,
                    message,
                )));
                return false;
            }
            self.total += 1;
            self.since_final += 1;
            if self.since_final == SENTENCE {
                self.end_sentence(sink);
            } else if self.since_final.is_multiple_of(STEP) {
                sink(Event::Partial {
                    sentence: self.sentence(),
                });
            }
        }
        true
    }

    fn finish(&mut self, sink: &Sink) -> bool {
        if self.script.hangs.load(Ordering::SeqCst) {
            return true;
        }
        if self.since_final > 0 {
            self.end_sentence(sink);
        }
        sink(Event::Finished {
            audio_ms: self.ms(self.total),
        });
        false
    }

    fn end_sentence(&mut self, sink: &Sink) {
        sink(Event::Final {
            sentence: self.sentence(),
            audio_ms: self.ms(self.total),
        });
        self.id += 1;
        self.since_final = 0;
    }

    fn sentence(&self) -> Sentence {
        let begin_ms = self.ms(self.total - self.since_final);
        let end_ms = self.ms(self.total);
        let text = format!("bytes {}", self.total);
        let padding = "x".repeat(self.script.padding.load(Ordering::SeqCst));
        let word = Word {
            begin_ms,
            end_ms,
            text: text.clone(),
            punctuation: ".".to_owned(),
        };
        Sentence {
            id: self.id,
            begin_ms,
            end_ms,
            text: format!("{text}.{padding}"),
            words: vec![word],
            fixed: 0,
            first: self.since_final == STEP,
        }
    }

    fn ms(&self, bytes: usize) -> u64 {
        bytes as u64 * 1000 / (2 * u64::from(self.options.sample_rate))
    }
}
