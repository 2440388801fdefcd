//! Tasks from run-task to their end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use ting_engine::{Language, WordFilter};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{
    Client, control, error, eventually, finals, id, name, run_task, run_with, soon, start,
};
use crate::scripted::{SENTENCE, STEP};

#[tokio::test]
async fn a_task_has_partials_finals_and_one_end() {
    let server = start(|_| {}).await;
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    client.audio(&vec![7; SENTENCE + 2 * STEP + 100]).await;
    client.finish("t").await;
    let events = client.until_terminal().await;
    let told: Vec<(u64, bool, String)> = events[..events.len() - 1]
        .iter()
        .map(|event| {
            let sentence = &event["payload"]["output"]["sentence"];
            let last = sentence["sentence_end"].as_bool().unwrap();
            let number = sentence["sentence_id"].as_u64().unwrap();
            (number, last, sentence["text"].as_str().unwrap().to_owned())
        })
        .collect();
    let partials = (1..10).map(|step| (1, false, format!("bytes {}.", step * STEP)));
    let mut want: Vec<(u64, bool, String)> = partials.collect();
    want.push((1, true, "bytes 32000.".to_owned()));
    want.push((2, false, "bytes 35200.".to_owned()));
    want.push((2, false, "bytes 38400.".to_owned()));
    want.push((2, true, "bytes 38500.".to_owned()));
    assert_eq!(told, want);
    let last = &events[events.len() - 2]["payload"];
    assert_eq!(
        last.to_string(),
        r#"{"output":{"sentence":{"begin_time":1000,"end_time":1203,"heartbeat":false,"sentence_begin":false,"sentence_end":true,"sentence_id":2,"text":"bytes 38500.","words":[{"begin_time":1000,"end_time":1203,"punctuation":".","text":"bytes 38500"}]}},"usage":{"duration":2}}"#
    );
    assert_eq!(name(&events[events.len() - 1]), "task-finished");
}

#[tokio::test]
async fn the_task_id_comes_back_byte_for_byte() {
    let server = start(|_| {}).await;
    let long = "x".repeat(1024);
    for task_id in [
        "2801b97e9b544bedad068d341fe336e7",
        "2bf83b9a-baeb-4fda-8d9a-0123456789ab",
        " 任务 \"\\\n\u{1}\u{1f600}",
        &long,
    ] {
        let mut client = server.client().await;
        client.run(task_id, "pcm").await;
        client.audio(&vec![7; SENTENCE]).await;
        client.finish(task_id).await;
        for event in client.until_terminal().await {
            assert_eq!(id(&event), task_id);
        }
    }
}

