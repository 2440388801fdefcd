//! Hotword lists in tasks: which words reach the recogniser, and what happens when a list does not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use ting_engine::{Hotword, Language};
use ting_server::ServerOptions;
use ting_store::{FILE_NAME, Store};

use crate::client::{Client, Running, error, name, soon, start};
use crate::http::{Keeping, http};
use crate::scripted::STEP;

/// A run-task of `model` with these extras.
fn run(model: &str, vocabulary_id: Value, resources: Value) -> String {
    json!({
        "header": {"action": "run-task", "task_id": "t", "streaming": "duplex"},
        "payload": {
            "task_group": "audio", "task": "asr", "function": "recognition", "model": model,
            "parameters": {"format": "pcm", "sample_rate": 16000, "vocabulary_id": vocabulary_id},
            "input": {}, "resources": resources,
        },
    })
    .to_string()
}

fn word(text: &str, weight: u8, language: Option<Language>) -> Hotword {
    Hotword {
        text: text.to_owned(),
        weight,
        language,
    }
}

/// Runs a task; the words it was opened with, or its error.
async fn task(server: &Running, key: &str, run: String) -> Result<Vec<Hotword>, (String, String)> {
    *server.script.options.lock().unwrap() = None;
    let mut client = Client::connect(&server.url(), Some(key)).await.unwrap();
    client.text(run).await;
    // At once, as some clients do: what comes while the list is read must not be lost.
    client.audio(&[7; STEP]).await;
    client.finish("t").await;
    let events = client.until_terminal().await;
    let last = &events[events.len() - 1];
    if name(last) == "task-failed" {
        let (code, message) = error(last);
        assert_eq!(events.len(), 1, "{events:?}");
        return Err((code.to_owned(), message.to_owned()));
    }
    let text = &events[1]["payload"]["output"]["sentence"]["text"];
    assert_eq!(text, "bytes 3200.", "{events:?}");
    Ok(server
        .script
        .options
        .lock()
        .unwrap()
        .take()
        .unwrap()
        .hotwords)
}

