//! What a recognition was built with.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use ting_protocol::Resource;

use crate::error::{Error, ErrorKind};
use crate::net::Way;

/// The names this client has in the header `User-Agent`.
pub(crate) const USER_AGENT: &str = concat!("ting-client/", env!("CARGO_PKG_VERSION"));

/// All that a task needs to know; shared by the tasks of a recognition.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) way: Way,
    pub(crate) headers: HeaderMap,
    pub(crate) model: String,
    /// `payload.parameters`.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) phrase_id: Option<String>,
    pub(crate) context: Option<Vec<Value>>,
    pub(crate) times: Times,
    pub(crate) connect_attempts: u32,
}

/// How long a task waits for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) start: Duration,
    pub(crate) peer: Duration,
    pub(crate) finish: Duration,
    pub(crate) silence: Option<Duration>,
}

impl Config {
    /// The text frame that starts the task `task_id`.
    pub(crate) fn run_task(&self, task_id: &str) -> String {
        let mut input = Map::new();
        if let Some(context) = &self.context {
            input.insert("context".to_owned(), Value::Array(context.clone()));
        }
        let mut payload = json!({
            "task_group": "audio", "task": "asr", "function": "recognition",
            "model": self.model,
            "parameters": self.parameters,
            "input": input,
        });
        if let Some(phrase_id) = &self.phrase_id {
            payload["resources"] = json!([Resource {
                resource_id: phrase_id.clone(),
                resource_type: "asr_phrase".to_owned(),
            }]);
        }
        let header = json!({ "action": "run-task", "task_id": task_id, "streaming": "duplex" });
        json!({ "header": header, "payload": payload }).to_string()
    }
}

/// The headers of a connection or a request.
pub(crate) fn headers(
    api_key: Option<&str>,
    workspace: Option<&str>,
    more: &[(String, String)],
) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));
    if let Some(key) = api_key {
        // The key is no reading matter for messages.
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.trim()))
            .map_err(|_| Error::invalid("api_key", "…", "visible ASCII characters"))?;
        value.set_sensitive(true);
        headers.insert("authorization", value);
    }
    if let Some(workspace) = workspace {
        let value = HeaderValue::from_str(workspace)
            .map_err(|_| Error::invalid("workspace", workspace, "visible ASCII characters"))?;
        headers.insert("x-dashscope-workspace", value);
    }
    for (name, value) in more {
        let parsed = HeaderName::try_from(name.as_str())
            .map_err(|_| Error::invalid("header", name, "the name of an HTTP header"))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(Error::invalid(
                "header",
                name,
                "none that makes the connection",
            ));
        }
        let value = HeaderValue::from_str(value).map_err(|_| {
            let message = format!("the value of header {name:?} must be visible ASCII characters");
            Error::new(ErrorKind::InvalidParameter, message)
        })?;
        headers.insert(parsed, value);
    }
    Ok(headers)
}

/// Headers that belong to the connection itself.
const RESERVED: [&str; 8] = [
    "host",
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "content-length",
    "transfer-encoding",
];

/// The configuration, which may be changed for tasks to come.
pub(crate) type Shared = Arc<Config>;
