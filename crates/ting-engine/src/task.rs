//! One session's audio in, its events out, and the queue of sessions that have something to do.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::api::{EngineError, EngineErrorKind, Event};
use crate::recognizer::Recognizer;

/// The most bytes recognised before the next session has its turn: a second of 16 kHz PCM.
pub(crate) const TURN_BYTES: usize = 32_000;
/// Audio that a turn is to be, in ms. A kilobyte may be 31 ms of PCM, half a second of Opus or 20 s of AMR pauses, so
/// each session's turns follow what its last bytes turned out to be.
const TURN_MS: u64 = 1_000;
/// Bytes of a session's first turns, until its own density is known, and the fewest of any turn.
const FIRST_TURN_BYTES: usize = 1_024;
const LEAST_TURN_BYTES: usize = 32;

/// The sessions that have something to do, longest-waiting first.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) ready: Mutex<Ready>,
    pub(crate) wake: Condvar,
}

#[derive(Default)]
pub(crate) struct Ready {
    sessions: VecDeque<Arc<Task>>,
    pub(crate) stopping: bool,
}

type Sink = Box<dyn Fn(Event) + Send + Sync>;

/// What a session and the threads share.
pub(crate) struct Task {
    pub(crate) inbox: Mutex<Inbox>,
    /// None once the task has ended. Only the thread whose turn it is takes this lock for long.
    pub(crate) recognizer: Mutex<Option<Recognizer>>,
    pub(crate) sink: Sink,
}

/// What a session gives its task, in order.
pub(crate) enum Part {
    Audio(Vec<u8>),
    Context(Vec<String>),
}

impl Part {
    /// In bytes, for the bounds on what waits. A context counts too: a client may send any number of them.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Audio(bytes) => bytes.len(),
            Self::Context(texts) => texts.iter().map(String::len).sum::<usize>() + 64,
        }
    }
}

pub(crate) struct Inbox {
    pub(crate) parts: VecDeque<Part>,
    /// Sum of the lengths of `parts`.
    pub(crate) bytes: usize,
    pub(crate) finish: bool,
    pub(crate) cancelled: bool,
    /// In the queue, or being worked on.
    pub(crate) scheduled: bool,
    pub(crate) ended: bool,
    /// The recogniser's [`silence_ms`](Recognizer::silence_ms) after the last turn.
    pub(crate) silence_ms: u64,
    /// Bytes of the next turn, see [`next_turn`].
    turn_bytes: usize,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            parts: VecDeque::new(),
            bytes: 0,
            finish: false,
            cancelled: false,
            scheduled: false,
            ended: false,
            silence_ms: 0,
            turn_bytes: FIRST_TURN_BYTES,
        }
    }
}

/// How many bytes the turn after one of `bytes` may have, which turned out to be `audio_ms` of audio.
///
/// More than [`TURN_MS`] brings the next down to it at once; less lets it grow by doubling, since bytes that decode to
/// nothing (tags, pictures) may be followed by dense ones.
fn next_turn(bytes: usize, audio_ms: u64) -> usize {
    let wanted = if audio_ms > TURN_MS {
        (bytes as u64 * TURN_MS / audio_ms) as usize
    } else {
        bytes.saturating_mul(2)
    };
    wanted.clamp(LEAST_TURN_BYTES, TURN_BYTES)
}

/// A mutex is only poisoned by a panic, which [`Task::turn`] turns into the end of that task.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    pub(crate) fn put(&self, task: Arc<Task>) {
        lock(&self.ready).sessions.push_back(task);
        self.wake.notify_one();
    }

    /// A thread's life: turn after turn, until the engine stops.
    pub(crate) fn work(&self) {
        loop {
            let mut ready = lock(&self.ready);
            let task = loop {
                if ready.stopping {
                    return;
                }
                if let Some(task) = ready.sessions.pop_front() {
                    break task;
                }
                ready = self
                    .wake
                    .wait(ready)
                    .unwrap_or_else(PoisonError::into_inner);
            };
            drop(ready);
            if task.turn() {
                self.put(task);
            }
        }
    }
}

impl Task {
    /// Recognises a turn's worth of the inbox; true when there is more to do.
    fn turn(&self) -> bool {
        let (parts, size, full, last) = {
            let mut inbox = lock(&self.inbox);
            if inbox.cancelled {
                inbox.ended = true;
            }
            if inbox.ended {
                drop(inbox);
                lock(&self.recognizer).take();
                return false;
            }
            let mut parts = Vec::new();
            let mut size = 0;
            let most = inbox.turn_bytes;
            while size < most {
                let Some(mut part) = inbox.parts.pop_front() else {
                    break;
                };
                let room = most - size;
                if let Part::Audio(bytes) = &mut part
                    && bytes.len() > room
                {
                    let rest = bytes.split_off(room);
                    inbox.parts.push_front(Part::Audio(rest));
                }
                size += part.len();
                parts.push(part);
            }
            inbox.bytes -= size;
            let last = inbox.finish && inbox.parts.is_empty();
            (parts, size, size >= most, last)
        };
        let mut recognizer = lock(&self.recognizer);
        let before = recognizer.as_ref().map_or(0, Recognizer::audio_ms);
        let mut events = Vec::new();
        let ended = match recognizer.as_mut() {
            Some(recognizer) => {
                let result = catch_unwind(AssertUnwindSafe(|| {
                    for part in &parts {
                        match part {
                            Part::Audio(bytes) => recognizer.push(bytes, &mut events),
                            Part::Context(texts) => recognizer.set_context(texts),
                        }
                    }
                    if last {
                        recognizer.finish(&mut events);
                    }
                    recognizer.is_ended()
                }));
                result.unwrap_or_else(|_| {
                    // A client must not wait for ever because of a fault of ours.
                    events.push(Event::Failed(EngineError::new(
                        EngineErrorKind::Internal,
                        "the recogniser failed on this audio",
                    )));
                    true
                })
            }
            None => true,
        };
        let silence_ms = recognizer.as_ref().map_or(0, Recognizer::silence_ms);
        let audio_ms = recognizer.as_ref().map_or(0, Recognizer::audio_ms) - before;
        if ended {
            recognizer.take();
        }
        drop(recognizer);
        // Reported before another thread may take the next turn, so that events keep their order.
        if !lock(&self.inbox).cancelled {
            for event in events {
                (self.sink)(event);
            }
        }
        let mut inbox = lock(&self.inbox);
        inbox.ended |= ended;
        inbox.silence_ms = silence_ms;
        // A turn that took all there was tells nothing about how many bytes one may have, unless they were too many.
        if full || audio_ms > TURN_MS {
            inbox.turn_bytes = next_turn(size, audio_ms);
        }
        if inbox.ended {
            inbox.parts.clear();
            inbox.bytes = 0;
        }
        let more = !inbox.ended && (inbox.cancelled || !inbox.parts.is_empty() || inbox.finish);
        inbox.scheduled = more;
        more
    }
}
