//! The way to a started task: a connection, the handshake, `run-task` and its answer, with another try where one may help.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::Request;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::frame::{self, Frame};
use crate::http;
use crate::net::{self, Endpoint, Stream};

/// A connection that speaks WebSocket.
pub(crate) type Socket = WebSocketStream<Stream>;

/// The first pause before another try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The largest message of a server. The longest sentence with its words has a few hundred KiB.
const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Connects and starts the task `task_id`. No audio is sent before that has worked, so every try is the first.
pub(crate) async fn start(config: &Config, task_id: &str) -> Result<Socket, Error> {
    let mut pause = FIRST_PAUSE;
    for tries_left in (0..config.connect_attempts.max(1)).rev() {
        let error = match try_to_start(config, task_id).await {
            Ok(socket) => return Ok(socket),
            Err(error) => error,
        };
        if tries_left == 0 || !error.is_transient() {
            return Err(error);
        }
        let wait = pause.mul_f64(0.5 + jitter());
        tracing::info!(task_id, %error, ?wait, "cannot start the task, trying again");
        sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    // The loop runs once at least and returns.
    Err(Error::new(ErrorKind::Connect, "no connection was tried"))
}

/// Some number of 0 to 1, so that many clients do not come again at the same instant.
fn jitter() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_u128() as u16) / f64::from(u16::MAX)
}

async fn try_to_start(config: &Config, task_id: &str) -> Result<Socket, Error> {
    let mut socket = handshake(config).await?;
    let deadline = Instant::now() + config.times.start;
    let mut odd = None;
    let starting = async {
        let run_task = Message::text(config.run_task(task_id));
        socket.send(run_task).await.map_err(|error| lost(&error))?;
        wait_for_start(&mut socket, task_id, &mut odd).await
    };
    match timeout_at(deadline, starting).await {
        Ok(Ok(())) => Ok(socket),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let message = format!(
                "the server did not answer to run-task within {:?}",
                config.times.start
            );
            Err(silence(ErrorKind::StartTimeout, message, odd))
        }
    }
}

async fn wait_for_start(
    socket: &mut Socket,
    task_id: &str,
    odd: &mut Option<String>,
) -> Result<(), Error> {
    loop {
        match read(socket.next().await, task_id)? {
            None => {}
            Some(Frame::Started) => return Ok(()),
            Some(Frame::Failed { code, message }) => {
                let throttled = code
                    .as_deref()
                    .is_some_and(|code| code.starts_with("Throttling"));
                let error = failed(code, message);
                return Err(if throttled { error.transient() } else { error });
            }
            Some(Frame::Finished) => {
                let message = "task-finished came before task-started; no audio was sent";
                return Err(Error::new(ErrorKind::Protocol, message));
            }
            Some(Frame::Result(_) | Frame::Nothing(_)) => {
                note(odd, "a result before task-started".to_owned(), task_id);
            }
            Some(Frame::Unknown(what)) => note(odd, what, task_id),
        }
    }
}

/// Logs what a server should not have sent, and keeps it for the error that may follow.
pub(crate) fn note(odd: &mut Option<String>, what: String, task_id: &str) {
    tracing::warn!(task_id, "passing over {what}");
    *odd = Some(what);
}

/// The error of a server from which nothing came that ends the task. What it did send is the likelier reason.
pub(crate) fn silence(kind: ErrorKind, message: String, odd: Option<String>) -> Error {
    match odd {
        None => Error::new(kind, message),
        Some(odd) => Error::new(ErrorKind::Protocol, format!("{message}; it sent {odd}")),
    }
}

/// What a `task-failed` means, with what is known of it.
pub(crate) fn failed(code: Option<String>, message: Option<String>) -> Error {
    let message =
        message.unwrap_or_else(|| "the server says that the task failed, and not why".to_owned());
    Error::new(ErrorKind::TaskFailed, message).with_code(code)
}

