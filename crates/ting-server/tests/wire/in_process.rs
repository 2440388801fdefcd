//! A server without a network.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use ting_server::{Server, ServerOptions};
use tokio::sync::oneshot;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{control, name, run_task, soon};
use crate::scripted::{Script, Scripted};

#[tokio::test]
async fn pipes_are_served_as_sockets_are_until_it_stops() {
    let recogniser = Arc::new(Scripted(Arc::new(Script::default())));
    let (server, pipe) = Server::in_process(ServerOptions::default(), recogniser);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        server.serve(shutdown).await.unwrap();
    });
    // Two at once, each with as much audio as a pipe does not hold.
    let tasks = ["one", "two"].map(|task_id| {
        let pipe = pipe.clone();
        async move {
            let stream = pipe.connect().await.unwrap();
            let url = "ws://in-process/api-ws/v1/inference";
            let (mut socket, _) = client_async(url, stream).await.unwrap();
            let messages = [
                Message::text(run_task(task_id, "pcm")),
                Message::binary(vec![7; 200_000]),
                Message::text(control("finish-task", task_id)),
            ];
            for message in messages {
                socket.send(message).await.unwrap();
            }
            let mut names = Vec::new();
            while names.last().is_none_or(|last| last != "task-finished") {
                let message = socket.next().await.unwrap().unwrap();
                if let Message::Text(text) = message {
                    let event: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(event["header"]["task_id"], task_id);
                    names.push(name(&event));
                }
            }
            names
        }
    });
    let [one, two] = tasks;
    let (one, two) = soon("two tasks", async { tokio::join!(one, two) }).await;
    assert_eq!(one.first().map(String::as_str), Some("task-started"));
    assert!(one.len() > 2 && one == two, "{one:?} {two:?}");

    stop.send(()).unwrap();
    soon("serve returns", &mut serving).await.unwrap();
    let error = pipe.connect().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}
