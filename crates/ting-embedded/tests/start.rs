//! The start of the server inside the program, of which there is one in a process.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use ting_embedded::{Options, configure, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_start_that_fails_says_why_and_may_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.model_dir = Some(folder.path().join("none"));
    options.max_sessions = Some(1);
    options.data_dir = Some(folder.path().to_owned());
    configure(options.clone()).unwrap();
    for _ in 0..2 {
        let error = connect().await.unwrap_err().to_string();
        assert!(
            error.contains("cannot load the model") && error.contains("none"),
            "{error}"
        );
    }
    options.model_dir = None;
    configure(options.clone()).unwrap();
    // All that come while it starts get the same one.
    let (one, two) = tokio::join!(connect(), connect());
    for pipe in [one, two] {
        let mut pipe = pipe.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: embedded\r\nConnection: close\r\n\r\n";
        pipe.write_all(request).await.unwrap();
        let mut answer = String::new();
        pipe.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    configure(options.clone()).unwrap();
    options.max_sessions = Some(2);
    let error = configure(options).unwrap_err().to_string();
    assert!(error.contains("before its first use"), "{error}");
}
