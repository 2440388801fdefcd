//! `Recognition`: one object for one task after the other.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::builder::RecognitionBuilder;
use crate::callback::{self, RecognitionCallback};
use crate::config::{Config, Shared};
use crate::error::{Error, ErrorKind};
use crate::inbox::Received;
use crate::outgoing::MAX_QUEUED_AUDIO_BYTES;
use crate::progress::Progress;
use crate::result::RecognitionResult;
use crate::runtime;
use crate::session::{self, EndGuard};
use crate::stream::ResultStream;
use crate::task::{Task, dropped};

/// Bytes of a frame of a file, as the official SDK has them.
const FILE_FRAME_BYTES: usize = 12_800;
/// Bytes of a file that are read at once.
const FILE_READ_BYTES: usize = 20 * FILE_FRAME_BYTES;
/// Bytes of a file that wait to be sent; the rest stays in the file.
const FILE_QUEUE_BYTES: usize = 2 * FILE_READ_BYTES;

/// Speech recognition.
///
/// All methods take `&self`, from any thread. One task runs at a time; after its end the object may be used again, and every
/// task has a request id of its own. Dropping the object ends a running task: its callback gets `on_error` and `on_close`.
///
/// The methods may be awaited on any executor. Inside a tokio runtime the work is done there, elsewhere on threads of this
/// library. [`blocking::Recognition`](crate::blocking::Recognition) is the same for programs without `async`.
///
/// # A file
/// ```no_run
/// # async fn f() -> Result<(), ting_client::Error> {
/// use ting_client::{AudioFormat, Recognition};
///
/// let recognition = Recognition::builder("fun-asr-realtime")
///     .endpoint("ws://127.0.0.1:8000/api-ws/v1/inference")
///     .format(AudioFormat::Wav)
///     .sample_rate(16000)
///     .build()?;
/// for sentence in recognition.call("asr_example.wav").await?.sentences() {
///     println!("{} ms: {}", sentence.begin_time, sentence.text);
/// }
/// # Ok(()) }
/// ```
///
/// # A stream
/// ```no_run
/// # async fn f(mut microphone: impl FnMut() -> Option<Vec<u8>> + Send + 'static) -> Result<(), ting_client::Error> {
/// use std::sync::Arc;
/// use ting_client::Recognition;
///
/// let recognition = Arc::new(Recognition::builder("fun-asr-realtime").build()?);
/// let mut results = recognition.start_stream().await?;
/// let sender = recognition.clone();
/// tokio::spawn(async move {
///     while let Some(frame) = microphone() {
///         sender.send_audio_frame_wait(frame).await?;
///     }
///     sender.stop().await
/// });
/// while let Some(result) = results.next().await {
///     println!("{}", result?.text());
/// }
/// # Ok(()) }
/// ```
pub struct Recognition {
    core: Arc<Core>,
}

impl Recognition {
    /// Begins to build a recognition with `model`, such as `fun-asr-realtime`.
    pub fn builder(model: impl Into<String>) -> RecognitionBuilder {
        RecognitionBuilder::new(model)
    }

    pub(crate) fn new(config: Config, request_id: Option<String>) -> Self {
        let core = Arc::new(Core::new(config, request_id));
        Self { core }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Recognises a file and returns its finals.
    ///
    /// The file is what `format` and `sample_rate` say, and is read as fast as it can be sent. Dropping the future ends the
    /// task.
    ///
    /// # Errors
    /// `Input` for a file that is not there, empty or unreadable, `State` while a task runs, else what the task failed with.
    pub async fn call(&self, path: impl AsRef<Path>) -> Result<RecognitionResult, Error> {
        let handle = runtime::current()?;
        let source = Source::File(path.as_ref().to_owned());
        Core::call(self.core.clone(), handle, source).await
    }

    /// Recognises audio in memory and returns its finals.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_bytes(&self, audio: impl Into<Bytes>) -> Result<RecognitionResult, Error> {
        let handle = runtime::current()?;
        Core::call(self.core.clone(), handle, Source::Bytes(audio.into())).await
    }

