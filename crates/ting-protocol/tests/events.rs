//! The exact text of every event, and that it reads back.

use ting_protocol::{ErrorCode, Event, EventBody, EventErrorKind, Sentence, Stash, Usage, Word};

fn word(begin_time: u64, end_time: u64, text: &str, punctuation: &str) -> Word {
    let (text, punctuation) = (text.to_owned(), punctuation.to_owned());
    Word {
        begin_time,
        end_time: Some(end_time),
        text,
        punctuation,
        fixed: None,
    }
}

fn sentence(end_time: Option<u64>, text: &str, words: Vec<Word>) -> Sentence {
    Sentence {
        begin_time: 170,
        end_time,
        text: text.to_owned(),
        heartbeat: false,
        sentence_begin: end_time.is_none(),
        sentence_end: end_time.is_some(),
        sentence_id: 1,
        words,
        stash: None,
    }
}

fn half_fixed() -> Sentence {
    let fixed = |fixed, word| Word {
        fixed: Some(fixed),
        ..word
    };
    let words = [
        fixed(true, word(170, 295, "好", "，")),
        fixed(false, word(295, 503, "我", "")),
    ];
    Sentence {
        stash: Some(Stash {
            sentence_id: 1,
            begin_time: 295,
            end_time: None,
            text: "我".to_owned(),
            words: words[1..].to_vec(),
        }),
        ..sentence(None, "好，我", words.to_vec())
    }
}

