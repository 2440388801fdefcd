//! The state machine of one socket.
//!
//! ```text
//! IDLE --run-task--> (PREPARING: its hotword lists are read) --> RUNNING (task-started) --finish-task--> DRAINING
//!   ^------------------------------------------(results, task-finished)---------------------------------'
//!  | idle_socket: close 1000 | idle_audio, silent_audio, shutdown: task-failed, close
//!  | bad run-task: task-failed, close | client gone: the session is dropped
//! any: what cannot be understood --> task-failed of the tasks concerned, close; without a task close 1007
//! ```
//! Messages are handled without waiting: what a handler has to say goes through the outbox.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use serde_json::Value;
use ting_engine::{Hotword, TaskOptions};
use ting_protocol::{
    ClientMessage, ErrorCode, Event, EventBody, RequestError, RunTask, context_texts,
};
use ting_store::Account;
use tokio::select;
use tokio::time::{Instant, sleep, sleep_until};

use crate::outbox::{Ending, Outbox, Outgoing, Slot};
use crate::recogniser::RecogniserSession;
use crate::server::{Counted, Shared};
use crate::writer::{self, Written};
use crate::{task, vocabularies};

/// The largest message of a client. Known clients send at most 64 KiB at once; this leaves room for a program that sends
/// an eight-minute PCM file as one frame, and bounds what a connection can make the server hold before it is looked at.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// How often a full session is asked whether it has room again. Nobody hears 20 ms of a task that is this far behind.
const ROOM_POLL: Duration = Duration::from_millis(20);

/// After bytes that are no WebSocket message, how long the client may take to read why; nothing more can be read of it.
const BROKEN_LINGER: Duration = Duration::from_secs(1);

/// How often a task is asked how silent it is that has not recognised all its audio, or is about to have been silent for too
/// long.
const SILENCE_POLL: Duration = Duration::from_millis(50);

/// What a client is told whose task the end of the server cuts off.
const STOPPING: &str = "The server is stopping; start the task again in a while.";

/// Serves `socket`, which belongs to `account`, until it is closed.
pub(crate) async fn run(socket: WebSocket, shared: Arc<Shared>, account: Account) {
    let _counted = shared.connections.add();
    let mut stopping = shared.stopping.clone();
    let outbox = Arc::new(Outbox::default());
    let (sink, mut reader) = socket.split();
    let mut writer = pin!(writer::write(sink, &outbox, &shared.options.timeouts));
    let mut connection = Connection::new(&shared, &account, outbox.clone());
    let (mut reading, mut writing, mut serving) = (true, true, true);
    loop {
        let deadline = connection.deadline();
        let full = connection.is_full();
        let preparing = connection.is_preparing();
        select! {
            message = reader.next(), if reading && !full && !preparing => match message {
                Some(Ok(message)) => connection.on_message(message),
                Some(Err(error)) => {
                    reading = false;
                    connection.on_unreadable(&error);
                }
                None => break,
            },
            written = &mut writer, if writing => {
                writing = false;
                match written {
                    Written::Closed if reading => connection.linger(shared.options.timeouts.close_linger),
                    Written::Closed => connection.linger(BROKEN_LINGER),
                    Written::Lost => break,
                }
            }
            found = connection.prepared(), if preparing => connection.on_prepared(found),
            () = outbox.task_ended() => connection.collect_ended(),
            _ = stopping.wait_for(|stop| *stop), if serving => {
                serving = false;
                connection.on_shutdown();
            }
            () = sleep(ROOM_POLL), if full => connection.touch(),
            () = sleep_until(deadline) => if connection.on_deadline() { break },
        }
    }
    connection.on_gone();
}

struct Connection<'a> {
    shared: &'a Shared,
    account: &'a Account,
    outbox: Arc<Outbox>,
    state: State<'a>,
    /// When anything was last received, a pong included.
    heard: Instant,
    /// The task that ended last. Its client may have sent more messages before it knew.
    ended: Option<String>,
}

