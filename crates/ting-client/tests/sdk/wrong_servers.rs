//! Servers that do not keep the protocol: what each of them does to the official SDK (2.0.2), and what becomes of it here.
//!
//! The rows are those of a table that was measured with that SDK against such servers.

use std::time::Duration;

use serde_json::{Value, json};
use ting_client::{Error, ErrorKind, Progress};

use crate::life_cycle::builder;
use crate::recorder::Recorder;
use crate::script::{Server, Step, event, failed, final_, finished, partial, started};

struct Case {
    name: &'static str,
    /// What the server does once audio has come.
    script: Vec<Step>,
    /// What the official SDK makes of it.
    official: &'static str,
    /// What the callback gets here, between `open` and `close`.
    want: &'static [&'static str],
    /// What the error must be, if there is one.
    error: fn(&Error) -> bool,
}

/// A result with such a sentence; `usage` is left out where it is `None`.
fn result(sentence: Value, usage: Option<Value>) -> Step {
    let mut payload = json!({"output": {"sentence": sentence}});
    if let Some(usage) = usage {
        payload["usage"] = usage;
    }
    event("result-generated", payload)
}

fn no_error(_: &Error) -> bool {
    false
}

fn cases() -> Vec<Case> {
    let end = || vec![final_(1, "好。"), finished()];
    let then_end = |steps: Vec<Step>| [steps, end()].concat();
    let unfinished = |payload: Option<Value>| {
        let end = Step::Event(json!({"event": "task-finished"}), payload);
        vec![Step::Finish, partial(1, "好"), final_(1, "好。"), end]
    };
    let complete: &[&str] = &["final 好。", "complete"];
    let well: &[&str] = &["partial 好", "final 好。", "complete"];
    vec![
        Case {
            name: "task-finished with an empty payload",
            script: unfinished(Some(json!({}))),
            official: "no on_complete; call() may return a partial",
            want: well,
            error: no_error,
        },
        Case {
            name: "task-finished without a payload",
            script: unfinished(None),
            official: "no on_complete; call() may return a partial",
            want: well,
            error: no_error,
        },
        Case {
            name: "task-finished with a null payload",
            script: unfinished(Some(Value::Null)),
            official: "no on_complete",
            want: well,
            error: no_error,
        },
        Case {
            name: "task-finished as it should be",
            script: unfinished(Some(json!({"output": {}, "usage": null}))),
            official: "on_complete, then on_close",
            want: well,
            error: no_error,
        },
        Case {
            name: "task-finished with an unknown output",
            script: unfinished(Some(json!({"output": {"finished": true}}))),
            official: "on_complete",
            want: well,
            error: no_error,
        },
        Case {
            name: "task-finished with a sentence",
            script: unfinished(Some(
                json!({"output": {"sentence": {"text": "又", "end_time": 9}}, "usage": null}),
            )),
            official: "on_event, and no on_complete",
            want: well,
            error: no_error,
        },
        Case {
            name: "result-generated with an empty output",
            script: then_end(vec![event(
                "result-generated",
                json!({"output": {}, "usage": null}),
            )]),
            official: "on_complete in the middle of the stream",
            want: complete,
            error: no_error,
        },
        Case {
            name: "result-generated without an output",
            script: then_end(vec![event("result-generated", json!({}))]),
            official: "callbacks stop silently",
            want: complete,
            error: no_error,
        },
        Case {
            name: "result-generated with an empty sentence",
            script: then_end(vec![result(json!({}), Some(Value::Null))]),
            official: "an event without text",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a result without usage and without end_time",
            script: then_end(vec![result(json!({"begin_time": 0, "text": "好"}), None)]),
            official: "KeyError in a thread: callbacks stop silently, stop() returns",
            want: well,
            error: no_error,
        },
        Case {
            name: "a result without end_time, usage null",
            script: then_end(vec![result(
                json!({"begin_time": 0, "text": "好"}),
                Some(Value::Null),
            )]),
            official: "an event",
            want: well,
            error: no_error,
        },
        Case {
            name: "a final that only end_time tells",
            script: vec![
                result(json!({"text": "好。", "end_time": 900}), None),
                finished(),
            ],
            official: "a final",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a final that only sentence_end tells",
            script: vec![
                result(
                    json!({"text": "好。", "end_time": null, "sentence_end": true}),
                    Some(Value::Null),
                ),
                finished(),
            ],
            official: "a partial",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a sentence with fields of wrong types",
            script: vec![
                result(
                    json!({"text": "好。", "end_time": 900, "begin_time": "0", "sentence_id": -1, "words": [1, {"text": "好"}]}),
                    Some(json!("free")),
                ),
                finished(),
            ],
            official: "an event, as it came",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a heartbeat",
            script: then_end(vec![result(
                json!({"text": "", "end_time": null, "heartbeat": true, "sentence_id": 0}),
                Some(Value::Null),
            )]),
            official: "skipped",
            want: complete,
            error: no_error,
        },
        Case {
            name: "task-failed without code and message",
            script: vec![Step::Event(
                json!({"event": "task-failed"}),
                Some(json!({})),
            )],
            official: "code Unknown, message \"Error type: <class 'KeyError'>\", no request id",
            want: &["error TaskFailed"],
            error: |error| {
                error.code().is_none()
                    && error.message() == "the server says that the task failed, and not why"
            },
        },
        Case {
            name: "task-failed with a message only",
            script: vec![Step::Event(
                json!({"event": "task-failed", "error_message": "too warm"}),
                None,
            )],
            official: "a KeyError as the message",
            want: &["error TaskFailed"],
            error: |error| error.code().is_none() && error.message() == "too warm",
        },
        Case {
            name: "task-failed as it should be, after a result",
            script: vec![
                partial(1, "好"),
                failed("CLIENT_ERROR", "request timeout after 23 seconds."),
            ],
            official: "on_error with status 44",
            want: &["partial 好", "error TaskFailed"],
            error: |error| {
                error.code() == Some("CLIENT_ERROR")
                    && error.message() == "request timeout after 23 seconds."
                    && error
                        .progress()
                        .is_some_and(|progress| progress.heard_ms == 400)
            },
        },
        Case {
            name: "task-failed while stop waits",
            script: vec![Step::Finish, failed("InternalError", "sorry")],
            official: "on_error, and on_close twice",
            want: &["error TaskFailed"],
            error: |error| error.code() == Some("InternalError"),
        },
        Case {
            name: "an unknown event",
            script: then_end(vec![event("task-paused", json!({}))]),
            official: "on_error with status -1",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a second task-started",
            script: then_end(vec![started()]),
            official: "unknown",
            want: complete,
            error: no_error,
        },
        Case {
            name: "an event of another task",
            script: then_end(vec![Step::Event(
                json!({"event": "task-finished", "task_id": "another"}),
                Some(json!({"output": {}})),
            )]),
            official: "taken for its own",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a text that is no JSON",
            script: then_end(vec![Step::Text("hello")]),
            official: "on_error with status -1",
            want: complete,
            error: no_error,
        },
        Case {
            name: "JSON that is no event",
            script: then_end(vec![
                Step::Text("[]"),
                Step::Text("{}"),
                Step::Text("{\"header\":1}"),
                Step::Text(""),
            ]),
            official: "on_error with status -1",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a binary frame",
            script: then_end(vec![Step::Binary(b"\0\x01")]),
            official: "on_error with status -1",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a ping",
            script: then_end(vec![Step::Ping]),
            official: "answered once the next audio is sent",
            want: complete,
            error: no_error,
        },
        Case {
            name: "a close frame 1000",
            script: vec![Step::Close(1000, "bye")],
            official: "UnexpectedMessageReceived, data: None",
            want: &["error ConnectionLost"],
            error: |error| error.close_code() == Some(1000) && error.close_reason() == Some("bye"),
        },
        Case {
            name: "a close frame 1007",
            script: vec![Step::Close(1007, "Invalid payload data")],
            official: "UnexpectedMessageReceived, data: None",
            want: &["error ConnectionLost"],
            error: |error| {
                error.close_code() == Some(1007)
                    && error.close_reason() == Some("Invalid payload data")
                    && error.message().contains("1007")
                    && error.message().contains("Invalid payload data")
            },
        },
        Case {
            name: "a close frame 1011 after a result",
            script: vec![final_(1, "好。"), Step::Close(1011, "")],
            official: "UnexpectedMessageReceived, data: None",
            want: &["final 好。", "error ConnectionLost"],
            error: |error| error.close_code() == Some(1011) && error.close_reason() == Some(""),
        },
        Case {
            name: "a lost connection after a result",
            script: vec![final_(2, "好。"), partial(3, "再"), Step::Drop],
            official: "UnexpectedMessageReceived, and nothing of what was recognised",
            want: &["final 好。", "partial 再", "error ConnectionLost"],
            error: |error| {
                let progress = error.progress().copied().unwrap_or_default();
                let Progress {
                    bytes_sent,
                    recognised_ms,
                    heard_ms,
                    billed_seconds,
                    ..
                } = progress;
                error.close_code().is_none()
                    && (bytes_sent, recognised_ms, heard_ms, billed_seconds)
                        == (3200, 2000, 2000, 2)
            },
        },
        Case {
            name: "a lost connection after the end was asked for",
            script: vec![Step::Finish, Step::Drop],
            official: "UnexpectedMessageReceived",
            want: &["error ConnectionLost"],
            error: |error| error.close_code().is_none(),
        },
        Case {
            name: "finals long after finish-task",
            script: vec![
                Step::Finish,
                Step::Pause(700),
                final_(1, "好。"),
                finished(),
            ],
            official: "stop() waits",
            want: complete,
            error: no_error,
        },
        Case {
            name: "nothing ever after finish-task, though pings are answered",
            script: vec![Step::Finish, Step::Silence],
            official: "stop() never returns",
            want: &["error PeerTimeout"],
            error: |error| error.message().contains("did not finish the task"),
        },
        Case {
            name: "nothing but nonsense after finish-task",
            script: vec![Step::Finish, Step::Text("nonsense"), Step::Silence],
            official: "on_error with status -1",
            want: &["error Protocol"],
            error: |error| error.message().contains("nonsense"),
        },
        Case {
            name: "a server that is struck dumb and deaf",
            script: vec![partial(1, "好"), Step::Deaf],
            official: "older ones never return; newer ones fail after 47 s",
            want: &["partial 好", "error PeerTimeout"],
            error: |error| error.message().contains("nothing came from the server"),
        },
    ]
}

