//! The way to a started task: what may go wrong there, and when it is tried again.

use std::time::{Duration, Instant};

use serde_json::json;
use ting_client::ErrorKind;

use crate::life_cycle::builder;
use crate::recorder::Recorder;
use crate::script::{Server, Step, event, failed, final_, finished, started};

/// Before `task-started` no audio is sent, whatever comes.
#[test]
fn what_comes_before_task_started() {
    type Outcome = (
        &'static str,
        Vec<Step>,
        &'static [&'static str],
        &'static str,
    );
    let end = || vec![started(), Step::Audio(3200), final_(1, "好。"), finished()];
    let then_end = |steps: Vec<Step>| [vec![Step::Run], steps, end()].concat();
    let complete: &[&str] = &["final 好。", "complete"];
    let cases: Vec<Outcome> = vec![
        (
            "nothing, ever",
            vec![Step::Run, Step::Silence],
            &["error StartTimeout"],
            "did not answer to run-task",
        ),
        (
            "neither, nor a pong",
            vec![Step::Run, Step::Deaf],
            &["error StartTimeout"],
            "did not answer to run-task",
        ),
        (
            "nonsense only",
            vec![Step::Run, Step::Text("hi"), Step::Silence],
            &["error Protocol"],
            "no JSON object: \"hi\"",
        ),
        (
            "a result only",
            vec![Step::Run, final_(1, "?"), Step::Silence],
            &["error Protocol"],
            "a result before task-started",
        ),
        ("a result", then_end(vec![final_(1, "?")]), complete, ""),
        (
            "an unknown event",
            then_end(vec![event("task-queued", json!({}))]),
            complete,
            "",
        ),
        (
            "a binary frame",
            then_end(vec![Step::Binary(b"?")]),
            complete,
            "",
        ),
        ("a pause", then_end(vec![Step::Pause(500)]), complete, ""),
        (
            "task-finished",
            vec![Step::Run, finished()],
            &["error Protocol"],
            "before task-started",
        ),
        (
            "task-failed",
            vec![Step::Run, failed("ModelNotFound", "no such model")],
            &["error TaskFailed"],
            "no such model",
        ),
        (
            "a close frame",
            vec![Step::Run, Step::Close(1007, "bad JSON")],
            &["error ConnectionLost"],
            "bad JSON",
        ),
    ];
    let run = |(name, script, want, message): Outcome| {
        let server = Server::start(vec![script]);
        let recognition = builder(&server)
            .start_timeout(Duration::from_millis(2_500))
            .build_blocking()
            .unwrap();
        let recorder = Recorder::default();
        recognition.start(recorder.clone()).unwrap();
        let _ = recognition.send_audio_frame(vec![0; 3200]);
        recorder.wait_for("close");
        let (lines, error) = (recorder.lines(), recorder.error());
        assert_eq!(lines[1..lines.len() - 1], *want, "{name}: {error:?}");
        if let Some(error) = error {
            assert!(error.message().contains(message), "{name}: {error:?}");
            assert_eq!(server.seen().last().unwrap().audio, b"", "{name}");
        }
        assert_eq!(server.seen().len(), 1, "{name}");
    };
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || run(case));
        }
    });
}

#[test]
fn another_try_follows_only_what_may_pass_and_only_before_audio() {
    let well = || {
        vec![
            Step::Run,
            started(),
            Step::Audio(3200),
            final_(1, "好。"),
            finished(),
        ]
    };
    let throttled = r#"{"code":"Throttling.RateQuota","message":"slower","request_id":"r-1"}"#;
    let key =
        r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r-1"}"#;
    // The first connection, connections in all, and the error of a task that is not tried again.
    type Try = (
        &'static str,
        Vec<Step>,
        usize,
        Option<(ErrorKind, Option<u16>, &'static str)>,
    );
    let cases: Vec<Try> = vec![
        ("503", vec![Step::Answer(503, "")], 2, None),
        ("500", vec![Step::Answer(500, "{}")], 2, None),
        ("429", vec![Step::Answer(429, throttled)], 2, None),
        ("a drop in the handshake", vec![Step::Refuse], 2, None),
        ("no answer to the handshake", vec![Step::Mute], 2, None),
        ("a drop after the handshake", vec![Step::Drop], 2, None),
        (
            "a drop after run-task",
            vec![Step::Run, Step::Drop],
            2,
            None,
        ),
        (
            "a close frame: try later",
            vec![Step::Run, Step::Close(1013, "")],
            2,
            None,
        ),
        (
            "throttling",
            vec![Step::Run, failed("Throttling", "busy")],
            2,
            None,
        ),
        (
            "401",
            vec![Step::Answer(401, key)],
            1,
            Some((
                ErrorKind::Authentication,
                Some(401),
                "Invalid API-key provided.",
            )),
        ),
        (
            "401 without a body",
            vec![Step::Answer(401, "")],
            1,
            Some((ErrorKind::Authentication, Some(401), "API key")),
        ),
        (
            "403",
            vec![Step::Answer(403, "")],
            1,
            Some((ErrorKind::Authentication, Some(403), "403")),
        ),
        (
            "404",
            vec![Step::Answer(404, "nothing")],
            1,
            Some((ErrorKind::Handshake, Some(404), "endpoint")),
        ),
        (
            "200",
            vec![Step::Answer(200, "hello")],
            1,
            Some((ErrorKind::Handshake, Some(200), "200")),
        ),
        (
            "a wrong parameter",
            vec![Step::Run, failed("InvalidParameter", "bad")],
            1,
            Some((ErrorKind::TaskFailed, None, "bad")),
        ),
        (
            "a drop after the first audio",
            vec![Step::Run, started(), Step::Audio(3200), Step::Drop],
            1,
            Some((ErrorKind::ConnectionLost, None, "lost")),
        ),
    ];
    let mut failures = Vec::new();
    for (name, first, connections, want) in cases {
        let server = Server::start(vec![first, well()]);
        let recognition = builder(&server)
            .connect_timeout(Duration::from_millis(2_500))
            .build_blocking()
            .unwrap();
        let got = recognition.call_bytes(vec![0; 3200]);
        let right = match (&got, &want) {
            (Ok(result), None) => result.text() == "好。",
            (Err(error), Some((kind, status, message))) => {
                error.kind() == *kind
                    && error.status() == *status
                    && error.message().contains(message)
            }
            _ => false,
        };
        if !right || server.seen().len() != connections {
            failures.push(format!(
                "{name}: {got:?}, {} connections",
                server.seen().len()
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn tries_have_an_end_and_take_longer_each() {
    let server = Server::start(vec![vec![Step::Answer(
        503,
        r#"{"code":"ServiceUnavailable"}"#,
    )]]);
    let recognition = builder(&server).build_blocking().unwrap();
    let begun = Instant::now();
    let error = recognition.call_bytes(vec![0; 2]).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Handshake, Some(503))
    );
    assert_eq!(error.code(), Some("ServiceUnavailable"));
    assert_eq!(server.seen().len(), 3);
    // 0.2 s and 0.4 s, each at least half of it.
    assert!(begun.elapsed() >= Duration::from_millis(300));

    let address = {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        nobody.local_addr().unwrap()
    };
    let recognition = ting_client::blocking::Recognition::builder("m")
        .endpoint(format!("ws://{address}"))
        .connect_attempts(2)
        .build_blocking()
        .unwrap();
    let error = recognition.call_bytes(vec![0; 2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.message().contains(&address.to_string()), "{error}");
}
