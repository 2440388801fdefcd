//! A server under test and a client that checks the shape of everything it receives.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use ting_server::{Server, ServerOptions};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::scripted::{Script, Scripted};

/// Nothing here takes this long; a test that waits longer waits for what never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) script: Arc<Script>,
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) serving: JoinHandle<()>,
}

pub(crate) async fn start(set: impl FnOnce(&mut ServerOptions)) -> Running {
    let script = Arc::new(Script::default());
    let mut options = ServerOptions::default();
    options.listen.set_port(0);
    set(&mut options);
    let server = Server::bind(options, Arc::new(Scripted(script.clone())))
        .await
        .unwrap();
    let address = server.local_addr().to_string();
    assert_eq!(server.url(), format!("ws://{address}/api-ws/v1/inference"));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        server.serve(shutdown).await.unwrap();
    });
    Running {
        script,
        address,
        stop: Some(stop),
        serving,
    }
}

impl Running {
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/api-ws/v1/inference", self.address)
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.url(), None).await.unwrap()
    }

    /// Fails unless a new client gets a whole task done.
    pub(crate) async fn assert_serves(&self, after: &str) {
        let mut client = self.client().await;
        client.run("check", "pcm").await;
        client.audio(&[7; 4000]).await;
        client.finish("check").await;
        let events = client.until_terminal().await;
        let last = events.last().map(name);
        assert_eq!(
            last.as_deref(),
            Some("task-finished"),
            "after {after}: {events:?}"
        );
    }
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What a client can receive.
#[derive(Debug)]
pub(crate) enum Received {
    Event(Value),
    Closed(Option<u16>),
}

impl Client {
    pub(crate) async fn connect(
        url: &str,
        authorization: Option<&str>,
    ) -> Result<Self, tungstenite::Error> {
        let mut request = url.into_client_request()?;
        if let Some(value) = authorization {
            request
                .headers_mut()
                .insert("authorization", value.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await?;
        Ok(Self { socket })
    }

    pub(crate) async fn text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn audio(&mut self, bytes: &[u8]) {
        self.socket
            .send(Message::binary(bytes.to_vec()))
            .await
            .unwrap();
    }

    pub(crate) async fn send_run(&mut self, task_id: &str, format: &str) {
        self.text(run_task(task_id, format)).await;
    }

    /// Starts a task and waits for task-started.
    pub(crate) async fn run(&mut self, task_id: &str, format: &str) {
        self.send_run(task_id, format).await;
        let event = self.event().await;
        assert_eq!(
            (name(&event).as_str(), id(&event).as_str()),
            ("task-started", task_id)
        );
    }

    pub(crate) async fn finish(&mut self, task_id: &str) {
        self.text(control("finish-task", task_id)).await;
    }

    pub(crate) async fn receive(&mut self) -> Received {
        loop {
            let message = timeout(PATIENCE, self.socket.next())
                .await
                .expect("the server is silent");
            match message {
                Some(Ok(Message::Text(text))) => return Received::Event(checked(&text)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(frame.map(|frame| frame.code.into()));
                }
                None | Some(Err(_)) => return Received::Closed(None),
                Some(Ok(other)) => panic!("the server sent {other:?}"),
            }
        }
    }

    pub(crate) async fn event(&mut self) -> Value {
        match self.receive().await {
            Received::Event(event) => event,
            Received::Closed(code) => panic!("closed with {code:?} instead of an event"),
        }
    }

    /// The events up to and with the next terminal one.
    pub(crate) async fn until_terminal(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            events.push(self.event().await);
            if is_terminal(&events[events.len() - 1]) {
                return events;
            }
        }
    }

    /// All events until the socket closes, and the close code.
    pub(crate) async fn until_closed(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut events = Vec::new();
        loop {
            match self.receive().await {
                Received::Event(event) => events.push(event),
                Received::Closed(code) => return (events, code),
            }
        }
    }
}

pub(crate) fn control(action: &str, task_id: &str) -> String {
    let header = serde_json::json!({"action": action, "task_id": task_id, "streaming": "duplex"});
    serde_json::json!({"header": header, "payload": {"input": {}}}).to_string()
}

pub(crate) fn run_task(task_id: &str, format: &str) -> String {
    run_with(
        task_id,
        &format!(r#"{{"format":"{format}","sample_rate":16000}}"#),
    )
}

pub(crate) fn run_with(task_id: &str, parameters: &str) -> String {
    format!(
        r#"{{"header":{{"action":"run-task","task_id":{},"streaming":"duplex"}},
            "payload":{{"task_group":"audio","task":"asr","function":"recognition",
            "model":"fun-asr-realtime","parameters":{parameters},"input":{{}}}}}}"#,
        Value::from(task_id)
    )
}

pub(crate) fn name(event: &Value) -> String {
    event["header"]["event"].as_str().unwrap().to_owned()
}

pub(crate) fn id(event: &Value) -> String {
    event["header"]["task_id"].as_str().unwrap().to_owned()
}

pub(crate) fn is_terminal(event: &Value) -> bool {
    matches!(name(event).as_str(), "task-finished" | "task-failed")
}

pub(crate) fn error(event: &Value) -> (&str, &str) {
    let header = &event["header"];
    (
        header["error_code"].as_str().unwrap(),
        header["error_message"].as_str().unwrap(),
    )
}

/// The sentences that are final.
pub(crate) fn finals(events: &[Value]) -> Vec<&Value> {
    let sentences = events
        .iter()
        .map(|event| &event["payload"]["output"]["sentence"]);
    sentences
        .filter(|sentence| sentence["sentence_end"] == true)
        .collect()
}

/// Polls until `done`, or fails.
pub(crate) async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < PATIENCE, "never happened: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// `future`'s output, unless it takes forever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"))
}

/// The event in a text frame, whose shape is what the SDKs need: rules 4 and 6 to 10.
fn checked(text: &str) -> Value {
    let event: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text:?}"));
    let (header, payload) = (&event["header"], &event["payload"]);
    assert!(
        header["attributes"].is_object() && payload.is_object(),
        "{text}"
    );
    assert!(header["task_id"].is_string(), "{text}");
    match header["event"].as_str() {
        Some("task-started") => assert_eq!(payload.as_object().unwrap().len(), 0, "{text}"),
        Some("task-finished") => {
            assert_eq!(
                payload.to_string(),
                r#"{"output":{},"usage":null}"#,
                "{text}"
            );
        }
        Some("task-failed") => {
            let said = |key: &str| header[key].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("error_code") && said("error_message"), "{text}");
        }
        Some("result-generated") => {
            let sentence = payload["output"]["sentence"].as_object().expect(text);
            assert!(sentence.contains_key("end_time"), "{text}");
            assert!(payload.as_object().unwrap().contains_key("usage"), "{text}");
            assert!(
                sentence["begin_time"].is_u64() && sentence["words"].is_array(),
                "{text}"
            );
            let beats = sentence["heartbeat"].as_bool().expect(text);
            assert_eq!(sentence["sentence_id"] == 0, beats, "{text}");
            assert!(!beats || sentence["text"] == "", "{text}");
            let last = sentence["sentence_end"].as_bool().expect(text);
            assert_eq!(sentence["end_time"].is_u64(), last, "{text}");
            assert_eq!(payload["usage"]["duration"].is_u64(), last, "{text}");
            assert!(
                last || payload["usage"].is_null() && sentence["end_time"].is_null(),
                "{text}"
            );
        }
        other => panic!("unknown event {other:?}"),
    }
    event
}
