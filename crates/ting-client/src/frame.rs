//! Reading what a server sends.
//!
//! Nothing that parses as JSON is an error here: servers differ, and the official SDK is known to stop dead over a missing
//! key. What cannot be understood is [`Frame::Unknown`], which is logged and passed over.

use serde_json::{Map, Value};
use ting_protocol::{Sentence, Usage};

/// A text frame of a server.
pub(crate) enum Frame {
    Started,
    Result(Box<ResultFrame>),
    /// A result that only keeps the connection alive, or that has no sentence.
    Nothing(&'static str),
    Finished,
    Failed {
        code: Option<String>,
        message: Option<String>,
    },
    /// Not of this protocol; the text says why.
    Unknown(String),
}

/// A `result-generated`.
pub(crate) struct ResultFrame {
    pub(crate) sentence: Sentence,
    pub(crate) is_final: bool,
    pub(crate) usage: Option<Usage>,
    /// `payload.output`, as it came.
    pub(crate) output: Value,
    /// `payload.usage`, as it came; `null` where it is missing.
    pub(crate) usage_json: Value,
    /// The whole event.
    pub(crate) text: String,
}

/// Characters of a server's text that a log shows.
const SHOWN_CHARS: usize = 200;

/// Reads a text frame of the task `task_id`.
pub(crate) fn read(text: &str, task_id: &str) -> Frame {
    let Ok(Value::Object(mut frame)) = serde_json::from_str(text) else {
        return Frame::Unknown(format!("a text that is no JSON object: {}", shown(text)));
    };
    let Some(Value::Object(mut header)) = frame.remove("header") else {
        return Frame::Unknown(format!("an event without a header: {}", shown(text)));
    };
    // A server that leaves the id out can only mean the one task of the connection.
    if let Some(Value::String(other)) = header.get("task_id")
        && !other.is_empty()
        && other != task_id
    {
        return Frame::Unknown(format!("an event of another task, {}", shown(other)));
    }
    let payload = match frame.remove("payload") {
        Some(Value::Object(payload)) => payload,
        _ => Map::new(),
    };
    match header.get("event").and_then(Value::as_str) {
        Some("task-started") => Frame::Started,
        Some("result-generated") => read_result(payload, text),
        Some("task-finished") => Frame::Finished,
        Some("task-failed") => Frame::Failed {
            code: string(header.remove("error_code")),
            message: string(header.remove("error_message")),
        },
        other => {
            let event = other.unwrap_or("missing");
            Frame::Unknown(format!("an event that is unknown: {}", shown(event)))
        }
    }
}

fn read_result(mut payload: Map<String, Value>, text: &str) -> Frame {
    let output = payload.remove("output").unwrap_or(Value::Null);
    let usage_json = payload.remove("usage").unwrap_or(Value::Null);
    let Some(Value::Object(fields)) = output.get("sentence") else {
        return Frame::Nothing("a result without a sentence");
    };
    if fields.is_empty() {
        return Frame::Nothing("a result with an empty sentence");
    }
    if fields.get("heartbeat") == Some(&Value::Bool(true)) {
        return Frame::Nothing("a heartbeat");
    }
    let sentence = lenient_sentence(fields);
    // Some servers say it only by the one, some only by the other.
    let is_final = sentence.sentence_end || sentence.end_time.is_some();
    let usage = serde_json::from_value(usage_json.clone()).ok();
    Frame::Result(Box::new(ResultFrame {
        sentence,
        is_final,
        usage,
        output,
        usage_json,
        text: text.to_owned(),
    }))
}

/// The sentence; fields of a wrong type are as if they were missing, and so are words that are no words.
fn lenient_sentence(fields: &Map<String, Value>) -> Sentence {
    let mut fields = fields.clone();
    if let Ok(sentence) = serde_json::from_value(Value::Object(fields.clone())) {
        return sentence;
    }
    let names: Vec<String> = fields.keys().cloned().collect();
    for name in names {
        let alone = |value: Value| {
            let field = Value::Object(Map::from_iter([(name.clone(), value)]));
            serde_json::from_value::<Sentence>(field).is_ok()
        };
        let Some(value) = fields.get_mut(&name) else {
            continue;
        };
        if let (true, Value::Array(words)) = (name == "words", &mut *value) {
            words.retain(|word| alone(Value::Array(vec![word.clone()])));
        }
        if !alone(value.clone()) {
            tracing::debug!(field = name, "a field of a sentence is of a wrong type");
            fields.remove(&name);
        }
    }
    serde_json::from_value(Value::Object(fields)).unwrap_or_default()
}

/// What a server means by a value that should be a string: numbers are written out, `null` is nothing.
fn string(value: Option<Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// A server's text, cut to a length fit for a log.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        None => format!("{text:?}"),
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
    }
}
