//! The SDK against `ting serve`: every method and every option, and the same without a server.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{data, run, stdout, ting};
use serde_json::{Value, json};
use ting_client::{
    AudioFormat, Error, ErrorKind, Recognition, RecognitionBuilder, RecognitionCallback,
    RecognitionResult, Sentence, Transcription, VocabularyService, VocabularyStatus,
    VocabularyWord, blocking,
};

const KEY: &str = "sk-of-the-test";

/// A server that is killed with the test.
struct Serving {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Serving {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = ting()
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--max-sessions",
                "8",
                "--api-key",
                KEY,
            ])
            .arg("--strict-vocabulary")
            .arg("--data-dir")
            .arg(folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the server ended");
            if let Some((_, rest)) = line.split_once("base_websocket_api_url = '") {
                break rest.split('\'').next().unwrap().to_owned();
            }
        };
        // It must not find the pipe full.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self {
            child,
            url,
            _folder: folder,
        }
    }

    fn builder(&self) -> RecognitionBuilder {
        Recognition::builder("fun-asr-realtime")
            .endpoint(&self.url)
            .api_key(KEY)
            .format(AudioFormat::Wav)
            .sample_rate(16_000)
    }

    fn http(&self) -> String {
        self.url
            .replace("ws://", "http://")
            .replace("/api-ws/v1/inference", "/api/v1")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A callback that keeps what it gets.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Kept>>);

