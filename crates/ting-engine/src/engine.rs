//! The threads that run tasks, and the queue between them and the sessions.
//!
//! Each thread takes the session that has waited longest, recognises a bounded amount of its audio, and puts it back at
//! the end of the queue if it has more. So a file that came at once does not hold up live audio, and one session is
//! never worked on by two threads.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use ting_models::Model;

use crate::api::{EngineError, EngineErrorKind, Event, TaskOptions};
use crate::recognizer::Recognizer;

/// What a session may hold before its giver should pause: 20 minutes of 16 kHz PCM sent at once are 38 MB.
pub const MAX_QUEUED_BYTES: usize = 64 << 20;
/// Bytes recognised before the next session has its turn: a second of 16 kHz PCM.
const TURN_BYTES: usize = 32_000;
/// Share of a thread's time that admission plans with; the rest absorbs bursts.
const PLANNED_LOAD: f32 = 0.6;

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

/// The sessions that have something to do, longest-waiting first.
#[derive(Default)]
struct Queue {
    ready: Mutex<Ready>,
    wake: Condvar,
}

#[derive(Default)]
struct Ready {
    sessions: VecDeque<Arc<Task>>,
    stopping: bool,
}

type Sink = Box<dyn Fn(Event) + Send + Sync>;

/// What a session and the threads share.
struct Task {
    inbox: Mutex<Inbox>,
    /// None once the task has ended. Only the thread whose turn it is takes this lock for long.
    recognizer: Mutex<Option<Recognizer>>,
    sink: Sink,
}

#[derive(Default)]
struct Inbox {
    parts: VecDeque<Vec<u8>>,
    /// Sum of the lengths of `parts`.
    bytes: usize,
    finish: bool,
    cancelled: bool,
    /// In the queue, or being worked on.
    scheduled: bool,
    ended: bool,
}

/// A mutex is only poisoned by a panic, which [`Task::turn`] turns into the end of that task.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            None => ((count.min(cores) as f32 * PLANNED_LOAD / real_time_factor(&model)?) as usize)
                .max(1),
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
        let task = Arc::new(Task {
            inbox: Mutex::default(),
            recognizer: Mutex::new(Some(recognizer)),
            sink: Box::new(sink),
        });
        Ok(Session {
            task,
            queue: Arc::clone(&self.inner.queue),
            sessions: Arc::clone(&self.inner.sessions),
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
            Some(part) if part.len() + bytes.len() <= TURN_BYTES => part.extend_from_slice(&bytes),
            _ => inbox.parts.push_back(bytes),
        }
        self.schedule(inbox);
    }

    /// Bytes given and not yet recognised.
    pub fn queued_bytes(&self) -> usize {
        lock(&self.task.inbox).bytes
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

impl Queue {
    fn put(&self, task: Arc<Task>) {
        lock(&self.ready).sessions.push_back(task);
        self.wake.notify_one();
    }

    /// A thread's life: turn after turn, until the engine stops.
    fn work(&self) {
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
        let (parts, last) = {
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
            while size < TURN_BYTES {
                let Some(mut part) = inbox.parts.pop_front() else {
                    break;
                };
                let room = TURN_BYTES - size;
                if part.len() > room {
                    inbox.parts.push_front(part.split_off(room));
                }
                size += part.len();
                parts.push(part);
            }
            inbox.bytes -= size;
            (parts, inbox.finish && inbox.parts.is_empty())
        };
        let mut recognizer = lock(&self.recognizer);
        let mut events = Vec::new();
        let ended = match recognizer.as_mut() {
            Some(recognizer) => {
                let result = catch_unwind(AssertUnwindSafe(|| {
                    for part in &parts {
                        recognizer.push(part, &mut events);
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
        if inbox.ended {
            inbox.parts.clear();
            inbox.bytes = 0;
        }
        let more = !inbox.ended && (inbox.cancelled || !inbox.parts.is_empty() || inbox.finish);
        inbox.scheduled = more;
        more
    }
}

/// Processing time over audio time of the streaming pass and the final pass together, on one thread.
fn real_time_factor(model: &Model) -> Result<f32, EngineError> {
    const CHUNKS: usize = 12;
    let config = &model.config;
    let mut state = model
        .encoder
        .new_state()
        .map_err(|error| EngineError::new(EngineErrorKind::Internal, error.to_string()))?;
    let chunk = config.decoder.chunk_frames;
    let row = config.encoder.input_dim;
    let rows = vec![0.5; CHUNKS * chunk * row];
    let began = Instant::now();
    for chunk_rows in rows.chunks_exact(chunk * row) {
        let mut encoded = Vec::new();
        model
            .encoder
            .forward_chunk(chunk_rows, chunk, &mut state, &mut encoded);
        model.ctc.log_probs(&encoded, chunk);
    }
    let encoded = model.encoder.forward_full(&rows, CHUNKS * chunk);
    model.ctc.log_probs(&encoded, CHUNKS * chunk);
    let audio_s = (CHUNKS * chunk * config.features.lfr_n) as f32 * 0.01;
    // What is not measured here, features and search, is about a third of it.
    Ok(began.elapsed().as_secs_f32() * 1.33 / audio_s)
}
