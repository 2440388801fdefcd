//! Hotword lists over HTTP: what is asked and answered, whose they are, and what goes wrong.

use std::sync::Arc;

use serde_json::{Value, json};
use ting_store::{FILE_NAME, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{soon, start};
use crate::http::{Keeping, http, post};

/// A request with this `input`.
fn request(input: Value) -> String {
    json!({"model": "speech-biasing", "parameters": {}, "input": input}).to_string()
}

fn create(prefix: &str) -> Value {
    json!({
        "action": "create_vocabulary", "target_model": "fun-asr-realtime", "prefix": prefix,
        "vocabulary": [{"text": "吴贻弓", "weight": 4}],
    })
}

fn about(action: &str, id: &str) -> Value {
    json!({"action": action, "vocabulary_id": id})
}

/// A time such as 2026-03-02 18:07:38.
fn is_time(value: &Value) -> bool {
    let pattern = "dddd-dd-dd dd:dd:dd";
    value.as_str().is_some_and(|text| {
        text.len() == pattern.len()
            && text
                .bytes()
                .zip(pattern.bytes())
                .all(|(byte, wanted)| match wanted {
                    b'd' => byte.is_ascii_digit(),
                    other => byte == other,
                })
    })
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn a_list_is_made_listed_queried_updated_and_deleted() {
    let keeping = Keeping::start(|_| {}).await;
    // The key does not matter to a server without keys: everyone has the same account.
    let made = keeping
        .done(
            "one",
            json!({
                "action": "create_vocabulary", "target_model": "paraformer-realtime-v2", "prefix": "testpfx",
                "vocabulary": [{"text": "赛德克巴莱", "weight": 4, "lang": "zh"}, {"weight": 50, "text": "Ting"}],
            }),
        )
        .await;
    assert_eq!(keys(&made), ["vocabulary_id"]);
    let id = made["vocabulary_id"].as_str().unwrap();
    let digits = id.strip_prefix("vocab-testpfx-").unwrap();
    assert_eq!(digits.len(), 32, "{id}");

    let listed = keeping
        .done("two", json!({"action": "list_vocabulary"}))
        .await;
    assert_eq!(keys(&listed), ["vocabulary_list"]);
    let entry = &listed["vocabulary_list"][0];
    assert_eq!(
        keys(entry),
        ["gmt_create", "gmt_modified", "status", "vocabulary_id"]
    );
    assert!(
        is_time(&entry["gmt_create"]) && is_time(&entry["gmt_modified"]),
        "{entry}"
    );
    assert_eq!(
        (&entry["status"], &entry["vocabulary_id"]),
        (&json!("OK"), &json!(id))
    );

    let queried = keeping.done("three", about("query_vocabulary", id)).await;
    assert_eq!(
        keys(&queried),
        [
            "gmt_create",
            "gmt_modified",
            "status",
            "target_model",
            "vocabulary"
        ]
    );
    assert_eq!(queried["target_model"], "paraformer-realtime-v2");
    assert_eq!(queried["gmt_create"], entry["gmt_create"]);
    assert_eq!(
        queried["vocabulary"],
        json!([{"lang": "zh", "text": "赛德克巴莱", "weight": 4}, {"text": "Ting", "weight": 50}])
    );

    let mut update = about("update_vocabulary", id);
    update["vocabulary"] = json!([{"text": "other", "weight": 1}]);
    assert_eq!(keeping.done("four", update).await, json!({}));
    let queried = keeping.done("five", about("query_vocabulary", id)).await;
    assert_eq!(
        queried["vocabulary"],
        json!([{"text": "other", "weight": 1}])
    );
    assert_eq!(queried["gmt_create"], entry["gmt_create"]);

    assert_eq!(
        keeping.done("six", about("delete_vocabulary", id)).await,
        json!({})
    );
    let listed = keeping
        .done("seven", json!({"action": "list_vocabulary"}))
        .await;
    assert_eq!(listed, json!({"vocabulary_list": []}));
}

#[tokio::test]
async fn lists_are_found_by_prefix_and_page() {
    let keeping = Keeping::start(|_| {}).await;
    let mut made = Vec::new();
    for prefix in ["a", "ab", "a", "b", "a"] {
        made.push(keeping.done("", create(prefix)).await["vocabulary_id"].clone());
    }
    let cases: [(Value, &[usize]); 6] = [
        (json!({}), &[0, 1, 2, 3, 4]),
        (json!({"prefix": null}), &[0, 1, 2, 3, 4]),
        (json!({"prefix": "a"}), &[0, 2, 4]),
        (
            json!({"prefix": "a", "page_index": 1, "page_size": 2}),
            &[4],
        ),
        (json!({"page_index": 2, "page_size": 2}), &[4]),
        (json!({"prefix": "zz"}), &[]),
    ];
    let mut failures = Vec::new();
    for (mut input, want) in cases {
        input["action"] = "list_vocabulary".into();
        let listed = keeping.done("", input.clone()).await;
        let listed = listed["vocabulary_list"].as_array().unwrap();
        let got: Vec<&Value> = listed.iter().map(|entry| &entry["vocabulary_id"]).collect();
        let want: Vec<&Value> = want.iter().map(|&n| &made[n]).collect();
        if got != want {
            failures.push(format!("{input}: got {got:?}, want {want:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn what_is_wrong_is_answered_with_status_code_and_message() {
    let keeping =
        Keeping::start(|options| options.api_keys = vec!["sk-1".into(), "sk-2".into()]).await;
    let theirs = keeping
        .create("sk-2", json!([{"text": "w", "weight": 1}]))
        .await;
    let missing = "The Required resource not exist.";
    let mut update = about("update_vocabulary", &theirs);
    update["vocabulary"] = json!([{"text": "mine", "weight": 1}]);
    let mut heavy = create("p");
    heavy["vocabulary"][0]["weight"] = 9.into();
    let gone = "BadRequest.ResourceNotExist";
    let invalid = "InvalidParameter";
    let cases: [(&str, String, u16, &str, &str); 15] = [
        (
            "sk-3",
            request(create("p")),
            401,
            "InvalidApiKey",
            "Invalid API-key provided.",
        ),
        (
            "",
            request(create("p")),
            401,
            "InvalidApiKey",
            "Invalid API-key provided.",
        ),
        ("sk-1", "{".into(), 400, invalid, "The body is not JSON"),
        ("sk-1", String::new(), 400, invalid, "The body is not JSON"),
        ("sk-1", "{}".into(), 400, "BadRequest.EmptyModel", "'model'"),
        (
            "sk-1",
            r#"{"model":"speech-biasing"}"#.into(),
            400,
            "BadRequest.EmptyInput",
            "'input'",
        ),
        (
            "sk-1",
            r#"{"model":"gpt","input":{}}"#.into(),
            404,
            "Model.NotExist",
            "\"gpt\"",
        ),
        (
            "sk-1",
            request(about("rename_vocabulary", "v")),
            400,
            invalid,
            "input.action is \"rename_vocabulary\"",
        ),
        (
            "sk-1",
            request(heavy),
            400,
            invalid,
            "input.vocabulary[0].weight is 9; it must be an integer from 1 to 5, or 50.",
        ),
        (
            "sk-1",
            request(create("NO")),
            400,
            invalid,
            "input.prefix is \"NO\"",
        ),
        (
            "sk-1",
            request(about("query_vocabulary", "vocab-p-0")),
            416,
            gone,
            missing,
        ),
        // Of another account, which is no more than an id of none.
        (
            "sk-1",
            request(about("query_vocabulary", &theirs)),
            416,
            gone,
            missing,
        ),
        ("sk-1", request(update), 416, gone, missing),
        (
            "sk-1",
            request(about("delete_vocabulary", &theirs)),
            416,
            gone,
            missing,
        ),
        (
            "sk-1",
            format!("\"{}\"", "x".repeat(1 << 20)),
            413,
            invalid,
            "at most 1048576 bytes",
        ),
    ];
    let mut failures = Vec::new();
    for (key, body, status, code, says) in cases {
        let (got, answer) = keeping.post(key, &body).await;
        let message = answer["message"].as_str().unwrap_or_default();
        if keys(&answer) != ["code", "message", "request_id"]
            || (got, &answer["code"]) != (status, &json!(code))
            || !message.contains(says)
        {
            let body: String = body.chars().take(200).collect();
            failures.push(format!(
                "{key} {body}: {got} {answer}, want {status} {code} {says}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let queried = keeping
        .done("sk-2", about("query_vocabulary", &theirs))
        .await;
    assert_eq!(queried["vocabulary"][0]["text"], "w");
}

#[tokio::test]
async fn an_account_has_ten_lists() {
    let keeping =
        Keeping::start(|options| options.api_keys = vec!["sk-1".into(), "sk-2".into()]).await;
    let mut made = Vec::new();
    for _ in 0..10 {
        made.push(keeping.done("sk-1", create("p")).await["vocabulary_id"].clone());
    }
    let (status, answer) = keeping.post("sk-1", &request(create("p"))).await;
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("Throttling.AllocationQuota"))
    );
    assert_eq!(answer["message"], "Free allocated quota exceeded.");
    keeping.done("sk-2", create("p")).await;
    let listed = keeping
        .done("sk-2", json!({"action": "list_vocabulary"}))
        .await;
    assert_eq!(listed["vocabulary_list"].as_array().unwrap().len(), 1);
    keeping
        .done(
            "sk-1",
            about("delete_vocabulary", made[0].as_str().unwrap()),
        )
        .await;
    keeping.done("sk-1", create("p")).await;
}

#[tokio::test]
async fn lists_outlive_the_server_and_belong_to_keys() {
    let keeping = Keeping::start(|options| options.api_keys = vec!["sk-1".into()]).await;
    let id = keeping
        .create("sk-1", json!([{"text": "kept", "weight": 2}]))
        .await;
    let Keeping { mut server, folder } = keeping;
    server.stop();
    soon("the end of the server", &mut server.serving)
        .await
        .unwrap();

    let store = Arc::new(Store::new(folder.path()));
    let server = start(|options| {
        options.api_keys = vec!["sk-2".into(), "sk-1".into()];
        options.store = Some(store);
    })
    .await;
    let again = Keeping { server, folder };
    let queried = again.done("sk-1", about("query_vocabulary", &id)).await;
    assert_eq!(
        queried["vocabulary"],
        json!([{"text": "kept", "weight": 2}])
    );
    let (status, _) = again
        .post("sk-2", &request(about("query_vocabulary", &id)))
        .await;
    assert_eq!(status, 416);
}

#[tokio::test]
async fn a_server_that_cannot_keep_lists_says_so_and_serves_all_else() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, "").unwrap();
    let damaged = tempfile::tempdir().unwrap();
    std::fs::write(damaged.path().join(FILE_NAME), "no database at all").unwrap();
    let stores = [
        ("none", None),
        ("below a file", Some(Store::new(&file.join("below")))),
        ("damaged", Some(Store::new(damaged.path()))),
    ];
    for (what, store) in stores {
        let server = start(|options| options.store = store.map(Arc::new)).await;
        let (status, answer) = post(&server, "", request(create("p")).as_bytes()).await;
        assert_eq!(
            (status, &answer["code"]),
            (500, &json!("InternalError")),
            "{what}"
        );
        let message = answer["message"].as_str().unwrap();
        // Where the server keeps its files is not for its clients.
        assert!(
            message.contains("hotword lists") && !message.contains('/'),
            "{what}: {message}"
        );
        server.assert_serves(what).await;
    }
}

#[tokio::test]
async fn a_data_file_that_is_held_for_long_holds_up_nobody_else() {
    let keeping = Keeping::start(|_| {}).await;
    keeping.done("", create("p")).await;
    let holder = rusqlite::Connection::open(keeping.folder.path().join(FILE_NAME)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = request(create("p"));
    let waiting = async { keeping.post("", &body).await };
    let others = async {
        // Reading needs no turn at the file, and tasks do not need it at all.
        let listed = keeping.done("", json!({"action": "list_vocabulary"})).await;
        assert_eq!(listed["vocabulary_list"].as_array().unwrap().len(), 1);
        keeping
            .server
            .assert_serves("waiting for the data file")
            .await;
    };
    let ((status, answer), ()) = tokio::join!(waiting, others);
    assert_eq!(
        (status, &answer["code"]),
        (503, &json!("ServiceUnavailable")),
        "{answer}"
    );
    holder.execute_batch("ROLLBACK").unwrap();
    keeping.done("", create("p")).await;
}

#[tokio::test]
async fn bodies_that_do_not_come_or_do_not_end_are_given_up() {
    let keeping = Keeping::start(|options| {
        options.timeouts.http_body = std::time::Duration::from_millis(300)
    })
    .await;
    let address = &keeping.server.address;
    let head = "POST /api/v1/services/audio/asr/customization HTTP/1.1\r\nContent-Length: 100";
    let answer = http(address, head, b"{").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""code":"RequestTimeOut""#), "{answer}");

    // Of a body without end some is taken, so that the client sees the answer, and then the connection ends.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /api/v1/services/audio/asr/customization HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n", vec![b' '; 0x10000].as_slice(), b"\r\n"].concat();
    let mut sent = 0;
    soon("the end of the connection", async {
        while stream.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
            assert!(sent < 1 << 30, "everything is taken");
        }
    })
    .await;
    // What the answer was is lost if the connection was reset first; that the server is well is not.
    let _ = stream.read(&mut [0; 64]).await;
    keeping.done("", create("p")).await;
}
