//! One task: what its caller, its connection and its reader share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::frame::ResultFrame;
use crate::inbox::{Ending, Inbox};
use crate::outgoing::Outgoing;
use crate::progress::Progress;
use crate::result::RecognitionResult;

/// A running task, or one that has ended.
pub(crate) struct Task {
    pub(crate) request_id: String,
    pub(crate) outgoing: Outgoing,
    pub(crate) inbox: Inbox,
    facts: Mutex<Facts>,
    /// Becomes true when the task is to end at once.
    cancelled: watch::Sender<bool>,
    /// The end is known, so that another task may start.
    over: AtomicBool,
    /// Becomes true when the reader has heard of the end: with a callback, when `on_close` has returned.
    closed: watch::Sender<bool>,
    /// Whether `closed` is for the thread of the callback to set.
    has_callback: bool,
    /// The thread that callbacks run on, which must not wait for itself.
    pub(crate) callback_thread: OnceLock<ThreadId>,
}

#[derive(Default)]
struct Facts {
    progress: Progress,
    /// When `call` was called; of a stream, the first audio counts instead.
    called_at: Option<Instant>,
    first_text_at: Option<Instant>,
    completed_at: Option<Instant>,
    failure: Option<Error>,
}

impl Task {
    pub(crate) fn new(request_id: String, has_callback: bool, is_call: bool) -> Self {
        Self {
            request_id,
            outgoing: Outgoing::new(),
            inbox: Inbox::default(),
            facts: Mutex::new(Facts {
                called_at: is_call.then(Instant::now),
                ..Facts::default()
            }),
            cancelled: watch::Sender::new(false),
            over: AtomicBool::new(false),
            closed: watch::Sender::new(false),
            has_callback,
            callback_thread: OnceLock::new(),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of bytes that were sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.facts().progress.bytes_sent += bytes as u64;
    }

    /// Takes note of a result and gives it to the reader.
    pub(crate) fn received(&self, frame: ResultFrame) {
        let mut facts = self.facts();
        if !frame.sentence.text.is_empty() {
            facts.first_text_at.get_or_insert_with(Instant::now);
        }
        facts.progress.heard(&frame);
        drop(facts);
        self.inbox
            .push(RecognitionResult::of(&self.request_id, frame));
    }

    /// Ends the task; the first end counts.
    pub(crate) fn end(&self, ending: Ending) {
        let mut facts = self.facts();
        if facts.completed_at.is_some() {
            return;
        }
        facts.completed_at = Some(Instant::now());
        let progress = facts.progress;
        let ending = ending.map_err(|error| {
            let request_id = Some(self.request_id.clone());
            error.with_request_id(request_id).with_progress(progress)
        });
        facts.failure = ending.as_ref().err().cloned();
        drop(facts);
        self.outgoing.end();
        if !self.has_callback {
            self.over();
        }
        self.inbox.end(ending);
        if !self.has_callback {
            self.closed();
        }
    }

    /// Says that the reader is being told of the end.
    pub(crate) fn over(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Says that the reader has heard of the end.
    pub(crate) fn closed(&self) {
        self.closed.send_replace(true);
    }

    /// Waits until the reader has heard of the end.
    pub(crate) async fn wait_closed(&self) {
        // The sender is in `self`, so this is no error.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Has the task end at once.
    pub(crate) fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    /// Waits for [`cancel`](Self::cancel).
    pub(crate) async fn cancelled(&self) {
        let _ = self
            .cancelled
            .subscribe()
            .wait_for(|cancelled| *cancelled)
            .await;
    }

    /// Whether this thread is the one callbacks run on.
    pub(crate) fn is_callback_thread(&self) -> bool {
        self.callback_thread.get() == Some(&std::thread::current().id())
    }

    pub(crate) fn progress(&self) -> Progress {
        self.facts().progress
    }

    /// Why the task failed, if it did.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.facts().failure.clone()
    }

    /// From the first audio (of a call, from the call) to the first text.
    pub(crate) fn first_package_delay(&self) -> Option<Duration> {
        let facts = self.facts();
        let since = facts.called_at.or_else(|| self.outgoing.first_audio_at())?;
        Some(facts.first_text_at?.saturating_duration_since(since))
    }

    /// From the request to stop (of a call, from the end of the audio) to the end of the task.
    pub(crate) fn last_package_delay(&self) -> Option<Duration> {
        let facts = self.facts();
        let since = self.outgoing.finished_at()?;
        Some(facts.completed_at?.saturating_duration_since(since))
    }
}

/// What a task ends with whose owner is gone.
pub(crate) fn dropped() -> Error {
    let message = "the recognition was given up before its task ended";
    Error::new(ErrorKind::State, message)
}
