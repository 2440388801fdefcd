//! A server that does what a script says, right or wrong.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What a server does on a connection, one after the other.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// In place of the handshake: an HTTP answer, and the end.
    Answer(u16, &'static str),
    /// In place of the handshake: the end.
    Refuse,
    /// In place of the handshake: nothing, for good.
    Mute,
    /// Reads up to `run-task`.
    Run,
    /// Reads so many bytes of audio more.
    Audio(usize),
    /// Reads up to `continue-task`.
    Continue,
    /// Reads up to `finish-task`.
    Finish,
    /// Sends an event of the task, of which the header may have more: `{"event": …}`.
    Event(Value, Option<Value>),
    /// Sends a text.
    Text(&'static str),
    /// Sends bytes.
    Binary(&'static [u8]),
    /// Sends a ping.
    Ping,
    /// Sends a close frame and reads what still comes.
    Close(u16, &'static str),
    /// Ends the connection without a word.
    Drop,
    /// Does nothing for so many milliseconds, and answers no ping.
    Pause(u64),
    /// Does nothing but read and answer pings, for good.
    Silence,
    /// Reads nothing any more, for good.
    Deaf,
}

pub(crate) fn event(name: &str, payload: Value) -> Step {
    Step::Event(json!({ "event": name }), Some(payload))
}

pub(crate) fn started() -> Step {
    event("task-started", json!({}))
}

pub(crate) fn finished() -> Step {
    event("task-finished", json!({"output": {}, "usage": null}))
}

/// A task of one sentence, as the protocol has it.
pub(crate) fn well() -> Vec<Step> {
    vec![
        Step::Run,
        started(),
        Step::Audio(2),
        final_(1, "好。"),
        Step::Finish,
        finished(),
    ]
}

pub(crate) fn failed(code: &str, message: &str) -> Step {
    let header = json!({"event": "task-failed", "error_code": code, "error_message": message});
    Step::Event(header, Some(json!({})))
}

/// A partial of the sentence `id`.
pub(crate) fn partial(id: u32, text: &str) -> Step {
    let sentence = json!({
        "begin_time": 100, "end_time": null, "text": text, "heartbeat": false, "sentence_end": false, "sentence_id": id,
        "words": [{"begin_time": 100, "end_time": 400, "text": text, "punctuation": ""}],
    });
    let payload = json!({"output": {"sentence": sentence}, "usage": null});
    event("result-generated", payload)
}

/// The final of the sentence `id`, which ends at `id` seconds.
pub(crate) fn final_(id: u32, text: &str) -> Step {
    let sentence = json!({
        "begin_time": 100, "end_time": 1000 * id, "text": text, "heartbeat": false, "sentence_end": true, "sentence_id": id,
        "words": [{"begin_time": 100, "end_time": 1000 * id, "text": text, "punctuation": ""}],
    });
    let payload = json!({"output": {"sentence": sentence}, "usage": {"duration": id}});
    event("result-generated", payload)
}

/// What a server saw of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) texts: Vec<Value>,
    pub(crate) audio: Vec<u8>,
    pub(crate) frames: usize,
    pub(crate) pings: usize,
    pub(crate) closed: bool,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn actions(&self) -> Vec<&str> {
        let actions = self.texts.iter().map(|text| &text["header"]["action"]);
        actions.map(|action| action.as_str().unwrap()).collect()
    }
}

/// A server whose connections each run the next script; the last script is for all that come later.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Ends the connections with the test.
    runtime: Option<tokio::runtime::Runtime>,
}

/// A runtime may not wait for its end inside another one.
impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    pub(crate) fn start(scripts: Vec<Vec<Step>>) -> Self {
        Self::start_over(scripts, None)
    }

    /// The same over TLS.
    pub(crate) fn start_over(
        scripts: Vec<Vec<Step>>,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = seen.clone();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                all.lock().unwrap().push(Seen::default());
                let script = scripts[number.min(scripts.len() - 1)].clone();
                let note = Note(all.clone(), number);
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, script, note).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve_websocket(stream, script, note).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self {
            address,
            seen,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/api-ws/v1/inference", self.address)
    }

    /// What every connection so far saw.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What the last connection saw, once it saw what is wanted of it.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        for _ in 0..2_000 {
            if let Some(seen) = self.seen().pop().filter(&wanted) {
                return seen;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not see it: {:?}", self.seen().pop());
    }
}

