//! Callbacks, and the thread they run on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind};
use crate::inbox::Received;
use crate::result::RecognitionResult;
use crate::task::Task;

/// What a program does with the results of a task.
///
/// The order is `on_open`, any number of `on_event`, one of `on_complete` and `on_error`, and `on_close`, which always comes.
/// All of them run on one thread of the task's own, so that slow ones do not hold up the connection: while more than 64
/// results wait, partials of a sentence may be left out in favour of newer results of it; finals never are. A panic is
/// logged, and the task goes on.
///
/// In a callback the methods of the recognition may be called. `stop` does not wait there. From `on_complete` or `on_error`
/// on, the next task may be started.
///
/// ```
/// use ting_client::{Error, RecognitionCallback, RecognitionResult};
///
/// struct Print;
///
/// impl RecognitionCallback for Print {
///     fn on_event(&mut self, result: &RecognitionResult) {
///         if let Some(sentence) = result.sentence() {
///             println!("{}", sentence.text);
///         }
///     }
///
///     fn on_error(&mut self, error: &Error) {
///         eprintln!("{error}");
///     }
/// }
/// ```
pub trait RecognitionCallback: Send + 'static {
    /// The task starts. As with the official SDK, this comes before the connection does; what fails after it is told to
    /// [`on_error`](Self::on_error).
    fn on_open(&mut self) {}

    /// A sentence has become longer or is final: [`RecognitionResult::sentence`].
    fn on_event(&mut self, result: &RecognitionResult) {
        let _ = result;
    }

    /// The task has ended, and all results came before.
    fn on_complete(&mut self) {}

    /// The task has failed. What was recognised before came as events.
    fn on_error(&mut self, error: &Error) {
        let _ = error;
    }

    /// The last call.
    fn on_close(&mut self) {}
}

impl<C: RecognitionCallback + ?Sized> RecognitionCallback for Box<C> {
    fn on_open(&mut self) {
        (**self).on_open();
    }

    fn on_event(&mut self, result: &RecognitionResult) {
        (**self).on_event(result);
    }

    fn on_complete(&mut self) {
        (**self).on_complete();
    }

    fn on_error(&mut self, error: &Error) {
        (**self).on_error(error);
    }

    fn on_close(&mut self) {
        (**self).on_close();
    }
}

/// Starts the thread of `callback`. Once `on_open` has returned it calls `connect`, and then the receiver is ready.
pub(crate) fn spawn(
    task: Arc<Task>,
    handle: Handle,
    callback: impl RecognitionCallback,
    connect: impl FnOnce() + Send + 'static,
) -> Result<oneshot::Receiver<()>, Error> {
    let (opened, opening) = oneshot::channel();
    let thread = std::thread::Builder::new().name("ting-callback".to_owned());
    let run = move || {
        // So that a callback may spawn tasks of its own.
        let _entered = handle.enter();
        let mut caller = Caller { task, callback };
        // Set before any callback runs, and only here.
        let _ = caller.task.callback_thread.set(std::thread::current().id());
        caller.call("on_open", |callback| callback.on_open());
        connect();
        // The caller of `start` need not be there any more.
        let _ = opened.send(());
        caller.run();
    };
    let started = thread.spawn(run);
    let failed = |error| {
        let message = format!("cannot start a thread for the callback: {error}");
        Error::new(ErrorKind::State, message)
    };
    started.map(|_| opening).map_err(failed)
}

struct Caller<C> {
    task: Arc<Task>,
    callback: C,
}

impl<C: RecognitionCallback> Caller<C> {
    fn run(&mut self) {
        let ending = loop {
            match self.task.inbox.take() {
                Received::Result(result) => {
                    self.call("on_event", |callback| callback.on_event(&result));
                }
                Received::End(ending) => break ending,
            }
        };
        self.task.over();
        match ending {
            Ok(()) => self.call("on_complete", |callback| callback.on_complete()),
            Err(error) => self.call("on_error", |callback| callback.on_error(&error)),
        }
        self.call("on_close", |callback| callback.on_close());
    }

    fn call(&mut self, name: &str, call: impl FnOnce(&mut C)) {
        // What the callback left half done is its own; nothing of ours is in there.
        if catch_unwind(AssertUnwindSafe(|| call(&mut self.callback))).is_err() {
            tracing::error!(request_id = self.task.request_id, "{name} panicked");
        }
    }
}

/// However the thread ends, nobody waits for it any more.
impl<C> Drop for Caller<C> {
    fn drop(&mut self) {
        self.task.over();
        self.task.closed();
    }
}