enum State<'a> {
    Idle {
        since: Instant,
    },
    /// `run-task` came, and its hotword lists are being read. The socket is not.
    Preparing(Preparing<'a>),
    Active(Task),
    /// A close frame is in the outbox. Once it is written, the socket is read and ignored until the instant.
    Closing(Option<Instant>),
}

/// A task between `run-task` and `task-started`.
struct Preparing<'a> {
    run: Box<RunTask>,
    options: TaskOptions,
    hotwords: Pin<Box<dyn Future<Output = Found> + Send + 'a>>,
    /// When the lists are given up.
    give_up: Instant,
    counted: Counted,
}

/// What came of a task's hotword lists.
type Found = Result<Vec<Hotword>, RequestError>;

/// A task between `task-started` and its terminal event.
struct Task {
    task_id: String,
    slot: Slot,
    session: Box<dyn RecogniserSession>,
    /// When audio bytes last came.
    audio: Instant,
    /// When to look next whether the task was silent for too long; `None` when silence does not matter to it.
    silence_check: Option<Instant>,
    /// When a heartbeat may be due; `None` when the task wants none.
    heartbeat: Option<Instant>,
    /// No more audio is taken: `finish-task` came, or the task is to fail.
    draining: bool,
    /// The task is to fail as soon as what it was given is recognised; the client is not heard any more.
    doomed: bool,
    /// When a draining task is given up; set on failure and on shutdown.
    give_up: Option<Instant>,
    _counted: Counted,
}

impl<'a> Connection<'a> {
    fn new(shared: &'a Shared, account: &'a Account, outbox: Arc<Outbox>) -> Self {
        let now = Instant::now();
        Self {
            shared,
            account,
            outbox,
            state: State::Idle { since: now },
            heard: now,
            ended: None,
        }
    }

    fn on_message(&mut self, message: Message) {
        self.heard = Instant::now();
        // The client may answer to the end of its task before this side has looked at it.
        self.collect_ended();
        if self.is_closing() && !matches!(message, Message::Close(_)) {
            return;
        }
        match message {
            Message::Text(text) => match ClientMessage::parse(&text) {
                Ok(ClientMessage::RunTask(run)) => self.on_run(run),
                Ok(ClientMessage::ContinueTask { task_id, context }) => {
                    self.on_continue(&task_id, context.as_deref());
                }
                Ok(ClientMessage::FinishTask { task_id }) => self.on_finish(&task_id),
                Ok(_) => {}
                Err(error) => self.refuse(&error),
            },
            Message::Binary(bytes) => self.on_audio(bytes.into()),
            // Pings are answered by the WebSocket layer.
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => {
                self.on_gone();
                self.state =
                    State::Closing(Some(self.heard + self.shared.options.timeouts.close_linger));
            }
        }
    }

    fn on_run(&mut self, run: Box<RunTask>) {
        let task_id = &run.task_id;
        if matches!(self.state, State::Active(_)) {
            let message = format!(
                "run-task of {task_id:?} came while a task is running on this connection; \
                 send it after task-finished."
            );
            let error = RequestError::new(ErrorCode::InvalidParameter, message);
            return self.fail(&error, Some(task_id));
        }
        let options = task::options(&run);
        let options = options.and_then(|options| Ok((options, task::vocabulary_ids(&run)?)));
        let (options, vocabulary_ids) = match options {
            Ok(options) => options,
            Err(error) => return self.fail(&error, Some(task_id)),
        };
        if vocabulary_ids.is_empty() {
            let counted = self.shared.tasks.add();
            return self.start(&run, options, counted);
        }
        self.state = State::Preparing(Preparing {
            hotwords: Box::pin(vocabularies::hotwords(
                self.shared,
                self.account,
                vocabulary_ids,
                run.model.clone(),
                run.task_id.clone(),
            )),
            run,
            options,
            give_up: self.heard + self.shared.options.timeouts.vocabulary,
            counted: self.shared.tasks.add(),
        });
    }

    fn is_preparing(&self) -> bool {
        matches!(self.state, State::Preparing(_))
    }

