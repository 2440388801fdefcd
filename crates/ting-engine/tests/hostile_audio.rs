//! Audio that turns bad in mid-stream, or is packed densely: what was said before is recognised, the task ends as it should,
//! and others are not held up.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot get its files has failed"
)]

mod common;

use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use common::{finals, model, run};
use ting_engine::{Engine, EngineErrorKind, EngineOptions, Event, Format, TaskOptions};

/// A sentence of `tests/data/spoken.tar`, as Ogg-Opus.
fn spoken(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/spoken.tar");
    let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = entries
        .find(|entry| entry.path().unwrap().to_str() == Some(name))
        .unwrap();
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The first page of another Ogg stream, with one packet shorter than 255 bytes.
fn first_page(packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\x02\0\0\0\0\0\0\0\0".to_vec();
    page.extend([9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, packet.len() as u8]);
    page.extend(packet);
    // RFC 3533: CRC-32 of polynomial 0x04C11DB7 with the field itself as 0.
    let crc = page.iter().fold(0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    });
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

#[test]
fn what_was_said_before_the_fault_is_delivered() {
    let model = model();
    let options = TaskOptions::new(Format::Opus, 16_000);
    let speech = spoken("zh-spoken-00.opus");
    let whole = run(&model, &options, &speech, &[4096]);
    let expected = finals(&whole);
    assert!(!expected.is_empty(), "nothing is recognised");
    let garbage: Vec<u8> = (0..200_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    // Name, what follows the speech, and whether the task fails.
    let cases: [(&str, Vec<u8>, bool); 4] = [
        ("nothing", Vec::new(), false),
        ("garbage", garbage, false),
        (
            "a link that cannot be decoded",
            first_page(b"OpusHead\x10\x01\0\0\0\0\0\0\0\0\0"),
            true,
        ),
        (
            "a header of four bytes",
            first_page(b"OpusHead\x01\x01\0\0"),
            true,
        ),
    ];
    let mut failures = Vec::new();
    for (name, after, fails) in cases {
        let bytes = [speech.as_slice(), &after].concat();
        let first = run(&model, &options, &bytes, &[4096]);
        for cuts in [&[1024, 1, 77][..], &[usize::MAX >> 1]] {
            if run(&model, &options, &bytes, cuts) != first {
                failures.push(format!("{name}: cuts change the events"));
            }
        }
        let ended = match first.last() {
            Some(Event::Failed(error)) => fails && error.kind() == EngineErrorKind::Audio,
            Some(Event::Finished { .. }) => !fails,
            _ => false,
        };
        let ends = first
            .iter()
            .filter(|event| matches!(event, Event::Failed(_) | Event::Finished { .. }))
            .count();
        if !ended || ends != 1 {
            failures.push(format!("{name}: ends with {:?}", first.last()));
        }
        if finals(&first) != expected {
            failures.push(format!("{name}: {:?}", finals(&first)));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn dense_audio_does_not_hold_up_other_sessions() {
    let engine = Engine::start(
        model(),
        EngineOptions {
            threads: 1,
            max_sessions: Some(4),
        },
    )
    .unwrap();
    let (send, receive) = mpsc::channel();
    let open = |format, name: &'static str| {
        let send = send.clone();
        engine
            .open(TaskOptions::new(format, 16_000), move |event| {
                if let Event::Finished { audio_ms } = event {
                    send.send((name, audio_ms)).unwrap();
                }
            })
            .unwrap()
    };
    // Its sink keeps the only thread until the other two wait in line.
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let first = engine
        .open(TaskOptions::new(Format::Pcm, 16_000), move |_| {
            let _ = gate.lock().unwrap().recv();
        })
        .unwrap();
    first.finish();
    let dense = open(Format::Amr, "dense");
    // Each frame without data is one byte, and 20 ms of pause: more than ten minutes in all.
    dense.push([b"#!AMR\n".as_slice(), &[0x7C; 31_000]].concat());
    dense.finish();
    let live = open(Format::Pcm, "live");
    live.push(vec![0; 32_000]);
    live.finish();
    go.send(()).unwrap();
    let wait = Duration::from_secs(120);
    assert_eq!(receive.recv_timeout(wait).unwrap(), ("live", 1_000));
    let (name, audio_ms) = receive.recv_timeout(wait).unwrap();
    assert_eq!(name, "dense");
    assert!((619_900..=620_000).contains(&audio_ms), "{audio_ms}");
}
