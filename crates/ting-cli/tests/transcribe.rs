//! `ting transcribe`, as a user runs it. What exactly is recognised is the model's business, so texts are only compared
//! with each other.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::fs;
use std::io::Write;
use std::process::Stdio;

use common::{data, run, silent_wav, stderr, stdout, ting};
use serde_json::Value;

#[test]
fn bad_command_lines_say_what_is_allowed() {
    let cases: [(&[&str], i32, &str); 9] = [
        // (arguments, exit status, part of stderr)
        (&[], 2, "Usage"),
        (&["transcribe"], 2, "<FILE>"),
        (
            &["transcribe", "--format", "xml", "x"],
            2,
            "text, json, srt, vtt",
        ),
        (&["transcribe", "--language", "fr", "x"], 2, "zh, en, ja"),
        (
            &["transcribe", "--max-sentence-silence", "100", "x"],
            2,
            "200..=6000",
        ),
        (&["transcribe", "--raw", "4000", "x"], 2, "8000..=192000"),
        (&["transcribe", "-", "-"], 1, "only once"),
        (
            &["transcribe", "--format", "srt", "a", "b"],
            1,
            "--output-dir",
        ),
        (
            &["transcribe", "--model-dir", "/no/such", "a"],
            1,
            "/no/such",
        ),
    ];
    let mut failed = Vec::new();
    for (args, status, part) in cases {
        let output = run(args);
        if output.status.code() != Some(status) || !stderr(&output).contains(part) {
            failed.push((args, output.status.code(), stderr(&output)));
        }
        assert_eq!(stdout(&output), "", "{args:?}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn files_that_fail_are_named_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("silence.wav"), silent_wav()).unwrap();
    fs::write(path("text.wav"), "this is text").unwrap();
    fs::write(path("empty.wav"), "").unwrap();
    fs::write(path("cut.wav"), &silent_wav()[..20]).unwrap();
    let bad = [
        path("missing.wav"),
        path("text.wav"),
        path("empty.wav"),
        path("cut.wav"),
        path(""),
    ];
    let mut args = vec![
        "transcribe".to_owned(),
        "--format".to_owned(),
        "json".to_owned(),
    ];
    args.extend(bad.clone());
    args.extend([path("silence.wav"), data("hello_en.wav")]);
    let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());

    assert_eq!(output.status.code(), Some(1));
    let errors = stderr(&output);
    let named: Vec<&str> = errors.lines().collect();
    assert_eq!(named.len(), bad.len(), "{errors}");
    for (line, name) in named.iter().zip(&bad) {
        assert!(line.starts_with(&format!("ting: {name}: ")), "{line}");
        assert!(line.len() > name.len() + 15, "no reason: {line}");
    }
    let files: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0]["file"], path("silence.wav"));
    assert_eq!(
        (&files[0]["text"], &files[0]["duration_ms"]),
        (&"".into(), &1000.into())
    );
    assert_eq!(files[1]["file"], data("hello_en.wav"));
}

