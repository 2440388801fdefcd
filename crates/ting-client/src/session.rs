//! A task from its start to its end: the machine that moves bytes between the queues and the socket.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Sink, SinkExt, StreamExt};
use ting_protocol::ClientMessage;
use tokio::select;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message};

use crate::config::{Config, Times};
use crate::connection::{self, Socket, note, silence};
use crate::error::{Error, ErrorKind};
use crate::frame::Frame;
use crate::inbox::Ending;
use crate::outgoing::Item;
use crate::task::{Task, dropped};

/// How often the client pings, so that middleboxes see traffic and a silent peer is found out.
const PING: Duration = Duration::from_secs(20);

/// After a write has failed, how long to go on reading: the server may have said why it closed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a reader that is far behind is looked at again.
const ROOM_POLL: Duration = Duration::from_millis(20);

/// Ends the task when dropped, as its runtime does when it shuts down. An end that came before counts.
pub(crate) struct EndGuard(pub(crate) Arc<Task>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end(Err(dropped()));
    }
}

/// Runs a task to its end, whatever that is.
pub(crate) async fn run(guard: EndGuard, config: Arc<Config>) {
    let task = &*guard.0;
    let mut socket = None;
    let ending = {
        let driven = async {
            let started = connection::start(&config, &task.request_id).await?;
            drive(socket.insert(started), task, config.times).await
        };
        select! {
            biased;
            () = task.cancelled() => Err(dropped()),
            ending = driven => ending,
        }
    };
    match &ending {
        Ok(()) => tracing::debug!(task_id = task.request_id, "task finished"),
        Err(error) => tracing::info!(task_id = task.request_id, %error, "task failed"),
    }
    task.end(ending);
    if let Some(socket) = socket {
        connection::close(socket).await;
    }
}

/// Drives a started task.
async fn drive(socket: &mut Socket, task: &Task, times: Times) -> Ending {
    let (sink, mut stream) = socket.split();
    let every = PING.min(times.peer / 3);
    let (finish, finished) = tokio::sync::oneshot::channel();
    let mut writer = pin!(write(sink, task, every, finish));
    let mut finished = pin!(finished);
    let mut heard = Instant::now();
    // When the last event came, or the task's end was asked for.
    let mut finishing_since = None;
    // Why nothing can be written any more, and until when to read.
    let mut broken: Option<(Error, Instant)> = None;
    let mut odd = None;
    task.outgoing.touch();
    loop {
        let full = task.inbox.is_full();
        let silent_at = |silence| task.outgoing.silent_at(silence);
        let deadline = Deadline::first([
            Some(Deadline::Peer(heard + times.peer)),
            times.silence.and_then(silent_at).map(Deadline::Silence),
            finishing_since.map(|since: Instant| Deadline::Finish(since + times.finish)),
            broken
                .as_ref()
                .map(|(_, until)| Deadline::LastWords(*until)),
        ]);
        select! {
            message = stream.next(), if !full => {
                heard = Instant::now();
                let read = connection::read(message, &task.request_id);
                let frame = match (read, broken.take()) {
                    (Ok(frame), before) => {
                        broken = before;
                        frame
                    }
                    // A close frame says more than the write that failed over it.
                    (Err(error), Some((before, _))) if error.close_code().is_none() => return Err(before),
                    (Err(error), _) => return Err(error),
                };
                match frame {
                    None => continue,
                    Some(Frame::Result(result)) => task.received(*result),
                    Some(Frame::Finished) => return Ok(()),
                    Some(Frame::Failed { code, message }) => return Err(connection::failed(code, message)),
                    Some(Frame::Nothing(what)) => {
                        tracing::debug!(task_id = task.request_id, "passing over {what}");
                    }
                    Some(Frame::Started) => note(&mut odd, "a second task-started".to_owned(), &task.request_id),
                    Some(Frame::Unknown(what)) => note(&mut odd, what, &task.request_id),
                }
                if finishing_since.is_some() {
                    finishing_since = Some(heard);
                }
            }
            error = &mut writer, if broken.is_none() => {
                broken = Some((connection::lost(&error), Instant::now() + LAST_WORDS));
            }
            _ = &mut finished, if finishing_since.is_none() && broken.is_none() => {
                finishing_since = Some(Instant::now());
            }
            () = sleep(ROOM_POLL), if full => heard = Instant::now(),
            () = sleep_until(deadline.at()) => {
                // Audio may have come meanwhile, or a message at the same instant.
                match deadline {
                    Deadline::Silence(_) => {
                        if times.silence.and_then(silent_at).is_some_and(|at| at <= Instant::now()) {
                            tracing::info!(task_id = task.request_id, "no audio for long, finishing the task");
                            task.outgoing.finish();
                        }
                    }
                    Deadline::Peer(_) => {
                        let message = format!("nothing came from the server for {:?}", times.peer);
                        return Err(silence(ErrorKind::PeerTimeout, message, odd));
                    }
                    Deadline::Finish(_) => {
                        let message = format!("the server did not finish the task within {:?}", times.finish);
                        return Err(silence(ErrorKind::PeerTimeout, message, odd));
                    }
                    Deadline::LastWords(_) => {
                        return Err(broken.map_or_else(dropped, |(error, _)| error));
                    }
                }
            }
        }
    }
}

/// What is waited for, and when it is due.
#[derive(Clone, Copy)]
enum Deadline {
    Peer(Instant),
    Silence(Instant),
    Finish(Instant),
    LastWords(Instant),
}

impl Deadline {
    fn at(self) -> Instant {
        match self {
            Self::Peer(at) | Self::Silence(at) | Self::Finish(at) | Self::LastWords(at) => at,
        }
    }

    /// The first one that is due.
    fn first(deadlines: [Option<Self>; 4]) -> Self {
        let first = deadlines.into_iter().flatten().min_by_key(|due| due.at());
        // The first of the four is always there.
        first.unwrap_or_else(|| Self::Peer(Instant::now()))
    }
}

/// Sends what the task has to send, and pings, until that fails. Sends on `finish` once `finish-task` is written.
async fn write(
    mut sink: impl Sink<Message, Error = WsError> + Unpin,
    task: &Task,
    every: Duration,
    finish: tokio::sync::oneshot::Sender<()>,
) -> WsError {
    let mut finish = Some(finish);
    let mut ping_at = Instant::now() + every;
    loop {
        let item = select! {
            item = task.outgoing.next() => Some(item),
            () = sleep_until(ping_at) => None,
        };
        let task_id = || task.request_id.clone();
        let (message, bytes, is_finish) = match item {
            None => {
                ping_at = Instant::now() + every;
                (Message::Ping(Bytes::new()), 0, false)
            }
            Some(Item::Audio(audio)) => {
                let bytes = audio.len();
                (Message::Binary(audio), bytes, false)
            }
            Some(Item::Context(messages)) => {
                let message = ClientMessage::ContinueTask {
                    task_id: task_id(),
                    context: Some(messages),
                };
                (Message::text(message.to_json()), 0, false)
            }
            Some(Item::Finish) => {
                let message = ClientMessage::FinishTask { task_id: task_id() };
                (Message::text(message.to_json()), 0, true)
            }
        };
        if let Err(error) = sink.send(message).await {
            return error;
        }
        task.sent(bytes);
        if is_finish && let Some(finish) = finish.take() {
            // The machine may have ended the task in the same instant.
            let _ = finish.send(());
        }
    }
}
