//! Hotword lists: what a client posts to [`CUSTOMIZATION_PATH`], and what it gets.
//!
//! Source: the public page "Customize hotwords" of Alibaba Cloud Model Studio, and what `VocabularyService` and `Client` of the
//! `dashscope` SDK 2.0.2 send and read.

mod answer;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::fields::{Fields, invalid, shown};
use crate::{ErrorCode, RequestError};

pub use answer::{
    CreatedVocabulary, Nothing, VocabularyDetails, VocabularyEntry, VocabularyList,
    VocabularyStatus, beijing_time,
};

/// Where hotword lists are managed.
pub const CUSTOMIZATION_PATH: &str = "/api/v1/services/audio/asr/customization";

/// Hotword lists of one account.
pub const MAX_VOCABULARIES: u32 = 10;

/// Words of one list.
pub const MAX_VOCABULARY_WORDS: usize = 500;

/// `page_size` of `list_vocabulary`. The service tells no limit; an account has no more lists than fit in one page anyway.
pub const VOCABULARY_PAGE_SIZES: RangeInclusive<u32> = 1..=100;

/// `page_index` of `list_vocabulary`, which counts from 0.
const PAGE_INDEXES: RangeInclusive<u32> = 0..=1_000_000;

/// Of a request that does not say, as in the SDKs.
const DEFAULT_PAGE_SIZE: u32 = 10;

/// The `model` of every request about hotword lists.
const MODEL: &str = "speech-biasing";

const MAX_PREFIX_CHARS: usize = 10;

/// Limits of a word: characters where it has any outside ASCII, else parts between spaces.
const MAX_WORD_CHARS: usize = 15;
const MAX_WORD_PARTS: usize = 7;

/// Characters of a word in ASCII. The service tells no limit besides the parts; no word in use comes near.
const MAX_ASCII_WORD_CHARS: usize = 128;

/// The one weight above 5, for words that are nearly sure to be said.
const SUPER_WEIGHT: u32 = 50;

/// Characters of `target_model` and `vocabulary_id`. Those of the service have about 50.
const MAX_NAME_CHARS: usize = 128;

/// Codes that `lang` may be: the languages of the public pages, whether or not a model here was trained for them.
const LANGUAGES: &[&str] = &[
    "zh", "en", "ja", "yue", "ko", "vi", "th", "id", "ms", "tl", "hi", "ar", "fr", "de", "es",
    "pt", "ru", "it", "nl", "sv", "da", "fi", "no", "el", "pl", "cs", "hu", "ro", "bg", "hr", "sk",
];

/// The values of `input.action`.
const ACTIONS: &str =
    "create_vocabulary, list_vocabulary, query_vocabulary, update_vocabulary or delete_vocabulary";

/// A word of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyWord {
    /// The code of its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// The word as it is to be written.
    pub text: String,
    /// 1 to 5, or 50: how strongly it is preferred.
    pub weight: u8,
}

/// What a client asks for about hotword lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VocabularyRequest {
    /// `create_vocabulary`: makes a list. The answer is [`CreatedVocabulary`].
    Create {
        /// The model the list is for.
        target_model: String,
        /// A part of the list's id: 1 to 10 of `a` to `z` and `0` to `9`.
        prefix: String,
        /// 1 to [`MAX_VOCABULARY_WORDS`] words.
        vocabulary: Vec<VocabularyWord>,
    },
    /// `list_vocabulary`: which lists there are. The answer is [`VocabularyList`].
    List {
        /// Only lists made with this prefix.
        prefix: Option<String>,
        /// Pages before the one asked for.
        page_index: u32,
        /// Lists of a page, one of [`VOCABULARY_PAGE_SIZES`].
        page_size: u32,
    },
    /// `query_vocabulary`: the words of a list. The answer is [`VocabularyDetails`].
    Query {
        /// Which list.
        vocabulary_id: String,
    },
    /// `update_vocabulary`: other words in place of all those of a list. The answer is [`Nothing`].
    Update {
        /// Which list.
        vocabulary_id: String,
        /// 1 to [`MAX_VOCABULARY_WORDS`] words.
        vocabulary: Vec<VocabularyWord>,
    },
    /// `delete_vocabulary`: the end of a list. The answer is [`Nothing`].
    Delete {
        /// Which list.
        vocabulary_id: String,
    },
}

