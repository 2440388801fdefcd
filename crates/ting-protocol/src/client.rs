//! What a client sends in text frames.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::fields::{Fields, invalid, shown};
use crate::parameters::Parameters;
use crate::{ErrorCode, MAX_TASK_ID_BYTES, MODELS, RequestError};

/// A control message of a client.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientMessage {
    /// Starts a task; the audio follows.
    RunTask(Box<RunTask>),
    /// Gives the running task another context.
    ContinueTask {
        /// The running task.
        task_id: String,
        /// `payload.input.context`, as it came.
        context: Option<Vec<Value>>,
    },
    /// Says that all audio of the task was sent.
    FinishTask {
        /// The running task.
        task_id: String,
    },
}

/// The contents of `run-task`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunTask {
    /// The client's own name for the task, which every event repeats byte for byte.
    pub task_id: String,
    /// The model asked for; [`MODELS`] has the ones served.
    pub model: String,
    /// How to recognise.
    pub parameters: Parameters,
    /// `payload.input.context`, as it came.
    pub context: Option<Vec<Value>>,
    /// Old-style hotword lists.
    pub resources: Vec<Resource>,
}

/// A hotword list given as a resource, as `phrase_id` of the SDKs does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The list's id.
    pub resource_id: String,
    /// `asr_phrase`.
    #[serde(default)]
    pub resource_type: String,
}

impl ClientMessage {
    /// Reads a text frame.
    ///
    /// # Errors
    /// The code and the message for `task-failed`, and the task it is about when the frame tells. A frame whose task
    /// is not to be known ([`RequestError::task_id`] is `None`) is garbage.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let message = format!("The text frame is not JSON ({error}); it must be an object.");
            RequestError::new(ErrorCode::InvalidParameter, message)
        })?;
        let Value::Object(mut message) = value else {
            return Err(invalid("The text frame", &value, "an object"));
        };
        let mut header = Fields::of("header", message.remove("header"))?;
        let task_id = header
            .string("task_id")?
            .filter(|task_id| !task_id.is_empty());
        let task_id = task_id.ok_or_else(|| header.missing("task_id", "a string"))?;
        let action = header.take("action").unwrap_or(Value::Null);
        let parsed = parse_action(&action, &task_id, &header, message.remove("payload"));
        parsed.map_err(|error| error.of_task(&task_id, action == "run-task"))
    }

    /// The text frame of the message.
    pub fn to_json(&self) -> String {
        let (action, task_id, payload) = match self {
            Self::RunTask(run) => ("run-task", &run.task_id, run.payload()),
            Self::ContinueTask { task_id, context } => (
                "continue-task",
                task_id,
                json!({ "input": input(context.as_ref()) }),
            ),
            Self::FinishTask { task_id } => ("finish-task", task_id, json!({ "input": {} })),
        };
        let header = json!({ "action": action, "task_id": task_id, "streaming": "duplex" });
        json!({ "header": header, "payload": payload }).to_string()
    }
}

fn parse_action(
    action: &Value,
    task_id: &str,
    header: &Fields,
    payload: Option<Value>,
) -> Result<ClientMessage, RequestError> {
    if task_id.len() > MAX_TASK_ID_BYTES {
        let length = task_id.len();
        let message =
            format!("header.task_id has {length} bytes; it must have 1 to {MAX_TASK_ID_BYTES}.");
        return Err(RequestError::new(ErrorCode::InvalidParameter, message));
    }
    let task_id = task_id.to_owned();
    match action.as_str() {
        Some("run-task") => Ok(ClientMessage::RunTask(Box::new(RunTask::parse(
            task_id, payload,
        )?))),
        Some("continue-task") => {
            let mut payload = Fields::of("payload", payload)?;
            Ok(ClientMessage::ContinueTask {
                task_id,
                context: parse_context(payload.take("input"))?,
            })
        }
        // Clients send anything here, from no payload at all to a zero-valued copy of run-task's.
        Some("finish-task") => Ok(ClientMessage::FinishTask { task_id }),
        _ => Err(header.wrong("action", action, "run-task, continue-task or finish-task")),
    }
}

impl RunTask {
    fn parse(task_id: String, payload: Option<Value>) -> Result<Self, RequestError> {
        let payload = payload.filter(|payload| !payload.is_null());
        let payload = payload.ok_or_else(|| {
            // The hosted service's own words for it.
            RequestError::new(
                ErrorCode::InvalidParameter,
                "task can not be null: 'payload' is missing.",
            )
        })?;
        let mut payload = Fields::of("payload", Some(payload))?;
        for (name, only) in [
            ("task_group", "audio"),
            ("task", "asr"),
            ("function", "recognition"),
        ] {
            let value = payload.string(name)?.filter(|value| !value.is_empty());
            if let Some(value) = value.filter(|value| value != only) {
                return Err(payload.wrong(name, &Value::String(value), &format!("\"{only}\"")));
            }
        }
        let model = payload.string("model")?.filter(|model| !model.is_empty());
        let model = model
            .ok_or_else(|| payload.missing("model", &format!("one of {}", MODELS.join(", "))))?;
        Ok(Self {
            task_id,
            model,
            parameters: Parameters::parse(payload.take("parameters"))?,
            context: parse_context(payload.take("input"))?,
            resources: parse_resources(payload.take("resources"))?,
        })
    }

    fn payload(&self) -> Value {
        let mut payload = json!({
            "task_group": "audio", "task": "asr", "function": "recognition",
            "model": self.model,
            "parameters": self.parameters,
            "input": input(self.context.as_ref()),
        });
        if !self.resources.is_empty() {
            payload["resources"] = json!(self.resources);
        }
        payload
    }
}

fn input(context: Option<&Vec<Value>>) -> Value {
    let mut input = Map::new();
    if let Some(context) = context {
        input.insert("context".to_owned(), Value::Array(context.clone()));
    }
    Value::Object(input)
}

fn parse_context(input: Option<Value>) -> Result<Option<Vec<Value>>, RequestError> {
    match Fields::of("payload.input", input)?.take("context") {
        None => Ok(None),
        Some(Value::Array(messages)) => Ok(Some(messages)),
        // The hosted service answers with this code, not with InvalidParameter.
        Some(other) => Err(RequestError::new(
            ErrorCode::ClientError,
            format!(
                "payload.input.context is {}; it must be a list of messages.",
                shown(&other)
            ),
        )),
    }
}

fn parse_resources(resources: Option<Value>) -> Result<Vec<Resource>, RequestError> {
    let Some(resources) = resources else {
        return Ok(Vec::new());
    };
    serde_json::from_value(resources.clone()).map_err(|_| {
        let allowed = "a list of objects with resource_id and resource_type, both strings";
        invalid("payload.resources", &resources, allowed)
    })
}
