//! Writing a connection's outbox to its socket.

use axum::Error;
use axum::extract::ws::{CloseFrame, Message};
use futures_util::{Sink, SinkExt};
use tokio::select;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::options::Timeouts;
use crate::outbox::{Outbox, Outgoing};

/// Why writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The close frame is out.
    Closed,
    /// The client is gone or takes nothing.
    Lost,
}

/// Writes events as they come, and pings in between.
pub(crate) async fn write(
    mut sink: impl Sink<Message, Error = Error> + Unpin,
    outbox: &Outbox,
    timeouts: &Timeouts,
) -> Written {
    let mut ping = interval(timeouts.ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    loop {
        let message = select! {
            outgoing = outbox.next() => match outgoing {
                Outgoing::Event(event) => Message::Text(event.to_json().into()),
                Outgoing::Close(code, reason) => {
                    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
                }
            },
            _ = ping.tick() => Message::Ping(Vec::new().into()),
        };
        let is_close = matches!(message, Message::Close(_));
        match timeout(timeouts.write_stall, sink.send(message)).await {
            Ok(Ok(())) if is_close => return Written::Closed,
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "client is gone");
                return Written::Lost;
            }
            Err(_) => {
                tracing::info!("client takes no bytes, giving up on it");
                return Written::Lost;
            }
        }
    }
}
