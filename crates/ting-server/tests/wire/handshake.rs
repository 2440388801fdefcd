//! Paths, keys, and what HTTP answers.

use crate::client::{Client, start};
use crate::http::http;

#[tokio::test]
async fn both_paths_serve() {
    let server = start(|_| {}).await;
    for path in [
        "/api-ws/v1/inference",
        "/api-ws/v1/inference/",
        "/api-ws/v1/inference?a=b",
    ] {
        let url = format!("ws://{}{path}", server.address);
        let mut client = Client::connect(&url, Some("bearer sk-any")).await.unwrap();
        client.run("t", "pcm").await;
        client.finish("t").await;
        assert_eq!(client.until_terminal().await.len(), 1, "{path}");
    }
}

#[tokio::test]
async fn keys_are_checked_at_the_handshake() {
    let server = start(|options| options.api_keys = vec!["sk-1".into(), "sk-2".into()]).await;
    let cases = [
        (Some("Bearer sk-1"), true),
        (Some("bearer sk-2"), true),
        (Some("sk-1"), true),
        (Some("Bearer sk-3"), false),
        (None, false),
    ];
    let mut failures = Vec::new();
    for (authorization, want) in cases {
        let connected = Client::connect(&server.url(), authorization).await;
        if connected.is_ok() != want {
            failures.push(format!("{authorization:?}: want {want}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn http_answers_are_what_clients_look_for() {
    let server = start(|options| options.api_keys = vec!["sk-1".into()]).await;
    struct Case {
        head: &'static str,
        starts: &'static str,
        has: &'static str,
    }
    let case = |head, starts, has| Case { head, starts, has };
    let cases = [
        // The reason phrase stops the Java SDK's retries.
        case(
            "GET /api-ws/v1/inference HTTP/1.1",
            "HTTP/1.1 401 Unauthorized\r\n",
            r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":""#,
        ),
        case(
            "GET /api-ws/v1/inference HTTP/1.1\r\nAuthorization: Bearer sk-1",
            "HTTP/1.1 4",
            r#""code":"InvalidParameter""#,
        ),
        case(
            "GET /api/v1/services/audio/asr/customization HTTP/1.1",
            "HTTP/1.1 405 Method Not Allowed\r\n",
            "allow: POST\r\n",
        ),
        case(
            "GET /nowhere HTTP/1.1",
            "HTTP/1.1 404 Not Found\r\n",
            r#""message":"Not found!""#,
        ),
        case(
            "GET /healthz HTTP/1.1",
            "HTTP/1.1 200 OK\r\n",
            r#""status":"ok""#,
        ),
    ];
    let mut failures = Vec::new();
    for case in cases {
        let answer = http(&server.address, case.head, b"").await;
        if !answer.starts_with(case.starts) || !answer.contains(case.has) {
            failures.push(format!("{}: {answer}", case.head));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
