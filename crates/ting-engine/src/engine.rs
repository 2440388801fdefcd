//! The threads that run tasks, and the queue between them and the sessions.
//!
//! Each thread takes the session that has waited longest, recognises a bounded amount of its audio, and puts it back at
//! the end of the queue if it has more. So a file that came at once does not hold up live audio, and one session is
//! never worked on by two threads.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use ting_models::Model;

use crate::api::{EngineError, EngineErrorKind, Event, IneffectiveHotword, TaskOptions};
use crate::capacity;
use crate::recognizer::Recognizer;
use crate::task::{Inbox, Part, Queue, TURN_BYTES, Task, lock};

/// What a session may hold before its giver should pause: 20 minutes of 16 kHz PCM sent at once are 38 MB.
pub const MAX_QUEUED_BYTES: usize = 64 << 20;
/// How an engine runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Threads that recognise; 0 takes one per core.
    pub threads: usize,
    /// Sessions admitted at once; none measures what the threads can do in real time.
    pub max_sessions: Option<usize>,
}

/// Runs the tasks of many sessions. Clones share the same threads, which end with the last clone.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    model: Arc<Model>,
    queue: Arc<Queue>,
    max_sessions: usize,
    sessions: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Engine({} threads, at most {} sessions)",
            self.threads.len(),
            self.max_sessions
        )
    }
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// `Internal` when the system gives no threads or the model cannot stream.
    pub fn start(model: Arc<Model>, options: EngineOptions) -> Result<Self, EngineError> {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let count = if options.threads == 0 {
            cores
        } else {
            options.threads
        };
        let max_sessions = match options.max_sessions {
            Some(most) => most,
            None => capacity::sessions(&model, count.min(cores))?,
        };
        let queue = Arc::new(Queue::default());
        let threads = (0..count)
            .map(|i| {
                let queue = Arc::clone(&queue);
                std::thread::Builder::new()
                    .name(format!("ting-engine-{i}"))
                    .spawn(move || queue.work())
            })
            .collect::<Result<_, _>>()
            .map_err(|error| {
                EngineError::new(
                    EngineErrorKind::Internal,
                    format!("no thread can be started: {error}"),
                )
            })?;
        let sessions = Arc::new(AtomicUsize::new(0));
        Ok(Self {
            inner: Arc::new(Inner {
                model,
                queue,
                max_sessions,
                sessions,
                threads,
            }),
        })
    }

    /// Opens a session, which reports to `sink`. The sink is called on a thread of the engine, and must not block.
    ///
    /// The last event is one `Finished` or `Failed`, unless the session is dropped first.
    ///
    /// # Errors
    /// `Busy` when no more sessions can be served in time, `InvalidOption` as [`Recognizer::new`].
    pub fn open(
        &self,
        options: TaskOptions,
        sink: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Session, EngineError> {
        let recognizer = Recognizer::new(Arc::clone(&self.inner.model), options)?;
        let most = self.inner.max_sessions;
        let admit = |now: usize| (now < most).then_some(now + 1);
        if self
            .inner
            .sessions
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, admit)
            .is_err()
        {
            return Err(EngineError::new(
                EngineErrorKind::Busy,
                format!(
                    "all {most} sessions this server can serve in time are in use; try again later"
                ),
            ));
        }
        let ineffective = recognizer.ineffective_hotwords().to_vec();
        let task = Arc::new(Task {
            inbox: Mutex::default(),
            recognizer: Mutex::new(Some(recognizer)),
            sink: Box::new(sink),
        });
        Ok(Session {
            task,
            queue: Arc::clone(&self.inner.queue),
            sessions: Arc::clone(&self.inner.sessions),
            ineffective,
        })
    }

    /// Sessions open now.
    pub fn sessions(&self) -> usize {
        self.inner.sessions.load(Ordering::Acquire)
    }

    /// Sessions that are admitted at once.
    pub fn max_sessions(&self) -> usize {
        self.inner.max_sessions
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        lock(&self.queue.ready).stopping = true;
        self.queue.wake.notify_all();
        for thread in self.threads.drain(..) {
            // The last clone may be dropped by a sink, which runs on one of these threads.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// One task. Dropping it before its last event cancels what is left to do.
pub struct Session {
    task: Arc<Task>,
    queue: Arc<Queue>,
    sessions: Arc<AtomicUsize>,
    ineffective: Vec<IneffectiveHotword>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} bytes queued)", self.queued_bytes())
    }
}

impl Session {
    /// Gives the task more bytes. Never waits: a giver that is faster than recognition has to look at
    /// [`Session::queued_bytes`] and pause above [`MAX_QUEUED_BYTES`].
    pub fn push(&self, bytes: Vec<u8>) {
        let mut inbox = lock(&self.task.inbox);
        if bytes.is_empty() || inbox.finish || inbox.ended {
            return;
        }
        inbox.bytes += bytes.len();
        match inbox.parts.back_mut() {
            // Frames of one byte would otherwise cost more in lists than in bytes.
            Some(Part::Audio(part)) if part.len() + bytes.len() <= TURN_BYTES => {
                part.extend_from_slice(&bytes);
            }
            _ if bytes.len() <= TURN_BYTES => inbox.parts.push_back(Part::Audio(bytes)),
            // A turn takes its bytes off the front of a part, and moves the rest of it.
            _ => inbox.parts.extend(
                bytes
                    .chunks(TURN_BYTES)
                    .map(|part| Part::Audio(part.to_vec())),
            ),
        }
        self.schedule(inbox);
    }

    /// Replaces the task's context for the bytes that are pushed after it: what was said or written before, oldest first;
    /// see [`Recognizer::set_context`].
    pub fn set_context(&self, texts: Vec<String>) {
        let mut inbox = lock(&self.task.inbox);
        if inbox.finish || inbox.ended {
            return;
        }
        let part = Part::Context(texts);
        inbox.bytes += part.len();
        inbox.parts.push_back(part);
        self.schedule(inbox);
    }

    /// The hotwords that can never be written, and why.
    pub fn ineffective_hotwords(&self) -> &[IneffectiveHotword] {
        &self.ineffective
    }

    /// Bytes given and not yet recognised.
    pub fn queued_bytes(&self) -> usize {
        lock(&self.task.inbox).bytes
    }

    /// How much digital silence the audio given so far ends with, in ms, see [`Recognizer::silence_ms`]. None while some
    /// of it is not recognised yet.
    pub fn silence_ms(&self) -> Option<u64> {
        let inbox = lock(&self.task.inbox);
        (!inbox.scheduled && !inbox.ended).then_some(inbox.silence_ms)
    }

    /// Says that all bytes were given. The task ends once they are recognised.
    pub fn finish(&self) {
        let mut inbox = lock(&self.task.inbox);
        inbox.finish = true;
        self.schedule(inbox);
    }

    fn schedule(&self, mut inbox: MutexGuard<'_, Inbox>) {
        if inbox.scheduled || inbox.ended {
            return;
        }
        inbox.scheduled = true;
        drop(inbox);
        self.queue.put(Arc::clone(&self.task));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut inbox = lock(&self.task.inbox);
        inbox.cancelled = true;
        inbox.parts.clear();
        inbox.bytes = 0;
        drop(inbox);
        self.sessions.fetch_sub(1, Ordering::AcqRel);
    }
}
