//! Recognition of files that the server fetches by itself.

use std::time::Duration;

use hyper::Method;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use crate::builder::check_time;
use crate::error::{Error, ErrorKind};
use crate::http::{Ask, Http, Reply};
use crate::runtime;
use crate::target::Target;
use crate::vocabulary::{REQUEST_TIMEOUT, http, request_options};

/// Has files recognised that a server can reach by URL. Ting does not serve this yet; the hosted service does.
///
/// ```no_run
/// # async fn f() -> Result<(), ting_client::Error> {
/// use ting_client::{Transcription, TranscriptionStatus};
///
/// let transcription = Transcription::builder().api_key("sk-…").build()?;
/// let urls = ["https://example.com/a.wav"];
/// let task = transcription.call("fun-asr", urls, serde_json::json!({"language_hints": ["zh"]})).await?;
/// assert_eq!(task.status(), &TranscriptionStatus::Succeeded);
/// for result in task.results() {
///     println!("{:?}: {:?}", result.file_url, result.transcription_url);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Transcription {
    http: Http,
    first_pause: Duration,
}

/// Builds a [`Transcription`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TranscriptionBuilder {
    target: Target,
    request_timeout: Duration,
    first_pause: Duration,
}

/// The longest pause between two looks at a job.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl TranscriptionBuilder {
    request_options!();

    /// The pause between the first two looks at a job that is waited for; each further one is twice as long, up to 5 s. 1 s
    /// if not set.
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// Makes the object, without connecting.
    ///
    /// # Errors
    /// `InvalidParameter` for an option that is out of its range, `Authentication` when the hosted service is to be used and
    /// there is no key.
    pub fn build(self) -> Result<Transcription, Error> {
        check_time("first_pause", self.first_pause)?;
        Ok(Transcription {
            http: http(&self.target, self.request_timeout)?,
            first_pause: self.first_pause,
        })
    }

    /// The same for programs without `async`.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_blocking(self) -> Result<crate::blocking::Transcription, Error> {
        self.build().map(crate::blocking::Transcription::new)
    }
}

impl Transcription {
    /// Begins to build a `Transcription`.
    pub fn builder() -> TranscriptionBuilder {
        TranscriptionBuilder {
            target: Target::default(),
            request_timeout: REQUEST_TIMEOUT,
            first_pause: Duration::from_secs(1),
        }
    }

    /// Starts a job for the files of `urls`, and does not wait for it. `parameters` is an object that goes to the server as it
    /// is, such as `{"language_hints": ["zh"], "diarization_enabled": true}`; `null` is an empty one.
    ///
    /// # Errors
    /// `InvalidParameter` for parameters that are no object, those of the connection, and what the server refuses.
    pub async fn async_call<T: Into<String>>(
        &self,
        model: impl Into<String>,
        urls: impl IntoIterator<Item = T>,
        parameters: impl Into<Value>,
    ) -> Result<TranscriptionTask, Error> {
        let urls: Vec<String> = urls.into_iter().map(Into::into).collect();
        if urls.is_empty() {
            return Err(Error::invalid("urls", urls, "one URL at least"));
        }
        let mut parameters = match parameters.into() {
            Value::Null => Map::new(),
            Value::Object(parameters) => parameters,
            other => {
                return Err(Error::invalid(
                    "parameters",
                    format_args!("{other}"),
                    "a JSON object",
                ));
            }
        };
        parameters.retain(|_, value| !value.is_null());
        // What the service takes beside the parameters, the official SDK takes among them.
        let mut body = json!({ "model": model.into(), "input": { "file_urls": urls } });
        if let Some(resources) = parameters.remove("resources") {
            body["resources"] = resources;
        }
        body["parameters"] = Value::Object(parameters);
        self.ask(Ask {
            method: Method::POST,
            path: "/services/audio/asr/transcription".to_owned(),
            headers: &[("X-DashScope-Async", "enable")],
            body: Some(body),
            is_repeatable: false,
        })
        .await
    }