impl VocabularyRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// The code and the message for [`HttpError`](crate::HttpError), which name the field, what was got and what is allowed.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            let message = format!("The body is not JSON ({error}); it must be an object.");
            RequestError::new(ErrorCode::InvalidParameter, message)
        })?;
        let Value::Object(mut body) = value else {
            return Err(invalid("The body", &value, "an object"));
        };
        check_model(body.remove("model"))?;
        let input = body.remove("input").filter(|input| !input.is_null());
        let input = input.ok_or_else(|| {
            let message =
                "Required input parameter missing from request: 'input' must be an object.";
            RequestError::new(ErrorCode::BadRequestEmptyInput, message)
        })?;
        let mut input = Fields::of("input", Some(input))?;
        let action = input.take("action").unwrap_or(Value::Null);
        match action.as_str() {
            Some("create_vocabulary") => Ok(Self::Create {
                target_model: required_name(&mut input, "target_model", "the name of a model")?,
                prefix: parse_prefix(&mut input)?
                    .ok_or_else(|| input.missing("prefix", PREFIX_RULE))?,
                vocabulary: parse_words(&mut input)?,
            }),
            Some("list_vocabulary") => Ok(Self::List {
                prefix: parse_prefix(&mut input)?,
                page_index: input.integer("page_index", &PAGE_INDEXES)?.unwrap_or(0),
                page_size: input
                    .integer("page_size", &VOCABULARY_PAGE_SIZES)?
                    .unwrap_or(DEFAULT_PAGE_SIZE),
            }),
            Some("query_vocabulary") => Ok(Self::Query {
                vocabulary_id: parse_id(&mut input)?,
            }),
            Some("update_vocabulary") => Ok(Self::Update {
                vocabulary_id: parse_id(&mut input)?,
                vocabulary: parse_words(&mut input)?,
            }),
            Some("delete_vocabulary") => Ok(Self::Delete {
                vocabulary_id: parse_id(&mut input)?,
            }),
            None if action.is_null() => Err(input.missing("action", ACTIONS)),
            _ => Err(input.wrong("action", &action, ACTIONS)),
        }
    }

    /// The value of `input.action`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create_vocabulary",
            Self::List { .. } => "list_vocabulary",
            Self::Query { .. } => "query_vocabulary",
            Self::Update { .. } => "update_vocabulary",
            Self::Delete { .. } => "delete_vocabulary",
        }
    }

    /// The body of the request.
    pub fn to_json(&self) -> String {
        let mut input = match self {
            Self::Create {
                target_model,
                prefix,
                vocabulary,
            } => json!({
                "target_model": target_model, "prefix": prefix, "vocabulary": vocabulary,
            }),
            Self::List {
                prefix,
                page_index,
                page_size,
            } => json!({ "prefix": prefix, "page_index": page_index, "page_size": page_size }),
            Self::Query { vocabulary_id } | Self::Delete { vocabulary_id } => {
                json!({ "vocabulary_id": vocabulary_id })
            }
            Self::Update {
                vocabulary_id,
                vocabulary,
            } => json!({ "vocabulary_id": vocabulary_id, "vocabulary": vocabulary }),
        };
        input["action"] = self.action().into();
        json!({ "model": MODEL, "parameters": Map::new(), "input": input }).to_string()
    }
}

fn check_model(model: Option<Value>) -> Result<(), RequestError> {
    match model.unwrap_or(Value::Null) {
        Value::String(model) if model == MODEL => Ok(()),
        Value::Null => {
            let message =
                format!("Required parameter 'model' missing from request; it must be \"{MODEL}\".");
            Err(RequestError::new(ErrorCode::BadRequestEmptyModel, message))
        }
        Value::String(other) => {
            let got = shown(&Value::String(other));
            let message = format!("Model not exist. model is {got}; it must be \"{MODEL}\".");
            Err(RequestError::new(ErrorCode::ModelNotExist, message))
        }
        other => Err(invalid("model", &other, &format!("\"{MODEL}\""))),
    }
}

const PREFIX_RULE: &str = "1 to 10 characters of a to z and 0 to 9";

/// The prefix; an empty one is none, as languages without null write it.
fn parse_prefix(input: &mut Fields) -> Result<Option<String>, RequestError> {
    let Some(prefix) = input.string("prefix")?.filter(|prefix| !prefix.is_empty()) else {
        return Ok(None);
    };
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match prefix.len() <= MAX_PREFIX_CHARS && prefix.bytes().all(allowed) {
        true => Ok(Some(prefix)),
        false => Err(input.wrong("prefix", &Value::String(prefix), PREFIX_RULE)),
    }
}

