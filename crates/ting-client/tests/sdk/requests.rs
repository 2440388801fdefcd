//! Hotword lists and files by URL, against a small HTTP server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use ting_client::{
    ErrorKind, Transcription, TranscriptionStatus, VocabularyService, VocabularyStatus,
    VocabularyWord, blocking,
};

/// A request as it came: its first line, its headers, its body.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: String,
    body: Value,
}

/// A server that gives the answers one after the other; a status of 0 is a connection that ends without an answer.
fn server(answers: Vec<(u16, Value)>) -> (SocketAddr, Arc<Mutex<Vec<Request>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let all = requests.clone();
    std::thread::spawn(move || {
        for (status, body) in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).unwrap() == 0 {
                    break;
                }
            }
            let (line, headers) = head.split_once("\r\n").unwrap();
            let headers = headers.to_lowercase();
            let length = headers.split("content-length: ").nth(1);
            let length = length.map_or(0, |rest| {
                rest.split("\r\n").next().unwrap().parse().unwrap()
            });
            let mut got = vec![0; length];
            reader.read_exact(&mut got).unwrap();
            all.lock().unwrap().push(Request {
                line: line.to_owned(),
                headers,
                body: serde_json::from_slice(&got).unwrap_or_default(),
            });
            if status != 0 {
                let body = body
                    .as_str()
                    .map_or_else(|| body.to_string(), str::to_owned);
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status} Because\r\ncontent-length: {length}\r\n\r\n{body}");
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (address, requests)
}

fn word(text: &str) -> VocabularyWord {
    VocabularyWord {
        lang: Some("zh".to_owned()),
        text: text.to_owned(),
        weight: 4,
    }
}

fn reply(output: Value) -> Value {
    json!({"output": output, "usage": {"count": 1}, "request_id": "r-1"})
}

#[tokio::test]
async fn hotword_lists() {
    let times = json!({"gmt_create": "2026-03-02 18:07:38", "gmt_modified": "2026-03-02 18:07:38", "status": "OK"});
    let mut entry = times.clone();
    entry["vocabulary_id"] = json!("vocab-a-1");
    let mut details = times;
    details["target_model"] = json!("fun-asr-realtime");
    details["vocabulary"] = json!([{"lang": "zh", "text": "听", "weight": 4}]);
    let (address, requests) = server(vec![
        (200, reply(json!({"vocabulary_id": "vocab-a-1"}))),
        (200, reply(json!({"vocabulary_list": [entry]}))),
        (200, reply(details)),
        (200, reply(json!({}))),
        (200, reply(json!({}))),
        (200, reply(json!({"anything": 1}))),
    ]);
    let service = VocabularyService::builder()
        .endpoint(format!("http://{address}/api/v1/"))
        .api_key("sk-1")
        .workspace("llm-1")
        .build()
        .unwrap();
    assert_eq!(service.last_request_id(), None);
    let id = service
        .create("fun-asr-realtime", "a", vec![word("听")])
        .await
        .unwrap();
    assert_eq!(id, "vocab-a-1");
    assert_eq!(service.last_request_id().as_deref(), Some("r-1"));
    let lists = service.list(None, 0, 10).await.unwrap();
    assert_eq!(
        (lists[0].vocabulary_id.as_str(), lists[0].status),
        ("vocab-a-1", VocabularyStatus::Ok)
    );
    assert_eq!(service.query(&id).await.unwrap().vocabulary, [word("听")]);
    service.update(&id, vec![word("说")]).await.unwrap();
    service.delete(&id).await.unwrap();
    let output = service.request(json!({"action": "own"})).await.unwrap();
    assert_eq!(output, json!({"anything": 1}));

    let requests = requests.lock().unwrap().clone();
    let actions: Vec<&str> = requests
        .iter()
        .map(|r| r.body["input"]["action"].as_str().unwrap())
        .collect();
    let want = [
        "create_vocabulary",
        "list_vocabulary",
        "query_vocabulary",
        "update_vocabulary",
        "delete_vocabulary",
        "own",
    ];
    assert_eq!(actions, want);
    for request in &requests {
        assert_eq!(
            request.line,
            "POST /api/v1/services/audio/asr/customization HTTP/1.1"
        );
        assert!(
            request.headers.contains("authorization: bearer sk-1\r\n"),
            "{}",
            request.headers
        );
        assert!(
            request.headers.contains("x-dashscope-workspace: llm-1\r\n"),
            "{}",
            request.headers
        );
        assert!(
            request
                .headers
                .contains("content-type: application/json; charset=utf-8\r\n")
        );
        assert_eq!(request.body["model"], "speech-biasing");
    }
    let word = json!({"lang": "zh", "text": "听", "weight": 4});
    assert_eq!(requests[0].body["input"]["vocabulary"], json!([word]));
}

