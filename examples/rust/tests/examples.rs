//! Every example, as a user runs it, on the recordings of `tests/data`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn data(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name);
    path.to_str().unwrap().to_owned()
}

fn run(program: &str, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    command
        .args(args)
        .env_remove("DASHSCOPE_API_KEY")
        // The hotword lists of the user who runs the tests are not touched.
        .env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Standard output of a program that succeeds.
fn stdout(program: &str, args: &[&str]) -> String {
    let output = run(program, args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[test]
fn file() {
    let said = stdout(env!("CARGO_BIN_EXE_file"), &[&data("hello_zh.wav")]);
    assert!(said.contains(" ms: 今天"), "{said}");
    assert!(
        said.lines().any(|line| line.trim_end().ends_with(" 天")),
        "words: {said}"
    );
    let output = run(env!("CARGO_BIN_EXE_file"), &["/no/such.wav"]);
    assert!(!output.status.success() && text(&output.stderr).contains("/no/such.wav"));
    // An endpoint is used when it is given.
    let output = run(
        env!("CARGO_BIN_EXE_file"),
        &["--endpoint", "ws://127.0.0.1:9", &data("hello_zh.wav")],
    );
    assert!(!output.status.success() && text(&output.stderr).contains("127.0.0.1:9"));
}

#[test]
fn hotwords() {
    let said = stdout(
        env!("CARGO_BIN_EXE_hotwords"),
        &[&data("hello_zh.wav"), "龚园"],
    );
    let (without, with) = said.split_once('\n').unwrap();
    assert!(without.contains("公园") && with.contains("龚园"), "{said}");
}

#[test]
fn many_files() {
    let files = [
        "hello_zh.wav",
        "hello_en.wav",
        "hello_zh.wav",
        "hello_en.wav",
    ]
    .map(data);
    let mut args: Vec<&str> = files.iter().map(String::as_str).collect();
    let said = stdout(env!("CARGO_BIN_EXE_many_files"), &args);
    let named: Vec<&str> = said
        .lines()
        .map(|line| line.split_once(": ").unwrap().0)
        .collect();
    assert_eq!(named, args, "{said}");
    args.insert(1, "/no/such.wav");
    let output = run(env!("CARGO_BIN_EXE_many_files"), &args);
    assert_eq!(
        text(&output.stdout),
        said,
        "one that fails does not hold up the others"
    );
    assert!(!output.status.success() && text(&output.stderr).contains("/no/such.wav: "));
}

#[test]
fn subtitles() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.srt");
    let said = stdout(
        env!("CARGO_BIN_EXE_subtitles"),
        &[&data("hello_en.wav"), path.to_str().unwrap()],
    );
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written.starts_with("1\n00:00:0") && written.contains(" --> "),
        "{written}"
    );
    for sentence in said.lines() {
        assert!(written.contains(&format!("\n{sentence}\n\n")), "{written}");
    }
    assert!(!said.is_empty());
}

/// Without a sound card: on one there is a test of `ting listen`, which records the same way.
#[cfg(feature = "microphone")]
#[test]
fn microphone() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("alsa.conf");
    std::fs::write(&config, "pcm.null { type null }\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_microphone"));
    let output = command
        .env("ALSA_CONFIG_PATH", config)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(!output.stderr.is_empty());
}
