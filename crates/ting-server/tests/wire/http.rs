//! HTTP requests, and a server that keeps hotword lists.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use ting_protocol::CUSTOMIZATION_PATH;
use ting_server::ServerOptions;
use ting_store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Running, soon, start};

/// The answer to a raw request, head and body.
pub(crate) async fn http(address: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request =
        format!("{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n").into_bytes();
    request.extend_from_slice(body);
    stream.write_all(&request).await.unwrap();
    let mut answer = String::new();
    soon("an HTTP answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    answer
}

/// A server with a data folder, which goes with it.
pub(crate) struct Keeping {
    pub(crate) server: Running,
    pub(crate) folder: TempDir,
}

impl Keeping {
    pub(crate) async fn start(set: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::new(folder.path()));
        let server = start(|options| {
            options.store = Some(store);
            set(options);
        })
        .await;
        Self { server, folder }
    }

    /// The status and the body of the answer to a request about lists, with the key `key`.
    pub(crate) async fn post(&self, key: &str, body: &str) -> (u16, Value) {
        post(&self.server, key, body.as_bytes()).await
    }

    /// The output of a request with this `input`, which must succeed.
    pub(crate) async fn done(&self, key: &str, input: Value) -> Value {
        let body = json!({"model": "speech-biasing", "parameters": {}, "input": input});
        let (status, answer) = self.post(key, &body.to_string()).await;
        assert_eq!(status, 200, "{input}: {answer}");
        assert_eq!(answer["usage"], json!({"count": 1}), "{answer}");
        answer["output"].clone()
    }

    /// Makes a list and gives its id.
    pub(crate) async fn create(&self, key: &str, words: Value) -> String {
        let input = json!({
            "action": "create_vocabulary", "target_model": "fun-asr-realtime", "prefix": "p",
            "vocabulary": words,
        });
        self.done(key, input).await["vocabulary_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// As [`Keeping::post`].
pub(crate) async fn post(server: &Running, key: &str, body: &[u8]) -> (u16, Value) {
    let head = format!(
        "POST {CUSTOMIZATION_PATH} HTTP/1.1\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json; charset=utf-8\r\nContent-Length: {}",
        body.len()
    );
    let answer = http(&server.address, &head, body).await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("\r\ncontent-type: application/json\r\n"),
        "{head}"
    );
    let body: Value = serde_json::from_str(body).unwrap();
    let request_id = body["request_id"].as_str().unwrap();
    assert_eq!(
        uuid::Uuid::parse_str(request_id).unwrap().to_string(),
        request_id
    );
    (status, body)
}
