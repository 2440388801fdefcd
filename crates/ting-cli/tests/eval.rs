//! `ting eval`, as a user runs it.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{data, run, silent_wav, stderr, stdout};
use serde_json::Value;

/// Writes a set `name` of recordings with their texts into `dir`; returns the arguments for it.
fn write_set(dir: &Path, name: &str, rows: &[(&str, &str, Option<Vec<u8>>)]) -> [String; 2] {
    let (table, archive) = (
        dir.join(format!("{name}.tsv")),
        dir.join(format!("{name}.tar")),
    );
    let lines: String = rows
        .iter()
        .map(|(id, text, _)| format!("{id}\tdev\t1.0\ts1\t{text}\there\tCC0\n"))
        .collect();
    let header = "id\tsplit\tseconds\tspeaker\ttext\tsource\tlicence\n";
    fs::write(&table, format!("{header}{lines}")).unwrap();
    let mut tar = tar::Builder::new(fs::File::create(&archive).unwrap());
    for (id, _, audio) in rows {
        if let Some(audio) = audio {
            let mut entry = tar::Header::new_gnu();
            entry.set_size(audio.len() as u64);
            entry.set_mode(0o644);
            tar.append_data(&mut entry, format!("{id}.wav"), audio.as_slice())
                .unwrap();
        }
    }
    tar.finish().unwrap();
    [table, archive].map(|path| path.to_str().unwrap().to_owned())
}

