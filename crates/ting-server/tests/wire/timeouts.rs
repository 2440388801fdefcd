//! What happens when nothing happens. Limits are shortened; no test asserts how long anything took.

use std::time::Duration;

use tokio::time::sleep;

use crate::client::{error, finals, name, run_with, start};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_task_without_audio_bytes_times_out() {
    let server = start(|options| options.timeouts.idle_audio = SHORT).await;
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    client.audio(&[]).await;
    let (events, code) = client.until_closed().await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        error(&events[0]),
        ("CLIENT_ERROR", "request timeout after 23 seconds.")
    );
    assert_eq!(code, Some(1000));
    server.assert_serves("a timeout").await;
}

#[tokio::test]
async fn a_task_of_silence_times_out_unless_it_has_a_heartbeat() {
    struct Case {
        name: &'static str,
        format: &'static str,
        /// Ms of audio and the value of its bytes, one after the other.
        audio: &'static [(usize, u8)],
        heartbeat: bool,
        behind: bool,
        fails: bool,
    }
    let case = |name, audio, heartbeat, behind, fails| Case {
        name,
        format: "pcm",
        audio,
        heartbeat,
        behind,
        fails,
    };
    // The limit is 900 ms of audio.
    let cases = [
        case("silence", &[(1000, 0)], false, false, true),
        case(
            "silence after sound",
            &[(500, 9), (900, 0)],
            false,
            false,
            true,
        ),
        case("silence with heartbeat", &[(1000, 0)], true, false, false),
        case("sound", &[(1000, 9)], false, false, false),
        case(
            "silence with sound in it",
            &[(800, 0), (1, 9), (800, 0)],
            false,
            false,
            false,
        ),
        case("less silence", &[(500, 9), (890, 0)], false, false, false),
        case(
            "silence and then sound",
            &[(2000, 0), (1, 9)],
            false,
            false,
            false,
        ),
        case("not recognised yet", &[(1000, 0)], false, true, false),
        Case {
            format: "opus",
            ..case("another format", &[(1000, 0)], false, false, true)
        },
    ];
    let server = start(|options| options.timeouts.silent_audio = 3 * SHORT).await;
    for case in cases {
        server
            .script
            .behind
            .store(case.behind, std::sync::atomic::Ordering::SeqCst);
        let mut client = server.client().await;
        let (format, heartbeat) = (case.format, case.heartbeat);
        let parameters =
            format!(r#"{{"format":"{format}","sample_rate":16000,"heartbeat":{heartbeat}}}"#);
        client.text(run_with("t", &parameters)).await;
        for (ms, byte) in case.audio {
            client.audio(&vec![*byte; 32 * ms]).await;
        }
        sleep(4 * SHORT).await;
        println!("{}", case.name);
        if case.fails {
            let (events, code) = client.until_closed().await;
            assert_eq!(
                error(events.last().unwrap()),
                ("ResponseTimeout", "Response timeout!")
            );
            assert_eq!(code, Some(1000));
        } else {
            client.finish("t").await;
            let events = client.until_terminal().await;
            assert_eq!(name(&events[events.len() - 1]), "task-finished");
        }
    }
}

#[tokio::test]
async fn heartbeats_come_while_a_task_that_wants_them_is_silent() {
    let server = start(|options| {
        options.timeouts.heartbeat = SHORT;
        options.timeouts.silent_audio = SHORT;
    })
    .await;
    for heartbeat in [true, false] {
        let mut client = server.client().await;
        let parameters =
            format!(r#"{{"format":"pcm","sample_rate":16000,"heartbeat":{heartbeat}}}"#);
        client.text(run_with("t", &parameters)).await;
        // Sound, less than a partial: nothing but heartbeats can come.
        client.audio(&[9; 320]).await;
        sleep(4 * SHORT).await;
        client.finish("t").await;
        let events = client.until_terminal().await;
        let (beats, others): (Vec<_>, Vec<_>) = events
            .iter()
            .partition(|event| event["payload"]["output"]["sentence"]["heartbeat"] == true);
        let names: Vec<String> = others.iter().map(|event| name(event)).collect();
        assert_eq!(names, ["task-started", "result-generated", "task-finished"]);
        assert_eq!(!beats.is_empty(), heartbeat, "{events:?}");
        for beat in beats {
            let json = r#"{"output":{"sentence":{"begin_time":0,"end_time":null,"heartbeat":true,"sentence_begin":false,"sentence_end":false,"sentence_id":0,"text":"","words":[]}},"usage":null}"#;
            assert_eq!(beat["payload"].to_string(), json);
        }
    }
}

#[tokio::test]
async fn a_failing_task_first_gives_what_it_has_recognised() {
    let server = start(|options| options.timeouts.idle_audio = SHORT).await;
    for (text, code) in [
        (None, "CLIENT_ERROR"),
        (Some("garbage"), "InvalidParameter"),
    ] {
        let mut client = server.client().await;
        client.run("t", "pcm").await;
        client.audio(&[9; 3200]).await;
        if let Some(text) = text {
            client.text(text.to_owned()).await;
        }
        let (events, close) = client.until_closed().await;
        assert_eq!(finals(&events).len(), 1, "{events:?}");
        assert_eq!(error(events.last().unwrap()).0, code);
        assert_eq!(close, Some(1000));
    }
}

#[tokio::test]
async fn an_idle_socket_closes() {
    let server = start(|options| options.timeouts.idle_socket = SHORT).await;
    let mut client = server.client().await;
    assert_eq!(
        client.until_closed().await.1,
        Some(1000),
        "before the first task"
    );
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    sleep(2 * SHORT).await;
    client.finish("t").await;
    let (events, code) = client.until_closed().await;
    assert_eq!(
        (events.len(), code),
        (1, Some(1000)),
        "after a task that outlasted the limit"
    );
}

#[tokio::test]
async fn a_client_that_answers_no_ping_keeps_its_task() {
    let server = start(|options| options.timeouts.ping = SHORT / 10).await;
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    client.audio(&[7; 1000]).await;
    // The client's loop does not run: pings pile up unanswered.
    sleep(3 * SHORT).await;
    client.finish("t").await;
    assert_eq!(finals(&client.until_terminal().await).len(), 1);
}