#[test]
fn events_have_the_exact_shapes_of_the_service() {
    struct Case {
        name: &'static str,
        body: EventBody,
        json: &'static str,
    }
    let cases = [
        Case {
            name: "started",
            body: EventBody::TaskStarted,
            json: r#"{"header":{"task_id":"2bf83b9a-","event":"task-started","attributes":{}},"payload":{}}"#,
        },
        Case {
            name: "partial",
            body: EventBody::ResultGenerated {
                sentence: sentence(
                    None,
                    "好，我",
                    vec![word(170, 295, "好", "，"), word(295, 503, "我", "")],
                ),
                usage: None,
            },
            json: r#"{"header":{"task_id":"2bf83b9a-","event":"result-generated","attributes":{}},"payload":{"output":{"sentence":{"begin_time":170,"end_time":null,"text":"好，我","heartbeat":false,"sentence_begin":true,"sentence_end":false,"sentence_id":1,"words":[{"begin_time":170,"end_time":295,"text":"好","punctuation":"，"},{"begin_time":295,"end_time":503,"text":"我","punctuation":""}]}},"usage":null}}"#,
        },
        Case {
            name: "partial, half of it fixed",
            body: EventBody::ResultGenerated {
                sentence: half_fixed(),
                usage: None,
            },
            json: r#"{"header":{"task_id":"2bf83b9a-","event":"result-generated","attributes":{}},"payload":{"output":{"sentence":{"begin_time":170,"end_time":null,"text":"好，我","heartbeat":false,"sentence_begin":true,"sentence_end":false,"sentence_id":1,"words":[{"begin_time":170,"end_time":295,"text":"好","punctuation":"，","fixed":true},{"begin_time":295,"end_time":503,"text":"我","punctuation":"","fixed":false}],"stash":{"sentence_id":1,"begin_time":295,"end_time":null,"text":"我","words":[{"begin_time":295,"end_time":503,"text":"我","punctuation":"","fixed":false}]}}},"usage":null}}"#,
        },
        Case {
            name: "heartbeat",
            body: EventBody::ResultGenerated {
                sentence: Sentence::keep_alive(),
                usage: None,
            },
            json: r#"{"header":{"task_id":"2bf83b9a-","event":"result-generated","attributes":{}},"payload":{"output":{"sentence":{"begin_time":0,"end_time":null,"text":"","heartbeat":true,"sentence_begin":false,"sentence_end":false,"sentence_id":0,"words":[]}},"usage":null}}"#,
        },
        Case {
            name: "final",
            body: EventBody::ResultGenerated {
                sentence: sentence(Some(920), "好", vec![word(170, 920, "好", "")]),
                usage: Some(Usage { duration: 3 }),
            },
            json: r#"{"header":{"task_id":"2bf83b9a-","event":"result-generated","attributes":{}},"payload":{"output":{"sentence":{"begin_time":170,"end_time":920,"text":"好","heartbeat":false,"sentence_begin":false,"sentence_end":true,"sentence_id":1,"words":[{"begin_time":170,"end_time":920,"text":"好","punctuation":""}]}},"usage":{"duration":3}}}"#,
        },
        Case {
            name: "finished",
            body: EventBody::TaskFinished,
            json: r#"{"header":{"task_id":"2bf83b9a-","event":"task-finished","attributes":{}},"payload":{"output":{},"usage":null}}"#,
        },
        Case {
            name: "failed",
            body: EventBody::TaskFailed {
                code: ErrorCode::ClientError,
                message: "request timeout after 23 seconds.".to_owned(),
            },
            json: r#"{"header":{"task_id":"2bf83b9a-","event":"task-failed","error_code":"CLIENT_ERROR","error_message":"request timeout after 23 seconds.","attributes":{}},"payload":{}}"#,
        },
    ];
    let mut failures = Vec::new();
    for case in cases {
        let event = Event::new("2bf83b9a-", case.body);
        let written = event.to_json();
        if written != case.json {
            failures.push(format!(
                "{}: wrote\n  {written}\nwant\n  {}",
                case.name, case.json
            ));
        }
        if Event::parse(case.json).as_ref() != Ok(&event) {
            failures.push(format!("{}: read {:?}", case.name, Event::parse(case.json)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn events_of_other_servers_are_read() {
    struct Case {
        json: &'static str,
        want: Result<EventBody, EventErrorKind>,
    }
    let cases = [
        Case {
            json: r#"{"header":{"task_id":"t","event":"task-finished"},"payload":{}}"#,
            want: Ok(EventBody::TaskFinished),
        },
        Case {
            json: r#"{"header":{"task_id":"t","event":"task-started","attributes":{},"x":1}}"#,
            want: Ok(EventBody::TaskStarted),
        },
        Case {
            json: r#"{"header":{"task_id":"t","event":"task-failed","error_code":"New.Code","error_message":"m"},"payload":{}}"#,
            want: Ok(EventBody::TaskFailed {
                code: ErrorCode::Other("New.Code".to_owned()),
                message: "m".to_owned(),
            }),
        },
        Case {
            json: r#"{"header":{"task_id":"t","event":"result-generated"},"payload":{"output":{}}}"#,
            want: Err(EventErrorKind::Malformed),
        },
        Case {
            json: r#"{"header":{"task_id":"t","event":"task-paused"},"payload":{}}"#,
            want: Err(EventErrorKind::UnknownEvent),
        },
        Case {
            json: "",
            want: Err(EventErrorKind::Malformed),
        },
    ];
    let mut failures = Vec::new();
    for case in cases {
        let got = Event::parse(case.json)
            .map(|event| event.body)
            .map_err(|error| error.kind());
        if got != case.want {
            failures.push(format!("{}: got {got:?}, want {:?}", case.json, case.want));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn codes_are_their_wire_strings() {
    let mut failures = Vec::new();
    for code in ErrorCode::NAMED {
        if ErrorCode::from(code.as_str()) != *code {
            failures.push(format!("{code} does not read back"));
        }
    }
    let wire = [
        (ErrorCode::ClientError, "CLIENT_ERROR"),
        (ErrorCode::ResponseTimeout, "ResponseTimeout"),
        (ErrorCode::NoValidAudio, "NO_VALID_AUDIO_ERROR"),
        (ErrorCode::UnsupportedFormat, "UNSUPPORTED_FORMAT"),
        (ErrorCode::InvalidParameter, "InvalidParameter"),
        (ErrorCode::ModelNotFound, "ModelNotFound"),
        (ErrorCode::InvalidApiKey, "InvalidApiKey"),
        (ErrorCode::Throttling, "Throttling"),
    ];
    for (code, want) in wire {
        if code.as_str() != want {
            failures.push(format!("{code:?} is {code}, want {want}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn usage_counts_begun_seconds() {
    for (audio_ms, want) in [
        (0, 1),
        (1, 1),
        (1000, 1),
        (1001, 2),
        (2999, 3),
        (60_000, 60),
    ] {
        assert_eq!(Usage::of_audio_ms(audio_ms).duration, want, "{audio_ms} ms");
    }
}