struct Note(Arc<Mutex<Vec<Seen>>>, usize);

impl Note {
    fn take(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.0.lock().unwrap()[self.1]);
    }
}

async fn serve(mut stream: TcpStream, script: Vec<Step>, note: Note) -> Option<()> {
    match script.first() {
        Some(Step::Answer(status, body)) => {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.ok()?);
            }
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} Because\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.ok()
        }
        Some(Step::Refuse) => None,
        Some(Step::Mute) => std::future::pending().await,
        _ => serve_websocket(stream, script, note).await,
    }
}

async fn serve_websocket<S>(stream: S, script: Vec<Step>, note: Note) -> Option<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    #[allow(clippy::result_large_err, reason = "the library's own type")]
    let look = |request: &Request, response: Response| {
        note.take(|seen| {
            seen.path = request.uri().to_string();
            let headers = request.headers().iter();
            seen.headers = headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
        });
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, look)
        .await
        .ok()?;
    let mut task_id = Value::Null;
    let mut audio = 0;
    for step in script {
        match step {
            Step::Answer(..) | Step::Refuse | Step::Mute => {}
            Step::Run => {
                let run = read_action(&mut socket, &note, "run-task").await?;
                task_id = run["header"]["task_id"].clone();
            }
            Step::Audio(bytes) => {
                audio += bytes;
                while note.0.lock().unwrap()[note.1].audio.len() < audio {
                    read(&mut socket, &note).await?;
                }
            }
            Step::Continue => drop(read_action(&mut socket, &note, "continue-task").await?),
            Step::Finish => drop(read_action(&mut socket, &note, "finish-task").await?),
            Step::Event(mut header, payload) => {
                if header.get("task_id").is_none() {
                    header["task_id"] = task_id.clone();
                }
                let mut event = json!({ "header": header });
                if let Some(payload) = payload {
                    event["payload"] = payload;
                }
                socket.send(Message::text(event.to_string())).await.ok()?;
            }
            Step::Text(text) => socket.send(Message::text(text)).await.ok()?,
            Step::Binary(bytes) => socket.send(Message::binary(bytes)).await.ok()?,
            Step::Ping => socket.send(Message::Ping("?".into())).await.ok()?,
            Step::Close(code, reason) => {
                let frame = CloseFrame {
                    code: code.into(),
                    reason: reason.into(),
                };
                socket.close(Some(frame)).await.ok()?;
                while read(&mut socket, &note).await.is_some() {}
                return None;
            }
            Step::Drop => return None,
            Step::Pause(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::Silence => while read(&mut socket, &note).await.is_some() {},
            Step::Deaf => std::future::pending().await,
        }
    }
    // What comes after the script is noted, as long as the client is there.
    while read(&mut socket, &note).await.is_some() {}
    Some(())
}

async fn read_action<S>(socket: &mut WebSocketStream<S>, note: &Note, action: &str) -> Option<Value>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        if let Some(text) = read(socket, note).await?
            && text["header"]["action"] == action
        {
            return Some(text);
        }
    }
}

/// Reads and notes a message; `None` when the client is gone.
async fn read<S>(socket: &mut WebSocketStream<S>, note: &Note) -> Option<Option<Value>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    match socket.next().await {
        Some(Ok(Message::Text(text))) => {
            let text: Value = serde_json::from_str(&text).unwrap();
            note.take(|seen| seen.texts.push(text.clone()));
            Some(Some(text))
        }
        Some(Ok(Message::Binary(bytes))) => {
            note.take(|seen| {
                seen.audio.extend_from_slice(&bytes);
                seen.frames += 1;
            });
            Some(None)
        }
        Some(Ok(Message::Ping(_))) => {
            note.take(|seen| seen.pings += 1);
            Some(None)
        }
        Some(Ok(Message::Close(_))) | None | Some(Err(_)) => {
            note.take(|seen| seen.closed = true);
            None
        }
        Some(Ok(_)) => Some(None),
    }
}