#[tokio::test]
async fn a_socket_serves_task_after_task() {
    let server = start(|_| {}).await;
    let mut client = server.client().await;
    for task_id in ["a", "b", "c"] {
        client.run(task_id, "pcm").await;
        client.audio(&vec![7; 2 * SENTENCE]).await;
        client.finish(task_id).await;
        let events = client.until_terminal().await;
        let finals = finals(&events);
        let numbers: Vec<&Value> = finals
            .iter()
            .map(|sentence| &sentence["sentence_id"])
            .collect();
        assert_eq!(numbers, [1, 2], "ids count from 1 in each task");
        assert_eq!(
            finals[0]["begin_time"], 0,
            "times count from the task's first sample"
        );
        // Late bytes and a repeated finish-task are not the next task's.
        client.audio(&[1; 100]).await;
        client.finish(task_id).await;
        client.text(control("continue-task", task_id)).await;
    }
    assert_eq!(server.script.open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn clients_need_not_wait_for_task_started() {
    let server = start(|_| {}).await;
    let mut client = server.client().await;
    client.audio(&[1; 1000]).await;
    client.audio(&[]).await;
    client.send_run("t", "pcm").await;
    client.audio(&vec![7; SENTENCE]).await;
    client.finish("t").await;
    let events = client.until_terminal().await;
    assert_eq!(name(&events[0]), "task-started");
    let texts: Vec<&Value> = finals(&events)
        .iter()
        .map(|sentence| &sentence["text"])
        .collect();
    assert_eq!(
        texts,
        ["bytes 32000."],
        "bytes before run-task do not count"
    );
}

#[tokio::test]
async fn a_task_without_audio_finishes_without_a_sentence() {
    let server = start(|_| {}).await;
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    client.audio(&[]).await;
    client.finish("t").await;
    client.finish("t").await;
    assert_eq!(client.until_terminal().await.len(), 1);
    client.run("u", "pcm").await;
}

#[tokio::test]
async fn frames_may_be_cut_anywhere() {
    let server = start(|_| {}).await;
    let bytes = vec![7; SENTENCE + 5 * STEP + 1];
    let mut first: Option<Vec<Value>> = None;
    for size in [1, 7, 3_200, 12_800, 65_536] {
        let mut client = server.client().await;
        client.run("t", "pcm").await;
        for frame in bytes.chunks(size) {
            client
                .socket
                .feed(Message::binary(frame.to_vec()))
                .await
                .unwrap();
            if size > 1 {
                client
                    .socket
                    .feed(Message::binary(Vec::new()))
                    .await
                    .unwrap();
            }
        }
        client.socket.flush().await.unwrap();
        client.finish("t").await;
        let events = client.until_terminal().await;
        let finals: Vec<Value> = finals(&events).into_iter().cloned().collect();
        let want = first.get_or_insert_with(|| finals.clone());
        assert_eq!(&finals, want, "frames of {size} bytes");
    }
}

#[tokio::test]
async fn a_long_file_comes_as_fast_as_tcp_allows() {
    let server = start(|_| {}).await;
    let client = server.client().await;
    let (mut sink, mut stream) = client.socket.split();
    let size = 40_000_000;
    let sending = tokio::spawn(async move {
        sink.send(Message::text(run_task("t", "pcm")))
            .await
            .unwrap();
        for _ in 0..size / 12_800 {
            sink.send(Message::binary(vec![7; 12_800])).await.unwrap();
        }
        sink.send(Message::Ping("still there?".into()))
            .await
            .unwrap();
        sink.send(Message::text(control("finish-task", "t")))
            .await
            .unwrap();
        sink
    });
    let (mut finals, mut ponged) = (0, false);
    loop {
        match soon("the end of a long file", stream.next())
            .await
            .unwrap()
            .unwrap()
        {
            Message::Text(text) if text.contains("task-finished") => break,
            Message::Text(text) => finals += usize::from(text.contains(r#""sentence_end":true"#)),
            Message::Pong(_) => ponged = true,
            _ => {}
        }
    }
    assert_eq!(finals, size / SENTENCE);
    assert!(ponged, "a ping among the audio is answered");
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_slow_reader_loses_no_final_and_holds_nothing_up() {
    let server = start(|_| {}).await;
    // Texts large enough to fill the buffers of TCP many times over.
    server.script.padding.store(100_000, Ordering::SeqCst);
    let mut client = server.client().await;
    client.send_run("t", "pcm").await;
    client.audio(&vec![7; 100 * SENTENCE]).await;
    client.finish("t").await;
    eventually("the session ends though nobody reads", || {
        server.script.open.load(Ordering::SeqCst) == 0
            && server.script.received.load(Ordering::SeqCst) == 100 * SENTENCE
    })
    .await;
    let events = client.until_terminal().await;
    assert_eq!(finals(&events).len(), 100);
    assert!(
        events.len() < 1000,
        "{} events: partials were dropped",
        events.len()
    );
}

#[tokio::test]
async fn a_full_session_stops_reading_until_it_has_room() {
    let server = start(|options| {
        options.timeouts.idle_audio = Duration::from_millis(300);
        options.timeouts.peer_lost = Duration::from_millis(400);
    })
    .await;
    server.script.full.store(true, Ordering::SeqCst);
    let mut client = server.client().await;
    client.run("t", "pcm").await;
    client.audio(&[7; 1000]).await;
    client.finish("t").await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(
        server.script.received.load(Ordering::SeqCst),
        0,
        "nothing is read"
    );
    server.script.full.store(false, Ordering::SeqCst);
    let events = client.until_terminal().await;
    assert_eq!(
        finals(&events).len(),
        1,
        "and no timeout was counted: {events:?}"
    );
}

#[tokio::test]
async fn parameters_reach_the_recogniser() {
    let server = start(|_| {}).await;
    let mut client = server.client().await;
    let parameters = r#"{"format":"pcm","sample_rate":8000,"max_sentence_silence":200,
        "speech_noise_threshold":-0.5,"language_hints":["ja","zh"],"vocabulary_id":null,
        "stream":true,"disfluency_removal_enabled":false,"unheard_of":{"a":[1]},"heartbeat":true,
        "punctuation_prediction_enabled":false,"semantic_punctuation_enabled":true,"multi_threshold_mode_enabled":true,"inverse_text_normalization_enabled":false,
        "special_word_filter":"{\"filter_with_signed\":{\"word_list\":[\"测试\"]}}"}"#;
    client.text(run_with("t", parameters)).await;
    client.finish("t").await;
    assert_eq!(client.until_terminal().await.len(), 2);
    let options = server.script.options.lock().unwrap().clone().unwrap();
    assert_eq!(options.sample_rate, 8000);
    assert_eq!(options.max_sentence_silence_ms, 200);
    assert_eq!(options.speech_noise_threshold, -0.5);
    assert_eq!(options.languages, [Language::Japanese, Language::Chinese]);
    assert!(!options.punctuation);
    assert!(options.semantic && options.multi_threshold);
    assert_eq!(options.word_filter, WordFilter::new(&["测试"], &[]));
    assert!(!options.inverse_text_normalization);
    assert!(!options.disfluency_removal);
    client.run("u", "opus").await;
    let options = server.script.options.lock().unwrap().clone().unwrap();
    assert_eq!(options.format, ting_audio::Format::Opus);
    assert_eq!(options.max_sentence_silence_ms, 1300);
    assert!(options.punctuation);
    assert!(!options.semantic && !options.multi_threshold);
    assert!(options.word_filter.is_empty());
    assert!(options.inverse_text_normalization);
    let parameters = r#"{"format":"pcm","sample_rate":8000,"disfluency_removal_enabled":true}"#;
    client.finish("u").await;
    client.until_terminal().await;
    client.text(run_with("v", parameters)).await;
    client.finish("v").await;
    client.until_terminal().await;
    let options = server.script.options.lock().unwrap().clone().unwrap();
    assert!(options.disfluency_removal);
}

#[tokio::test]
async fn continue_task_may_come_between_frames() {
    let server = start(|_| {}).await;
    let mut client = server.client().await;
    let run = r#"{"header":{"action":"run-task","task_id":"t"},"payload":{"model":"fun-asr-realtime",
        "parameters":{"format":"pcm","sample_rate":16000},
        "input":{"context":[{"role":"assistant","content":[{"type":"text","text":"before"}]}]}}}"#;
    client.text(run).await;
    client.audio(&[7; 16_000]).await;
    let context = |input: &str| {
        let header = r#"{"streaming":"duplex","task_id":"t","action":"continue-task"}"#;
        format!(r#"{{"header":{header},"payload":{{"input":{input}}}}}"#)
    };
    let message = r#"{"role":"user","content":[{"type":"input_text","text":"Ting"}]}"#;
    client
        .text(context(&format!(r#"{{"context":[{message}]}}"#)))
        .await;
    client.audio(&[7; 16_000]).await;
    // Without a context the one before stays; an empty one takes it away.
    client.text(context("{}")).await;
    client.text(context(r#"{"context":[]}"#)).await;
    client.finish("t").await;
    let events = client.until_terminal().await;
    let options = server.script.options.lock().unwrap().clone().unwrap();
    assert_eq!(options.context, ["before"]);
    let contexts = server.script.contexts.lock().unwrap().clone();
    assert_eq!(
        contexts,
        [(16_000, vec!["Ting".to_owned()]), (32_000, vec![])]
    );
    assert_eq!(finals(&events)[0]["text"], "bytes 32000.");
}

#[tokio::test]
async fn faults_of_the_recogniser_fail_the_task() {
    struct Case {
        name: &'static str,
        format: &'static str,
        busy: bool,
        breaks: bool,
        code: &'static str,
        says: &'static str,
    }
    let case = |name, format, busy, breaks, code, says| Case {
        name,
        format,
        busy,
        breaks,
        code,
        says,
    };
    let cases = [
        case(
            "no capacity",
            "pcm",
            true,
            false,
            "Throttling",
            "2 of 2 sessions",
        ),
        case(
            "its thread died",
            "pcm",
            false,
            true,
            "InternalError",
            "start a new task",
        ),
        case(
            "not RIFF",
            "wav",
            false,
            false,
            "UNSUPPORTED_FORMAT",
            "payload.parameters.format",
        ),
    ];
    for case in cases {
        let server = start(|_| {}).await;
        server.script.busy.store(case.busy, Ordering::SeqCst);
        server.script.breaks.store(case.breaks, Ordering::SeqCst);
        let mut client = Client::connect(&server.url(), None).await.unwrap();
        client.send_run("t", case.format).await;
        client.audio(&[7; 10]).await;
        let (events, code) = client.until_closed().await;
        let (got, message) = error(events.last().unwrap());
        assert_eq!((got, code), (case.code, Some(1000)), "{}", case.name);
        assert!(message.contains(case.says), "{}: {message}", case.name);
        eventually("the session is dropped", || {
            server.script.open.load(Ordering::SeqCst) == 0
        })
        .await;
    }
}