/// The names of the calls, the results, and the error.
type Kept = (Vec<&'static str>, Vec<RecognitionResult>, Option<Error>);

impl RecognitionCallback for Keep {
    fn on_open(&mut self) {
        self.0.lock().unwrap().0.push("open");
    }
    fn on_event(&mut self, result: &RecognitionResult) {
        let mut kept = self.0.lock().unwrap();
        if kept.0.last() != Some(&"event") {
            kept.0.push("event");
        }
        kept.1.push(result.clone());
    }
    fn on_complete(&mut self) {
        self.0.lock().unwrap().0.push("complete");
    }
    fn on_error(&mut self, error: &Error) {
        let mut kept = self.0.lock().unwrap();
        kept.0.push("error");
        kept.2 = Some(error.clone());
    }
    fn on_close(&mut self) {
        self.0.lock().unwrap().0.push("close");
    }
}

/// The samples of a recording.
fn samples(name: &str) -> Vec<u8> {
    std::fs::read(data(name)).unwrap()[44..].to_vec()
}

#[test]
fn call_gives_what_the_command_line_gives_with_a_server_and_without() {
    let server = Serving::start();
    let transcribed = run(&["transcribe", "--format", "json", &data("hello_zh.wav")]);
    let transcribed: Value = serde_json::from_str(&stdout(&transcribed)).unwrap();
    let of_cli: Vec<Sentence> = serde_json::from_value(transcribed["sentences"].clone()).unwrap();
    assert!(!of_cli.is_empty());
    let embedded = blocking::Recognition::builder("fun-asr-realtime")
        .endpoint("embedded")
        .format(AudioFormat::Wav);
    for builder in [server.builder(), embedded] {
        let recognition = builder.build_blocking().unwrap();
        let result = recognition.call(data("hello_zh.wav")).unwrap();
        assert_eq!(result.sentences(), of_cli);
        assert_eq!(result.request_id(), recognition.last_request_id());
        assert!(result.usage().unwrap().duration > 0 && result.is_sentence_end());
        assert!(
            recognition.first_package_delay().is_some()
                && recognition.last_package_delay().is_some()
        );
    }
}

#[test]
fn a_stream_with_a_callback() {
    let server = Serving::start();
    let recognition = server
        .builder()
        .format(AudioFormat::Pcm)
        .build_blocking()
        .unwrap();
    let mut finals = Vec::new();
    for round in 0..2 {
        let keep = Keep::default();
        recognition.start(keep.clone()).unwrap();
        for frame in samples("hello_zh.wav").chunks(3200) {
            recognition.send_audio_frame(frame.to_vec()).unwrap();
        }
        recognition.stop().unwrap();
        let kept = keep.0.lock().unwrap();
        assert_eq!(
            kept.0,
            ["open", "event", "complete", "close"],
            "{round}: {:?}",
            kept.2
        );
        let of_round: Vec<String> = kept
            .1
            .iter()
            .filter(|r| r.is_sentence_end())
            .map(RecognitionResult::text)
            .collect();
        assert!(!of_round.is_empty());
        finals.push(of_round);
        let progress = recognition.progress();
        assert_eq!(progress.bytes_sent as usize, samples("hello_zh.wav").len());
        assert!(progress.recognised_ms > 0 && progress.heard_ms > 0 && progress.billed_seconds > 0);
        let output = kept.1[0].output_json();
        assert_eq!(output["sentence"]["sentence_id"], 1);
    }
    assert_eq!(finals[0], finals[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_results_and_a_context() {
    let server = Serving::start();
    let recognition = Arc::new(server.builder().format(AudioFormat::Pcm).build().unwrap());
    let mut results = recognition.start_stream().await.unwrap();
    let sender = recognition.clone();
    let sending = tokio::spawn(async move {
        let message = json!({"role": "user", "content": [{"type": "input_text", "text": "你好"}]});
        sender.update_context(vec![message])?;
        for frame in samples("hello_zh.wav").chunks(3200) {
            sender.send_audio_frame_wait(frame.to_vec()).await?;
        }
        sender.stop().await
    });
    let mut finals = 0;
    while let Some(result) = results.next().await {
        finals += usize::from(result.unwrap().is_sentence_end());
    }
    sending.await.unwrap().unwrap();
    assert!(finals > 0);
    let text = recognition
        .call_bytes(samples("hello_zh.wav"))
        .await
        .unwrap()
        .text();
    assert!(!text.is_empty());
}

#[test]
fn every_option_is_taken() {
    let server = Serving::start();
    let filter = json!({"filter_with_signed": {"word_list": ["测试"]}, "filter_with_empty": {"word_list": []}});
    let message = json!({"role": "user", "content": [{"type": "input_text", "text": "你好"}]});
    let all = server
        .builder()
        .workspace("llm-1")
        .header("X-DashScope-DataInspection", "enable")
        .semantic_punctuation_enabled(false)
        .max_sentence_silence(200)
        .multi_threshold_mode_enabled(true)
        .punctuation_prediction_enabled(true)
        .heartbeat(true)
        .language_hints(["zh", "en"])
        .speech_noise_threshold(0.0)
        .disfluency_removal_enabled(true)
        .inverse_text_normalization_enabled(true)
        .special_word_filter(filter)
        .context(vec![message])
        .parameter("speaker_count", 2)
        .connect_timeout(Duration::from_secs(5))
        .start_timeout(Duration::from_secs(30))
        .peer_timeout(Duration::from_secs(60))
        .finish_timeout(Duration::from_secs(60))
        .silence_timeout(None)
        .connect_attempts(5)
        .proxy("");
    let text = all
        .build_blocking()
        .unwrap()
        .call(data("hello_zh.wav"))
        .unwrap()
        .text();
    assert!(!text.is_empty());

    // One that shows: no marks.
    let plain = server
        .builder()
        .punctuation_prediction_enabled(false)
        .build_blocking()
        .unwrap();
    let text = plain.call(data("hello_zh.wav")).unwrap().text();
    assert!(
        !text.is_empty() && !text.contains(['。', '，', '？', '！']),
        "{text}"
    );

    // One whose effect is an end of the task: no audio for a while.
    let silent = server
        .builder()
        .format(AudioFormat::Pcm)
        .silence_timeout(Duration::from_millis(400))
        .build_blocking()
        .unwrap();
    let results = silent.start_stream().unwrap();
    silent.send_audio_frame(samples("hello_zh.wav")).unwrap();
    assert!(
        results
            .map(Result::unwrap)
            .any(|result| result.is_sentence_end())
    );
}

#[test]
fn what_the_server_refuses() {
    let server = Serving::start();
    type Change = fn(RecognitionBuilder) -> RecognitionBuilder;
    let cases: [(Change, ErrorKind, Option<&str>, Option<u16>); 5] = [
        (
            |b| b.api_key("sk-wrong"),
            ErrorKind::Authentication,
            Some("InvalidApiKey"),
            Some(401),
        ),
        (
            |b| b.parameter("max_sentence_silence", 1),
            ErrorKind::TaskFailed,
            Some("InvalidParameter"),
            None,
        ),
        (
            |b| b.parameter("format", "flac"),
            ErrorKind::TaskFailed,
            Some("UNSUPPORTED_FORMAT"),
            None,
        ),
        (
            |b| b.vocabulary_id("vocab-none-1"),
            ErrorKind::TaskFailed,
            Some("InvalidParameter"),
            None,
        ),
        (
            |b| b.phrase_id("vocab-none-1"),
            ErrorKind::TaskFailed,
            Some("InvalidParameter"),
            None,
        ),
    ];
    for (change, kind, code, status) in cases {
        let recognition = change(server.builder()).build_blocking().unwrap();
        let error = recognition.call(data("hello_zh.wav")).unwrap_err();
        assert_eq!(
            (error.kind(), error.code(), error.status()),
            (kind, code, status),
            "{error:?}"
        );
    }
    let url = server.url.replace("/api-ws/v1/inference", "/elsewhere");
    let lost = server.builder().endpoint(url).build_blocking().unwrap();
    let error = lost.call(data("hello_zh.wav")).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Handshake, Some(404)),
        "{error:?}"
    );
}

#[tokio::test]
async fn hotword_lists() {
    let server = Serving::start();
    let word = |text: &str| VocabularyWord {
        lang: Some("zh".to_owned()),
        text: text.to_owned(),
        weight: 4,
    };
    let builder = VocabularyService::builder()
        .endpoint(server.http())
        .api_key(KEY);
    let service = builder.clone().build().unwrap();
    let id = service
        .create("fun-asr-realtime", "sdk", vec![word("你好")])
        .await
        .unwrap();
    assert!(id.starts_with("vocab-sdk-"), "{id}");
    let first = service.last_request_id().unwrap();
    let lists = service.list(Some("sdk"), 0, 10).await.unwrap();
    assert_eq!(
        (
            lists.len(),
            lists[0].vocabulary_id.as_str(),
            lists[0].status
        ),
        (1, id.as_str(), VocabularyStatus::Ok)
    );
    assert_ne!(service.last_request_id().unwrap(), first);
    service
        .update(&id, vec![word("世界"), word("听")])
        .await
        .unwrap();
    assert_eq!(
        service.query(&id).await.unwrap().vocabulary,
        [word("世界"), word("听")]
    );
    let recognition = server.builder().vocabulary_id(&id).build().unwrap();
    assert!(
        !recognition
            .call(data("hello_zh.wav"))
            .await
            .unwrap()
            .text()
            .is_empty()
    );
    service.delete(&id).await.unwrap();
    assert!(service.list(None, 0, 10).await.unwrap().is_empty());

    let error = service.query(&id).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Request, Some("BadRequest.ResourceNotExist"))
    );
    assert!(error.status().is_some_and(|status| status >= 400) && error.request_id().is_some());
    let error = builder
        .api_key("sk-wrong")
        .build()
        .unwrap()
        .list(None, 0, 10)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Authentication, Some(401))
    );

    // Not served yet, and said so.
    let transcription = Transcription::builder()
        .endpoint(server.http())
        .api_key(KEY)
        .build()
        .unwrap();
    let error = transcription.fetch("t-1").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.code()),
        (ErrorKind::Request, Some(404), Some("NotFound"))
    );
}
