//! What a client must not send: each ends in task-failed or a close, and the server serves on.

use futures_util::SinkExt;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, control, error, id, run_task, run_with, start};

/// How a case must end.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// task-failed for each of the ids, with this code and these words, then close 1000.
    Failed(Vec<&'static str>, &'static str, &'static str),
    /// A close with this code and no event.
    Closed(u16),
}

struct Case {
    name: &'static str,
    /// Whether task `t` is running when the frames come.
    running: bool,
    frames: Vec<Message>,
    end: End,
}

const INVALID: &str = "InvalidParameter";

fn texts(running: bool, name: &'static str, frames: &[&str], end: End) -> Case {
    let frames = frames.iter().map(|&text| Message::text(text)).collect();
    Case {
        name,
        running,
        frames,
        end,
    }
}

/// Text that no task can be told from.
fn nameless() -> Vec<Case> {
    let deep = "[".repeat(200_000);
    let huge = "x".repeat(2_000_000);
    let inputs: [(&str, &str); 16] = [
        ("empty", ""),
        ("space", "  "),
        ("words", "hello"),
        (
            "truncated",
            r#"{"header":{"action":"run-task","task_id":"t"#,
        ),
        ("two objects", "{}{}"),
        ("a number", "17"),
        ("a list", "[]"),
        ("null", "null"),
        ("no header", "{}"),
        ("header null", r#"{"header":null}"#),
        ("header a list", r#"{"header":[]}"#),
        ("no task_id", r#"{"header":{"action":"run-task"}}"#),
        (
            "task_id a number",
            r#"{"header":{"action":"run-task","task_id":1e400}}"#,
        ),
        (
            "task_id empty",
            r#"{"header":{"action":"run-task","task_id":""}}"#,
        ),
        ("nested without end", &deep),
        ("two megabytes of x", &huge),
    ];
    let idle = inputs.map(|(name, text)| texts(false, name, &[text], End::Closed(1007)));
    // The same while a task runs is the end of the task.
    let failed = |says| End::Failed(vec!["t"], INVALID, says);
    let running = [
        texts(true, "words, running", &["hello"], failed("not JSON")),
        texts(true, "a list, running", &["[]"], failed("an object")),
        texts(
            true,
            "no task_id, running",
            &[r#"{"header":{}}"#],
            failed("header.task_id"),
        ),
        texts(true, "nul, running", &["\u{0}"], failed("not JSON")),
    ];
    idle.into_iter().chain(running).collect()
}

/// Bad `run-task`s by what is in their payload.
fn bad_payloads() -> Vec<Case> {
    let failed = |code, says| End::Failed(vec!["t"], code, says);
    let cases = [
        (
            "payload missing",
            "null",
            failed(INVALID, "task can not be null"),
        ),
        (
            "payload a string",
            r#""x""#,
            failed(INVALID, "payload is \"x\""),
        ),
        (
            "model missing",
            r#"{"parameters":{}}"#,
            failed(INVALID, "'payload.model'"),
        ),
        (
            "model a list",
            r#"{"model":[]}"#,
            failed(INVALID, "payload.model is []"),
        ),
        (
            "model unknown",
            r#"{"model":"whisper","parameters":{"format":"pcm","sample_rate":16000}}"#,
            failed(
                "ModelNotFound",
                "Model can not be found. payload.model is \"whisper\"",
            ),
        ),
        (
            "another task",
            r#"{"model":"m","task":"tts"}"#,
            failed(INVALID, "payload.task"),
        ),
        (
            "no parameters",
            r#"{"model":"m"}"#,
            failed(INVALID, "payload.parameters.format"),
        ),
        (
            "parameters a list",
            r#"{"model":"m","parameters":[]}"#,
            failed(INVALID, "an object"),
        ),
        (
            "input a string",
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000},"input":"x"}"#,
            failed(INVALID, "payload.input"),
        ),
        (
            "context a string",
            r#"{"model":"m","parameters":{"format":"pcm","sample_rate":16000},"input":{"context":"x"}}"#,
            failed("CLIENT_ERROR", "payload.input.context"),
        ),
    ];
    let cases = cases.map(|(name, payload, end)| {
        let header = r#"{"action":"run-task","task_id":"t"}"#;
        let text = format!(r#"{{"header":{header},"payload":{payload}}}"#);
        texts(false, name, &[text.as_str()], end)
    });
    cases.into_iter().collect()
}

/// Bad `run-task`s by what is in their parameters.
fn bad_parameters() -> Vec<Case> {
    let invalid = [
        ("no format", r#""sample_rate":16000"#, "pcm, wav"),
        (
            "format a number",
            r#""format":1,"sample_rate":16000"#,
            "format is 1",
        ),
        ("no rate", r#""format":"pcm""#, "8000 to 192000"),
        (
            "rate null",
            r#""format":"pcm","sample_rate":null"#,
            "8000 to 192000",
        ),
        (
            "rate a string",
            r#""format":"pcm","sample_rate":"16000""#,
            "8000 to 192000",
        ),
        (
            "rate zero",
            r#""format":"pcm","sample_rate":0"#,
            "sample_rate is 0",
        ),
        (
            "rate low",
            r#""format":"pcm","sample_rate":7999"#,
            "sample_rate is 7999",
        ),
        (
            "rate high",
            r#""format":"pcm","sample_rate":192001"#,
            "sample_rate is 192001",
        ),
        (
            "rate negative",
            r#""format":"pcm","sample_rate":-16000"#,
            "8000 to 192000",
        ),
        (
            "rate broken",
            r#""format":"pcm","sample_rate":16000.5"#,
            "an integer",
        ),
    ];
    let more = [
        (
            "silence short",
            r#""max_sentence_silence":199"#,
            "200 to 6000",
        ),
        (
            "silence long",
            r#""max_sentence_silence":6001"#,
            "200 to 6000",
        ),
        (
            "silence a string",
            r#""max_sentence_silence":"long""#,
            "200 to 6000",
        ),
        (
            "threshold low",
            r#""speech_noise_threshold":-1.1"#,
            "-1.0 to 1.0",
        ),
        (
            "threshold a flag",
            r#""speech_noise_threshold":true"#,
            "-1.0 to 1.0",
        ),
        ("heartbeat a number", r#""heartbeat":1"#, "true or false"),
        (
            "semantic a string",
            r#""semantic_punctuation_enabled":"no""#,
            "true or false",
        ),
        (
            "hints a string",
            r#""language_hints":"zh""#,
            "a list of strings",
        ),
        (
            "hints numbers",
            r#""language_hints":[1]"#,
            "a list of strings",
        ),
        (
            "hint unknown",
            r#""language_hints":["klingon"]"#,
            "zh, en, ja",
        ),
        ("hint unserved", r#""language_hints":["ko"]"#, "zh, en, ja"),
        ("vocabulary a list", r#""vocabulary_id":[]"#, "a string"),
    ];
    let unsupported = ["flac", "vorbis", "m4a", "mp4", ""];
    let mut cases = Vec::new();
    for (name, parameters, says) in invalid {
        let text = run_with("t", &format!("{{{parameters}}}"));
        cases.push(texts(
            false,
            name,
            &[&text],
            End::Failed(vec!["t"], INVALID, says),
        ));
    }
    for (name, parameter, says) in more {
        let text = run_with(
            "t",
            &format!(r#"{{"format":"pcm","sample_rate":16000,{parameter}}}"#),
        );
        cases.push(texts(
            false,
            name,
            &[&text],
            End::Failed(vec!["t"], INVALID, says),
        ));
    }
    for format in unsupported {
        let end = End::Failed(
            vec!["t"],
            "UNSUPPORTED_FORMAT",
            "payload.parameters.format is",
        );
        cases.push(texts(
            false,
            "an unsupported format",
            &[&run_task("t", format)],
            end,
        ));
    }
    cases
}

/// Good messages at the wrong time, and messages of the wrong kind.
fn wrong_order() -> Vec<Case> {
    let failed = |ids: &[&'static str], says| End::Failed(ids.to_vec(), INVALID, says);
    let (finish, go_on) = (control("finish-task", "x"), control("continue-task", "x"));
    let (stop, again) = (control("stop-task", "t"), run_task("t", "pcm"));
    let other = run_task("u", "pcm");
    let bad = run_with("u", "{}");
    let binary = |name, bytes: &[u8]| Case {
        name,
        running: false,
        frames: vec![Message::binary(bytes.to_vec()), Message::text("and now?")],
        end: End::Closed(1007),
    };
    let mut cases = vec![
        texts(
            false,
            "finish first",
            &[&finish],
            failed(&["x"], "send run-task first"),
        ),
        texts(
            false,
            "continue first",
            &[&go_on],
            failed(&["x"], "send run-task first"),
        ),
        texts(
            true,
            "finish of another",
            &[&finish],
            failed(&["t"], "it must be \"t\""),
        ),
        texts(
            true,
            "continue of another",
            &[&go_on],
            failed(&["t"], "it must be \"t\""),
        ),
        texts(
            false,
            "unknown action",
            &[&stop],
            failed(&["t"], "header.action"),
        ),
        texts(
            true,
            "unknown action, running",
            &[&stop],
            failed(&["t"], "header.action"),
        ),
        texts(
            true,
            "the same task again",
            &[&again],
            failed(&["t"], "while a task is running"),
        ),
        texts(
            true,
            "another task",
            &[&other],
            failed(&["u", "t"], "while a task is running"),
        ),
        texts(
            true,
            "a bad other task",
            &[&bad],
            failed(&["u", "t"], "payload.parameters.format"),
        ),
        binary("bytes without a task", &[0xff; 70_000]),
        binary("JSON as bytes", run_task("t", "pcm").as_bytes()),
    ];
    let id = "x".repeat(1_000_000);
    let id: &'static str = id.leak();
    cases.push(texts(
        false,
        "a huge id",
        &[&run_task(id, "pcm")],
        failed(&[id], "1 to 1024"),
    ));
    cases.push(Case {
        name: "no RIFF in a wav",
        running: false,
        frames: vec![
            Message::text(run_task("t", "wav")),
            Message::binary(vec![0; 3200]),
        ],
        end: End::Failed(vec!["t"], "UNSUPPORTED_FORMAT", "RIFF"),
    });
    cases
}

#[tokio::test]
async fn garbage_ends_in_task_failed_or_a_close() {
    let server = start(|_| {}).await;
    let cases: Vec<Case> = [nameless(), bad_payloads(), bad_parameters(), wrong_order()]
        .into_iter()
        .flatten()
        .collect();
    assert!(cases.len() >= 50);
    let mut failures = Vec::new();
    for case in cases {
        let mut client = server.client().await;
        if case.running {
            client.run("t", "pcm").await;
        }
        for frame in case.frames {
            // The server may have closed before the last frame.
            let _ = client.socket.send(frame).await;
        }
        let (events, code) = client.until_closed().await;
        let events: Vec<_> = events
            .iter()
            .filter(|event| event["header"]["event"] != "task-started")
            .collect();
        let ended_well = match &case.end {
            End::Closed(want) => events.is_empty() && code == Some(*want),
            End::Failed(ids, want, says) => {
                let named: Vec<String> = events.iter().map(|event| id(event)).collect();
                let said = events.iter().all(|event| {
                    let (code, message) = error(event);
                    code == *want && message.contains(says)
                });
                named == *ids && said && code == Some(1000)
            }
        };
        if !ended_well {
            failures.push(format!(
                "{}: want {:.200}, got {code:?} {:.400}",
                case.name,
                format!("{:?}", case.end),
                format!("{events:?}")
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    server.assert_serves("garbage").await;
}

/// Frames that no WebSocket library would send, written past it.
#[tokio::test]
async fn bytes_that_are_no_websocket_messages_fail_the_task() {
    let cases: [(&str, Vec<u8>); 6] = [
        (
            "text that is not UTF-8",
            vec![0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe],
        ),
        ("a frame without a mask", vec![0x81, 0x02, b'{', b'}']),
        ("a reserved opcode", vec![0x83, 0x80, 0, 0, 0, 0]),
        ("a reserved bit", vec![0xc1, 0x80, 0, 0, 0, 0]),
        ("a ping in pieces", vec![0x09, 0x80, 0, 0, 0, 0]),
        ("an exabyte of audio", {
            let mut frame = vec![0x82, 0xff, 0x0f];
            frame.extend([0xff; 7]);
            frame.extend([0; 4]);
            frame
        }),
    ];
    let server = start(|_| {}).await;
    let mut failures = Vec::new();
    for (name, bytes) in cases {
        for running in [true, false] {
            let mut client = Client::connect(&server.url(), None).await.unwrap();
            if running {
                client.run("t", "pcm").await;
            }
            let MaybeTlsStream::Plain(stream) = client.socket.get_mut() else {
                unreachable!()
            };
            stream.write_all(&bytes).await.unwrap();
            stream.flush().await.unwrap();
            let (events, code) = client.until_closed().await;
            let want = if running {
                (1, Some(1000))
            } else {
                (0, Some(1007))
            };
            if (events.len(), code) != want || running && error(&events[0]).0 != INVALID {
                failures.push(format!("{name}, running {running}: {events:?} {code:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    server.assert_serves("bytes that are no messages").await;
}
