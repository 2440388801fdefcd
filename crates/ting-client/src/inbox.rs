//! What a task has received and its reader has not taken yet.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::error::Error;
use crate::result::RecognitionResult;

/// Results that may wait before a newer result of a sentence takes the place of its waiting partials. A reader that keeps up
/// gets them all.
const CROWDED: usize = 64;

/// Results that may wait before the connection is not read any more. Finals are never dropped; so many are days of speech, or
/// a server gone wild.
const FULL: usize = 65_536;

/// The queue between the connection and the reader.
#[derive(Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    results: VecDeque<RecognitionResult>,
    ending: Option<Ending>,
    waker: Option<Waker>,
    /// Nobody reads any more.
    deserted: bool,
}

/// How a task ended: completely, or by a failure.
pub(crate) type Ending = Result<(), Error>;

/// What a reader gets.
pub(crate) enum Received {
    Result(RecognitionResult),
    End(Ending),
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, result: RecognitionResult) {
        let mut state = self.lock();
        if state.ending.is_some() || state.deserted {
            return;
        }
        if state.results.len() >= CROWDED
            && let Some(id) = sentence_id(&result)
        {
            state
                .results
                .retain(|old| old.is_sentence_end() || sentence_id(old) != Some(id));
        }
        state.results.push_back(result);
        self.wake(state);
    }

    /// Puts the end behind the results. Only the first end counts.
    pub(crate) fn end(&self, ending: Ending) {
        let mut state = self.lock();
        state.ending.get_or_insert(ending);
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let waker = state.waker.take();
        drop(state);
        self.arrived.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Says that nobody reads any more: what comes is dropped.
    pub(crate) fn desert(&self) {
        let mut state = self.lock();
        state.deserted = true;
        state.results.clear();
    }

    /// Whether the connection should not be read now.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().results.len() >= FULL
    }

    /// Waits on this thread. After the end it comes again and again.
    pub(crate) fn take(&self) -> Received {
        let mut state = self.lock();
        loop {
            if let Some(received) = state.take() {
                return received;
            }
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits on this thread, for some time.
    pub(crate) fn take_within(&self, patience: Duration) -> Option<Received> {
        let (mut state, _) = self
            .arrived
            .wait_timeout_while(self.lock(), patience, |state| state.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.take()
    }

    /// Waits as a future, for one reader.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Received> {
        let mut state = self.lock();
        match state.take() {
            Some(received) => Poll::Ready(received),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Waits as a future, for one reader.
    pub(crate) async fn next(&self) -> Received {
        std::future::poll_fn(|context| self.poll(context)).await
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.results.is_empty() && self.ending.is_none()
    }

    fn take(&mut self) -> Option<Received> {
        let result = self.results.pop_front().map(Received::Result);
        result.or_else(|| self.ending.clone().map(Received::End))
    }
}

/// The id of the result's sentence; 0 is what a server without ids has for all of them, and says nothing.
fn sentence_id(result: &RecognitionResult) -> Option<u32> {
    let id = result.sentence()?.sentence_id;
    (id != 0).then_some(id)
}
