//! Where tasks run: on the caller's runtime if there is one, else on one of our own.

use std::sync::{Mutex, PoisonError, mpsc};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, ErrorKind};

/// The runtime of the blocking API, and the process that it belongs to.
static BACKGROUND: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// Threads of [`background`]. Recognitions only move bytes there; callbacks have threads of their own.
const THREADS: usize = 2;

/// The runtime of the blocking API, which is started on first use and never ends; it does not keep the process alive.
///
/// A child made by `fork` has no threads but one, and gets a runtime of its own: Python's `multiprocessing` forks.
pub(crate) fn background() -> Result<Handle, Error> {
    let mut background = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, runtime)) = &*background
        && *owner == process
    {
        return Ok(runtime.handle().clone());
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("ting-client")
        .enable_all()
        .build()
        .map_err(|error| {
            let message = format!("cannot start the threads of the client: {error}");
            Error::new(ErrorKind::Connect, message)
        })?;
    let handle = runtime.handle().clone();
    // The threads of the parent's runtime are not there to be waited for.
    std::mem::forget(background.replace((process, runtime)));
    Ok(handle)
}

/// The caller's runtime; outside of any, our own, so that every executor will do.
pub(crate) fn current() -> Result<Handle, Error> {
    Handle::try_current().or_else(|_| background())
}

/// Runs `future` on the background runtime and waits for it. Unlike `block_on` it may be called inside a runtime, whose
/// thread it holds.
pub(crate) fn wait<T: Send + 'static>(
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    background()?.spawn(async move {
        // Nobody is left to tell if the waiting thread is gone.
        let _ = sender.send(future.await);
    });
    receiver.recv().unwrap_or_else(|_| {
        let message = "the client crashed; please report it with the message above";
        Err(Error::new(ErrorKind::Protocol, message))
    })
}

/// Runs `future` on `handle`, wherever it is awaited. It ends when the returned future is dropped.
pub(crate) async fn run<T: Send + 'static>(
    handle: Handle,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let mut running = AbortOnDrop(handle.spawn(future));
    (&mut running.0).await.unwrap_or_else(|_| {
        let message = "the runtime was shut down before the answer came";
        Err(Error::new(ErrorKind::State, message))
    })
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