    /// How a job stands now.
    ///
    /// # Errors
    /// Those of the connection, and what the server refuses. A job that failed is no error here.
    pub async fn fetch(&self, task_id: &str) -> Result<TranscriptionTask, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if task_id.is_empty() || !task_id.bytes().all(allowed) {
            return Err(Error::invalid("task_id", task_id, "the id of a job"));
        }
        self.ask(Ask {
            method: Method::GET,
            path: format!("/tasks/{task_id}"),
            headers: &[],
            body: None,
            is_repeatable: true,
        })
        .await
    }

    /// Waits until a job has ended, well or not, for no longer than `timeout` if there is one.
    ///
    /// # Errors
    /// `WaitTimeout`, and those of [`fetch`](Self::fetch).
    pub async fn wait(
        &self,
        task_id: &str,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<TranscriptionTask, Error> {
        let timeout: Option<Duration> = timeout.into();
        // So far away that it never comes is no deadline.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut pause = self.first_pause;
        loop {
            let task = self.fetch(task_id).await?;
            if task.status.is_end() {
                return Ok(task);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                let message = format!("the job {task_id} has not ended within {timeout:?}");
                return Err(Error::new(ErrorKind::WaitTimeout, message));
            }
            let now = left.map_or(pause, |left| left.min(pause));
            let sleeping = async move {
                sleep(now).await;
                Ok(())
            };
            runtime::run(runtime::current()?, sleeping).await?;
            pause = (pause * 2).min(LONGEST_PAUSE.max(self.first_pause));
        }
    }

    /// [`async_call`](Self::async_call) and [`wait`](Self::wait) in one.
    ///
    /// # Errors
    /// As these.
    pub async fn call<T: Into<String>>(
        &self,
        model: impl Into<String>,
        urls: impl IntoIterator<Item = T>,
        parameters: impl Into<Value>,
    ) -> Result<TranscriptionTask, Error> {
        let task = self.async_call(model, urls, parameters).await?;
        self.wait(&task.task_id, None).await
    }

    async fn ask(&self, ask: Ask) -> Result<TranscriptionTask, Error> {
        let http = self.http.clone();
        let reply = runtime::run(runtime::current()?, async move { http.ask(ask).await }).await?;
        TranscriptionTask::of(reply)
    }
}

/// A job, as it stood when it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TranscriptionTask {
    task_id: String,
    status: TranscriptionStatus,
    body: Value,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TranscriptionStatus {
    /// It waits.
    Pending,
    /// It is being done.
    Running,
    /// It is done; single files may have failed all the same.
    Succeeded,
    /// It failed.
    Failed,
    /// It was cancelled.
    Canceled,
    /// The server does not know the job, or not any more.
    Unknown,
    /// What this version does not know.
    Other(String),
}

impl TranscriptionStatus {
    /// Whether it will not change any more.
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Canceled | Self::Unknown
        )
    }

    fn named(name: &str) -> Self {
        match name {
            "PENDING" => Self::Pending,
            "RUNNING" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "CANCELED" => Self::Canceled,
            "UNKNOWN" => Self::Unknown,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What came of one file of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubtaskResult {
    /// The file.
    pub file_url: Option<String>,
    /// Where its text is, for 24 hours: a JSON document.
    pub transcription_url: Option<String>,
    /// Whether it worked.
    pub status: TranscriptionStatus,
    /// The server's code, of one that failed.
    pub code: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
}

impl TranscriptionTask {
    fn of(reply: Reply) -> Result<Self, Error> {
        let output = reply.output();
        let text = |name: &str| output.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(task_id), Some(status)) = (text("task_id"), text("task_status")) else {
            let message = "the answer about a job has no output.task_id and output.task_status";
            let error = Error::new(ErrorKind::Protocol, message);
            return Err(error.with_request_id(reply.request_id()));
        };
        Ok(Self {
            task_id,
            status: TranscriptionStatus::named(&status),
            body: reply.body,
        })
    }

    /// The id of the job, for [`Transcription::fetch`].
    pub fn task_id(&self) -> &str {
        &self.task_id
    }

    /// How the job stands.
    pub fn status(&self) -> &TranscriptionStatus {
        &self.status
    }

    /// What came of each file; empty before the end.
    pub fn results(&self) -> Vec<SubtaskResult> {
        let results = self.body["output"]["results"].as_array();
        let results = results.map(Vec::as_slice).unwrap_or_default();
        results.iter().map(SubtaskResult::of).collect()
    }

    /// The server's code, of a job that failed.
    pub fn code(&self) -> Option<&str> {
        self.body["output"]["code"].as_str()
    }

    /// Why the job failed.
    pub fn message(&self) -> Option<&str> {
        self.body["output"]["message"].as_str()
    }

    /// The server's id of the request that asked.
    pub fn request_id(&self) -> Option<&str> {
        self.body["request_id"].as_str()
    }

    /// The answer as it came: `output`, `usage`, `request_id`.
    pub fn json(&self) -> &Value {
        &self.body
    }
}

impl SubtaskResult {
    fn of(result: &Value) -> Self {
        let text = |name: &str| result[name].as_str().map(str::to_owned);
        Self {
            file_url: text("file_url"),
            transcription_url: text("transcription_url"),
            status: TranscriptionStatus::named(
                result["subtask_status"].as_str().unwrap_or("UNKNOWN"),
            ),
            code: text("code"),
            message: text("message"),
        }
    }
}
