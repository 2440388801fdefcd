//! What happens when nothing happens. Limits are shortened; no test asserts how long anything took.

use std::time::Duration;

use tokio::time::sleep;

use crate::client::{error, finals, run_with, start};

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
    let server = start(|options| options.timeouts.silent_audio = 3 * SHORT).await;
    for (frame, heartbeat, fails) in [
        ([0u8; 320], false, true),
        ([0; 320], true, false),
        ([9; 320], false, false),
    ] {
        let mut client = server.client().await;
        let parameters =
            format!(r#"{{"format":"pcm","sample_rate":16000,"heartbeat":{heartbeat}}}"#);
        client.text(run_with("t", &parameters)).await;
        for _ in 0..20 {
            client.audio(&frame).await;
            sleep(SHORT / 4).await;
        }
        if fails {
            let (events, code) = client.until_closed().await;
            assert_eq!(
                error(events.last().unwrap()),
                ("ResponseTimeout", "Response timeout!")
            );
            assert_eq!(code, Some(1000));
        } else {
            client.finish("t").await;
            assert_eq!(finals(&client.until_terminal().await).len(), 1);
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
