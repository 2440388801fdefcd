//! `ting serve` and the measurements that talk to it, as a user runs them.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use common::serving::Serving;
use common::{data, run, stderr, stdout, ting};

#[test]
fn says_what_to_change_and_stops_on_signals() {
    for signal in ["-INT", "-TERM"] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        let mut serving = Serving::start(&["--data-dir", folder.to_str().unwrap()]);
        assert!(
            serving.url.ends_with("/api-ws/v1/inference"),
            "{}",
            serving.url
        );
        assert!(!serving.address().ends_with(":0"), "{}", serving.url);
        assert!(folder.is_dir());
        TcpStream::connect(serving.address()).unwrap();
        let id = serving.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(serving.child.wait().unwrap().code(), Some(0), "{signal}");
        let mut rest = String::new();
        serving.said.read_to_string(&mut rest).unwrap();
        assert!(
            rest.contains(&format!("DASHSCOPE_WEBSOCKET_BASE_URL={}", serving.url)),
            "{rest}"
        );
        assert!(rest.contains("stopping"), "{rest}");
    }
}

#[test]
fn what_cannot_be_served_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let file = data("hello_en.wav");
    let damaged = tempfile::tempdir().unwrap();
    std::fs::write(damaged.path().join("ting.db"), "no database").unwrap();
    let damaged = damaged.path().to_str().unwrap();
    let cases: [(&[&str], i32, &str); 10] = [
        (&["--listen", &taken], 1, &taken),
        (&["--listen", "8000"], 2, "expected ADDRESS:PORT"),
        (&["--threads", "0"], 2, "--threads"),
        (&["--model-dir", "/no/such"], 1, "/no/such"),
        (&["--data-dir", &file], 1, "hello_en.wav"),
        (&["--data-dir", damaged], 1, "ting.db is damaged"),
        (&["--api-key", ""], 1, "the API key is empty"),
        (&["--timeout", "ping=never"], 2, "0.05 to 86400"),
        (&["--timeout", "patience=1"], 2, "silent-audio"),
        (&["--timeout", "peer-lost=5"], 1, "longer than ping, 20 s"),
    ];
    let mut failed = Vec::new();
    for (args, status, part) in cases {
        let output = run(&[&["serve"], args].concat());
        if output.status.code() != Some(status) || !stderr(&output).contains(part) {
            failed.push((args, output.status.code(), stderr(&output)));
        }
    }
    drop(listener);
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn timeouts_can_be_set() {
    let serving = Serving::start(&["--timeout", "idle-socket=0.2", "--timeout", "close=0.1"]);
    let mut socket = TcpStream::connect(serving.address()).unwrap();
    let handshake = format!(
        "GET /api-ws/v1/inference HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        serving.address()
    );
    socket.write_all(handshake.as_bytes()).unwrap();
    // Would take a minute otherwise, and a test waits for that long.
    let patience = std::time::Duration::from_secs(50);
    socket.set_read_timeout(Some(patience)).unwrap();
    let mut said = Vec::new();
    socket.read_to_end(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("101 Switching Protocols"), "{said}");
    assert!(said.ends_with("no task for too long"), "{said}");
}

#[test]
fn the_usual_data_folder_is_used_when_none_is_named() {
    let home = tempfile::tempdir().unwrap();
    let usual = home.path().join(".local/share/ting");
    let file = usual.join("ting.db");
    let start = || {
        let mut command = ting();
        command.env("HOME", home.path()).env_remove("XDG_DATA_HOME");
        Serving::spawn(command, &[])
    };
    drop(start());
    // Nothing is kept yet, so nothing is made.
    assert!(!home.path().join(".local").exists());
    // What is wrong with it is told, and does not keep the server from starting.
    std::fs::create_dir_all(&usual).unwrap();
    std::fs::write(&file, "no database").unwrap();
    let serving = start();
    let name = file.display().to_string();
    let told = |line: &&str| line.contains("WARN") && line.contains(&name);
    assert_eq!(
        serving.before.lines().filter(told).count(),
        1,
        "{}",
        serving.before
    );
}

#[test]
fn measurements_of_a_server_with_a_key() {
    let serving = Serving::start(&["--api-key", "secret,other", "--max-sessions", "4"]);
    let file = data("hello_zh.wav");
    let latency = [
        "bench",
        "latency",
        "--url",
        &serving.url,
        "--sessions",
        "2",
        &file,
    ];

    let refused = run(&latency);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("401"), "{}", stderr(&refused));

    let output = run(&[&latency[..], &["--api-key", "other"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let report = stdout(&output);
    assert!(report.starts_with("machine: "), "{report}");
    assert!(
        report.contains("2 sessions in real time, 2 tasks"),
        "{report}"
    );
    for delay in ["first_package_delay", "last_package_delay", "response lag"] {
        assert!(report.contains(delay), "{report}");
    }
}

#[test]
fn measurements_that_start_their_own_server() {
    let file = data("hello_zh.wav");
    let cases: [(&[&str], &str); 3] = [
        (&["rtf", "--repeat", "1", &file], "RTF median"),
        (&["start", "--repeat", "1"], "start to listening"),
        (&["memory", &file], "peak resident"),
    ];
    let mut failed = Vec::new();
    for (args, part) in cases {
        let output = run(&[&["bench"], args].concat());
        if !output.status.success() || !stdout(&output).contains(part) {
            failed.push((args, stdout(&output), stderr(&output)));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_burst_is_transcribed_whole() {
    let output = run(&["bench", "burst", "--minutes", "1", &data("hello_zh.wav")]);
    assert!(
        output.status.success(),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    let table = stdout(&output);
    let row = |name: &str| {
        table
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_default()
    };
    assert!(row("repetitions with text").contains(" 7 of 7 "), "{table}");
}
