//! `Recognition`: one object for one task after the other.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::builder::RecognitionBuilder;
use crate::callback::RecognitionCallback;
use crate::config::Config;
use crate::error::Error;
use crate::feed::Source;
use crate::outgoing::MAX_QUEUED_AUDIO_BYTES;
use crate::owner::Core;
use crate::progress::Progress;
use crate::result::RecognitionResult;
use crate::runtime;
use crate::stream::ResultStream;

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

    /// Sends audio, and waits while more than [`MAX_QUEUED_AUDIO_BYTES`] wait to be sent: the
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
