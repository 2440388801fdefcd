//! Tasks against a server that keeps the protocol.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use ting_client::{AudioFormat, ErrorKind, RecognitionBuilder, blocking};

use crate::recorder::Recorder;
use crate::script::{Server, Step, final_, finished, partial, started};

pub(crate) fn builder(server: &Server) -> RecognitionBuilder {
    blocking::Recognition::builder("fun-asr-realtime")
        .endpoint(server.url())
        .api_key("sk-test")
}

/// A task of two sentences.
fn well() -> Vec<Step> {
    vec![
        Step::Run,
        started(),
        Step::Audio(3200),
        partial(1, "你好"),
        final_(1, "你好。"),
        Step::Finish,
        final_(2, "再见。"),
        finished(),
    ]
}

const WELL: [&str; 6] = [
    "open",
    "partial 你好",
    "final 你好。",
    "final 再见。",
    "complete",
    "close",
];

#[test]
fn a_stream_and_what_goes_over_the_wire() {
    let server = Server::start(vec![well()]);
    let recognition = builder(&server)
        .semantic_punctuation_enabled(false)
        .workspace("llm-1")
        .header("X-Mine", "1")
        .build_blocking()
        .unwrap();
    let id = recognition.last_request_id();
    let recorder = Recorder::default();
    recognition.start(recorder.clone()).unwrap();
    recognition.send_audio_frame(vec![1; 3200]).unwrap();
    recognition.stop().unwrap();
    assert_eq!(recorder.lines(), WELL);
    assert_eq!(recognition.last_request_id(), id);
    assert!(
        recognition.first_package_delay().is_some() && recognition.last_package_delay().is_some()
    );
    let progress = recognition.progress();
    assert_eq!(
        (
            progress.bytes_sent,
            progress.recognised_ms,
            progress.heard_ms,
            progress.billed_seconds
        ),
        (3200, 2000, 2000, 2)
    );

    let seen = server.wait_for(|seen| seen.closed);
    assert_eq!(seen.path, "/api-ws/v1/inference");
    assert_eq!(seen.header("authorization"), Some("Bearer sk-test"));
    assert_eq!(seen.header("x-dashscope-workspace"), Some("llm-1"));
    assert_eq!(seen.header("x-mine"), Some("1"));
    let header = |action| json!({"action": action, "task_id": id, "streaming": "duplex"});
    let run = json!({
        "header": header("run-task"),
        "payload": {
            "task_group": "audio", "task": "asr", "function": "recognition", "model": "fun-asr-realtime",
            "parameters": {"format": "pcm", "sample_rate": 16000, "semantic_punctuation_enabled": false}, "input": {},
        },
    });
    let finish = json!({"header": header("finish-task"), "payload": {"input": {}}});
    assert_eq!(seen.texts, [run, finish]);
    assert_eq!(seen.audio, vec![1; 3200]);
}

#[test]
fn a_file_gives_its_finals() {
    let server = Server::start(vec![well()]);
    let recognition = builder(&server)
        .format(AudioFormat::Wav)
        .build_blocking()
        .unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let audio: Vec<u8> = (0..100_000).map(|byte| byte as u8).collect();
    std::fs::write(&file, &audio).unwrap();
    let result = recognition.call(file.path()).unwrap();
    let texts: Vec<&str> = result.sentences().iter().map(|s| s.text.as_str()).collect();
    assert_eq!(texts, ["你好。", "再见。"]);
    assert_eq!(result.request_id(), recognition.last_request_id());
    assert_eq!(result.usage().unwrap().duration, 2);
    assert_eq!(result.outputs_json().len(), 2);
    let seen = server.wait_for(|seen| seen.closed);
    assert_eq!(seen.audio, audio);
    assert_eq!(seen.frames, 8);
}

#[test]
fn an_object_is_used_again_with_other_ids() {
    let server = Server::start(vec![well(), well(), vec![Step::Drop], well()]);
    let recognition = builder(&server)
        .connect_attempts(1)
        .build_blocking()
        .unwrap();
    let mut ids = Vec::new();
    for round in [
        "after the build",
        "after stop",
        "which fails",
        "after a failure",
    ] {
        let recorder = Recorder::default();
        recognition.start(recorder.clone()).unwrap();
        ids.push(recognition.last_request_id());
        let _ = recognition.send_audio_frame(vec![0; 3200]);
        let stopped = recognition.stop();
        recorder.wait_for("close");
        if round == "which fails" {
            assert_eq!(
                recorder.lines(),
                ["open", "error ConnectionLost", "close"],
                "{round}"
            );
        } else {
            assert!(stopped.is_ok(), "{round}");
            assert_eq!(recorder.lines(), WELL, "{round}");
        }
        let error = recognition.send_audio_frame(vec![0; 2]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{round}");
        let error = recognition.stop().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{round}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn silence_without_audio_finishes_the_task() {
    // All the audio may come before the task has started, and no result may ever come.
    let quiet = vec![
        Step::Run,
        Step::Pause(200),
        started(),
        Step::Audio(3200),
        Step::Finish,
        finished(),
    ];
    let cases = [(well(), &WELL[..]), (quiet, &["open", "complete", "close"])];
    for (script, want) in cases {
        let server = Server::start(vec![script]);
        let recognition = builder(&server)
            .silence_timeout(Duration::from_millis(300))
            .build_blocking()
            .unwrap();
        let recorder = Recorder::default();
        recognition.start(recorder.clone()).unwrap();
        recognition.send_audio_frame(vec![0; 3200]).unwrap();
        let begun = Instant::now();
        recorder.wait_for("close");
        assert_eq!(recorder.lines(), want);
        // By itself, not when the next ping is answered.
        assert!(begun.elapsed() < Duration::from_secs(10));
        let error = recognition.stop().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
    }
}

#[test]
fn a_peer_that_only_answers_pings_is_there() {
    let server = Server::start(vec![vec![Step::Run, started(), Step::Silence]]);
    let recognition = builder(&server)
        .peer_timeout(Duration::from_millis(1_200))
        .build_blocking()
        .unwrap();
    recognition.start(Recorder::default()).unwrap();
    // Three in each timeout.
    server.wait_for(|seen| seen.pings >= 9);
    assert!(recognition.is_running());
}

#[test]
fn a_callback_may_stop_its_own_task() {
    struct Stops(Arc<blocking::Recognition>, Recorder);
    impl ting_client::RecognitionCallback for Stops {
        fn on_event(&mut self, result: &ting_client::RecognitionResult) {
            self.1.on_event(result);
            let _ = self.0.stop();
        }
        fn on_complete(&mut self) {
            self.1.on_complete();
        }
        fn on_close(&mut self) {
            self.0.stop().unwrap();
            self.1.on_close();
        }
    }
    let server = Server::start(vec![well()]);
    let recognition = Arc::new(builder(&server).build_blocking().unwrap());
    let recorder = Recorder::default();
    recognition
        .start(Stops(recognition.clone(), recorder.clone()))
        .unwrap();
    recognition.send_audio_frame(vec![0; 3200]).unwrap();
    recorder.wait_for("close");
    assert_eq!(recorder.lines(), &WELL[1..]);
}
