//! `ting listen`, as a user runs it. Texts are compared with those of `ting transcribe`: what is recognised is the model's
//! business.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod captions;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "the tests of the crate use all of it")]
#[path = "../../src/listen/emulator.rs"]
mod emulator;
mod microphone;
mod sound;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use common::serving::Serving;
use common::{data, run, stderr, stdout, ting};
use serde_json::Value;

/// What `ting transcribe` writes for the files.
fn transcribed(format: &str, file: &str) -> String {
    let output = run(&["transcribe", "--format", format, file]);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// Samples of a recording as they are on the wire, and then a second and a half of silence.
fn samples(name: &str) -> Vec<u8> {
    let mut samples = fs::read(data(name)).unwrap()[44..].to_vec();
    samples.resize(samples.len() + 48_000, 0);
    samples
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status();
    assert!(sent.unwrap().success());
}

/// A `ting listen` that gets samples by a pipe.
struct Listening {
    child: Child,
    input: Option<ChildStdin>,
    lines: BufReader<std::process::ChildStdout>,
}

impl Listening {
    fn start(args: &[&str]) -> Self {
        let mut child = ting()
            .args(["listen", "-", "--raw", "16000", "--fast"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            lines,
        }
    }

    fn send(&mut self, samples: &[u8]) {
        self.input.as_mut().unwrap().write_all(samples).unwrap();
    }

    /// Waits for a sentence.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    /// The exit status, the rest of standard output, and standard error.
    fn end(mut self) -> (Option<i32>, String, String) {
        drop(self.input.take());
        let (mut out, mut err) = (String::new(), String::new());
        self.lines.read_to_string(&mut out).unwrap();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code(), out, err)
    }
}

#[test]
fn bad_command_lines_say_what_is_allowed() {
    let file = data("hello_en.wav");
    let cases: [(&[&str], i32, &str); 14] = [
        (&["--save", "a.docx", &file], 1, ".txt, .json, .srt, .vtt"),
        (&["--save", "/no/such/a.srt", &file], 1, "/no/such/a.srt"),
        (&["--language", "fr", &file], 2, "zh, en, ja"),
        (&["--max-sentence-silence", "100", &file], 2, "200..=6000"),
        (
            &["--semantic", "--max-sentence-silence", "500", &file],
            2,
            "cannot be used",
        ),
        (&["--raw", "16000"], 2, "FILE"),
        (&["--fast"], 2, "FILE"),
        (&["--device", "x", &file], 2, "cannot be used"),
        (&["--url", "http://x", &file], 1, "ws://"),
        (
            &["--url", "ws://x", "--model-dir", "y", &file],
            2,
            "cannot be used",
        ),
        (&["--model-dir", "/no/such", &file], 1, "/no/such"),
        (&["--hotwords", "/no/such", &file], 1, "/no/such"),
        (&["/no/such.wav"], 1, "/no/such.wav: cannot be read"),
        (&["/dev/null"], 1, "/dev/null: is empty"),
    ];
    let mut failed = Vec::new();
    for (args, status, part) in cases {
        let output = run(&[&["listen"], args].concat());
        if output.status.code() != Some(status) || !stderr(&output).contains(part) {
            failed.push((args, output.status.code(), stderr(&output)));
        }
        assert_eq!(stdout(&output), "", "{args:?}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_file_is_printed_and_saved_as_transcribe_does() {
    let dir = tempfile::tempdir().unwrap();
    for (name, format, extension) in [
        ("hello_zh.wav", "srt", "srt"),
        ("hello_en.wav", "vtt", "vtt"),
        ("hello_en.wav", "text", "txt"),
        ("hello_zh.wav", "json", "json"),
    ] {
        let file = data(name);
        let path = dir.path().join(format!("a.{extension}"));
        let output = run(&["listen", "--fast", "--save", path.to_str().unwrap(), &file]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(stderr(&output), "", "nobody looks");
        assert_eq!(stdout(&output), transcribed("text", &file));
        let saved = fs::read_to_string(path).unwrap();
        let expected = transcribed(format, &file);
        if format == "json" {
            let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(value(&saved), value(&expected));
        } else {
            assert_eq!(saved, expected, "{format}");
        }
    }
}

#[test]
fn options_reach_the_recogniser() {
    let dir = tempfile::tempdir().unwrap();
    let words = dir.path().join("words.txt");
    fs::write(&words, "龚园\t50\n").unwrap();
    let file = data("hello_zh.wav");
    let listen = |args: &[&str]| run(&[&["listen", "--fast", &file], args].concat());

    let output = listen(&["--hotwords", words.to_str().unwrap()]);
    assert!(stdout(&output).contains("龚园"), "{output:?}");
    fs::write(&words, "龚园\t7\n").unwrap();
    let output = listen(&["--hotwords", words.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--hotwords: "), "{output:?}");

    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c));
    assert!(chinese(&stdout(&listen(&[]))));
    assert!(!chinese(&stdout(&listen(&["--language", "en"]))));
    let sentences = |args: &[&str]| stdout(&listen(args)).lines().count();
    assert!(
        sentences(&["--max-sentence-silence", "200"])
            >= sentences(&["--max-sentence-silence", "6000"])
    );
    assert!(listen(&["--semantic", "--no-heartbeat"]).status.success());
}

#[test]
fn what_was_said_survives_the_end_of_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.srt");
    for (kill, status) in [("-KILL", None), ("-INT", Some(0)), ("-TERM", Some(0))] {
        let mut listening = Listening::start(&["--save", path.to_str().unwrap()]);
        listening.send(&samples("hello_zh.wav"));
        let line = listening.line();
        assert!(!line.trim().is_empty(), "{kill}");
        // Before the end, and while more is expected.
        let saved = fs::read_to_string(&path).unwrap();
        assert!(saved.starts_with("1\n00:00:0"), "{kill}: {saved}");
        signal(&listening.child, kill);
        let child = &mut listening.child;
        assert_eq!(child.wait().unwrap().code(), status, "{kill}");
        assert!(
            fs::read_to_string(&path).unwrap().starts_with(&saved),
            "{kill}"
        );
    }
}

#[test]
fn the_open_sentence_is_finished_on_ctrl_c() {
    let mut spoken = samples("hello_en.wav");
    // Up to the middle of the speech, which goes on after it.
    spoken.truncate(spoken.len() / 2 / 3200 * 3200);
    let mut listening = Listening::start(&["--max-sentence-silence", "6000"]);
    // A sentence that is over says that signals are listened to.
    listening.send(&samples("hello_zh.wav"));
    listening.send(&vec![0; 6 * 32_000]);
    assert!(!listening.line().trim().is_empty());
    listening.send(&spoken);
    // Until it has been read; a pipe holds less than this.
    listening.send(&vec![0; 128 * 1024]);
    signal(&listening.child, "-INT");
    let line = listening.line();
    let child = &mut listening.child;
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!line.trim().is_empty());
}

#[test]
fn a_server_recognises_the_same() {
    let serving = Serving::start(&["--api-key", "secret", "--max-sessions", "4"]);
    let file = data("hello_zh.wav");
    let url = format!("ws://{}", serving.address());
    let expected = transcribed("text", &file);
    for url in [&url, &serving.url] {
        let output = run(&[
            "listen",
            "--fast",
            "--url",
            url,
            "--api-key",
            "secret",
            &file,
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(stdout(&output), expected);
    }
    for (variable, key) in [
        ("DASHSCOPE_API_KEY", "secret"),
        ("TING_API_KEY", "secret, x"),
    ] {
        let mut command = ting();
        command.env(variable, key);
        let output = command
            .args(["listen", "--fast", "--url", &url, &file])
            .output()
            .unwrap();
        assert_eq!(stdout(&output), expected, "{}", stderr(&output));
    }
    let refused = run(&["listen", "--fast", "--url", &url, "--api-key", "x", &file]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("API"), "{}", stderr(&refused));

    let dir = tempfile::tempdir().unwrap();
    let words = dir.path().join("words.txt");
    fs::write(&words, "龚园\t50\n").unwrap();
    let mut args = vec![
        "listen",
        "--fast",
        "--url",
        &url,
        "--api-key",
        "secret",
        &file,
    ];
    args.extend(["--hotwords", words.to_str().unwrap()]);
    // More often than an account may have lists: each is taken away again.
    for _ in 0..12 {
        let output = run(&args);
        assert!(stdout(&output).contains("龚园"), "{}", stderr(&output));
    }
}

#[test]
fn a_server_that_goes_leaves_what_it_recognised() {
    let nobody = run(&[
        "listen",
        "--fast",
        "--url",
        "ws://127.0.0.1:9",
        &data("hello_zh.wav"),
    ]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        stderr(&nobody).contains("127.0.0.1:9"),
        "{}",
        stderr(&nobody)
    );

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.txt");
    let mut serving = Serving::start(&["--max-sessions", "4"]);
    let url = serving.url.clone();
    let mut listening = Listening::start(&["--url", &url, "--save", path.to_str().unwrap()]);
    listening.send(&samples("hello_zh.wav"));
    let line = listening.line();
    assert!(!line.trim().is_empty());
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
    let (status, rest, said) = listening.end();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("recognised and saved up to 0:0"), "{said}");
    assert_eq!(fs::read_to_string(path).unwrap(), line + &rest);
}

#[test]
fn a_second_ctrl_c_does_not_wait() {
    let serving = Serving::start(&["--max-sessions", "4"]);
    let mut listening = Listening::start(&["--url", &serving.url]);
    listening.send(&samples("hello_zh.wav"));
    listening.line();
    // The server answers no more.
    signal(&serving.child, "-STOP");
    signal(&listening.child, "-INT");
    let mut said = BufReader::new(listening.child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("again ends at once"), "{line}");
    signal(&listening.child, "-INT");
    assert_eq!(listening.child.wait().unwrap().code(), Some(130));
    signal(&serving.child, "-CONT");
}
