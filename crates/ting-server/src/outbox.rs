//! What a connection has yet to write, and how its task ended.
//!
//! Engine threads put events in, the connection takes them out. The queue has no fixed size, because neither a final
//! nor a terminal event may be lost and an engine thread may not wait, but its length is bounded all the same:
//! - of each sentence at most one partial stays once [`CROWDED`] entries wait, so what grows is finals, a few kilobytes
//!   each and at most as many as the audio the client itself sent has sentences;
//! - a client that takes nothing is gone after `Timeouts::write_stall`, and its outbox with it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ting_protocol::{ErrorCode, Event, EventBody, Sentence, Usage};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

/// From this many waiting entries on, partials that a newer result replaces are dropped.
///
/// A client that keeps up has one or two waiting. 64 is more than twelve seconds of partials at five per second: a
/// client that far behind wants the newest text, not its history.
const CROWDED: usize = 64;

/// One thing to write.
#[derive(Debug, PartialEq)]
pub(crate) enum Outgoing {
    Event(Event),
    /// A close frame with this code and reason; nothing is written after it.
    Close(u16, &'static str),
}

/// Names a task of the connection, also after it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u64);

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished,
    Failed,
}

#[derive(Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Wakes the writer.
    filled: Notify,
    /// Wakes the connection when its task ended.
    ended: Notify,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Outgoing>,
    opened: u64,
    /// The task that may report. There is none before `run-task` and after a terminal event.
    task: Option<OpenTask>,
    last_ending: Option<(Slot, Ending)>,
}

struct OpenTask {
    slot: Slot,
    task_id: String,
    started: bool,
    /// When a result was last queued, or the task opened.
    reported: Instant,
    /// The failure that the task ends with once what it was given is recognised.
    doom: Option<EventBody>,
}

impl Outbox {
    /// Makes `task_id` the connection's task. Nothing of it is written before [`start`](Self::start).
    pub(crate) fn open(&self, task_id: &str) -> Slot {
        let mut state = self.lock();
        state.opened += 1;
        let slot = Slot(state.opened);
        state.task = Some(OpenTask {
            slot,
            task_id: task_id.to_owned(),
            started: false,
            reported: Instant::now(),
            doom: None,
        });
        slot
    }

    /// Writes `task-started`.
    pub(crate) fn start(&self, slot: Slot) {
        let mut state = self.lock();
        let Some(task) = state.task.as_mut().filter(|task| task.slot == slot) else {
            return;
        };
        task.started = true;
        let event = Event::new(task.task_id.clone(), EventBody::TaskStarted);
        state.queue.push_back(Outgoing::Event(event));
        self.filled.notify_one();
    }

    /// Writes a result, unless the task has ended.
    pub(crate) fn result(&self, slot: Slot, mut sentence: Sentence, usage: Option<Usage>) {
        let mut state = self.lock();
        let Some(task) = state.task.as_mut().filter(|task| task.slot == slot) else {
            return;
        };
        task.reported = Instant::now();
        let task_id = task.task_id.clone();
        if state.queue.len() >= CROWDED {
            drop_superseded(&mut state.queue, &task_id, &mut sentence);
        }
        let body = EventBody::ResultGenerated { sentence, usage };
        state
            .queue
            .push_back(Outgoing::Event(Event::new(task_id, body)));
        self.filled.notify_one();
    }

    /// Writes a heartbeat if no result was queued for `interval`, and gives when to ask again. A client that has not taken
    /// what waits needs none.
    pub(crate) fn keep_alive(&self, slot: Slot, interval: Duration) -> Instant {
        let now = Instant::now();
        let mut state = self.lock();
        let waiting = !state.queue.is_empty();
        let Some(task) = state.task.as_mut().filter(|task| task.slot == slot) else {
            return now + interval;
        };
        if now < task.reported + interval {
            return task.reported + interval;
        }
        task.reported = now;
        if !waiting {
            let body = EventBody::ResultGenerated {
                sentence: Sentence::keep_alive(),
                usage: None,
            };
            let event = Event::new(task.task_id.clone(), body);
            state.queue.push_back(Outgoing::Event(event));
            self.filled.notify_one();
        }
        now + interval
    }

