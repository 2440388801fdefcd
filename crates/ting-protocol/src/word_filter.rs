//! `payload.parameters.special_word_filter`.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::fields::{Fields, invalid, shown};
use crate::{ErrorCode, RequestError};

/// Words in one list of `special_word_filter`. The service states no limit; lists in use have tens of words, and a
/// task's memory must be bounded.
pub const MAX_FILTER_WORDS: usize = 1000;

/// Characters of a listed word.
pub const MAX_FILTER_WORD_CHARS: usize = 64;

const PATH: &str = "payload.parameters.special_word_filter";
const SIGNED: &str = "payload.parameters.special_word_filter.filter_with_signed";
const EMPTY: &str = "payload.parameters.special_word_filter.filter_with_empty";

/// Words a client does not want to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialWordFilter {
    /// `filter_with_signed.word_list`: each of their characters is written as `*`.
    pub signed: Vec<String>,
    /// `filter_with_empty.word_list`: they are left out.
    pub empty: Vec<String>,
    /// Whether the server's own list is asked for as well.
    pub system_reserved: Option<bool>,
}

impl SpecialWordFilter {
    /// Reads the parameter: a JSON object, or a string of one as the public page has it. An empty string is none.
    ///
    /// # Errors
    /// `InvalidParameter` naming the field for anything else, and for lists beyond [`MAX_FILTER_WORDS`] and
    /// [`MAX_FILTER_WORD_CHARS`].
    pub(crate) fn parse(value: Option<Value>) -> Result<Option<Self>, RequestError> {
        let value = match value {
            None => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => match serde_json::from_str(&text) {
                Ok(value @ Value::Object(_)) => value,
                _ => return Err(not_an_object(&Value::String(text))),
            },
            Some(value @ Value::Object(_)) => value,
            Some(other) => return Err(not_an_object(&other)),
        };
        let mut fields = Fields::of(PATH, Some(value))?;
        Ok(Some(Self {
            signed: word_list(SIGNED, fields.take("filter_with_signed"))?,
            empty: word_list(EMPTY, fields.take("filter_with_empty"))?,
            system_reserved: fields.boolean("system_reserved_filter")?,
        }))
    }
}

fn not_an_object(got: &Value) -> RequestError {
    let allowed = "a JSON object, or a string of one, such as {\"filter_with_signed\":{\"word_list\":[\"a word\"]}}";
    invalid(PATH, got, allowed)
}

fn word_list(path: &'static str, value: Option<Value>) -> Result<Vec<String>, RequestError> {
    let mut fields = Fields::of(path, value)?;
    let words = fields.strings("word_list")?.unwrap_or_default();
    if words.len() > MAX_FILTER_WORDS {
        return Err(RequestError::new(
            ErrorCode::InvalidParameter,
            format!(
                "{path}.word_list has {} words; it must have at most {MAX_FILTER_WORDS}.",
                words.len()
            ),
        ));
    }
    let long = words
        .iter()
        .find(|word| word.chars().count() > MAX_FILTER_WORD_CHARS);
    if let Some(word) = long {
        return Err(RequestError::new(
            ErrorCode::InvalidParameter,
            format!(
                "{path}.word_list has {}; a word must have at most {MAX_FILTER_WORD_CHARS} characters.",
                shown(&Value::String(word.clone()))
            ),
        ));
    }
    Ok(words)
}

/// As it is on the wire: a string.
impl Serialize for SpecialWordFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = json!({
            "filter_with_signed": {"word_list": self.signed},
            "filter_with_empty": {"word_list": self.empty},
        });
        if let (Some(reserved), Some(map)) = (self.system_reserved, object.as_object_mut()) {
            map.insert("system_reserved_filter".to_owned(), reserved.into());
        }
        serializer.serialize_str(&object.to_string())
    }
}
