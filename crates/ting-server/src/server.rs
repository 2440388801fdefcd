//! Listening, and stopping.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::serve::{Listener, ListenerExt};
use ting_protocol::INFERENCE_PATH;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::http;
use crate::options::ServerOptions;
use crate::pipe::{InProcess, Pipe};
use crate::recogniser::Recogniser;
use crate::vocabularies::Vocabularies;

/// Time on shutdown for what has a bound of its own already (draining, lingering) to reach it.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(2);

/// A server that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: ServerOptions,
    recogniser: Arc<dyn Recogniser>,
}

/// What every connection needs.
pub(crate) struct Shared {
    pub(crate) options: ServerOptions,
    pub(crate) recogniser: Arc<dyn Recogniser>,
    pub(crate) vocabularies: Vocabularies,
    /// Open sockets, for `/healthz`.
    pub(crate) connections: Gauge,
    /// Running tasks, for `/healthz`.
    pub(crate) tasks: Gauge,
    /// Becomes true when the server is to stop.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Never sent on: when the last connection drops it, the receiver knows that all are gone.
    _alive: mpsc::Sender<()>,
}

impl Server {
    /// Starts to listen on `options.listen`. Clients that connect wait until [`serve`](Self::serve).
    ///
    /// # Errors
    /// [`ServerErrorKind::Listen`] when the address cannot be had.
    pub async fn bind(
        options: ServerOptions,
        recogniser: Arc<dyn Recogniser>,
    ) -> Result<Self, ServerError> {
        let listen = |error: std::io::Error| {
            let message = format!(
                "cannot listen on {}: {error}; choose another address or stop what uses it",
                options.listen
            );
            ServerError {
                kind: ServerErrorKind::Listen,
                message,
            }
        };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self {
            listener,
            address,
            options,
            recogniser,
        })
    }

    /// The address listened on, with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL to give to a client on the same machine.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("ws://{address}{INFERENCE_PATH}")
    }

    /// A server without a network, for clients in the same program, and the way to it. `options.listen` means nothing to it.
    pub fn in_process(
        options: ServerOptions,
        recogniser: Arc<dyn Recogniser>,
    ) -> (InProcess, Pipe) {
        InProcess::new(options, recogniser)
    }

    /// Serves until `shutdown` is ready, then stops.
    ///
    /// Stopping takes no new connection, fails running tasks with `SystemError`, gives tasks whose `finish-task` came
    /// `Timeouts::drain` to finish, and closes every socket.
    ///
    /// # Errors
    /// [`ServerErrorKind::Serve`] when the listener fails.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServerError> {
        // Small events must leave at once, not wait for the acknowledgement of the one before.
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "cannot set TCP_NODELAY");
            }
        });
        serve(listener, self.options, self.recogniser, shutdown).await
    }
}

/// Serves what `listener` accepts, until `shutdown` is ready, and then stops as [`Server::serve`] says.
pub(crate) async fn serve<L: Listener<Addr: std::fmt::Debug>>(
    listener: L,
    options: ServerOptions,
    recogniser: Arc<dyn Recogniser>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServerError> {
    let (stop, stopping) = watch::channel(false);
    let (alive, mut all_gone) = mpsc::channel(1);
    let longest = options.timeouts.drain + options.timeouts.close_linger + SHUTDOWN_MARGIN;
    let shared = Arc::new(Shared {
        vocabularies: Vocabularies::new(options.store.clone()),
        options,
        recogniser,
        connections: Gauge::default(),
        tasks: Gauge::default(),
        stopping: stopping.clone(),
        _alive: alive,
    });
    let mut stopped = stopping.clone();
    let serving = axum::serve(listener, http::router(shared)).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a reason to stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    let give_up = async {
        shutdown.await;
        tracing::info!("stopping");
        // Nobody left to tell is fine.
        let _ = stop.send(true);
        sleep(longest).await;
    };
    tokio::select! {
        served = serving => served.map_err(|error| ServerError {
            kind: ServerErrorKind::Serve,
            message: format!("cannot accept connections any more: {error}"),
        })?,
        () = give_up => {}
    }
    // The router is gone by now; what still holds `Shared` is the sockets.
    if timeout(longest, all_gone.recv()).await.is_err() {
        tracing::warn!("stopping while connections are still open");
    }
    Ok(())
}

/// Counts things that are there now.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<AtomicUsize>);

/// One of a [`Gauge`]'s things.
pub(crate) struct Counted(Gauge);

impl Gauge {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a server could not run.
#[derive(Debug)]
pub struct ServerError {
    kind: ServerErrorKind,
    message: String,
}

/// The kinds of [`ServerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// The address cannot be listened on.
    Listen,
    /// The listener failed.
    Serve,
}

impl ServerError {
    /// What kind of error it is.
    pub fn kind(&self) -> ServerErrorKind {
        self.kind
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ServerError {}
