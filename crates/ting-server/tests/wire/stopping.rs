//! Stopping the server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::client::{Client, error, finals, soon, start};

#[tokio::test]
async fn stopping_ends_every_task_and_every_socket() {
    let mut server = start(|options| {
        options.timeouts.drain = Duration::from_millis(500);
        options.timeouts.close_linger = Duration::from_millis(500);
    })
    .await;
    let mut idle = server.client().await;
    let mut running = server.client().await;
    running.run("running", "pcm").await;
    let mut stuck = server.client().await;
    stuck.run("stuck", "pcm").await;
    server.script.hangs.store(true, Ordering::SeqCst);
    stuck.audio(&[7; 100]).await;
    stuck.finish("stuck").await;
    // A task whose bytes are all there may finish.
    let mut done = server.client().await;
    done.run("done", "pcm").await;
    server.stop();
    let (events, code) = idle.until_closed().await;
    assert_eq!((events.len(), code), (0, Some(1001)));
    for (client, task) in [(&mut running, "running"), (&mut stuck, "stuck")] {
        let (events, code) = client.until_closed().await;
        assert_eq!(error(&events[0]).0, "SystemError", "{task}");
        assert_eq!((events.len(), code), (1, Some(1000)), "{task}");
    }
    drop((idle, running, stuck, done));
    soon("serve returns", &mut server.serving).await.unwrap();
    assert_eq!(server.script.open.load(Ordering::SeqCst), 0);
    assert!(
        Client::connect(&server.url(), None).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_draining_task_may_finish_while_the_server_stops() {
    let mut server = start(|_| {}).await;
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    // More than the recogniser can have done when the server stops.
    for _ in 0..300 {
        client.audio(&[7; 64_000]).await;
    }
    client.finish("t").await;
    while server.script.received.load(Ordering::SeqCst) < 300 * 64_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop();
    let events = client.until_terminal().await;
    assert_eq!(finals(&events).len(), 600);
    drop(client);
    soon("serve returns", &mut server.serving).await.unwrap();
}