    /// Ready when the hotword lists of the task that is prepared are read.
    async fn prepared(&mut self) -> Found {
        match &mut self.state {
            State::Preparing(preparing) => preparing.hotwords.as_mut().await,
            _ => std::future::pending().await,
        }
    }

    fn on_prepared(&mut self, found: Found) {
        let idle = State::Idle {
            since: Instant::now(),
        };
        let State::Preparing(preparing) = std::mem::replace(&mut self.state, idle) else {
            return;
        };
        let Preparing {
            run,
            mut options,
            counted,
            ..
        } = preparing;
        // Nothing was read meanwhile, so nothing can have been missed.
        self.heard = Instant::now();
        match found {
            Ok(hotwords) => {
                options.hotwords = hotwords;
                self.start(&run, options, counted);
            }
            Err(error) => self.fail(&error, Some(&run.task_id)),
        }
    }

    fn start(&mut self, run: &RunTask, options: TaskOptions, counted: Counted) {
        let task_id = &run.task_id;
        let slot = self.outbox.open(task_id);
        let hotwords = options.hotwords.len();
        let session = match self
            .shared
            .recogniser
            .open(options, task::sink(self.outbox.clone(), slot))
        {
            Ok(session) => session,
            Err(error) => {
                tracing::info!(?task_id, %error, "task refused");
                self.outbox.end(slot, task::failure(&error));
                return self.close(1000, "");
            }
        };
        let parameters = &run.parameters;
        let format = parameters.format.name();
        tracing::info!(
            ?task_id, model = ?run.model, format, parameters.sample_rate, hotwords, "task started"
        );
        task::log_unused(run);
        task::log_ineffective(task_id, session.as_ref());
        self.outbox.start(slot);
        let timeouts = &self.shared.options.timeouts;
        let heartbeat = parameters.heartbeat == Some(true);
        self.state = State::Active(Task {
            task_id: task_id.clone(),
            slot,
            session,
            audio: self.heard,
            silence_check: (!heartbeat).then(|| self.heard + timeouts.silent_audio),
            heartbeat: heartbeat.then(|| self.heard + timeouts.heartbeat),
            draining: false,
            doomed: false,
            give_up: None,
            _counted: counted,
        });
    }

    fn on_continue(&mut self, task_id: &str, context: Option<&[Value]>) {
        if !self.is_current(task_id, "continue-task") {
            return;
        }
        if let (State::Active(task), Some(messages)) = (&self.state, context) {
            task.session.set_context(context_texts(messages));
        }
    }

    fn on_finish(&mut self, task_id: &str) {
        if !self.is_current(task_id, "finish-task") {
            return;
        }
        if let State::Active(task) = &mut self.state
            && !task.draining
        {
            task.draining = true;
            task.session.finish();
        }
    }

    /// Whether `task_id` is running. If it is not the task that ended last either, the connection fails.
    fn is_current(&mut self, task_id: &str, action: &str) -> bool {
        let wrong = match &self.state {
            State::Active(task) if task.task_id == task_id => return true,
            State::Active(task) => format!("it must be {:?}, the running task", task.task_id),
            // A message that crossed the task's terminal event; answering would end the task twice.
            _ if self.ended.as_deref() == Some(task_id) => return false,
            _ => "no task is running; send run-task first".to_owned(),
        };
        let message = format!("header.task_id of {action} is {task_id:?}; {wrong}.");
        let stranger = (!matches!(self.state, State::Active(_))).then_some(task_id);
        self.fail(
            &RequestError::new(ErrorCode::InvalidParameter, message),
            stranger,
        );
        false
    }

    fn on_audio(&mut self, bytes: Vec<u8>) {
        // Without a running task bytes are ignored: what is late for the last task, or early for the next.
        let State::Active(task) = &mut self.state else {
            return;
        };
        if task.draining || bytes.is_empty() {
            return;
        }
        task.audio = self.heard;
        task.session.push(bytes);
    }

    /// Answers a message that was not understood.
    fn refuse(&mut self, error: &RequestError) {
        let stranger = error.task_id().filter(|task_id| {
            // While a task runs, only a run-task of another id waits for an answer of its own.
            error.is_run_task() || (!self.is_active() && self.ended.as_deref() != Some(*task_id))
        });
        self.fail(error, stranger);
    }

