//! The endpoint `embedded`: the recogniser inside the program.
//!
//! There is one in a process, so that the tests of this file share it, and its folder of hotword lists.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::path::PathBuf;
use std::sync::OnceLock;

use ting_client::{
    AudioFormat, ErrorKind, Recognition, RecognitionBuilder, VocabularyService, VocabularyWord,
    blocking, embedded,
};

/// A task with the recogniser inside the program.
fn builder() -> RecognitionBuilder {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    let mut options = embedded::Options::default();
    options.threads = Some(2);
    options.max_sessions = Some(8);
    options.data_dir = Some(folder.path().to_owned());
    options.strict_vocabulary = true;
    // The same options again are no error, whether it runs or not.
    embedded::configure(options).unwrap();
    Recognition::builder("fun-asr-realtime")
        .endpoint("embedded")
        .format(AudioFormat::Wav)
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name)
}

#[test]
fn a_file_is_recognised_without_server_and_key() {
    let recognition = builder().build_blocking().unwrap();
    let result = recognition.call(data("hello_zh.wav")).unwrap();
    assert!(!result.text().is_empty());
    let sentence = result.sentence().unwrap();
    assert!(result.is_sentence_end() && sentence.end_time.is_some() && !sentence.words.is_empty());
    assert!(recognition.progress().billed_seconds > 0);

    let error = embedded::configure(embedded::Options::default()).unwrap_err();
    assert!(error.to_string().contains("other options"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tasks_run_at_once() {
    let recognise = |file: &'static str| {
        let recognition = builder().build().unwrap();
        async move { recognition.call(data(file)).await.unwrap().text() }
    };
    let alone = [
        recognise("hello_zh.wav").await,
        recognise("hello_en.wav").await,
    ];
    assert_ne!(alone[0], alone[1]);
    let files = ["hello_zh.wav", "hello_en.wav"].repeat(3);
    let running: Vec<_> = files
        .iter()
        .map(|file| tokio::spawn(recognise(file)))
        .collect();
    for (number, running) in running.into_iter().enumerate() {
        assert_eq!(running.await.unwrap(), alone[number % 2], "{number}");
    }
}

#[test]
fn what_a_server_refuses_is_refused_here() {
    // Past the checks of the builder, to those of the server.
    type Change = fn(RecognitionBuilder) -> RecognitionBuilder;
    let cases: [(Change, &str, &str); 4] = [
        (
            |b| b.parameter("max_sentence_silence", 100),
            "InvalidParameter",
            "payload.parameters.max_sentence_silence is 100",
        ),
        (
            |b| b.parameter("format", "flac"),
            "UNSUPPORTED_FORMAT",
            "payload.parameters.format is \"flac\"",
        ),
        (
            |b| b.parameter("special_word_filter", "["),
            "InvalidParameter",
            "special_word_filter",
        ),
        (
            |b| b.vocabulary_id("vocab-none-1"),
            "InvalidParameter",
            "vocab-none-1",
        ),
    ];
    for (change, code, message) in cases {
        let recognition = change(builder()).build_blocking().unwrap();
        let error = recognition.call(data("hello_zh.wav")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TaskFailed, "{error}");
        assert!(error.message().contains(message), "{error}");
        assert_eq!(error.code(), Some(code), "{error}");
    }
    let recognition = builder().build_blocking().unwrap();
    let error = recognition
        .call_bytes(b"no audio at all".to_vec())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed, "{error}");
    let unknown = blocking::Recognition::builder("no-such-model").endpoint("embedded");
    let error = unknown
        .build_blocking()
        .unwrap()
        .call(data("hello_zh.wav"))
        .unwrap_err();
    assert_eq!(error.code(), Some("ModelNotFound"), "{error}");
}

#[tokio::test]
async fn hotword_lists_are_kept_and_used() {
    let builder = builder();
    let service = VocabularyService::builder()
        .endpoint("embedded")
        .build()
        .unwrap();
    let words = vec![VocabularyWord {
        lang: None,
        text: "你好".to_owned(),
        weight: 4,
    }];
    let id = service
        .create("fun-asr-realtime", "emb", words.clone())
        .await
        .unwrap();
    assert_eq!(service.query(&id).await.unwrap().vocabulary, words);
    let recognition = builder.clone().vocabulary_id(&id).build().unwrap();
    assert!(
        !recognition
            .call(data("hello_zh.wav"))
            .await
            .unwrap()
            .text()
            .is_empty()
    );
    service.delete(&id).await.unwrap();
    assert!(service.list(Some("emb"), 0, 10).await.unwrap().is_empty());
    let error = service.query(&id).await.unwrap_err();
    assert_eq!(error.code(), Some("BadRequest.ResourceNotExist"));
    let gone = builder.vocabulary_id(id).build().unwrap();
    assert_eq!(
        gone.call(data("hello_zh.wav")).await.unwrap_err().kind(),
        ErrorKind::TaskFailed
    );
}

/// Programs end with it in use.
#[test]
fn the_process_may_end_meanwhile() {
    const INSIDE: &str = "TING_TEST_ENDS_IN_USE";
    if std::env::var_os(INSIDE).is_some() {
        let recognition = builder().build_blocking().unwrap();
        let _results = recognition.start_stream().unwrap();
        recognition
            .send_audio_frame(std::fs::read(data("hello_zh.wav")).unwrap())
            .unwrap();
        // Out of `main`, so to say, with all of it running.
        std::process::exit(7);
    }
    let program = std::env::current_exe().unwrap();
    let ended = std::process::Command::new(program)
        .args(["--exact", "the_process_may_end_meanwhile"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(7), "{ended:?}");
}
