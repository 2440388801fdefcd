//! What a task has yet to send: audio and contexts, in the order they were given, with a bound.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};

/// Bytes of audio that may wait to be sent; more are refused, or waited for. Four minutes of 16-kHz PCM, which is much longer
/// than a connection takes to come about, and little memory.
pub const MAX_QUEUED_AUDIO_BYTES: usize = 8 << 20;

/// The largest binary frame. Longer ones are divided: some servers take no more, and no format minds where it is cut.
const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Contexts that may wait to be sent; each replaces the one before, so nobody needs many.
const MAX_QUEUED_CONTEXTS: usize = 64;

/// The queue between the caller and the connection.
pub(crate) struct Outgoing {
    state: Mutex<State>,
    /// Something is there to be sent.
    filled: Notify,
    /// There may be room again, or the task has ended.
    emptied: Notify,
}

struct State {
    items: VecDeque<Item>,
    bytes: usize,
    contexts: usize,
    phase: Phase,
    /// When audio was last given or sent.
    audio_at: Instant,
    /// When audio was first given.
    first_audio_at: Option<Instant>,
    /// When the end was asked for.
    finished_at: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Open,
    /// No more is taken, and what is there is still sent.
    Finishing,
    /// `finish-task` is sent.
    Finished,
    /// Nobody sends any more.
    Ended,
}

/// Something to send.
pub(crate) enum Item {
    Audio(Bytes),
    Context(Vec<Value>),
    /// All was sent.
    Finish,
}

impl Outgoing {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                items: VecDeque::new(),
                bytes: 0,
                contexts: 0,
                phase: Phase::Open,
                audio_at: Instant::now(),
                first_audio_at: None,
                finished_at: None,
            }),
            filled: Notify::new(),
            emptied: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues audio if it fits.
    ///
    /// # Errors
    /// `State` after the end was asked for; `QueueFull`.
    pub(crate) fn push(&self, audio: Bytes) -> Result<(), Error> {
        let size = audio.len();
        match self.try_push(audio, MAX_QUEUED_AUDIO_BYTES)? {
            None => Ok(()),
            Some(_) => {
                let message = format!(
                    "{size} bytes of audio are too many beside those that wait to be sent, at most \
                     {MAX_QUEUED_AUDIO_BYTES} together; send slower, or wait for room"
                );
                Err(Error::new(ErrorKind::QueueFull, message))
            }
        }
    }

    /// Queues audio as soon as fewer than `bound` bytes wait.
    ///
    /// # Errors
    /// `State` after the end was asked for.
    pub(crate) async fn push_wait(&self, audio: Bytes, bound: usize) -> Result<(), Error> {
        let mut audio = audio;
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            match self.try_push(audio, bound)? {
                None => return Ok(()),
                Some(back) => audio = back,
            }
            emptied.await;
        }
    }

    /// Gives the audio back if there is no room. Into an empty queue everything fits.
    pub(crate) fn try_push(&self, audio: Bytes, bound: usize) -> Result<Option<Bytes>, Error> {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return Err(stopped());
        }
        if audio.is_empty() {
            return Ok(None);
        }
        if state.bytes > 0 && state.bytes + audio.len() > bound {
            return Ok(Some(audio));
        }
        state.bytes += audio.len();
        state.audio_at = Instant::now();
        state.first_audio_at.get_or_insert_with(Instant::now);
        state.items.push_back(Item::Audio(audio));
        drop(state);
        self.filled.notify_one();
        Ok(None)
    }

    /// Queues a context.
    ///
    /// # Errors
    /// `State` after the end was asked for; `QueueFull`.
    pub(crate) fn push_context(&self, messages: Vec<Value>) -> Result<(), Error> {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return Err(stopped());
        }
        if state.contexts == MAX_QUEUED_CONTEXTS {
            let message = format!("{MAX_QUEUED_CONTEXTS} contexts wait to be sent already");
            return Err(Error::new(ErrorKind::QueueFull, message));
        }
        state.contexts += 1;
        state.items.push_back(Item::Context(messages));
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Asks for the end, after what is there. Says whether it was not asked for before.
    pub(crate) fn finish(&self) -> bool {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return false;
        }
        state.phase = Phase::Finishing;
        state.finished_at = Some(Instant::now());
        drop(state);
        self.filled.notify_one();
        self.emptied.notify_waiters();
        true
    }

    /// Says that nothing is sent any more.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.phase = Phase::Ended;
        state.items.clear();
        state.bytes = 0;
        drop(state);
        self.emptied.notify_waiters();
    }

    /// The next thing to send, when there is one. For one taker. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&self) -> Item {
        loop {
            if let Some(item) = self.take() {
                return item;
            }
            self.filled.notified().await;
        }
    }

    fn take(&self) -> Option<Item> {
        let mut state = self.lock();
        match state.items.pop_front() {
            Some(Item::Audio(mut audio)) => {
                if audio.len() > MAX_FRAME_BYTES {
                    let rest = audio.split_off(MAX_FRAME_BYTES);
                    state.items.push_front(Item::Audio(rest));
                }
                state.bytes -= audio.len();
                state.audio_at = Instant::now();
                drop(state);
                self.emptied.notify_waiters();
                Some(Item::Audio(audio))
            }
            Some(item) => {
                state.contexts = state.contexts.saturating_sub(1);
                Some(item)
            }
            None if state.phase == Phase::Finishing => {
                state.phase = Phase::Finished;
                Some(Item::Finish)
            }
            None => None,
        }
    }

    /// When `silence` without audio will have passed, if none is given or sent until then. `None` after the end was asked
    /// for.
    pub(crate) fn silent_at(&self, silence: Duration) -> Option<Instant> {
        let state = self.lock();
        // While some waits, silence has not begun.
        let since = match state.bytes {
            0 => state.audio_at,
            _ => Instant::now(),
        };
        (state.phase == Phase::Open).then(|| since + silence)
    }

    /// Counts silence from now on, not from when the task was made.
    pub(crate) fn touch(&self) {
        self.lock().audio_at = Instant::now();
    }

    pub(crate) fn first_audio_at(&self) -> Option<Instant> {
        self.lock().first_audio_at
    }

    pub(crate) fn finished_at(&self) -> Option<Instant> {
        self.lock().finished_at
    }
}

/// What a call gets that comes after the end was asked for.
fn stopped() -> Error {
    let message = "the recognition has stopped; start it again first";
    Error::new(ErrorKind::State, message)
}
