//! The same for programs without `async`: the methods wait on the thread that calls them.
//!
//! The work is done on two threads that all objects share, and callbacks run on a thread of their task. So the methods may be
//! called inside an async runtime as well, whose thread they hold while they wait.

mod requests;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::builder::RecognitionBuilder;
use crate::callback::RecognitionCallback;
use crate::error::Error;
use crate::feed::Source;
use crate::outgoing::MAX_QUEUED_AUDIO_BYTES;
use crate::owner::Core;
use crate::progress::Progress;
use crate::result::RecognitionResult;
use crate::runtime;

pub use requests::{Transcription, VocabularyService};

/// Speech recognition; see [`Recognition`](crate::Recognition), of which this is the blocking form.
///
/// ```no_run
/// use ting_client::{AudioFormat, blocking::Recognition};
///
/// let recognition = Recognition::builder("fun-asr-realtime")
///     .endpoint("ws://127.0.0.1:8000/api-ws/v1/inference")
///     .format(AudioFormat::Wav)
///     .build_blocking()?;
/// println!("{}", recognition.call("asr_example.wav")?.text());
/// # Ok::<(), ting_client::Error>(())
/// ```
pub struct Recognition(crate::Recognition);

impl Recognition {
    /// Begins to build a recognition with `model`; [`RecognitionBuilder::build_blocking`] ends it.
    pub fn builder(model: impl Into<String>) -> RecognitionBuilder {
        RecognitionBuilder::new(model)
    }

    pub(crate) fn new(recognition: crate::Recognition) -> Self {
        Self(recognition)
    }

    /// Recognises a file and returns its finals; see [`Recognition::call`](crate::Recognition::call).
    ///
    /// # Errors
    /// As there.
    pub fn call(&self, path: impl AsRef<Path>) -> Result<RecognitionResult, Error> {
        self.call_source(Source::File(path.as_ref().to_owned()))
    }

    /// Recognises audio in memory and returns its finals.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_bytes(&self, audio: impl Into<Bytes>) -> Result<RecognitionResult, Error> {
        self.call_source(Source::Bytes(audio.into()))
    }

    fn call_source(&self, source: Source) -> Result<RecognitionResult, Error> {
        let handle = runtime::background()?;
        runtime::wait(Core::call(self.0.core().clone(), handle, source))
    }

    /// Starts a task whose results go to `callback`; see [`Recognition::start`](crate::Recognition::start).
    ///
    /// # Errors
    /// As there.
    pub fn start(&self, callback: impl RecognitionCallback) -> Result<(), Error> {
        let opened = Core::start(self.0.core(), runtime::background()?, callback)?;
        runtime::wait(async {
            // Its thread cannot end without sending.
            let _ = opened.await;
            Ok(())
        })
    }

    /// Starts a task whose results come from an iterator, which waits for each.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_stream(&self) -> Result<ResultStream, Error> {
        let stream = self.0.core().start_stream(&runtime::background()?)?;
        Ok(ResultStream(stream))
    }

    /// Recognises a file, with its results, partials included, from an iterator.
    ///
    /// # Errors
    /// `Input` for a file that is not there, empty or unreadable, `State` while a task runs.
    pub fn call_stream(&self, path: impl AsRef<Path>) -> Result<ResultStream, Error> {
        let handle = runtime::background()?;
        let stream = self
            .0
            .core()
            .call_stream(&handle, path.as_ref().to_owned())?;
        Ok(ResultStream(stream))
    }

    /// Sends audio; see [`Recognition::send_audio_frame`](crate::Recognition::send_audio_frame). Never waits.
    ///
    /// # Errors
    /// As there.
    pub fn send_audio_frame(&self, frame: impl Into<Bytes>) -> Result<(), Error> {
        self.0.send_audio_frame(frame)
    }

    /// Sends audio, and waits while more than [`MAX_QUEUED_AUDIO_BYTES`] wait to be sent.
    ///
    /// # Errors
    /// As [`Recognition::send_audio_frame_wait`](crate::Recognition::send_audio_frame_wait).
    pub fn send_audio_frame_wait(&self, frame: impl Into<Bytes>) -> Result<(), Error> {
        let task = self.0.core().running()?;
        let frame = frame.into();
        match task.outgoing.try_push(frame, MAX_QUEUED_AUDIO_BYTES)? {
            None => Ok(()),
            Some(frame) => runtime::wait(async move {
                task.outgoing.push_wait(frame, MAX_QUEUED_AUDIO_BYTES).await
            }),
        }
    }

    /// Gives the task another context; see [`Recognition::update_context`](crate::Recognition::update_context).
    ///
    /// # Errors
    /// As there.
    pub fn update_context(&self, messages: Vec<Value>) -> Result<(), Error> {
        self.0.update_context(messages)
    }

    /// Ends the task and waits for its end; see [`Recognition::stop`](crate::Recognition::stop). Inside a callback it only
    /// asks for the end.
    ///
    /// # Errors
    /// As there.
    pub fn stop(&self) -> Result<(), Error> {
        match self.0.core().finish()? {
            None => Ok(()),
            Some(task) => runtime::wait(async move {
                task.wait_closed().await;
                Ok(())
            }),
        }
    }

    /// Asks for the end, and does not wait for it; see [`Recognition::finish`](crate::Recognition::finish).
    ///
    /// # Errors
    /// As there.
    pub fn finish(&self) -> Result<(), Error> {
        self.0.finish()
    }

    /// Gives a running task up; see [`Recognition::cancel`](crate::Recognition::cancel).
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Sets a parameter for the tasks that are started from now on; `null` takes it away.
    pub fn set_parameter(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.set_parameter(name, value);
    }

    /// Sets the list of [`RecognitionBuilder::phrase_id`] for the tasks that are started from now on.
    pub fn set_phrase_id(&self, phrase_id: Option<String>) {
        self.0.set_phrase_id(phrase_id);
    }

    /// The id of the last task, or of the first one before it was started.
    pub fn last_request_id(&self) -> String {
        self.0.last_request_id()
    }

    /// Whether a task runs; see [`Recognition::is_running`](crate::Recognition::is_running).
    pub fn is_running(&self) -> bool {
        self.0.is_running()
    }

    /// See [`Recognition::first_package_delay`](crate::Recognition::first_package_delay).
    pub fn first_package_delay(&self) -> Option<Duration> {
        self.0.first_package_delay()
    }

    /// See [`Recognition::last_package_delay`](crate::Recognition::last_package_delay).
    pub fn last_package_delay(&self) -> Option<Duration> {
        self.0.last_package_delay()
    }

    /// How far the last task has come.
    pub fn progress(&self) -> Progress {
        self.0.progress()
    }
}

impl fmt::Debug for Recognition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.core().fmt("blocking::Recognition", f)
    }
}

/// The results of a task, one after the other; see [`ResultStream`](crate::ResultStream).
#[must_use = "the results are lost when this is dropped"]
#[derive(Debug)]
pub struct ResultStream(crate::ResultStream);

impl ResultStream {
    /// The id of the task.
    pub fn request_id(&self) -> &str {
        self.0.request_id()
    }

    /// The next result, or the end, if it comes in that time: for programs that have to look at something else now and then.
    pub fn next_within(
        &mut self,
        patience: Duration,
    ) -> Option<Option<Result<RecognitionResult, Error>>> {
        self.0.take_within(patience)
    }
}

impl Iterator for ResultStream {
    type Item = Result<RecognitionResult, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take()
    }
}