/// Reads a message of the socket; `None` is one without a meaning for the task.
///
/// # Errors
/// `ConnectionLost` for the socket's end.
pub(crate) fn read(
    message: Option<Result<Message, WsError>>,
    task_id: &str,
) -> Result<Option<Frame>, Error> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(frame::read(&text, task_id))),
        Some(Ok(Message::Binary(bytes))) => {
            let what = format!("a binary frame of {} bytes", bytes.len());
            Ok(Some(Frame::Unknown(what)))
        }
        Some(Ok(Message::Close(close))) => Err(closed(close)),
        // Pings are answered by the WebSocket layer.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        Some(Err(error)) => Err(lost(&error)),
        None => Err(lost(&WsError::ConnectionClosed)),
    }
}

/// The error of a close frame that came before the task's end.
fn closed(close: Option<CloseFrame>) -> Error {
    // RFC 6455, 7.1.5: what a close frame without a code means.
    let (code, reason) = close.map_or((1005, String::new()), |close| {
        (close.code.into(), close.reason.to_string())
    });
    let message = match reason.is_empty() {
        true => format!("the server closed the connection with code {code} before the task ended"),
        false => format!(
            "the server closed the connection with code {code} before the task ended: {reason}"
        ),
    };
    let error = Error::new(ErrorKind::ConnectionLost, message).with_close(code, &reason);
    match code {
        // What it got was wrong, or it does not want this client: it would be the same again.
        1002 | 1003 | 1007..=1010 => error,
        _ => error.transient(),
    }
}

/// The error of a connection that broke.
pub(crate) fn lost(error: &WsError) -> Error {
    let why = match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => "it ended".to_owned(),
        WsError::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    let message = format!("the connection was lost before the task ended: {why}");
    Error::new(ErrorKind::ConnectionLost, message).transient()
}

async fn handshake(config: &Config) -> Result<Socket, Error> {
    let begun = Instant::now();
    let stream = net::connect(&config.way).await?;
    let begun = match config.way.endpoint {
        #[cfg(feature = "embedded")]
        Endpoint::Embedded => Instant::now(),
        Endpoint::Url(_) => begun,
    };
    let deadline = begun + config.way.connect_timeout;
    let request = request(config)?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let upgrading = client_async_with_config(request, stream, Some(limits));
    match timeout_at(deadline, upgrading).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(WsError::Http(response))) => {
            let (parts, body) = response.into_parts();
            Err(http::refusal(
                parts.status,
                body.unwrap_or_default().as_slice(),
            ))
        }
        Ok(Err(error)) => {
            let name = config.way.endpoint.name();
            let message = format!("no WebSocket with {name}: {error}");
            let failed = Error::new(ErrorKind::Connect, message);
            let broken = match &error {
                WsError::Io(error) => net::is_transient(error),
                WsError::Protocol(_) => matches!(
                    error,
                    WsError::Protocol(
                        tokio_tungstenite::tungstenite::error::ProtocolError::HandshakeIncomplete
                    )
                ),
                WsError::ConnectionClosed => true,
                _ => false,
            };
            Err(if broken { failed.transient() } else { failed })
        }
        Err(_) => {
            let message = format!(
                "{} did not answer the handshake within {:?}",
                config.way.endpoint.name(),
                config.way.connect_timeout
            );
            Err(Error::new(ErrorKind::Connect, message).transient())
        }
    }
}

fn request(config: &Config) -> Result<Request<()>, Error> {
    let (authority, path) = match &config.way.endpoint {
        #[cfg(feature = "embedded")]
        Endpoint::Embedded => ("embedded".to_owned(), ting_protocol::INFERENCE_PATH),
        Endpoint::Url(url) => (url.authority(), url.path.as_str()),
    };
    let mut request = Request::get(format!("ws://{authority}{path}"))
        .header("Host", &authority)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())
        .map_err(|_| {
            Error::invalid(
                "endpoint",
                config.way.endpoint.name(),
                "a URL without odd characters",
            )
        })?;
    request.headers_mut().extend(config.headers.clone());
    Ok(request)
}

/// Says goodbye. The task is over, so nothing that goes wrong here matters.
pub(crate) async fn close(mut socket: Socket) {
    /// How long a server may take to say goodbye too.
    const GOODBYE: Duration = Duration::from_secs(1);
    let goodbye = async {
        if socket.close(None).await.is_ok() {
            // Closing with unread bytes would reset the connection.
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    let _ = timeout(GOODBYE, goodbye).await;
}
