//! Reading JSON objects field by field, with errors that name the field.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::{ErrorCode, RequestError};

/// Characters of a client's value that are repeated to it in an error.
const SHOWN_CHARS: usize = 80;

/// An object's fields, taken out one by one; what is left at the end is unknown to this version.
pub(crate) struct Fields {
    path: Cow<'static, str>,
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of `value`, which is at `path`; `null` and absence are an empty object.
    pub(crate) fn of(
        path: impl Into<Cow<'static, str>>,
        value: Option<Value>,
    ) -> Result<Self, RequestError> {
        let path = path.into();
        match value {
            None | Some(Value::Null) => Ok(Self {
                path,
                map: Map::new(),
            }),
            Some(Value::Object(map)) => Ok(Self { path, map }),
            Some(other) => Err(invalid(&path, &other, "an object")),
        }
    }

    /// The field's value as it is; `None` when absent or `null`.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// What nobody took, without the `null`s.
    pub(crate) fn rest(mut self) -> Map<String, Value> {
        self.map.retain(|_, value| !value.is_null());
        self.map
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, RequestError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, &other, "a string")),
        }
    }

    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, RequestError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(name, &other, "true or false")),
        }
    }

    /// An integer of `range`. `16000.0` is one too: languages without integers write it so.
    pub(crate) fn integer(
        &mut self,
        name: &str,
        range: &RangeInclusive<u32>,
    ) -> Result<Option<u32>, RequestError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        // A number that is whole and in a range of u32 loses nothing here.
        let whole = value.as_f64().filter(|number| number.fract() == 0.0);
        match whole
            .map(|number| number as i64)
            .and_then(|number| u32::try_from(number).ok())
        {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let allowed = format!("an integer from {} to {}", range.start(), range.end());
                Err(self.wrong(name, &value, &allowed))
            }
        }
    }

    /// A number of `range`.
    pub(crate) fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<f64>, RequestError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match value.as_f64() {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let allowed = format!("a number from {:?} to {:?}", range.start(), range.end());
                Err(self.wrong(name, &value, &allowed))
            }
        }
    }

    /// A list of strings.
    pub(crate) fn strings(&mut self, name: &str) -> Result<Option<Vec<String>>, RequestError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let strings = value.as_array().and_then(|list| {
            list.iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        strings
            .map(Some)
            .ok_or_else(|| self.wrong(name, &value, "a list of strings"))
    }

    /// The error of a field that must be there.
    pub(crate) fn missing(&self, name: &str, allowed: &str) -> RequestError {
        RequestError::new(
            ErrorCode::InvalidParameter,
            format!(
                "Missing required parameter '{}.{name}'! Please follow the protocol! \
                 It must be {allowed}.",
                self.path
            ),
        )
    }

    /// The error of a field that is there and wrong.
    pub(crate) fn wrong(&self, name: &str, got: &Value, allowed: &str) -> RequestError {
        invalid(&format!("{}.{name}", self.path), got, allowed)
    }
}

/// `InvalidParameter` for the field at `path`.
pub(crate) fn invalid(path: &str, got: &Value, allowed: &str) -> RequestError {
    RequestError::new(
        ErrorCode::InvalidParameter,
        format!("{path} is {}; it must be {allowed}.", shown(got)),
    )
}

/// A value as JSON, cut to a length fit for an error message.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text,
        Some((cut, _)) => format!("{}…", &text[..cut]),
    }
}