    /// Makes the task end with the failure `body`, however it ends. Its results until then are still written: a failure
    /// takes back nothing that was recognised.
    pub(crate) fn doom(&self, slot: Slot, body: EventBody) {
        if let Some(task) = self.lock().task.as_mut().filter(|task| task.slot == slot) {
            task.doom.get_or_insert(body);
        }
    }

    /// Writes the terminal event, unless the task has ended; tells whether this was its end.
    pub(crate) fn end(&self, slot: Slot, body: EventBody) -> bool {
        let mut state = self.lock();
        let Some(mut task) = state.task.take_if(|task| task.slot == slot) else {
            return false;
        };
        let body = task.doom.take().unwrap_or(body);
        let ending = match body {
            EventBody::TaskFinished => Ending::Finished,
            _ => Ending::Failed,
        };
        state.last_ending = Some((slot, ending));
        state
            .queue
            .push_back(Outgoing::Event(Event::new(task.task_id, body)));
        self.filled.notify_one();
        self.ended.notify_one();
        true
    }

    /// Fails a task whose sink is gone without a terminal event. One that never started is its opener's to fail.
    pub(crate) fn orphaned(&self, slot: Slot) {
        let started = self
            .lock()
            .task
            .as_ref()
            .is_some_and(|task| task.slot == slot && task.started);
        if started {
            let message = "The recogniser stopped before the task was finished; start a new task.";
            self.end(
                slot,
                EventBody::TaskFailed {
                    code: ErrorCode::InternalError,
                    message: message.to_owned(),
                },
            );
        }
    }

    /// How the task of `slot` ended, or `None` while it has not.
    pub(crate) fn ending(&self, slot: Slot) -> Option<Ending> {
        self.lock()
            .last_ending
            .filter(|(ended, _)| *ended == slot)
            .map(|(_, ending)| ending)
    }

    /// Writes something that is not of the open task.
    pub(crate) fn push(&self, outgoing: Outgoing) {
        self.lock().queue.push_back(outgoing);
        self.filled.notify_one();
    }