fn parse_id(input: &mut Fields) -> Result<String, RequestError> {
    required_name(input, "vocabulary_id", "the id of a hotword list")
}

/// A string that is there, is not empty and has no more than [`MAX_NAME_CHARS`].
fn required_name(input: &mut Fields, name: &str, what: &str) -> Result<String, RequestError> {
    let allowed = format!("{what}, a string of 1 to {MAX_NAME_CHARS} characters");
    let value = input
        .string(name)?
        .ok_or_else(|| input.missing(name, &allowed))?;
    match value.chars().count() {
        1..=MAX_NAME_CHARS => Ok(value),
        _ => Err(input.wrong(name, &Value::String(value), &allowed)),
    }
}

fn parse_words(input: &mut Fields) -> Result<Vec<VocabularyWord>, RequestError> {
    let allowed = format!(
        "a list of 1 to {MAX_VOCABULARY_WORDS} objects with text, weight and optional lang"
    );
    match input.take("vocabulary") {
        None => Err(input.missing("vocabulary", &allowed)),
        Some(Value::Array(words)) if (1..=MAX_VOCABULARY_WORDS).contains(&words.len()) => words
            .into_iter()
            .enumerate()
            .map(|(place, word)| parse_word(place, word))
            .collect(),
        Some(Value::Array(words)) => {
            let count = words.len();
            let message = format!("input.vocabulary has {count} words; it must be {allowed}.");
            Err(RequestError::new(ErrorCode::InvalidParameter, message))
        }
        Some(other) => Err(input.wrong("vocabulary", &other, &allowed)),
    }
}

fn parse_word(place: usize, word: Value) -> Result<VocabularyWord, RequestError> {
    let path = format!("input.vocabulary[{place}]");
    if !word.is_object() {
        return Err(invalid(&path, &word, "an object with text and weight"));
    }
    let mut word = Fields::of(path, Some(word))?;
    let text = word.string("text")?;
    let text = text.ok_or_else(|| word.missing("text", WORD_RULE))?;
    if !is_word(&text) {
        return Err(word.wrong("text", &Value::String(text), WORD_RULE));
    }
    let lang = word.string("lang")?.filter(|lang| !lang.is_empty());
    if let Some(lang) = lang
        .as_ref()
        .filter(|lang| !LANGUAGES.contains(&lang.as_str()))
    {
        let allowed = format!("absent or one of {}", LANGUAGES.join(", "));
        return Err(word.wrong("lang", &Value::from(lang.as_str()), &allowed));
    }
    Ok(VocabularyWord {
        lang,
        text,
        weight: parse_weight(&mut word)?,
    })
}

fn parse_weight(word: &mut Fields) -> Result<u8, RequestError> {
    let allowed = "an integer from 1 to 5, or 50";
    let value = word
        .take("weight")
        .ok_or_else(|| word.missing("weight", allowed))?;
    // Whole floats are integers of languages that have none.
    let weight = value.as_f64().and_then(|weight| {
        let whole = [1, 2, 3, 4, 5, SUPER_WEIGHT].into_iter();
        whole.map(f64::from).find(|allowed| *allowed == weight)
    });
    match weight {
        Some(weight) => Ok(weight as u8),
        None => Err(word.wrong("weight", &value, allowed)),
    }
}

const WORD_RULE: &str = "a word of at most 15 characters, or, when all of them are ASCII, of at most 7 parts between spaces \
                         and 128 characters; without control characters";

fn is_word(text: &str) -> bool {
    let text = text.trim();
    let (chars, parts) = (text.chars().count(), text.split_whitespace().count());
    let fits = match text.is_ascii() {
        true => parts <= MAX_WORD_PARTS && chars <= MAX_ASCII_WORD_CHARS,
        false => chars <= MAX_WORD_CHARS,
    };
    fits && chars > 0 && !text.chars().any(char::is_control)
}

/// Whether `id` is of the kind that hotword lists have. Such ids are lists also where a client calls them a `phrase_id`.
pub fn is_vocabulary_id(id: &str) -> bool {
    id.starts_with("vocab-")
}