#[test]
fn what_is_refused_says_all_that_is_known() {
    let missing = json!({"code": "BadRequest.ResourceNotExist", "message": "The Required resource not exist.", "request_id": "r-9"});
    let (address, _) = server(vec![
        (416, missing),
        (
            401,
            json!({"code": "InvalidApiKey", "message": "Invalid API-key provided."}),
        ),
        (500, json!("<html>")),
        (200, json!("<html>")),
        (200, reply(json!({"vocabulary_list": 1}))),
    ]);
    let service = blocking::VocabularyService::builder()
        .endpoint(format!("http://{address}/api/v1"))
        .build_blocking()
        .unwrap();
    let error = service.query("vocab-none").unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Request, Some(416))
    );
    assert_eq!(error.code(), Some("BadRequest.ResourceNotExist"));
    assert_eq!(error.message(), "The Required resource not exist.");
    assert_eq!(error.request_id(), Some("r-9"));
    let error = service.query("vocab-none").unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Authentication, Some(401))
    );
    let error = service.query("vocab-none").unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Request, Some(500))
    );
    let error = service.query("vocab-none").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.message().contains("<html>"), "{error}");
    let error = service.list(None, 0, 10).unwrap_err();
    assert_eq!(
        (error.kind(), error.request_id()),
        (ErrorKind::Protocol, Some("r-1"))
    );
}

#[test]
fn connections_that_fail_are_tried_again_where_that_does_nothing_twice() {
    let lost = || (0, Value::Null);
    let lists = || (200, reply(json!({"vocabulary_list": []})));
    let service = |address: SocketAddr| {
        let builder = blocking::VocabularyService::builder();
        builder
            .endpoint(format!("http://{address}/api/v1"))
            .build_blocking()
            .unwrap()
    };
    let (address, requests) = server(vec![lost(), lost(), lists()]);
    assert_eq!(service(address).list(None, 0, 10).unwrap(), []);
    assert_eq!(requests.lock().unwrap().len(), 3);
    // The first may have been done.
    let (address, requests) = server(vec![lost(), lists()]);
    let error = service(address)
        .create("fun-asr-realtime", "a", vec![word("听")])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn transcription_jobs() {
    let job = |status: &str| reply(json!({"task_id": "t-1", "task_status": status}));
    let results = json!([
        {"file_url": "https://h/a.wav", "transcription_url": "https://h/a.json", "subtask_status": "SUCCEEDED"},
        {"file_url": "https://h/b.wav", "code": "InvalidFile.DownloadFailed", "message": "no", "subtask_status": "FAILED"},
    ]);
    let done = reply(json!({"task_id": "t-1", "task_status": "SUCCEEDED", "results": results}));
    let failed = reply(
        json!({"task_id": "t-1", "task_status": "FAILED", "code": "InternalError", "message": "sorry"}),
    );
    let refused = json!({"code": "AccessDenied", "message": "no", "request_id": "r-2"});
    let (address, requests) = server(vec![
        (200, job("PENDING")),
        (200, job("PENDING")),
        (200, job("RUNNING")),
        (200, done),
        (200, job("RUNNING")),
        (200, job("RUNNING")),
        (200, failed),
        (200, json!({"request_id": "r-3"})),
        (403, refused),
    ]);
    let transcription = Transcription::builder()
        .endpoint(format!("http://{address}/api/v1"))
        .first_pause(Duration::from_millis(5))
        .build()
        .unwrap();
    let parameters = json!({"channel_id": [0], "none": null, "resources": [1]});
    let task = transcription
        .call(
            "fun-asr",
            ["https://h/a.wav", "https://h/b.wav"],
            parameters,
        )
        .await
        .unwrap();
    assert_eq!(task.status(), &TranscriptionStatus::Succeeded);
    let results = task.results();
    assert_eq!(
        results[0].transcription_url.as_deref(),
        Some("https://h/a.json")
    );
    assert_eq!(
        (results[1].code.as_deref(), &results[1].status),
        (
            Some("InvalidFile.DownloadFailed"),
            &TranscriptionStatus::Failed
        )
    );
    let error = transcription
        .wait("t-1", Duration::from_millis(2))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimeout);
    let task = transcription.fetch("t-1").await.unwrap();
    assert_eq!(
        (task.status(), task.code()),
        (&TranscriptionStatus::Failed, Some("InternalError"))
    );
    let error = transcription.fetch("t-1").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.request_id()),
        (ErrorKind::Protocol, Some("r-3"))
    );
    let error = transcription.fetch("t-1").await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    let error = transcription.fetch("../x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    let error = transcription
        .async_call("fun-asr", [""; 0], Value::Null)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);

    let requests = requests.lock().unwrap().clone();
    assert_eq!(
        requests[0].line,
        "POST /api/v1/services/audio/asr/transcription HTTP/1.1"
    );
    assert!(
        requests[0]
            .headers
            .contains("x-dashscope-async: enable\r\n")
    );
    let want = json!({
        "model": "fun-asr", "parameters": {"channel_id": [0]}, "resources": [1],
        "input": {"file_urls": ["https://h/a.wav", "https://h/b.wav"]},
    });
    assert_eq!(requests[0].body, want);
    assert_eq!(requests[1].line, "GET /api/v1/tasks/t-1 HTTP/1.1");
}
