//! Clients that leave, or take nothing.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Running, eventually, soon, start};

async fn healthz(server: &Running) -> String {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    soon("health", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    answer
}

#[tokio::test]
async fn killed_clients_leave_nothing_behind() {
    let server = start(|_| {}).await;
    let mut clients = Vec::new();
    for number in 0..20 {
        let mut client = server.client().await;
        client.run(&format!("t{number}"), "pcm").await;
        client.audio(&[7; 10_000]).await;
        if number % 2 == 0 {
            // Never answered, so that the client goes while its task drains.
            server.script.hangs.store(true, Ordering::SeqCst);
            client.finish(&format!("t{number}")).await;
        }
        clients.push(client);
    }
    assert_eq!(server.script.open.load(Ordering::SeqCst), 20);
    assert!(healthz(&server).await.contains(r#""tasks":20"#));
    // Dropping closes TCP without a WebSocket close frame, as the end of a process does.
    drop(clients);
    eventually("all sessions are dropped", || {
        server.script.open.load(Ordering::SeqCst) == 0
    })
    .await;
    loop {
        let health = healthz(&server).await;
        if health.contains(r#""connections":0"#) && health.contains(r#""tasks":0"#) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.script.hangs.store(false, Ordering::SeqCst);
    server.assert_serves("kills").await;
}

#[tokio::test]
async fn a_client_that_closes_in_order_cancels_its_task() {
    let server = start(|_| {}).await;
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    client.audio(&[7; 100]).await;
    client.socket.close(None).await.unwrap();
    let (events, _) = client.until_closed().await;
    assert!(events.is_empty());
    eventually("the session is dropped", || {
        server.script.open.load(Ordering::SeqCst) == 0
    })
    .await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up() {
    let server = start(|options| options.timeouts.write_stall = Duration::from_millis(500)).await;
    server.script.padding.store(1_000_000, Ordering::SeqCst);
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    client.audio(&vec![7; 1_000_000]).await;
    eventually("the session is dropped", || {
        server.script.open.load(Ordering::SeqCst) == 0
    })
    .await;
    server.script.padding.store(0, Ordering::SeqCst);
    server.assert_serves("a stalled client").await;
}