#[tokio::test]
async fn the_words_of_a_list_reach_the_recogniser() {
    let keeping =
        Keeping::start(|options| options.api_keys = vec!["sk-1".into(), "sk-2".into()]).await;
    let first = keeping
        .create(
            "sk-1",
            json!([
                {"text": "吴贻弓", "weight": 5, "lang": "zh"}, {"text": " Ting ", "weight": 50},
                {"text": "Kim", "weight": 1, "lang": "ko"}, {"text": "Ting", "weight": 1},
            ]),
        )
        .await;
    let first_words = [
        word("吴贻弓", 5, Some(Language::Chinese)),
        word("Ting", 50, None),
        word("Kim", 1, None),
    ];
    let second = keeping
        .create(
            "sk-1",
            json!([{"text": "b", "weight": 2, "lang": "en"}, {"text": "Kim", "weight": 3}]),
        )
        .await;
    let second_words = [word("b", 2, Some(Language::English)), word("Kim", 3, None)];
    let both = [&first_words[..], &second_words[..1]].concat();
    let theirs = keeping
        .create("sk-2", json!([{"text": "theirs", "weight": 1}]))
        .await;
    let phrase = |id: &str, kind: &str| json!([{"resource_id": id, "resource_type": kind}]);
    let (none, realtime) = (Value::Null, "fun-asr-realtime");
    let cases: Vec<(&str, String, &[Hotword])> = vec![
        ("no list", run(realtime, none.clone(), none.clone()), &[]),
        ("an empty id", run(realtime, json!(""), json!([])), &[]),
        (
            "vocabulary_id",
            run(realtime, json!(first), none.clone()),
            &first_words,
        ),
        // All models here are one, so a list made for another has its words all the same.
        (
            "another model",
            run("paraformer-realtime-v2", json!(first), none.clone()),
            &first_words,
        ),
        (
            "phrase_id",
            run(realtime, none.clone(), phrase(&second, "asr_phrase")),
            &second_words,
        ),
        (
            "a resource without type",
            run(realtime, none.clone(), json!([{"resource_id": second}])),
            &second_words,
        ),
        (
            "a resource of another type",
            run(realtime, none.clone(), phrase(&second, "video")),
            &[],
        ),
        (
            "an old phrase id",
            run(realtime, none.clone(), phrase("p1", "asr_phrase")),
            &[],
        ),
        (
            "both",
            run(realtime, json!(first), phrase(&second, "asr_phrase")),
            &both,
        ),
        (
            "the same twice",
            run(realtime, json!(first), phrase(&first, "asr_phrase")),
            &first_words,
        ),
        (
            "an unknown id",
            run(realtime, json!("vocab-no-such"), none.clone()),
            &[],
        ),
        (
            "an unknown id and a known one",
            run(realtime, json!("vocab-no"), phrase(&second, "asr_phrase")),
            &second_words,
        ),
        (
            "another account's",
            run(realtime, json!(theirs), none.clone()),
            &[],
        ),
    ];
    let mut failures = Vec::new();
    for (what, run, want) in cases {
        let got = task(&keeping.server, "Bearer sk-1", run).await;
        if got.as_deref() != Ok(want) {
            failures.push(format!("{what}: got {got:?}, want {want:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn a_task_keeps_the_words_it_began_with() {
    let keeping = Keeping::start(|_| {}).await;
    let id = keeping
        .create("", json!([{"text": "old", "weight": 1}]))
        .await;
    let mut client = keeping.server.client().await;
    client
        .text(run("fun-asr-realtime", json!(id), Value::Null))
        .await;
    assert_eq!(name(&client.event().await), "task-started");
    let update = json!({
        "action": "update_vocabulary", "vocabulary_id": id, "vocabulary": [{"text": "new", "weight": 1}],
    });
    keeping.done("", update).await;
    // The recogniser is told once, when the task begins.
    let words = keeping
        .server
        .script
        .options
        .lock()
        .unwrap()
        .clone()
        .unwrap()
        .hotwords;
    assert_eq!(words, [word("old", 1, None)]);
    keeping
        .done(
            "",
            json!({"action": "delete_vocabulary", "vocabulary_id": id}),
        )
        .await;
    client.audio(&[7; STEP]).await;
    client.finish("t").await;
    assert_eq!(
        name(client.until_terminal().await.last().unwrap()),
        "task-finished"
    );
}

#[tokio::test]
async fn a_list_that_is_not_there_fails_the_task_where_that_is_wanted() {
    let keeping = Keeping::start(|options| options.strict_vocabulary = true).await;
    let id = keeping
        .create("", json!([{"text": "w", "weight": 1}]))
        .await;
    let words = task(
        &keeping.server,
        "k",
        run("fun-asr-realtime", json!(id), Value::Null),
    )
    .await;
    assert_eq!(words.unwrap(), [word("w", 1, None)]);
    let failed = task(
        &keeping.server,
        "k",
        run("fun-asr-realtime", json!("vocab-no"), Value::Null),
    )
    .await;
    let (code, message) = failed.unwrap_err();
    assert_eq!(code, "InvalidParameter");
    assert!(
        message.contains("payload.parameters.vocabulary_id") && message.contains("\"vocab-no\""),
        "{message}"
    );
    keeping.server.assert_serves("an unknown list").await;

    for strict in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "no database at all").unwrap();
        let server = start(|options| {
            options.strict_vocabulary = strict;
            options.store = Some(Arc::new(Store::new(folder.path())));
        })
        .await;
        let done = task(
            &server,
            "k",
            run("fun-asr-realtime", json!(id), Value::Null),
        )
        .await;
        match done {
            Ok(words) => assert!(!strict && words.is_empty(), "{words:?}"),
            Err((code, _)) => assert_eq!((code.as_str(), strict), ("InternalError", true)),
        }
    }
}

#[tokio::test]
async fn a_task_has_no_more_lists_and_words_than_it_may() {
    let keeping = Keeping::start(|_| {}).await;
    let words = |list: usize| -> Value {
        (0..500)
            .map(|n| json!({"text": format!("w {list} {n}"), "weight": 1}))
            .collect()
    };
    let mut resources = Vec::new();
    for list in 0..3 {
        let id = keeping.create("", words(list)).await;
        resources.push(json!({"resource_id": id, "resource_type": "asr_phrase"}));
    }
    let run = |resources: &[Value]| run("fun-asr-realtime", Value::Null, json!(resources));
    let done = task(&keeping.server, "", run(&resources[..2])).await;
    assert_eq!(done.unwrap().len(), 1000);
    let many: Vec<Value> = (0..11)
        .map(|n| json!({"resource_id": format!("vocab-{n}")}))
        .collect();
    for (resources, says) in [
        (&resources[..], "1500 words"),
        (&many[..], "they may name 10 together"),
    ] {
        let (code, message) = task(&keeping.server, "", run(resources)).await.unwrap_err();
        assert_eq!(code, "InvalidParameter");
        assert!(
            message.contains("payload.resources") && message.contains(says),
            "{message}"
        );
    }
}

/// A server whose data file nobody can read for the time being, and the id of a list in it.
async fn held(set: impl FnOnce(&mut ServerOptions)) -> (Keeping, String, rusqlite::Connection) {
    let folder = tempfile::tempdir().unwrap();
    let holder =
        Keeping::start(|options| options.store = Some(Arc::new(Store::new(folder.path())))).await;
    let id = holder.create("", json!([{"text": "w", "weight": 1}])).await;
    let Keeping { mut server, .. } = holder;
    // Its connections are closed with it: the file is to be had as a whole.
    server.stop();
    soon("the end of the server", &mut server.serving)
        .await
        .unwrap();
    let connection = rusqlite::Connection::open(folder.path().join(FILE_NAME)).unwrap();
    connection
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .unwrap();
    let server = start(|options| {
        options.store = Some(Arc::new(Store::new(folder.path())));
        set(options);
    })
    .await;
    (Keeping { server, folder }, id, connection)
}

#[tokio::test]
async fn a_data_file_that_takes_too_long_does_not_hold_a_task() {
    for strict in [false, true] {
        let (keeping, id, _connection) = held(|options| {
            options.strict_vocabulary = strict;
            options.timeouts.vocabulary = Duration::from_millis(50);
        })
        .await;
        let done = task(
            &keeping.server,
            "",
            run("fun-asr-realtime", json!(id), Value::Null),
        )
        .await;
        match done {
            Ok(words) => assert!(!strict && words.is_empty(), "{words:?}"),
            Err((code, _)) => assert_eq!((code.as_str(), strict), ("InternalError", true)),
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_fails_tasks_that_wait_for_their_list() {
    let (mut keeping, id, _connection) = held(|_| {}).await;
    let mut client = keeping.server.client().await;
    client
        .text(run("fun-asr-realtime", json!(id), Value::Null))
        .await;
    // It counts as a task from when it was read.
    let address = keeping.server.address.clone();
    soon("the task is counted", async {
        while !http(&address, "GET /healthz HTTP/1.1", b"")
            .await
            .contains(r#""tasks":1"#)
        {}
    })
    .await;
    keeping.server.stop();
    let (events, code) = client.until_closed().await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(error(&events[0]).0, "SystemError");
    assert_eq!(code, Some(1000));
}