#[test]
fn json_has_the_fields_of_the_wire() {
    let output = run(&[
        "transcribe",
        "--format",
        "json",
        &data("hello_en.wav"),
        &data("hello_zh.wav"),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "", "no progress bar where nobody looks");
    let lines: Vec<String> = stdout(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    for (line, name) in lines.iter().zip(["hello_en.wav", "hello_zh.wav"]) {
        let file: Value = serde_json::from_str(line).unwrap();
        let keys: Vec<&String> = file.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 4, "{keys:?}");
        assert_eq!(file["file"], data(name));
        let samples = (fs::metadata(data(name)).unwrap().len() - 44) / 2;
        let duration = file["duration_ms"].as_u64().unwrap();
        assert!(
            duration.abs_diff(samples * 1000 / 16_000) <= 2,
            "{duration} ms of {samples} samples"
        );
        let sentences = file["sentences"].as_array().unwrap();
        let mut before = 0;
        let mut last_id = 0;
        for sentence in sentences {
            let id = sentence["sentence_id"].as_u64().unwrap();
            assert!(last_id < id, "{sentences:#?}");
            last_id = id;
            assert_eq!(
                (&sentence["heartbeat"], &sentence["sentence_end"]),
                (&false.into(), &true.into())
            );
            assert!(sentence["sentence_begin"].is_boolean());
            assert!(
                file["text"]
                    .as_str()
                    .unwrap()
                    .contains(sentence["text"].as_str().unwrap().trim())
            );
            let (begin, end) = (
                sentence["begin_time"].as_u64().unwrap(),
                sentence["end_time"].as_u64().unwrap(),
            );
            assert!(
                before <= begin && begin < end && end <= duration,
                "{sentence}"
            );
            before = end;
            for word in sentence["words"].as_array().unwrap() {
                assert!(word["text"].is_string() && word["punctuation"].is_string());
                assert!(word["begin_time"].as_u64().unwrap() <= word["end_time"].as_u64().unwrap());
            }
        }
    }
}

#[test]
fn punctuation_can_be_left_out() {
    let file = data("hello_en.wav");
    let with = stdout(&run(&["transcribe", &file]));
    let without = stdout(&run(&["transcribe", "--no-punctuation", &file]));
    assert!(with.trim_end().ends_with(['.', '?', '!']), "{with:?}");
    let marks = [',', '.', '?', '!'];
    assert!(!without.contains(marks), "{without:?}");
    assert_eq!(with.replace(marks, ""), without);
}

#[test]
fn text_has_headings_for_several_files_only() {
    let (english, chinese) = (data("hello_en.wav"), data("hello_zh.wav"));
    let one = stdout(&run(&["transcribe", &english]));
    let other = stdout(&run(&["transcribe", &chinese]));
    let both = stdout(&run(&["transcribe", &english, &chinese]));
    assert_eq!(
        both,
        format!("==> {english} <==\n{one}\n==> {chinese} <==\n{other}")
    );
}

#[test]
fn standard_input_and_headerless_samples_give_the_same() {
    let wav = fs::read(data("hello_en.wav")).unwrap();
    let pipe = |args: &[&str], bytes: &[u8]| {
        let mut child = ting()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        stdout(&output)
    };
    let expected = stdout(&run(&["transcribe", &data("hello_en.wav")]));
    assert_eq!(pipe(&["transcribe", "-"], &wav), expected);
    assert_eq!(
        pipe(&["transcribe", "--raw", "16000", "-"], &wav[44..]),
        expected
    );
}

#[test]
fn results_go_to_a_folder_of_choice() {
    let srt = stdout(&run(&[
        "transcribe",
        "--format",
        "srt",
        &data("hello_en.wav"),
    ]));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("new/folder");
    let (english, chinese) = (data("hello_en.wav"), data("hello_zh.wav"));
    let args = [
        "transcribe",
        "--format",
        "srt",
        "--output-dir",
        folder.to_str().unwrap(),
    ];
    let output = run(&[&args[..], &[&english, &chinese]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    assert_eq!(
        fs::read_to_string(folder.join("hello_en.srt")).unwrap(),
        srt
    );
    assert!(folder.join("hello_zh.srt").is_file());

    // Two inputs of one name must not overwrite each other's result in silence.
    let output = run(&[&args[..], &[&english, &english]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("hello_en.srt was written for another FILE"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn speech_gives_text_in_every_format() {
    for name in ["hello_en.wav", "hello_zh.wav"] {
        let cases = [
            ("text", ""),
            ("json", "\"sentence_id\":1"),
            ("srt", "1\n00:00:0"),
            ("vtt", "WEBVTT\n\n00:00:0"),
        ];
        for (format, part) in cases {
            let output = run(&["transcribe", "--format", format, &data(name)]);
            let text = stdout(&output);
            assert!(
                output.status.success() && text.contains(part),
                "{name} {format}: {text:?}"
            );
            assert!(
                text.chars().any(char::is_alphabetic),
                "{name} {format}: {text:?}"
            );
        }
    }
}

#[test]
fn hotwords_change_the_text_or_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = data("hello_zh.wav");
    let cases = [
        ("龚园\t50\n", Ok("龚园")),
        (
            r#"[{"text": "龚园", "weight": 50, "lang": "zh"}]"#,
            Ok("龚园"),
        ),
        ("# none\n", Ok("公园")),
        (
            "龚园\t7\n",
            Err("hotwords[0].weight is 7; it must be 1 to 5, or 50"),
        ),
        (
            "龚园\tx\n",
            Err("line 1: the weight is \"x\"; it must be 1 to 5, or 50"),
        ),
    ];
    let mut failed = Vec::new();
    for (list, want) in cases {
        let path = dir.path().join("list.txt");
        std::fs::write(&path, list).unwrap();
        let output = run(&["transcribe", "--hotwords", path.to_str().unwrap(), &file]);
        let right = match want {
            Ok(part) => output.status.success() && stdout(&output).contains(part),
            Err(part) => output.status.code() == Some(1) && stderr(&output).contains(part),
        };
        if !right {
            failed.push(format!("{list:?}: {} {}", stdout(&output), stderr(&output)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