#[test]
fn silence_is_all_deletions_and_everything_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let speech = fs::read(data("hello_en.wav")).unwrap();
    let english = write_set(
        dir.path(),
        "en-a",
        &[
            ("a1", "one two three four.", Some(silent_wav())),
            ("a2", "hello, how are you today?", Some(speech)),
            ("a3", "!?", Some(silent_wav())),
        ],
    );
    let japanese = write_set(dir.path(), "ja-b", &[("b1", "犬|いぬ", Some(silent_wav()))]);
    let json = dir.path().join("out.json").to_str().unwrap().to_owned();
    let output = run(&[
        "eval",
        &english[0],
        &english[1],
        &japanese[0],
        &japanese[1],
        "--punctuation",
        "--json",
        &json,
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report = stdout(&output);
    for part in [
        "| all",
        "| en-a",
        "| ja-b",
        "WER",
        "CER",
        "95 % interval",
        "RTF",
        "1 utterances left out",
        "precision",
    ] {
        assert!(report.contains(part), "no {part:?} in:\n{report}");
    }

    let json: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let utterances = json["utterances"].as_array().unwrap();
    assert_eq!(utterances.len(), 3);
    assert_eq!(utterances[0]["words"]["deletions"], 4);
    assert_eq!(utterances[0]["hypothesis"], "");
    assert_eq!(utterances[2]["characters"]["deletions"], 1);
    let rate = |set: &str, metric: &str| {
        let rates = json["rates"].as_array().unwrap();
        rates
            .iter()
            .find(|rate| rate["set"] == set && rate["metric"] == metric)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (
            &rate("ja-b", "CER")["rate"],
            &rate("ja-b", "CER")["language"]
        ),
        (&1.0.into(), &"ja".into())
    );
    // The marks of the silence are missed; the Japanese text has none and says nothing.
    let marks = json["punctuation"].as_array().unwrap();
    let stops = marks.iter().find(|m| m["mark"] == "stop").unwrap();
    assert_eq!(
        (&stops["language"], &stops["reference"], &stops["both"]),
        (&"en".into(), &1.into(), &0.into())
    );
    assert!(marks.iter().all(|m| m["language"] == "en"), "{marks:?}");
    // Four deletions of the silence, and whatever the model makes of the five words that are spoken.
    let english = rate("en-a", "WER");
    assert_eq!(
        (&english["reference"], &english["utterances"]),
        (&9.into(), &2.into())
    );
    assert!(english["rate"].as_f64().unwrap() >= 4.0 / 9.0);
}

#[test]
fn broken_sets_are_named_by_line_and_field() {
    let dir = tempfile::tempdir().unwrap();
    let [table, archive] = write_set(dir.path(), "en-a", &[("a1", "one", Some(silent_wav()))]);
    let broken = dir.path().join("broken.tsv").to_str().unwrap().to_owned();
    fs::write(&broken, "id\tsplit\ttext\na1\tdev\n").unwrap();
    let not_tar = dir.path().join("not.tar").to_str().unwrap().to_owned();
    fs::write(&not_tar, "not a tar ".repeat(100)).unwrap();
    let cases: [(&[&str], &str); 6] = [
        (
            &[&broken, &archive],
            "broken.tsv:2: field `text` is missing",
        ),
        (&[&table, "/no/such.tar"], "/no/such.tar: cannot be read"),
        (&["/no/such.tsv", &archive], "/no/such.tsv: cannot be read"),
        (&[&table, &not_tar], "not.tar: cannot be read"),
        (&[&table, &archive, &table], "each table needs its tar"),
        (
            &[&table, &archive, "--split", "train"],
            "nothing to evaluate",
        ),
    ];
    let mut failed = Vec::new();
    for (args, part) in cases {
        let output = run(&[&["eval"], args].concat());
        if output.status.code() != Some(1) || !stderr(&output).contains(part) {
            failed.push((args, output.status.code(), stderr(&output)));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn recordings_that_are_missing_or_broken_fail_the_command_but_not_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let set = write_set(
        dir.path(),
        "en-a",
        &[
            ("a1", "one", Some(silent_wav())),
            ("a2", "two", None),
            ("a3", "three", Some(b"junk".to_vec())),
        ],
    );
    let output = run(&["eval", &set[0], &set[1]]);
    assert_eq!(output.status.code(), Some(1));
    let errors = stderr(&output);
    assert!(
        errors.contains("no recording for 1 rows of the table, the first is \"a2\""),
        "{errors}"
    );
    assert!(
        errors.contains("a3: is in no format known here"),
        "{errors}"
    );
    // The broken one is scored as no text, not left out.
    let report = stdout(&output);
    assert!(report.contains("100.00 %"), "{report}");
}

#[test]
fn unseen_synthesised_sentences_are_recognised() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let (table, archive) = (data("spoken.tsv"), data("spoken.tar"));
    let output = run(&["eval", &table, &archive, "--json", json.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    // Not targets: what the embedded model reaches on these few sentences, with room for another machine's rounding.
    let mut failed = Vec::new();
    for (language, metric, most) in [
        ("zh", "CER", 0.08),
        ("en", "WER", 0.15),
        ("ja", "CER", 0.35),
    ] {
        let rates = report["rates"].as_array().unwrap();
        let rate = rates
            .iter()
            .find(|rate| rate["language"] == language && rate["metric"] == metric)
            .and_then(|rate| rate["rate"].as_f64())
            .unwrap();
        if rate > most {
            failed.push(format!("{language}: {metric} {rate:.3}, at most {most}"));
        }
    }
    assert!(failed.is_empty(), "{failed:?}\n{}", stdout(&output));
}

#[test]
fn a_list_of_hotwords_is_measured_against_none() {
    let dir = tempfile::tempdir().unwrap();
    let speech = fs::read(data("hello_zh.wav")).unwrap();
    // 公园 is said; 龚园 sounds the same.
    let said = write_set(
        dir.path(),
        "zh-a",
        &[(
            "a1",
            "今天天气很好，我们一起去龚园吧。",
            Some(speech.clone()),
        )],
    );
    let unsaid = write_set(
        dir.path(),
        "zh-b",
        &[
            ("b1", "今天天气很好，我们一起去公园吧。", Some(speech)),
            ("b2", "安静", Some(silent_wav())),
        ],
    );
    let list = dir.path().join("list.txt");
    fs::write(&list, "龚园\t50\tzh\n慕容明哲\n龘\n").unwrap();
    let json = dir.path().join("out.json");
    let output = run(&[
        "eval",
        &said[0],
        &said[1],
        &unsaid[0],
        &unsaid[1],
        "--hotwords",
        list.to_str().unwrap(),
        "--json",
        json.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("\"龘\" has no effect: the model cannot write 龘"),
        "{}",
        stderr(&output)
    );
    let report = stdout(&output);
    assert!(report.contains("processor time"), "{report}");
    let written: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let sets = &written["hotwords"]["effect"]["sets"];
    let row = |i: usize| {
        let set = &sets[i];
        format!(
            "{} said {} found {} inserted {} in {} of {}",
            set["set"],
            set["said"],
            set["found"],
            set["inserted"],
            set["with_insertions"],
            set["utterances"]
        )
    };
    assert_eq!(
        row(0),
        r#""zh-a" said 1 found [0,1] inserted [0,0] in [0,0] of 1"#
    );
    assert_eq!(
        row(1),
        r#""zh-b" said 0 found [0,0] inserted [0,1] in [0,1] of 2"#
    );
    assert_eq!(
        row(2),
        r#""all" said 1 found [0,1] inserted [0,1] in [0,1] of 3"#
    );
}