    /// The next thing to write.
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            let waiting = self.lock().queue.pop_front();
            match waiting {
                Some(outgoing) => return outgoing,
                None => self.filled.notified().await,
            }
        }
    }

    /// Waits until a task ended. May return without cause.
    pub(crate) async fn task_ended(&self) {
        self.ended.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the waiting partials of `sentence`, which is about to be queued, and keeps their news of a new sentence.
fn drop_superseded(queue: &mut VecDeque<Outgoing>, task_id: &str, sentence: &mut Sentence) {
    queue.retain(|outgoing| {
        let Outgoing::Event(event) = outgoing else {
            return true;
        };
        let EventBody::ResultGenerated {
            sentence: waiting, ..
        } = &event.body
        else {
            return true;
        };
        let superseded = !waiting.sentence_end
            && waiting.sentence_id == sentence.sentence_id
            && event.task_id == task_id;
        if superseded {
            sentence.sentence_begin |= waiting.sentence_begin;
        }
        !superseded
    });
}

#[cfg(test)]
mod tests {
    use super::{CROWDED, Duration, Ending, Instant, Outbox, Outgoing};
    use ting_protocol::{ErrorCode, EventBody, Sentence};

    fn sentence(id: u32, text: &str, last: bool) -> Sentence {
        Sentence {
            begin_time: 0,
            end_time: last.then_some(1),
            text: text.to_owned(),
            heartbeat: false,
            sentence_begin: text == "0",
            sentence_end: last,
            sentence_id: id,
            words: Vec::new(),
            stash: None,
        }
    }

    fn drained(outbox: &Outbox) -> Vec<Outgoing> {
        outbox.lock().queue.drain(..).collect()
    }

    #[test]
    fn a_slow_reader_gets_the_newest_partial_and_every_final() {
        let outbox = Outbox::default();
        let slot = outbox.open("t");
        outbox.start(slot);
        for id in 1..=200 {
            for step in 0..50 {
                outbox.result(slot, sentence(id, &step.to_string(), false), None);
            }
            outbox.result(slot, sentence(id, "final", true), None);
        }
        outbox.result(slot, sentence(201, "0", false), None);
        outbox.result(slot, sentence(201, "1", false), None);
        assert!(outbox.end(slot, EventBody::TaskFinished));
        let events = drained(&outbox);
        let sentences: Vec<&Sentence> = events
            .iter()
            .filter_map(|outgoing| match outgoing {
                Outgoing::Event(event) => match &event.body {
                    EventBody::ResultGenerated { sentence, .. } => Some(sentence),
                    _ => None,
                },
                Outgoing::Close(..) => None,
            })
            .collect();
        let finals = sentences
            .iter()
            .filter(|sentence| sentence.sentence_end)
            .count();
        assert_eq!(finals, 200, "no final is dropped");
        assert!(
            events.len() < 200 + 2 * CROWDED,
            "{} entries wait",
            events.len()
        );
        let newest = sentences.last().expect("a partial");
        assert_eq!((newest.sentence_id, newest.text.as_str()), (201, "1"));
        assert!(
            newest.sentence_begin,
            "the dropped first partial's flag moves on"
        );
    }

    #[test]
    fn a_heartbeat_comes_when_nothing_else_did() {
        let outbox = Outbox::default();
        let slot = outbox.open("t");
        let (never, now) = (Duration::from_secs(86_400), Duration::ZERO);
        outbox.keep_alive(slot, never);
        assert_eq!(drained(&outbox).len(), 0, "the task has just begun");
        outbox.keep_alive(slot, now);
        assert_eq!(drained(&outbox).len(), 1);
        outbox.result(slot, sentence(1, "0", false), None);
        outbox.keep_alive(slot, never);
        outbox.keep_alive(slot, now);
        assert_eq!(drained(&outbox).len(), 1, "the result waits to be taken");
        let due = outbox.keep_alive(slot, never);
        assert!(due <= Instant::now() + never);
        outbox.end(slot, EventBody::TaskFinished);
        outbox.keep_alive(slot, now);
        assert_eq!(drained(&outbox).len(), 1, "nothing after the end");
    }

    #[test]
    fn a_task_ends_once() {
        let outbox = Outbox::default();
        let slot = outbox.open("t");
        outbox.start(slot);
        let failed = || EventBody::TaskFailed {
            code: ErrorCode::InternalError,
            message: String::new(),
        };
        assert_eq!(outbox.ending(slot), None);
        assert!(outbox.end(slot, EventBody::TaskFinished));
        assert!(!outbox.end(slot, failed()));
        outbox.orphaned(slot);
        outbox.result(slot, sentence(1, "late", false), None);
        assert_eq!(drained(&outbox).len(), 2, "task-started and task-finished");
        assert_eq!(outbox.ending(slot), Some(Ending::Finished));
        let next = outbox.open("u");
        assert!(
            !outbox.end(slot, failed()),
            "an old task cannot end the new one"
        );
        assert_eq!(outbox.ending(next), None);
    }

    #[test]
    fn a_task_whose_sink_is_dropped_fails() {
        let outbox = Outbox::default();
        let slot = outbox.open("t");
        outbox.orphaned(slot);
        assert_eq!(
            outbox.ending(slot),
            None,
            "not started: the opener tells why"
        );
        outbox.start(slot);
        outbox.orphaned(slot);
        assert_eq!(outbox.ending(slot), Some(Ending::Failed));
    }
}
