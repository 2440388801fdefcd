//! A server without a network: its connections are pipes in memory.

use std::io;
use std::sync::Arc;

use axum::serve::Listener;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

use crate::options::ServerOptions;
use crate::recogniser::Recogniser;
use crate::server::{self, ServerError};

/// Bytes that a pipe holds in each direction, as much as sockets usually do. A writer waits while it is full.
const PIPE_BYTES: usize = 64 * 1024;

/// Connections that may wait to be accepted. The server only has to notice them.
const BACKLOG: usize = 16;

/// A server for clients in the same program. Made by [`Server::in_process`](crate::Server::in_process).
pub struct InProcess {
    listener: PipeListener,
    options: ServerOptions,
    recogniser: Arc<dyn Recogniser>,
}

/// The way to an [`InProcess`] server; clones lead to the same one.
#[derive(Clone, Debug)]
pub struct Pipe(mpsc::Sender<DuplexStream>);

impl InProcess {
    pub(crate) fn new(options: ServerOptions, recogniser: Arc<dyn Recogniser>) -> (Self, Pipe) {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let server = Self {
            listener: PipeListener(receiver),
            options,
            recogniser,
        };
        (server, Pipe(sender))
    }

    /// Serves until `shutdown` is ready, then stops, as [`Server::serve`](crate::Server::serve) does.
    ///
    /// # Errors
    /// As there.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServerError> {
        server::serve(self.listener, self.options, self.recogniser, shutdown).await
    }
}

impl Pipe {
    /// A new connection, on which the server speaks HTTP and WebSocket as on a socket.
    ///
    /// # Errors
    /// `ConnectionRefused` when the server has stopped.
    pub async fn connect(&self) -> io::Result<DuplexStream> {
        let (client, server) = duplex(PIPE_BYTES);
        let stopped =
            |_| io::Error::new(io::ErrorKind::ConnectionRefused, "the server has stopped");
        self.0.send(server).await.map_err(stopped)?;
        Ok(client)
    }
}

struct PipeListener(mpsc::Receiver<DuplexStream>);

impl Listener for PipeListener {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            // All that could connect are gone. What is connected is still served.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}