    /// Starts a task whose results go to `callback`.
    ///
    /// Returns when `on_open` has, before there is a connection: audio may be sent already and waits, and what goes wrong
    /// with the connection is told to `on_error`.
    ///
    /// # Errors
    /// `State` while a task runs.
    pub async fn start(&self, callback: impl RecognitionCallback) -> Result<(), Error> {
        let opened = Core::start(&self.core, runtime::current()?, callback)?;
        // Its thread cannot end without sending.
        let _ = opened.await;
        Ok(())
    }

    /// Starts a task whose results come as a stream. Returns before there is a connection, as [`start`](Self::start) does.
    ///
    /// # Errors
    /// `State` while a task runs.
    pub async fn start_stream(&self) -> Result<ResultStream, Error> {
        self.core.start_stream(&runtime::current()?)
    }

    /// Sends audio: at best 100 ms at a time, 1 to 16 KB. Only puts it into a queue.
    ///
    /// # Errors
    /// `State` while no task runs, `QueueFull` when more than
    /// [`MAX_QUEUED_AUDIO_BYTES`](crate::MAX_QUEUED_AUDIO_BYTES) wait to be sent.
    pub fn send_audio_frame(&self, frame: impl Into<Bytes>) -> Result<(), Error> {
        self.core.running()?.outgoing.push(frame.into())
    }

    /// Sends audio, and waits while more than [`MAX_QUEUED_AUDIO_BYTES`](crate::MAX_QUEUED_AUDIO_BYTES) wait to be sent: the
    /// way to send what comes faster than real time.
    ///
    /// # Errors
    /// `State` while no task runs.
    pub async fn send_audio_frame_wait(&self, frame: impl Into<Bytes>) -> Result<(), Error> {
        let task = self.core.running()?;
        task.outgoing
            .push_wait(frame.into(), MAX_QUEUED_AUDIO_BYTES)
            .await
    }

    /// Gives the task another context, for the audio that is sent after it: what was said or written before, as messages
    /// such as `{"role": "user", "content": [{"type": "input_text", "text": "…"}]}`.
    ///
    /// # Errors
    /// `State` while no task runs, `InvalidParameter` without messages, `QueueFull` when too many contexts wait.
    pub fn update_context(&self, messages: Vec<Value>) -> Result<(), Error> {
        self.core.update_context(messages)
    }

    /// Ends the task after the audio that was sent, and waits until all results and the end of it were told: with a
    /// callback, until `on_close` has returned. Inside a callback it only asks for the end.
    ///
    /// # Errors
    /// `State` while no task runs, also when it ended by itself before; the message says so. How the task ends is told to
    /// the callback or the stream, and is no error here.
    pub async fn stop(&self) -> Result<(), Error> {
        Core::stop(self.core.clone()).await
    }

    /// Asks for the end after the audio that was sent, and does not wait for it: [`stop`](Self::stop) without the waiting.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub fn finish(&self) -> Result<(), Error> {
        self.core.finish().map(drop)
    }

    /// Gives a running task up: its callback or stream gets an error of the kind `State`.
    pub fn cancel(&self) {
        self.core.cancel();
    }

    /// Sets a parameter for the tasks that are started from now on; see
    /// [`RecognitionBuilder::parameter`]. `null` takes it away.
    pub fn set_parameter(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.core.set_parameter(name.into(), value.into());
    }

    /// Sets the list of [`RecognitionBuilder::phrase_id`] for the tasks that are started from now on.
    pub fn set_phrase_id(&self, phrase_id: Option<String>) {
        self.core.change(|config| config.phrase_id = phrase_id);
    }

    /// The id of the last task, or of the first one before it was started.
    pub fn last_request_id(&self) -> String {
        self.core.last_request_id()
    }

    /// Whether a task runs: one was started, and neither `on_complete` nor `on_error` has been called.
    pub fn is_running(&self) -> bool {
        self.core.running().is_ok()
    }

    /// From the first audio of the last task (of a call, from the call) to the first result with text. `None` without one.
    pub fn first_package_delay(&self) -> Option<Duration> {
        self.core.task()?.first_package_delay()
    }

    /// From `stop` (of a call, from the end of the file) to the end of the last task. `None` while it runs, and if nobody
    /// stopped it.
    pub fn last_package_delay(&self) -> Option<Duration> {
        self.core.task()?.last_package_delay()
    }

    /// How far the last task has come.
    pub fn progress(&self) -> Progress {
        self.core.progress()
    }
}