    /// Answers what is not a WebSocket message, or the end of the connection without a close frame.
    fn on_unreadable(&mut self, error: &axum::Error) {
        tracing::debug!(%error, "connection cannot be read");
        if !self.is_closing() {
            let message = format!("The connection cannot be read any more: {error}.");
            self.fail(
                &RequestError::new(ErrorCode::InvalidParameter, message),
                None,
            );
        }
    }

    /// Fails the running task and `stranger`, which is another task of the client's, and closes the connection.
    fn fail(&mut self, error: &RequestError, stranger: Option<&str>) {
        let running = match &self.state {
            State::Active(task) => Some(task.task_id.as_str()),
            _ => None,
        };
        tracing::info!(?running, ?stranger, %error, "task failed");
        self.answer(error, stranger);
    }

    fn answer(&mut self, error: &RequestError, stranger: Option<&str>) {
        let drain = self.shared.options.timeouts.drain;
        let running = match &self.state {
            State::Active(task) => Some(task.task_id.as_str()),
            _ => None,
        };
        let stranger = stranger.filter(|stranger| running != Some(*stranger));
        let is_running = running.is_some();
        // Before the running task is told to end, which the recogniser may do at once.
        if let Some(stranger) = stranger {
            let event = Event::failed(stranger, error.code().clone(), error.message());
            self.outbox.push(Outgoing::Event(event));
        }
        if let State::Active(task) = &mut self.state {
            // The open sentence is finished before the task fails: see `collect_ended` for what follows.
            self.outbox
                .doom(task.slot, failed(error.code(), error.message()));
            task.doomed = true;
            task.draining = true;
            task.give_up = Some(Instant::now() + drain);
            task.session.finish();
        }
        match (is_running, stranger) {
            (true, _) => {}
            (false, Some(_)) => self.close(1000, ""),
            (false, None) => self.close(1007, "Invalid payload data"),
        }
    }

    /// Drops the task and closes the connection once everything before is written.
    fn close(&mut self, code: u16, reason: &'static str) {
        self.outbox.push(Outgoing::Close(code, reason));
        self.state = State::Closing(None);
    }

    /// The close frame is written: from now on the client has `patience` to close its side.
    fn linger(&mut self, patience: Duration) {
        self.state = State::Closing(Some(Instant::now() + patience));
    }

    /// Leaves the task behind if the recogniser has ended it.
    fn collect_ended(&mut self) {
        let State::Active(task) = &self.state else {
            return;
        };
        let task_id = &task.task_id;
        match self.outbox.ending(task.slot) {
            None => {}
            Some(Ending::Finished) => {
                tracing::info!(?task_id, "task finished");
                self.ended = Some(task_id.clone());
                self.state = State::Idle {
                    since: Instant::now(),
                };
                if *self.shared.stopping.borrow() {
                    self.close(1001, "server is stopping");
                }
            }
            Some(Ending::Failed) => {
                tracing::info!(?task_id, "task failed");
                self.close(1000, "");
            }
        }
    }

    fn on_shutdown(&mut self) {
        self.collect_ended();
        match &mut self.state {
            State::Idle { .. } => self.close(1001, "server is stopping"),
            State::Active(task) if task.draining => {
                task.give_up = Some(Instant::now() + self.shared.options.timeouts.drain);
            }
            State::Active(_) => self.stop(),
            State::Preparing(preparing) => {
                let task_id = preparing.run.task_id.clone();
                let error = RequestError::new(ErrorCode::SystemError, STOPPING);
                self.fail(&error, Some(&task_id));
            }
            State::Closing(_) => {}
        }
    }

    fn stop(&mut self) {
        self.fail(&RequestError::new(ErrorCode::SystemError, STOPPING), None);
    }

    /// The client is gone: what its task has left to do is cancelled.
    fn on_gone(&mut self) {
        if let State::Active(task) = &self.state {
            // Devices are known to leave right after finish-task.
            tracing::debug!(task_id = ?task.task_id, "client disconnected before task finished");
        }
        self.state = State::Closing(None);
    }

