//! Ends that are not the usual ones: panics, dropped objects, runtimes that are gone.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use ting_client::{
    Error, ErrorKind, Recognition, RecognitionCallback, RecognitionResult, blocking,
};

use crate::life_cycle::builder;
use crate::recorder::Recorder;
use crate::script::{Server, Step, failed, finished, partial, started, well};

#[test]
fn a_panic_in_a_callback_hangs_nobody() {
    struct Panics(Recorder, &'static str);
    impl Panics {
        fn add(&self, name: &str) {
            self.0.add(name);
            assert!(!self.1.contains(name), "on purpose");
        }
    }
    impl RecognitionCallback for Panics {
        fn on_open(&mut self) {
            self.add("open");
        }
        fn on_event(&mut self, _: &RecognitionResult) {
            self.add("event");
        }
        fn on_complete(&mut self) {
            self.add("complete");
        }
        fn on_error(&mut self, _: &Error) {
            self.add("error");
        }
        fn on_close(&mut self) {
            self.add("close");
        }
    }
    let fails = vec![
        Step::Run,
        started(),
        Step::Finish,
        failed("InternalError", "sorry"),
    ];
    for (where_, script, want) in [
        (
            "open",
            well(),
            ["open", "event", "complete", "close"].as_slice(),
        ),
        ("event", well(), &["open", "event", "complete", "close"]),
        (
            "complete close",
            well(),
            &["open", "event", "complete", "close"],
        ),
        ("error", fails, &["open", "error", "close"]),
    ] {
        let server = Server::start(vec![script]);
        let recognition = builder(&server).build_blocking().unwrap();
        let recorder = Recorder::default();
        recognition.start(Panics(recorder.clone(), where_)).unwrap();
        recognition.send_audio_frame(vec![0; 2]).unwrap();
        recognition.stop().unwrap();
        assert_eq!(recorder.lines(), want, "{where_}");
    }
}

#[test]
fn dropping_a_running_recognition_ends_its_task() {
    let silent = || {
        vec![
            Step::Run,
            started(),
            Step::Audio(2),
            partial(1, "好"),
            Step::Silence,
        ]
    };
    let starting = || vec![Step::Run, Step::Silence];
    for (name, script) in [
        ("running", silent()),
        ("starting", starting()),
        ("connecting", vec![Step::Mute]),
    ] {
        let server = Server::start(vec![script]);
        let recognition = builder(&server).build_blocking().unwrap();
        let recorder = Recorder::default();
        recognition.start(recorder.clone()).unwrap();
        recognition.send_audio_frame(vec![0; 2]).unwrap();
        match name {
            "running" => recorder.wait_for("partial 好"),
            "starting" => drop(server.wait_for(|seen| seen.texts.len() == 1)),
            _ => {}
        }
        drop(recognition);
        recorder.wait_for("close");
        let lines = recorder.lines();
        assert_eq!(lines[lines.len() - 2..], ["error State", "close"], "{name}");
        if name != "connecting" {
            server.wait_for(|seen| seen.closed);
        }
    }
}

#[test]
fn a_second_start_is_refused_and_harms_nothing() {
    let server = Server::start(vec![well()]);
    let recognition = builder(&server).build_blocking().unwrap();
    let error = recognition.send_audio_frame(vec![0; 2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert_eq!(recognition.stop().unwrap_err().kind(), ErrorKind::State);
    let recorder = Recorder::default();
    recognition.start(recorder.clone()).unwrap();
    let error = recognition.start(Recorder::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    let error = recognition.call_bytes(vec![0; 2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    recognition.send_audio_frame(vec![0; 2]).unwrap();
    recognition.stop().unwrap();
    assert_eq!(
        recorder.lines(),
        ["open", "final 好。", "complete", "close"]
    );
}

#[test]
fn the_next_task_may_start_in_the_callback() {
    struct Again(Arc<blocking::Recognition>, Recorder);
    impl RecognitionCallback for Again {
        fn on_complete(&mut self) {
            self.0.start(self.1.clone()).unwrap();
            self.0.send_audio_frame(vec![0; 2]).unwrap();
        }
    }
    let server = Server::start(vec![well()]);
    let recognition = Arc::new(builder(&server).build_blocking().unwrap());
    let recorder = Recorder::default();
    recognition
        .start(Again(recognition.clone(), recorder.clone()))
        .unwrap();
    recognition.send_audio_frame(vec![0; 2]).unwrap();
    recognition.stop().unwrap();
    recognition.stop().unwrap();
    assert_eq!(
        recorder.lines(),
        ["open", "final 好。", "complete", "close"]
    );
}

#[test]
fn contexts_keep_their_place_in_the_audio() {
    let server = Server::start(vec![vec![
        Step::Run,
        started(),
        Step::Audio(2),
        Step::Continue,
        Step::Finish,
        finished(),
    ]]);
    let message =
        |text: &str| json!({"role": "user", "content": [{"type": "input_text", "text": text}]});
    let recognition = builder(&server)
        .context(vec![message("before")])
        .phrase_id("p-1")
        .build_blocking()
        .unwrap();
    assert_eq!(
        recognition
            .update_context(vec![message("x")])
            .unwrap_err()
            .kind(),
        ErrorKind::State
    );
    recognition.start(Recorder::default()).unwrap();
    recognition.send_audio_frame(vec![1; 2]).unwrap();
    let error = recognition.update_context(vec![]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    recognition.update_context(vec![message("after")]).unwrap();
    recognition.stop().unwrap();
    let seen = server.wait_for(|seen| seen.closed);
    assert_eq!(seen.actions(), ["run-task", "continue-task", "finish-task"]);
    assert_eq!(
        seen.texts[0]["payload"]["input"],
        json!({"context": [message("before")]})
    );
    let resource = json!([{"resource_id": "p-1", "resource_type": "asr_phrase"}]);
    assert_eq!(seen.texts[0]["payload"]["resources"], resource);
    assert_eq!(
        seen.texts[1]["payload"],
        json!({"input": {"context": [message("after")]}})
    );
}

#[tokio::test]
async fn the_async_form() {
    let server = Server::start(vec![well()]);
    let recognition = Recognition::builder("fun-asr-realtime")
        .endpoint(server.url())
        .build()
        .unwrap();
    assert_eq!(
        recognition.call_bytes(vec![0; 2]).await.unwrap().text(),
        "好。"
    );

    let recorder = Recorder::default();
    recognition.start(recorder.clone()).await.unwrap();
    recognition.send_audio_frame_wait(vec![0; 2]).await.unwrap();
    recognition.stop().await.unwrap();
    assert_eq!(
        recorder.lines(),
        ["open", "final 好。", "complete", "close"]
    );

    let mut results = recognition.start_stream().await.unwrap();
    recognition.send_audio_frame(vec![0; 2]).unwrap();
    assert_eq!(results.next().await.unwrap().unwrap().text(), "好。");
    assert!(recognition.is_running());
    recognition.stop().await.unwrap();
    assert!(!recognition.is_running());
    assert!(results.next().await.is_none() && results.next().await.is_none());

    // The blocking form holds the thread here, but works.
    let same = builder(&server).build_blocking().unwrap();
    assert_eq!(same.call_bytes(vec![0; 2]).unwrap().text(), "好。");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_ends_its_task() {
    let server = Server::start(vec![vec![Step::Run, started(), Step::Silence], well()]);
    let recognition = builder(&server).build().unwrap();
    let runs = async {
        while server
            .seen()
            .last()
            .is_none_or(|seen| seen.texts.is_empty())
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        result = recognition.call_bytes(vec![0; 2]) => panic!("{result:?}"),
        () = runs => {}
    }
    server.wait_for(|seen| seen.closed);
    // The object knows of it at once or a little later.
    while recognition.is_running() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        recognition.call_bytes(vec![0; 2]).await.unwrap().text(),
        "好。"
    );
}

#[test]
fn without_a_runtime_and_when_the_runtime_goes() {
    let server = Server::start(vec![well()]);
    let recognition = builder(&server).build().unwrap();
    // An executor that is not tokio's.
    let text = futures_executor(recognition.call_bytes(vec![0; 2]))
        .unwrap()
        .text();
    assert_eq!(text, "好。");

    let server = Server::start(vec![vec![Step::Run, started(), Step::Silence]]);
    let recognition = builder(&server).build().unwrap();
    let recorder = Recorder::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(recognition.start(recorder.clone()))
        .unwrap();
    server.wait_for(|seen| seen.texts.len() == 1);
    drop(runtime);
    recorder.wait_for("close");
    assert_eq!(recorder.lines(), ["open", "error State", "close"]);
}

/// The smallest executor.
fn futures_executor<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
