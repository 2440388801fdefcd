//! The signals that ask a command to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{CliError, CliErrorKind};

/// SIGINT, which is Ctrl+C, and SIGTERM, listened to from the start of this value on.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from here on: the signals no longer end the process by themselves.
    pub(crate) fn new() -> Result<Self, CliError> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                CliError::new(
                    CliErrorKind::Network,
                    format!("cannot listen for signals: {error}"),
                )
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Ready on the next signal. Nothing is lost when it is dropped before.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Exits the process on the next signal, with the status of a shell for SIGINT.
    pub(crate) async fn exit_on_next(mut self) {
        self.next().await;
        std::process::exit(130);
    }
}