    /// Nothing is read while the session is full, so nothing can be missed either.
    fn touch(&mut self) {
        self.heard = Instant::now();
        if let State::Active(task) = &mut self.state {
            task.audio = self.heard;
        }
    }

    fn is_full(&self) -> bool {
        matches!(&self.state, State::Active(task) if !task.session.has_room())
    }

    fn is_active(&self) -> bool {
        matches!(self.state, State::Active(_))
    }

    /// Whether the connection is on its way to be closed, so that nothing the client says matters.
    fn is_closing(&self) -> bool {
        match &self.state {
            State::Closing(_) => true,
            State::Active(task) => task.doomed,
            State::Idle { .. } | State::Preparing(_) => false,
        }
    }

    /// When [`on_deadline`](Self::on_deadline) is due.
    fn deadline(&self) -> Instant {
        let timeouts = &self.shared.options.timeouts;
        let due = match &self.state {
            State::Idle { since } => Some(*since + timeouts.idle_socket),
            State::Preparing(preparing) => return preparing.give_up,
            State::Active(task) => {
                let idle = task.audio + timeouts.idle_audio;
                let limits = if task.draining {
                    [task.give_up, None]
                } else {
                    [Some(idle), task.silence_check]
                };
                limits.into_iter().flatten().chain(task.heartbeat).min()
            }
            State::Closing(until) => *until,
        };
        let lost = self.heard + timeouts.peer_lost;
        due.map_or(lost, |due| due.min(lost))
    }

    /// Does what the passed deadline asks for; tells whether the connection is to be dropped.
    fn on_deadline(&mut self) -> bool {
        self.collect_ended();
        let now = Instant::now();
        let timeouts = &self.shared.options.timeouts;
        if let State::Preparing(preparing) = &self.state {
            if now >= preparing.give_up {
                let task_id = &preparing.run.task_id;
                let found = vocabularies::too_slow(self.shared, task_id);
                self.on_prepared(found);
            }
            return false;
        }
        if now >= self.heard + timeouts.peer_lost {
            tracing::info!("nothing heard of the client, giving up on it");
            return true;
        }
        if now < self.deadline() {
            return false;
        }
        if let State::Active(task) = &mut self.state {
            if task.heartbeat.is_some_and(|due| now >= due) {
                task.heartbeat = Some(self.outbox.keep_alive(task.slot, timeouts.heartbeat));
            }
            if !task.draining && task.silence_check.is_some_and(|due| now >= due) {
                let silence = task.session.silence_ms().map(Duration::from_millis);
                match silence.map(|silence| timeouts.silent_audio.saturating_sub(silence)) {
                    Some(Duration::ZERO) => {
                        let code = ErrorCode::ResponseTimeout;
                        let error = RequestError::new(code, "Response timeout!");
                        self.fail(&error, None);
                        return false;
                    }
                    left => {
                        let wait = left.unwrap_or_default().max(SILENCE_POLL);
                        task.silence_check = Some(now + wait);
                    }
                }
            }
        }
        match &self.state {
            State::Idle { .. } => self.close(1000, "no task for too long"),
            // Handled above.
            State::Preparing(_) => {}
            State::Active(task) if task.draining && task.give_up.is_none_or(|due| now < due) => {}
            State::Active(task) if task.draining => {
                // Given up: a doom of the task takes the place of this failure.
                self.outbox
                    .end(task.slot, failed(&ErrorCode::SystemError, STOPPING));
                self.close(1000, "");
            }
            State::Active(task) if now >= task.audio + timeouts.idle_audio => {
                // The hosted service's words, and its number, whatever the limit is here.
                let message = "request timeout after 23 seconds.";
                self.fail(&RequestError::new(ErrorCode::ClientError, message), None);
            }
            State::Active(_) => {}
            State::Closing(_) => return true,
        }
        false
    }
}

fn failed(code: &ErrorCode, message: &str) -> EventBody {
    EventBody::TaskFailed {
        code: code.clone(),
        message: message.to_owned(),
    }
}