impl fmt::Debug for Recognition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt("Recognition", f)
    }
}

/// What the async and the blocking object have in common.
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

/// Audio that is there from the beginning.
pub(crate) enum Source {
    File(PathBuf),
    Bytes(Bytes),
}

impl Core {
    fn new(config: Config, request_id: Option<String>) -> Self {
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
        let source = match source {
            Source::Bytes(audio) if audio.is_empty() => {
                return Err(Error::new(ErrorKind::Input, "the audio is empty"));
            }
            Source::Bytes(audio) => Opened::Bytes(audio),
            Source::File(path) => {
                let opening = handle.spawn_blocking(move || open(path));
                opening.await.map_err(|_| dropped())??
            }
        };
        let (task, config) = core.begin(false, true)?;
        // If this future is dropped, nobody wants the result.
        let _cancelled = CancelGuard(task.clone());
        handle.spawn(session::run(EndGuard(task.clone()), config));
        let feeding = handle.spawn(feed(task.clone(), source));
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
        let source = open(path)?;
        let (task, config) = self.begin(false, true)?;
        handle.spawn(session::run(EndGuard(task.clone()), config));
        handle.spawn(feed(task.clone(), source));
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

    async fn stop(core: Arc<Self>) -> Result<(), Error> {
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

enum Opened {
    File(std::fs::File, PathBuf),
    Bytes(Bytes),
}

fn open(path: PathBuf) -> Result<Opened, Error> {
    let failed = |why: String| {
        let message = format!("cannot read the audio file {}: {why}", path.display());
        Error::new(ErrorKind::Input, message)
    };
    let file = std::fs::File::open(&path).map_err(|error| failed(error.to_string()))?;
    let about = file.metadata().map_err(|error| failed(error.to_string()))?;
    if about.is_dir() {
        return Err(failed("it is a folder".to_owned()));
    }
    if about.is_file() && about.len() == 0 {
        return Err(failed("it is empty (zero bytes long)".to_owned()));
    }
    Ok(Opened::File(file, path))
}

/// Gives the audio to the task as fast as it can be sent, and then the end.
async fn feed(task: Arc<Task>, source: Opened) -> Result<(), Error> {
    let fed = match source {
        Opened::Bytes(audio) => push(&task, audio).await,
        Opened::File(file, path) => feed_file(&task, file, &path).await,
    };
    match fed {
        Ok(()) => {
            task.outgoing.finish();
            Ok(())
        }
        Err(error) => {
            // The audio is not whole, and so its text would not be. A task that has ended already does not mind.
            task.end(Err(error.clone()));
            task.cancel();
            Err(error)
        }
    }
}

async fn feed_file(task: &Task, file: std::fs::File, path: &Path) -> Result<(), Error> {
    let failed = |why: &dyn fmt::Display| {
        let message = format!("cannot read the audio file {}: {why}", path.display());
        Error::new(ErrorKind::Input, message)
    };
    let mut file = tokio::fs::File::from_std(file);
    let mut is_empty = true;
    loop {
        let mut piece = Vec::with_capacity(FILE_READ_BYTES);
        let read = (&mut file).take(FILE_READ_BYTES as u64);
        let mut read = read;
        let count = read
            .read_to_end(&mut piece)
            .await
            .map_err(|error| failed(&error))?;
        if count == 0 {
            break;
        }
        is_empty = false;
        push(task, Bytes::from(piece)).await?;
    }
    match is_empty {
        true => Err(failed(&"it is empty (zero bytes long)")),
        false => Ok(()),
    }
}

async fn push(task: &Task, mut audio: Bytes) -> Result<(), Error> {
    while !audio.is_empty() {
        let frame = audio.split_to(audio.len().min(FILE_FRAME_BYTES));
        task.outgoing.push_wait(frame, FILE_QUEUE_BYTES).await?;
    }
    Ok(())
}
