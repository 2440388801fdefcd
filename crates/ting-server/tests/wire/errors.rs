//! Every error code that this server sends, provoked once; and every parameter at the borders of its range.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ting_protocol::ErrorCode;

use crate::client::{Client, error, name, run_task, run_with, start};

const SHORT: Duration = Duration::from_millis(300);

/// What a client does to be failed.
enum Does {
    /// Sends this text.
    Says(String),
    /// Runs a task of `pcm`, sends these bytes, and waits.
    Waits(&'static [u8]),
    /// Runs a task of this format and sends bytes that are not in it.
    Garbles(&'static str),
}

#[tokio::test]
async fn each_code_comes_for_its_reason() {
    struct Case {
        code: ErrorCode,
        says: &'static str,
        does: Does,
        /// What the recogniser is to do.
        busy: bool,
        breaks: bool,
        stops: bool,
    }
    let case = |code, says, does| Case {
        code,
        says,
        does,
        busy: false,
        breaks: false,
        stops: false,
    };
    let model = run_task("t", "pcm").replace("fun-asr-realtime", "whisper");
    let context = run_task("t", "pcm").replace(r#""input":{}"#, r#""input":{"context":1}"#);
    let cases = [
        case(
            ErrorCode::ClientError,
            "request timeout after 23 seconds.",
            Does::Waits(&[]),
        ),
        case(
            ErrorCode::ClientError,
            "payload.input.context",
            Does::Says(context),
        ),
        case(
            ErrorCode::ResponseTimeout,
            "Response timeout!",
            // 320 ms, and the limit is 300.
            Does::Waits(&[0; 10_240]),
        ),
        case(
            ErrorCode::InvalidParameter,
            "payload.parameters.sample_rate",
            Does::Says(run_with("t", r#"{"format":"pcm"}"#)),
        ),
        case(
            ErrorCode::ModelNotFound,
            "Model can not be found.",
            Does::Says(model),
        ),
        case(
            ErrorCode::UnsupportedFormat,
            "payload.parameters.format is \"flac\"",
            Does::Says(run_task("t", "flac")),
        ),
        case(
            ErrorCode::UnsupportedFormat,
            "The audio is not what payload.parameters.format says",
            Does::Garbles("wav"),
        ),
        Case {
            busy: true,
            ..case(
                ErrorCode::Throttling,
                "try again later",
                Does::Says(run_task("t", "pcm")),
            )
        },
        Case {
            breaks: true,
            ..case(
                ErrorCode::InternalError,
                "start a new task",
                Does::Waits(&[9; 10]),
            )
        },
        Case {
            stops: true,
            ..case(
                ErrorCode::SystemError,
                "The server is stopping",
                Does::Waits(&[9; 10]),
            )
        },
    ];
    let mut failed = Vec::new();
    for case in cases {
        let mut server = start(|options| {
            let silence = case.code == ErrorCode::ResponseTimeout;
            let timeouts = &mut options.timeouts;
            *(if silence {
                &mut timeouts.silent_audio
            } else {
                &mut timeouts.idle_audio
            }) = SHORT;
        })
        .await;
        server.script.busy.store(case.busy, Ordering::SeqCst);
        server.script.breaks.store(case.breaks, Ordering::SeqCst);
        let mut client = server.client().await;
        match case.does {
            Does::Says(text) => client.text(text).await,
            Does::Waits(bytes) => {
                client.run("t", "pcm").await;
                client.audio(bytes).await;
            }
            Does::Garbles(format) => {
                client.run("t", format).await;
                client.audio(&[7; 100]).await;
            }
        }
        if case.stops {
            server.stop();
        }
        let (events, close) = client.until_closed().await;
        let (code, message) = events.last().map_or(("no event", ""), error);
        if code != case.code.as_str() || !message.contains(case.says) || close != Some(1000) {
            failed.push(format!(
                "{}: {code} {message:?}, close {close:?}",
                case.code
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_at_the_handshake() {
    let server = start(|options| options.api_keys = vec!["right".to_owned()]).await;
    let refused = Client::connect(&server.url(), Some("Bearer wrong")).await;
    let message = refused.err().map(|error| error.to_string());
    assert!(message.is_some_and(|message| message.contains("401")));
}

#[tokio::test]
async fn parameters_are_taken_up_to_their_borders() {
    /// Values inside, and values outside with what the message says is allowed.
    struct Parameter {
        name: &'static str,
        inside: &'static [&'static str],
        outside: &'static [&'static str],
        allowed: &'static str,
    }
    let switch = |name| Parameter {
        name,
        inside: &["true", "false", "null"],
        outside: &["0", "\"true\"", "[]"],
        allowed: "true or false",
    };
    let parameters = [
        Parameter {
            name: "sample_rate",
            inside: &["8000", "192000", "16000.0"],
            outside: &["7999", "192001", "-1", "16000.5", "\"16000\""],
            allowed: "an integer from 8000 to 192000",
        },
        Parameter {
            name: "max_sentence_silence",
            inside: &["200", "6000", "null"],
            outside: &["199", "6001", "0", "-200", "200.5", "\"200\"", "true"],
            allowed: "an integer from 200 to 6000",
        },
        Parameter {
            name: "speech_noise_threshold",
            inside: &["-1", "1", "-1.0", "1.0", "0", "null"],
            outside: &["-1.001", "1.001", "2", "\"0\"", "false"],
            allowed: "a number from -1.0 to 1.0",
        },
        Parameter {
            name: "language_hints",
            inside: &["[]", r#"["zh"]"#, r#"["zh","en","ja"]"#, "null"],
            outside: &["\"zh\"", "[1]", "{}"],
            allowed: "a list of strings",
        },
        switch("semantic_punctuation_enabled"),
        switch("multi_threshold_mode_enabled"),
        switch("punctuation_prediction_enabled"),
        switch("heartbeat"),
    ];
    let server = start(|_| {}).await;
    let mut failed = Vec::new();
    for parameter in parameters {
        let name_of = |value: &str| format!("{}={value}", parameter.name);
        let rate = match parameter.name {
            "sample_rate" => "",
            _ => r#""sample_rate":16000,"#,
        };
        let run = |value: &str| {
            let parameters = format!(r#"{{"format":"pcm",{rate}"{}":{value}}}"#, parameter.name);
            run_with("t", &parameters)
        };
        for value in parameter.inside {
            let mut client = server.client().await;
            client.text(run(value)).await;
            let event = client.event().await;
            if name(&event) != "task-started" {
                failed.push(format!("{}: {event}", name_of(value)));
            }
        }
        for value in parameter.outside {
            let mut client = server.client().await;
            client.text(run(value)).await;
            let (events, _) = client.until_closed().await;
            let (code, message) = error(&events[0]);
            let field = format!("payload.parameters.{} is {value}", parameter.name);
            if code != "InvalidParameter"
                || !message.contains(&field)
                || !message.contains(parameter.allowed)
            {
                failed.push(format!("{}: {code} {message}", name_of(value)));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
