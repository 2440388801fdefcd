//! What clients send, as it was seen on the wire, and what is refused.

use ting_protocol::{
    AudioFormat, ClientMessage, ErrorCode, MAX_FILTER_WORD_CHARS, MAX_FILTER_WORDS, Parameters,
    RunTask, SpecialWordFilter,
};

fn run_task(text: &str) -> RunTask {
    match ClientMessage::parse(text) {
        Ok(ClientMessage::RunTask(run)) => *run,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn messages_of_known_clients_are_understood() {
    struct Case {
        client: &'static str,
        text: &'static str,
        want: ClientMessage,
    }
    let run = |task_id: &str, parameters| {
        ClientMessage::RunTask(Box::new(RunTask {
            task_id: task_id.to_owned(),
            model: "fun-asr-realtime".to_owned(),
            parameters,
            context: None,
            resources: Vec::new(),
        }))
    };
    let finish = |task_id: &str| ClientMessage::FinishTask {
        task_id: task_id.to_owned(),
    };
    let mut streamed = Parameters::new(AudioFormat::Pcm, 16_000);
    streamed.other.insert("stream".to_owned(), true.into());
    let mut hints = Parameters::new(AudioFormat::Pcm, 16_000);
    hints.language_hints = Some(vec!["zh".to_owned()]);
    hints.vocabulary_id = Some("vocab-a-1".to_owned());
    let mut microphone = Parameters::new(AudioFormat::Pcm, 16_000);
    microphone.semantic_punctuation_enabled = Some(false);
    let mut texts = Parameters::new(AudioFormat::Pcm, 16_000);
    texts.special_word_filter = Some(SpecialWordFilter {
        signed: vec!["测试".to_owned()],
        empty: vec!["开始".to_owned()],
        system_reserved: Some(true),
    });
    texts.disfluency_removal_enabled = Some(true);
    texts.inverse_text_normalization_enabled = Some(false);
    let cases = [
        Case {
            client: "word filter as a string, as on the public page",
            text: r#"{"header":{"action":"run-task","task_id":"f"},"payload":{"model":"fun-asr-realtime","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":"{\"filter_with_signed\":{\"word_list\":[\"测试\"]},\"filter_with_empty\":{\"word_list\":[\"开始\"]},\"system_reserved_filter\":true}","disfluency_removal_enabled":true,"inverse_text_normalization_enabled":false}}}"#,
            want: run("f", texts.clone()),
        },
        Case {
            client: "word filter as an object",
            text: r#"{"header":{"action":"run-task","task_id":"f"},"payload":{"model":"fun-asr-realtime","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":{"filter_with_signed":{"word_list":["测试"]},"filter_with_empty":{"word_list":["开始"],"x":1},"system_reserved_filter":true,"y":null},"disfluency_removal_enabled":true,"inverse_text_normalization_enabled":false}}}"#,
            want: run("f", texts),
        },
        Case {
            client: "no word filter",
            text: r#"{"header":{"action":"run-task","task_id":"f"},"payload":{"model":"fun-asr-realtime","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":""}}}"#,
            want: run("f", Parameters::new(AudioFormat::Pcm, 16_000)),
        },
        Case {
            client: "python 2.0.2, file",
            text: r#"{"header": {"streaming": "duplex", "task_id": "2801b97e9b544bedad068d341fe336e7", "action": "run-task"}, "payload": {"model": "fun-asr-realtime", "parameters": {"sample_rate": 16000, "format": "wav"}, "input": {}, "task": "asr", "task_group": "audio", "function": "recognition"}}"#,
            want: run(
                "2801b97e9b544bedad068d341fe336e7",
                Parameters::new(AudioFormat::Wav, 16_000),
            ),
        },
        Case {
            client: "python 2.0.2, microphone",
            text: r#"{"header": {"task_id": "m", "action": "run-task"}, "payload": {"model": "fun-asr-realtime", "parameters": {"sample_rate": 16000, "format": "pcm", "semantic_punctuation_enabled": false}, "input": {}}}"#,
            want: run("m", microphone),
        },
        Case {
            client: "python 1.25",
            text: r#"{"header":{"action":"run-task","task_id":"a-b"},"payload":{"model":"fun-asr-realtime","parameters":{"stream":true,"sample_rate":16000,"format":"pcm"}}}"#,
            want: run("a-b", streamed),
        },
        Case {
            client: "python 2.x client",
            text: r#"{"header": {"action": "run-task", "task_id": "c", "streaming": "duplex"}, "payload": {"task_group": "audio", "task": "asr", "function": "recognition", "model": "fun-asr-realtime", "input": {}, "parameters": {"format": "pcm", "sample_rate": 16000, "language_hints": ["zh"], "vocabulary_id": "vocab-a-1"}}}"#,
            want: run("c", hints),
        },
        Case {
            client: "nulls, unknown keys, a whole float, capitals",
            text: r#"{"extra":1,"header":{"action":"run-task","task_id":"任务","attributes":null,"event":""},"payload":{"x":{},"task":"","model":"fun-asr-realtime","input":null,"resources":null,"parameters":{"format":"WAV","sample_rate":16000.0,"vocabulary_id":null,"heartbeat":null,"unheard_of":null}}}"#,
            want: run("任务", Parameters::new(AudioFormat::Wav, 16_000)),
        },
        Case {
            client: "python finish",
            text: r#"{"header": {"streaming": "duplex", "task_id": "t", "action": "finish-task"}, "payload": {"input": {}}}"#,
            want: finish("t"),
        },
        Case {
            client: "finish without payload",
            text: r#"{"header":{"task_id":"t","action":"finish-task"}}"#,
            want: finish("t"),
        },
        Case {
            client: "go finish with zero values",
            text: r#"{"header":{"task_id":"t","action":"finish-task","event":"","attributes":null},"payload":{"task_group":"","task":"","function":"","model":"","parameters":{"format":"","sample_rate":0},"resources":null,"input":{}}}"#,
            want: finish("t"),
        },
        Case {
            client: "context",
            text: r#"{"header":{"task_id":"t","action":"continue-task"},"payload":{"input":{"context":[]}}}"#,
            want: ClientMessage::ContinueTask {
                task_id: "t".to_owned(),
                context: Some(vec![]),
            },
        },
        Case {
            client: "continue without payload",
            text: r#"{"header":{"task_id":"t","action":"continue-task"}}"#,
            want: ClientMessage::ContinueTask {
                task_id: "t".to_owned(),
                context: None,
            },
        },
    ];
    let mut failures = Vec::new();
    for case in cases {
        let got = ClientMessage::parse(case.text);
        if got.as_ref() != Ok(&case.want) {
            failures.push(format!(
                "{}: got {got:?}, want {:?}",
                case.client, case.want
            ));
        }
        let again = ClientMessage::parse(&case.want.to_json());
        if again.as_ref() != Ok(&case.want) {
            failures.push(format!("{}: written and read back: {again:?}", case.client));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn phrase_ids_come_as_resources() {
    let run = run_task(
        r#"{"header":{"action":"run-task","task_id":"t"},"payload":{"model":"m","parameters":{"format":"pcm","sample_rate":8000},"resources":[{"resource_id":"vocab-x-1","resource_type":"asr_phrase"}]}}"#,
    );
    assert_eq!(run.resources.len(), 1);
    assert_eq!(run.resources[0].resource_id, "vocab-x-1");
}

#[test]
fn refusals_name_the_field_and_what_is_allowed() {
    struct Case {
        /// Put into `{"header":{"action":"run-task","task_id":"t"},"payload":…}`.
        payload: &'static str,
        code: ErrorCode,
        says: [&'static str; 2],
    }
    let invalid = ErrorCode::InvalidParameter;
    let case = |payload, code: &ErrorCode, says| Case {
        payload,
        code: code.clone(),
        says,
    };
    let cases = [
        case("null", &invalid, ["task can not be null", "payload"]),
        case("[]", &invalid, ["payload is []", "an object"]),
        case("{}", &invalid, ["'payload.model'", "fun-asr-realtime"]),
        case(
            r#"{"model":7}"#,
            &invalid,
            ["payload.model is 7", "a string"],
        ),
        case(
            r#"{"model":"m","task":"tts"}"#,
            &invalid,
            ["payload.task is \"tts\"", "\"asr\""],
        ),
        case(
            r#"{"model":"m"}"#,
            &invalid,
            ["'payload.parameters.format'", "pcm, wav, mp3"],
        ),
        case(
            r#"{"model":"m","parameters":"x"}"#,
            &invalid,
            ["payload.parameters", "an object"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"flac"}}"#,
            &ErrorCode::UnsupportedFormat,
            ["payload.parameters.format is \"flac\"", "pcm, wav, mp3"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm"}}"#,
            &invalid,
            ["'payload.parameters.sample_rate'", "8000 to 192000"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":500}}"#,
            &invalid,
            ["sample_rate is 500", "8000 to 192000"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000.5}}"#,
            &invalid,
            ["sample_rate is 16000.5", "an integer"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":-1e300}}"#,
            &invalid,
            ["sample_rate is -1e+300", "8000 to 192000"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"max_sentence_silence":199}}"#,
            &invalid,
            ["max_sentence_silence is 199", "200 to 6000"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"max_sentence_silence":6001}}"#,
            &invalid,
            ["max_sentence_silence is 6001", "200 to 6000"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"speech_noise_threshold":1.01}}"#,
            &invalid,
            ["speech_noise_threshold is 1.01", "-1.0 to 1.0"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"heartbeat":"yes"}}"#,
            &invalid,
            ["heartbeat is \"yes\"", "true or false"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"language_hints":"zh"}}"#,
            &invalid,
            ["language_hints is \"zh\"", "a list of strings"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":"{word_list:[]}"}}"#,
            &invalid,
            ["special_word_filter is \"{word_list:[]}\"", "a JSON object"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":["a"]}}"#,
            &invalid,
            ["special_word_filter is [\"a\"]", "a JSON object"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":"{\"filter_with_signed\":[\"a\"]}"}}"#,
            &invalid,
            [
                "special_word_filter.filter_with_signed is [\"a\"]",
                "an object",
            ],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":{"filter_with_empty":{"word_list":"a"}}}}"#,
            &invalid,
            [
                "special_word_filter.filter_with_empty.word_list is \"a\"",
                "a list of strings",
            ],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"special_word_filter":{"system_reserved_filter":1}}}"#,
            &invalid,
            [
                "special_word_filter.system_reserved_filter is 1",
                "true or false",
            ],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"disfluency_removal_enabled":1}}"#,
            &invalid,
            ["disfluency_removal_enabled is 1", "true or false"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000,"inverse_text_normalization_enabled":"no"}}"#,
            &invalid,
            [
                "inverse_text_normalization_enabled is \"no\"",
                "true or false",
            ],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000},"input":{"context":"c"}}"#,
            &ErrorCode::ClientError,
            ["payload.input.context is \"c\"", "a list"],
        ),
        case(
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000},"resources":[1]}"#,
            &invalid,
            ["payload.resources", "resource_id"],
        ),
    ];
    let mut failures = Vec::new();
    for case in cases {
        let text = format!(
            r#"{{"header":{{"action":"run-task","task_id":"t"}},"payload":{}}}"#,
            case.payload
        );
        let Err(error) = ClientMessage::parse(&text) else {
            failures.push(format!("{}: accepted", case.payload));
            continue;
        };
        let says = case
            .says
            .iter()
            .all(|words| error.message().contains(words));
        if *error.code() != case.code || !says || error.task_id() != Some("t") {
            failures.push(format!(
                "{}: {error:?}, want {} {:?}",
                case.payload, case.code, case.says
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn lists_of_filtered_words_are_bounded() {
    let parse = |list: &str, words: &[String]| {
        let message = serde_json::json!({
            "header": {"action": "run-task", "task_id": "t"},
            "payload": {"model": "m", "parameters": {
                "format": "pcm", "sample_rate": 16000,
                "special_word_filter": {list: {"word_list": words}},
            }},
        });
        ClientMessage::parse(&message.to_string()).map_err(|error| error.message().to_owned())
    };
    let word = |length: usize| "长".repeat(length);
    let cases = [
        (vec![word(MAX_FILTER_WORD_CHARS); MAX_FILTER_WORDS], None),
        (
            vec![word(1); MAX_FILTER_WORDS + 1],
            Some("word_list has 1001 words; it must have at most 1000"),
        ),
        (
            vec![word(MAX_FILTER_WORD_CHARS + 1)],
            Some("must have at most 64 characters"),
        ),
    ];
    for list in ["filter_with_signed", "filter_with_empty"] {
        for (words, says) in &cases {
            match (parse(list, words), says) {
                (Ok(_), None) => {}
                (Err(message), Some(says)) => {
                    assert!(
                        message.contains(says) && message.contains(list),
                        "{message}"
                    );
                }
                (got, says) => panic!("{list}: {got:?}, want {says:?}"),
            }
        }
    }
}

#[test]
fn garbage_has_no_task() {
    struct Case {
        text: String,
        task_id: Option<&'static str>,
    }
    let case = |text: &str, task_id| Case {
        text: text.to_owned(),
        task_id,
    };
    let deep = "[".repeat(100_000);
    let long = format!(
        r#"{{"header":{{"task_id":{:?},"action":"run-task"}}}}"#,
        "x".repeat(5000)
    );
    let cases = [
        case("", None),
        case("hello", None),
        case("[]", None),
        case("{}", None),
        case(r#"{"header":7}"#, None),
        case(r#"{"header":{"task_id":7,"action":"run-task"}}"#, None),
        case(r#"{"header":{"task_id":"","action":"run-task"}}"#, None),
        case(&deep, None),
        case(r#"{"header":{"task_id":"t"}}"#, Some("t")),
        case(
            r#"{"header":{"task_id":"t","action":"stop-task"}}"#,
            Some("t"),
        ),
        case(
            r#"{"header":{"task_id":"t","action":["run-task"]}}"#,
            Some("t"),
        ),
    ];
    let mut failures = Vec::new();
    for case in cases {
        match ClientMessage::parse(&case.text) {
            Err(error) if error.task_id() == case.task_id => {}
            other => failures.push(format!("{:.60}: {other:?}", case.text)),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let error = ClientMessage::parse(&long).expect_err("too long an id");
    assert_eq!(
        error.task_id().map(str::len),
        Some(5000),
        "an id is echoed whole even when refused"
    );
}
