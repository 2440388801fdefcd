//! What the async and the blocking `Recognition` have in common: the last task, and when another may start.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::callback::{self, RecognitionCallback};
use crate::config::{Config, Shared};
use crate::error::{Error, ErrorKind};
use crate::feed::{self, Source};
use crate::inbox::Received;
use crate::progress::Progress;
use crate::result::RecognitionResult;
use crate::session::{self, EndGuard};
use crate::stream::ResultStream;
use crate::task::Task;

/// The state of a `Recognition`.
pub(crate) struct Core {
    state: Mutex<State>,
}

struct State {
    config: Shared,
    /// The last task.
    task: Option<Arc<Task>>,
    /// The id of the next task if it is the first, else of the last.
    request_id: String,
}

impl Core {
    pub(crate) fn new(config: Config, request_id: Option<String>) -> Self {
        Self {
            state: Mutex::new(State {
                config: Arc::new(config),
                task: None,
                request_id: request_id.unwrap_or_else(new_id),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn task(&self) -> Option<Arc<Task>> {
        self.lock().task.clone()
    }

    /// The running task.
    pub(crate) fn running(&self) -> Result<Arc<Task>, Error> {
        let Some(task) = self.task() else {
            let message = "no recognition is running; start it first";
            return Err(Error::new(ErrorKind::State, message));
        };
        match task.is_over() {
            false => Ok(task),
            true => Err(over(&task)),
        }
    }

    fn begin(&self, has_callback: bool, is_call: bool) -> Result<(Arc<Task>, Shared), Error> {
        let mut state = self.lock();
        if let Some(task) = &state.task {
            if !task.is_over() {
                let message = "the recognition has started already; stop it first";
                return Err(Error::new(ErrorKind::State, message));
            }
            state.request_id = new_id();
        }
        let task = Arc::new(Task::new(state.request_id.clone(), has_callback, is_call));
        state.task = Some(task.clone());
        Ok((task, state.config.clone()))
    }

    /// Starts a task; the receiver is ready when `on_open` has returned.
    pub(crate) fn start(
        core: &Arc<Self>,
        handle: Handle,
        callback: impl RecognitionCallback,
    ) -> Result<oneshot::Receiver<()>, Error> {
        let (task, config) = core.begin(true, false)?;
        let guard = EndGuard(task.clone());
        let connect = {
            let handle = handle.clone();
            move || drop(handle.spawn(session::run(guard, config)))
        };
        let opened = callback::spawn(task.clone(), handle, callback, connect);
        opened.inspect_err(|_| task.over())
    }

    pub(crate) fn start_stream(&self, handle: &Handle) -> Result<ResultStream, Error> {
        let (task, config) = self.begin(false, false)?;
        handle.spawn(session::run(EndGuard(task.clone()), config));
        Ok(ResultStream::new(task))
    }

    pub(crate) async fn call(
        core: Arc<Self>,
        handle: Handle,
        source: Source,
    ) -> Result<RecognitionResult, Error> {
        let source = feed::open(source, &handle).await?;
        let (task, config) = core.begin(false, true)?;
        // If this future is dropped, nobody wants the result.
        let _cancelled = CancelGuard(task.clone());
        handle.spawn(session::run(EndGuard(task.clone()), config));
        let feeding = handle.spawn(feed::feed(task.clone(), source));
        let mut result = RecognitionResult::of_call(&task.request_id);
        let ending = loop {
            match task.inbox.next().await {
                Received::Result(event) if event.is_sentence_end() => result.push(event),
                Received::Result(_) => {}
                Received::End(ending) => break ending,
            }
        };
        match ending {
            Ok(()) => Ok(result),
            // The task ended because the file did.
            Err(error) if error.kind() == ErrorKind::State => match feeding.await {
                Ok(Err(unreadable)) => Err(unreadable),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// A call whose results come as a stream, partials included. Opens the file on this thread.
    pub(crate) fn call_stream(
        &self,
        handle: &Handle,
        path: PathBuf,
    ) -> Result<ResultStream, Error> {
        let source = feed::open_file(path)?;
        let (task, config) = self.begin(false, true)?;
        handle.spawn(session::run(EndGuard(task.clone()), config));
        handle.spawn(feed::feed(task.clone(), source));
        Ok(ResultStream::new(task))
    }

    pub(crate) fn cancel(&self) {
        if let Some(task) = self.task() {
            task.cancel();
        }
    }

    pub(crate) fn update_context(&self, messages: Vec<Value>) -> Result<(), Error> {
        let task = self.running()?;
        if messages.is_empty() {
            let message = "the context has no messages; it must have one at least";
            return Err(Error::new(ErrorKind::InvalidParameter, message));
        }
        task.outgoing.push_context(messages)
    }

    /// The task to stop: it is told to finish. `None` where the caller must not wait for it.
    pub(crate) fn finish(&self) -> Result<Option<Arc<Task>>, Error> {
        let Some(task) = self.task() else {
            self.running()?;
            return Ok(None);
        };
        let on_callback_thread = task.is_callback_thread();
        if task.is_over() {
            return match on_callback_thread {
                true => Ok(None),
                false => Err(over(&task)),
            };
        }
        task.outgoing.finish();
        Ok((!on_callback_thread).then_some(task))
    }

    pub(crate) async fn stop(core: Arc<Self>) -> Result<(), Error> {
        if let Some(task) = core.finish()? {
            task.wait_closed().await;
        }
        Ok(())
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Config)) {
        change(Arc::make_mut(&mut self.lock().config));
    }

    pub(crate) fn set_parameter(&self, name: String, value: Value) {
        self.change(|config| {
            match value {
                Value::Null => config.parameters.remove(&name),
                value => config.parameters.insert(name, value),
            };
        });
    }

    pub(crate) fn last_request_id(&self) -> String {
        self.lock().request_id.clone()
    }

    pub(crate) fn progress(&self) -> Progress {
        self.task()
            .map_or_else(Progress::default, |task| task.progress())
    }

    pub(crate) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct(name)
            .field("model", &state.config.model)
            .field("endpoint", &state.config.way.endpoint.name())
            .field("last_request_id", &state.request_id)
            .finish_non_exhaustive()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.cancel();
    }
}

fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// What a call gets that comes after the task's end.
fn over(task: &Task) -> Error {
    let message = match task.failure() {
        None => "the recognition has stopped; start it again first".to_owned(),
        Some(failure) => {
            format!("the recognition has stopped, because the task failed: {failure}")
        }
    };
    Error::new(ErrorKind::State, message)
}

/// Ends the task of a call whose future is dropped.
struct CancelGuard(Arc<Task>);

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