#[test]
fn each_has_an_outcome() {
    let cases = cases();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = cases.iter().map(|case| scope.spawn(|| run(case))).collect();
        let outcomes = running.into_iter().map(|running| running.join().unwrap());
        outcomes.filter_map(Result::err).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn run(case: &Case) -> Result<(), String> {
    let mut script = vec![Step::Run, started(), Step::Audio(3200)];
    script.extend(case.script.clone());
    let server = Server::start(vec![script]);
    let recognition = builder(&server)
        .peer_timeout(Duration::from_secs(5))
        .finish_timeout(Duration::from_secs(4))
        .build_blocking()
        .unwrap();
    let recorder = Recorder::default();
    recognition.start(recorder.clone()).unwrap();
    recognition.send_audio_frame(vec![0; 3200]).unwrap();
    if case.script.iter().any(|step| matches!(step, Step::Finish)) {
        recognition
            .stop()
            .map_err(|error| format!("{}: stop: {error:?}", case.name))?;
    }
    recorder.wait_for("close");
    let mut want = vec!["open"];
    want.extend(case.want);
    want.push("close");
    let (lines, error) = (recorder.lines(), recorder.error());
    let error_is_right = match &error {
        None => true,
        Some(error) => {
            (case.error)(error)
                && error.request_id() == Some(recognition.last_request_id().as_str())
                && error.progress().is_some()
        }
    };
    match lines == want && error_is_right && server.seen().len() == 1 {
        true => Ok(()),
        false => Err(format!(
            "{} (official: {}): got {lines:?} {error:?}, want {want:?}",
            case.name, case.official
        )),
    }
}

/// The same servers do to `call` what they do to a stream.
#[test]
fn call_has_the_same_outcomes() {
    let call = |steps: Vec<Step>| {
        let mut script = vec![Step::Run, started(), Step::Audio(3200)];
        script.extend(steps);
        let server = Server::start(vec![script]);
        let recognition = builder(&server).build_blocking().unwrap();
        let result = recognition.call_bytes(vec![0; 3200]);
        result.map(|result| result.text())
    };
    let no_payload = Step::Event(json!({"event": "task-finished"}), None);
    let texts = [
        (vec![Step::Finish, partial(1, "好"), no_payload.clone()], ""),
        (vec![Step::Finish, final_(1, "好。"), no_payload], "好。"),
        (
            vec![
                final_(1, "One."),
                Step::Text("?"),
                final_(2, "Two."),
                finished(),
            ],
            "One. Two.",
        ),
        (
            vec![
                result(json!({"text": "好"}), None),
                final_(1, "好。"),
                finished(),
            ],
            "好。",
        ),
    ];
    for (steps, want) in texts {
        let name = format!("{steps:?}");
        assert_eq!(call(steps).unwrap(), want, "{name}");
    }
    let error = call(vec![Step::Close(1007, "bad")]).unwrap_err();
    assert_eq!(
        (error.kind(), error.close_code()),
        (ErrorKind::ConnectionLost, Some(1007))
    );
    let error = call(vec![failed("NO_VALID_AUDIO_ERROR", "no audio")]).unwrap_err();
    assert_eq!(error.to_string(), "NO_VALID_AUDIO_ERROR: no audio");
}

#[test]
fn results_come_while_no_audio_is_sent() {
    let server = Server::start(vec![vec![
        Step::Run,
        started(),
        Step::Audio(3200),
        Step::Pause(100),
        partial(1, "好"),
        Step::Pause(100),
        final_(1, "好。"),
        Step::Finish,
        finished(),
    ]]);
    let recognition = builder(&server).build_blocking().unwrap();
    let recorder = Recorder::default();
    recognition.start(recorder.clone()).unwrap();
    recognition.send_audio_frame(vec![0; 3200]).unwrap();
    // The official SDK gives them out when the next frame is sent.
    recorder.wait_for("final 好。");
    assert_eq!(recorder.lines(), ["open", "partial 好", "final 好。"]);
    recognition.stop().unwrap();
}
