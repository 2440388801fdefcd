//! Requests about hotword lists as clients send them, what is refused, and what the answers look like.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use ting_protocol::{
    CreatedVocabulary, ErrorCode, HttpReply, Nothing, VocabularyDetails, VocabularyEntry,
    VocabularyList, VocabularyRequest, VocabularyStatus, VocabularyWord, beijing_time,
};

fn word(text: &str, weight: u8, lang: Option<&str>) -> VocabularyWord {
    VocabularyWord {
        lang: lang.map(str::to_owned),
        text: text.to_owned(),
        weight,
    }
}

#[test]
fn requests_of_known_clients_are_understood() {
    let id = || "vocab-testpfx-6977ae49f65c4c3db054727c0123456789".to_owned();
    let list = |prefix: Option<&str>, page_index, page_size| VocabularyRequest::List {
        prefix: prefix.map(str::to_owned),
        page_index,
        page_size,
    };
    let cases = [
        (
            "python create",
            r#"{"model": "speech-biasing", "parameters": {}, "input": {"action": "create_vocabulary", "target_model": "fun-asr-realtime", "prefix": "testpfx", "vocabulary": [{"text": "赛德克巴莱", "weight": 4, "lang": "zh"}]}}"#,
            VocabularyRequest::Create {
                target_model: "fun-asr-realtime".to_owned(),
                prefix: "testpfx".to_owned(),
                vocabulary: vec![word("赛德克巴莱", 4, Some("zh"))],
            },
        ),
        (
            "python list",
            r#"{"model": "speech-biasing", "parameters": {}, "input": {"action": "list_vocabulary", "prefix": "testpfx", "page_index": 2, "page_size": 5}}"#,
            list(Some("testpfx"), 2, 5),
        ),
        (
            "python list of all",
            r#"{"model": "speech-biasing", "parameters": {}, "input": {"action": "list_vocabulary", "page_index": 0, "page_size": 10}}"#,
            list(None, 0, 10),
        ),
        (
            "list with null and nothing said",
            r#"{"model": "speech-biasing", "input": {"action": "list_vocabulary", "prefix": null}}"#,
            list(None, 0, 10),
        ),
        (
            "list with an empty prefix and whole floats",
            r#"{"model": "speech-biasing", "input": {"action": "list_vocabulary", "prefix": "", "page_index": 1.0, "page_size": 100.0}}"#,
            list(None, 1, 100),
        ),
        (
            "python query",
            r#"{"model": "speech-biasing", "parameters": {}, "input": {"action": "query_vocabulary", "vocabulary_id": "vocab-testpfx-6977ae49f65c4c3db054727c0123456789"}}"#,
            VocabularyRequest::Query {
                vocabulary_id: id(),
            },
        ),
        (
            "python update",
            r#"{"model": "speech-biasing", "parameters": {}, "input": {"action": "update_vocabulary", "vocabulary_id": "vocab-testpfx-6977ae49f65c4c3db054727c0123456789", "vocabulary": [{"text": "吴贻弓", "weight": 5}]}}"#,
            VocabularyRequest::Update {
                vocabulary_id: id(),
                vocabulary: vec![word("吴贻弓", 5, None)],
            },
        ),
        (
            "python delete",
            r#"{"model": "speech-biasing", "parameters": {}, "input": {"action": "delete_vocabulary", "vocabulary_id": "vocab-testpfx-6977ae49f65c4c3db054727c0123456789"}}"#,
            VocabularyRequest::Delete {
                vocabulary_id: id(),
            },
        ),
        (
            "unknown keys, nulls, no parameters",
            r#"{"extra": [], "model": "speech-biasing", "input": {"action": "update_vocabulary", "why": 1, "vocabulary_id": "v", "vocabulary": [{"text": "a", "weight": 50, "lang": null, "note": {}}, {"text": " b c ", "weight": 1.0, "lang": ""}]}}"#,
            VocabularyRequest::Update {
                vocabulary_id: "v".to_owned(),
                vocabulary: vec![word("a", 50, None), word(" b c ", 1, None)],
            },
        ),
    ];
    let mut failures = Vec::new();
    for (what, body, want) in cases {
        let got = VocabularyRequest::parse(body.as_bytes());
        if got.as_ref() != Ok(&want) {
            failures.push(format!("{what}: got {got:?}, want {want:?}"));
        }
        let again = VocabularyRequest::parse(want.to_json().as_bytes());
        if again.as_ref() != Ok(&want) {
            failures.push(format!("{what}: written and read back: {again:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A request whose `input` is as `create_vocabulary` needs it, with the value at `pointer` replaced; none removes it.
fn create_with(pointer: &str, value: Option<Value>) -> Value {
    let mut body = json!({
        "model": "speech-biasing", "parameters": {},
        "input": {
            "action": "create_vocabulary", "target_model": "fun-asr-realtime", "prefix": "p",
            "vocabulary": [{"text": "a", "weight": 1}, {"text": "word", "weight": 4, "lang": "zh"}],
        },
    });
    match (value, pointer.rsplit_once('/')) {
        (Some(value), _) if body.pointer(pointer).is_some() => {
            *body.pointer_mut(pointer).unwrap() = value;
        }
        (Some(value), Some((parent, key))) => body.pointer_mut(parent).unwrap()[key] = value,
        (None, Some((parent, key))) => {
            let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            assert!(parent.remove(key).is_some(), "{pointer}");
        }
        (_, None) => unreachable!("{pointer}"),
    }
    body
}

/// What becomes of a request that is right but for one value.
struct Case {
    /// Where the value is.
    pointer: String,
    /// The value; none takes away what is there.
    value: Option<Value>,
    /// The refusal's code and what its message says; none where the value is allowed.
    want: Option<(ErrorCode, &'static [&'static str])>,
}

impl Case {
    fn fine(pointer: &str, value: impl Into<Value>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            value: Some(value.into()),
            want: None,
        }
    }

    fn wrong(pointer: &str, value: impl Into<Value>, says: &'static [&'static str]) -> Self {
        let want = Some((ErrorCode::InvalidParameter, says));
        Self {
            want,
            ..Self::fine(pointer, value)
        }
    }

    fn missing(pointer: &str, says: &'static [&'static str]) -> Self {
        Self {
            value: None,
            ..Self::wrong(pointer, Value::Null, says)
        }
    }

    /// The same refused with another code.
    fn with_code(mut self, code: ErrorCode) -> Self {
        self.want = self.want.map(|(_, says)| (code, says));
        self
    }

    /// What is not as wanted, if anything.
    fn failure(&self) -> Option<String> {
        let body = create_with(&self.pointer, self.value.clone()).to_string();
        let got = VocabularyRequest::parse(body.as_bytes());
        let fits = match (&got, &self.want) {
            (Ok(_), None) => true,
            (Err(error), Some((code, says))) => {
                error.code() == code && says.iter().all(|part| error.message().contains(part))
            }
            _ => false,
        };
        let Self {
            pointer,
            value,
            want,
        } = self;
        (!fits).then(|| format!("{pointer} {value:?}: got {got:?}, want {want:?}"))
    }
}

fn check(cases: impl IntoIterator<Item = Case>) {
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|case| case.failure())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_wrong_around_the_words_is_refused_by_name() {
    let words = |count: usize| json!(vec![json!({"text": "w", "weight": 4}); count]);
    let (action, target) = ("/input/action", "/input/target_model");
    let (prefix, vocabulary) = ("/input/prefix", "/input/vocabulary");
    check([
        Case::fine("/extra", "x"),
        Case::fine("/parameters", Value::Null),
        Case::missing("/model", &["'model'", "speech-biasing"])
            .with_code(ErrorCode::BadRequestEmptyModel),
        Case::wrong("/model", Value::Null, &["'model'"]).with_code(ErrorCode::BadRequestEmptyModel),
        Case::wrong("/model", "gpt", &["\"gpt\"", "speech-biasing"])
            .with_code(ErrorCode::ModelNotExist),
        Case::wrong("/model", 7, &["model is 7"]),
        Case::missing("/input", &["'input'"]).with_code(ErrorCode::BadRequestEmptyInput),
        Case::wrong("/input", Value::Null, &["'input'"]).with_code(ErrorCode::BadRequestEmptyInput),
        Case::wrong("/input", json!([]), &["input is []", "an object"]),
        Case::missing(action, &["'input.action'", "query_vocabulary"]),
        Case::wrong(
            action,
            "drop",
            &["input.action is \"drop\"", "create_vocabulary, list_"],
        ),
        Case::wrong(action, 1, &["input.action is 1"]),
        Case::fine(target, "any-model"),
        Case::fine(target, "m".repeat(128)),
        Case::wrong(target, "m".repeat(129), &["input.target_model", "1 to 128"]),
        Case::wrong(target, "", &["input.target_model is \"\""]),
        Case::missing(target, &["'input.target_model'"]),
        Case::fine(prefix, "0123456789"),
        Case::fine(prefix, "az"),
        Case::wrong(
            prefix,
            "azAZ",
            &["input.prefix is \"azAZ\"", "a to z and 0 to 9"],
        ),
        Case::wrong(prefix, "01234567890", &["input.prefix", "1 to 10"]),
        Case::wrong(prefix, "a-b", &["input.prefix"]),
        Case::wrong(prefix, "表", &["input.prefix"]),
        Case::wrong(prefix, "", &["'input.prefix'", "1 to 10"]),
        Case::wrong(prefix, 5, &["input.prefix is 5"]),
        Case::missing(prefix, &["'input.prefix'"]),
        Case::fine(vocabulary, words(1)),
        Case::fine(vocabulary, words(500)),
        Case::wrong(
            vocabulary,
            words(501),
            &["input.vocabulary has 501 words", "1 to 500"],
        ),
        Case::wrong(
            vocabulary,
            words(0),
            &["input.vocabulary has 0 words", "1 to 500"],
        ),
        Case::wrong(vocabulary, json!({}), &["input.vocabulary is {}"]),
        Case::missing(vocabulary, &["'input.vocabulary'", "1 to 500"]),
    ]);
}

#[test]
fn what_is_wrong_with_a_word_is_refused_by_name() {
    let (first, last) = ("/input/vocabulary/0", "/input/vocabulary/1");
    let of = |field: &str| format!("{last}/{field}");
    let (weight, lang, text) = (&of("weight"), &of("lang"), &of("text"));
    check([
        Case::wrong(first, "word", &["input.vocabulary[0] is \"word\""]),
        Case::wrong(first, Value::Null, &["input.vocabulary[0] is null"]),
        Case::fine(weight, 1),
        Case::fine(weight, 5),
        Case::fine(weight, 50),
        Case::fine(weight, 4.0),
        Case::wrong(
            weight,
            0,
            &["input.vocabulary[1].weight is 0", "1 to 5, or 50"],
        ),
        Case::wrong(weight, 6, &["[1].weight is 6"]),
        Case::wrong(weight, 51, &["[1].weight is 51"]),
        Case::wrong(weight, -1, &["[1].weight is -1"]),
        Case::wrong(weight, 4.5, &["[1].weight is 4.5"]),
        Case::wrong(weight, 1e300, &["[1].weight"]),
        Case::wrong(weight, "4", &["[1].weight is \"4\""]),
        Case::missing(weight, &["'input.vocabulary[1].weight'", "1 to 5, or 50"]),
        Case::fine(lang, Value::Null),
        Case::fine(lang, "ja"),
        Case::fine(lang, "yue"),
        Case::wrong(lang, "xx", &["[1].lang is \"xx\"", "zh, en, ja"]),
        Case::wrong(lang, "ZH", &["[1].lang is \"ZH\""]),
        Case::wrong(lang, 1, &["[1].lang is 1"]),
        Case::missing(text, &["'input.vocabulary[1].text'"]),
        Case::wrong(text, 4, &["[1].text is 4"]),
        Case::wrong(text, "", &["[1].text is \"\"", "15 characters"]),
        Case::wrong(text, " \t ", &["[1].text"]),
        Case::wrong(text, "a\nb", &["[1].text", "control characters"]),
        Case::wrong(text, "a\u{0}b", &["[1].text"]),
        Case::fine(text, "字".repeat(15)),
        Case::wrong(
            text,
            "字".repeat(16),
            &["[1].text", "at most 15 characters"],
        ),
        // One letter outside ASCII, and the other rule holds.
        Case::fine(text, "El Niño in 1998"),
        Case::wrong(text, "El Niño in 1997!", &["[1].text"]),
        Case::fine(text, "one two three four five six seven"),
        Case::wrong(text, "1 2 3 4 5 6 7 8", &["[1].text", "at most 7 parts"]),
        Case::fine(text, "x".repeat(128)),
        Case::wrong(text, "x".repeat(129), &["[1].text", "128 characters"]),
    ]);
}

#[test]
fn other_bodies_and_actions_are_refused_too() {
    let input = |input: &str| format!(r#"{{"model":"speech-biasing","input":{input}}}"#);
    let cases = [
        (String::new(), "The body is not JSON"),
        ("not json".to_owned(), "The body is not JSON"),
        ("[1]".to_owned(), "The body is [1]"),
        ("null".to_owned(), "The body is null"),
        ("[".repeat(100_000), "The body is not JSON"),
        (
            input(r#"{"action":"query_vocabulary"}"#),
            "'input.vocabulary_id'",
        ),
        (
            input(r#"{"action":"delete_vocabulary","vocabulary_id":""}"#),
            "input.vocabulary_id is \"\"",
        ),
        (
            input(r#"{"action":"update_vocabulary","vocabulary_id":"v"}"#),
            "'input.vocabulary'",
        ),
        (
            input(r#"{"action":"update_vocabulary","vocabulary":[{"text":"a","weight":1}]}"#),
            "'input.vocabulary_id'",
        ),
        (
            input(r#"{"action":"list_vocabulary","prefix":"A"}"#),
            "input.prefix is \"A\"",
        ),
        (
            input(r#"{"action":"list_vocabulary","page_index":-1}"#),
            "input.page_index is -1; it must be an integer from 0",
        ),
        (
            input(r#"{"action":"list_vocabulary","page_index":"0"}"#),
            "input.page_index is \"0\"",
        ),
        (
            input(r#"{"action":"list_vocabulary","page_size":0}"#),
            "input.page_size is 0; it must be an integer from 1 to 100",
        ),
        (
            input(r#"{"action":"list_vocabulary","page_size":101}"#),
            "input.page_size is 101",
        ),
    ];
    let mut failures = Vec::new();
    for (body, says) in cases {
        match VocabularyRequest::parse(body.as_bytes()) {
            Err(error)
                if error.code() == &ErrorCode::InvalidParameter
                    && error.message().contains(says) => {}
            other => failures.push(format!("{says}: got {other:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Not even text.
    assert!(VocabularyRequest::parse(&[0xff, 0xfe, 0x00]).is_err());
}

#[test]
fn answers_have_the_keys_of_the_service() {
    let (gmt_create, gmt_modified) = ("2026-03-02 18:07:38", "2026-03-02 18:07:39");
    let reply = |output: Value| HttpReply::new(output, "aee79adb");
    let cases = [
        (
            reply(json!(CreatedVocabulary {
                vocabulary_id: "vocab-a-1".into()
            })),
            r#"{"output":{"vocabulary_id":"vocab-a-1"},"usage":{"count":1},"request_id":"aee79adb"}"#,
        ),
        (
            reply(json!(VocabularyList {
                vocabulary_list: vec![VocabularyEntry {
                    vocabulary_id: "vocab-a-1".into(),
                    gmt_create: gmt_create.into(),
                    gmt_modified: gmt_modified.into(),
                    status: VocabularyStatus::Ok,
                }]
            })),
            r#"{"output":{"vocabulary_list":[{"gmt_create":"2026-03-02 18:07:38","gmt_modified":"2026-03-02 18:07:39","status":"OK","vocabulary_id":"vocab-a-1"}]},"usage":{"count":1},"request_id":"aee79adb"}"#,
        ),
        (
            reply(json!(VocabularyDetails {
                gmt_create: gmt_create.into(),
                gmt_modified: gmt_modified.into(),
                status: VocabularyStatus::Undeployed,
                target_model: "fun-asr-realtime".into(),
                vocabulary: vec![word("赛德克巴莱", 4, Some("zh")), word("b", 1, None)],
            })),
            r#"{"output":{"gmt_create":"2026-03-02 18:07:38","gmt_modified":"2026-03-02 18:07:39","status":"UNDEPLOYED","target_model":"fun-asr-realtime","vocabulary":[{"lang":"zh","text":"赛德克巴莱","weight":4},{"text":"b","weight":1}]},"usage":{"count":1},"request_id":"aee79adb"}"#,
        ),
        (
            reply(json!(Nothing {})),
            r#"{"output":{},"usage":{"count":1},"request_id":"aee79adb"}"#,
        ),
    ];
    for (reply, want) in cases {
        assert_eq!(serde_json::to_string(&reply).unwrap(), want);
        let read: HttpReply<Value> = serde_json::from_str(want).unwrap();
        assert_eq!(read, reply);
    }
}

#[test]
fn times_are_those_of_beijing() {
    // As `TZ=Asia/Shanghai date --date=@N '+%F %T'` writes them.
    let cases = [
        (0, "1970-01-01 08:00:00"),
        (-1, "1970-01-01 07:59:59"),
        (-28_801, "1969-12-31 23:59:59"),
        (951_753_599, "2000-02-28 23:59:59"),
        (951_753_600, "2000-02-29 00:00:00"),
        (951_840_000, "2000-03-01 00:00:00"),
        (1_709_135_999, "2024-02-28 23:59:59"),
        (1_709_222_400, "2024-03-01 00:00:00"),
        (1_709_222_399, "2024-02-29 23:59:59"),
        (1_772_446_058, "2026-03-02 18:07:38"),
        (1_798_732_799, "2026-12-31 23:59:59"),
        (1_798_732_800, "2027-01-01 00:00:00"),
        (4_107_513_599, "2100-02-28 23:59:59"),
        (4_107_513_600, "2100-03-01 00:00:00"),
        (253_402_271_999, "9999-12-31 23:59:59"),
    ];
    let mut failures = Vec::new();
    for (unix_s, want) in cases {
        let got = beijing_time(unix_s);
        if got != want {
            failures.push(format!("{unix_s}: got {got}, want {want}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // What a damaged file may hold.
    for unix_s in [i64::MIN, i64::MAX] {
        assert!(!beijing_time(unix_s).is_empty());
    }
}
