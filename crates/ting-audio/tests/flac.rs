//! FLAC: exact samples, tags, damage. The files are made by `make_formats.py`.

#![allow(clippy::unwrap_used)] // in helpers of the tests

mod common;

use common::signal::{File, signal};
use common::{Random, decode, decode_every_way, report};
use ting_audio::{AudioErrorKind, AudioStream, Format};

const FILES: &[File] = &[
    File {
        name: "16k.flac",
        bytes: include_bytes!("data/formats/16k.flac"),
        format: Format::Flac,
        rate: 16_000,
        channels: 1,
        length: 12_800,
        ffmpeg_head: 0,
    },
    File {
        name: "44k-stereo.flac",
        bytes: include_bytes!("data/formats/44k-stereo.flac"),
        format: Format::Flac,
        rate: 44_100,
        channels: 2,
        length: 17_640,
        ffmpeg_head: 0,
    },
];
const PLAIN: &[u8] = FILES[0].bytes;

/// Where each frame begins: its number follows the codes of the header.
fn frames(flac: &[u8]) -> Vec<usize> {
    let codes = {
        let first = flac
            .windows(2)
            .position(|pair| pair == [0xFF, 0xF8])
            .unwrap();
        [flac[first + 2], flac[first + 3]]
    };
    let mut starts = Vec::new();
    for at in 0..flac.len() - 5 {
        let number = starts.len() as u8;
        let is_last = flac[at + 2] & 0xF0 == 0x70;
        if flac[at..].starts_with(&[0xFF, 0xF8])
            && (flac[at + 2] == codes[0] || is_last)
            && flac[at + 3..at + 5] == [codes[1], number]
        {
            starts.push(at);
        }
    }
    starts
}

/// Lossless: every sample is the rounded signal.
#[test]
fn samples_are_exact() {
    let samples = FILES[0].decode().unwrap();
    assert_eq!(samples.len(), 12_800);
    for (n, sample) in samples.iter().enumerate() {
        let wanted = (32767.0 * signal(n as f64 / 16e3, 1)).round() / 32768.0;
        assert_eq!(f64::from(*sample), wanted, "sample {n}");
    }
    FILES[1].check_signal(60.0).unwrap();
}

#[test]
fn files_sound_as_ffmpeg_has_them() {
    let mut failures = Vec::new();
    for file in FILES {
        // It rounds the mean of two channels to 16 bits.
        match file.check_ffmpeg(80.0) {
            None => return println!("skipped: no ffmpeg"),
            Some(Err(error)) => failures.push(format!("{}: {error}", file.name)),
            Some(Ok(())) => {}
        }
    }
    report(failures);
}

/// Tags and metadata, before and behind, change nothing.
#[test]
fn metadata_is_passed_over() {
    let id3 = [&b"ID3\x04\0\0\0\0\x02\0"[..], &[0xFF; 256]].concat();
    // Blocks of application data, 256 KiB in all, behind STREAMINFO.
    let block = [&[2, 0, 0xFF, 0xFF][..], &[0xFF; 0xFFFF]].concat();
    let mut more = PLAIN[..42].to_vec();
    more[4] &= 0x7F;
    let behind = [&more[..], &block.repeat(4), &PLAIN[42..]].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("id3 before", [&id3, PLAIN].concat()),
        ("large metadata", behind),
        ("id3v1 behind", [PLAIN, b"TAG", &[0x20; 125]].concat()),
        ("zeros behind", [PLAIN, &[0; 3000]].concat()),
    ];
    let wanted = decode(Format::Flac, 16_000, PLAIN).unwrap();
    let mut failures = Vec::new();
    for (name, bytes) in cases {
        match decode_every_way(Format::Flac, 16_000, &bytes) {
            Ok(Ok(samples)) if samples == wanted => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// Damage costs the sound of the frame it hit, not the time of what follows.
#[test]
fn damage_is_concealed() {
    let starts = frames(PLAIN);
    assert!(starts.len() >= 3, "{starts:?}");
    let whole = decode(Format::Flac, 16_000, PLAIN).unwrap();
    let mut flipped = PLAIN.to_vec();
    flipped[starts[1] + 300] ^= 0x10;
    let mut header = PLAIN.to_vec();
    header[starts[1] + 2] ^= 0x10;
    let lost = [&PLAIN[..starts[1]], &PLAIN[starts[2]..]].concat();
    let noisy = [
        &PLAIN[..starts[1]],
        &[0xFF, 0xF8, 1, 2, 3],
        &PLAIN[starts[1]..],
    ]
    .concat();
    let mut failures = Vec::new();
    for (name, bytes) in [
        ("a bit flipped", flipped),
        ("a broken header", header),
        ("a frame lost", lost),
        ("noise between", noisy),
    ] {
        // The last frame is there to the bit, where it belongs.
        let tail = 12_800 - 100..;
        match decode_every_way(Format::Flac, 16_000, &bytes) {
            Ok(Ok(samples))
                if samples.len() == 12_800 && samples[tail.clone()] == whole[tail.clone()] => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
    // Cut short within the last frame, the others remain.
    let cut = decode_every_way(Format::Flac, 16_000, &PLAIN[..PLAIN.len() - 5])
        .unwrap()
        .unwrap();
    assert!(!cut.is_empty() && cut.len() < 12_800 && cut[..] == whole[..cut.len()]);
}

/// Bytes damaged anywhere: an error or samples, never a panic.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(11);
    for round in 0..200 {
        let mut bytes = PLAIN.to_vec();
        for _ in 0..1 + random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        let mut stream = AudioStream::new(Format::Flac, 16_000).unwrap();
        let mut out = Vec::new();
        let result = stream
            .push(&bytes, &mut out)
            .and_then(|()| stream.finish(&mut out));
        assert!(out.len() <= 30 * 12_800, "round {round}: {result:?}");
        assert!(out.iter().all(|x| (-1.0..=1.0).contains(x)));
    }
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    let with = |at: usize, bytes: &[u8]| {
        let mut flac = PLAIN.to_vec();
        flac[at..at + bytes.len()].copy_from_slice(bytes);
        flac
    };
    let endless: Vec<u8> = [&PLAIN[..4], &[0], &PLAIN[5..42]]
        .concat()
        .into_iter()
        .chain(b"\x01\xFF\xFF\xFFpadding".iter().copied())
        .collect();
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        (
            "wav",
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0".into(),
            WrongFormat,
            "RIFF",
        ),
        ("three bytes", b"abc".into(), WrongFormat, "'abc'"),
        (
            "magic only",
            b"fLaC".into(),
            Malformed,
            "before its first frame",
        ),
        (
            "endless metadata",
            endless,
            Malformed,
            "before its first frame",
        ),
        ("no STREAMINFO", with(4, &[1]), Malformed, "STREAMINFO"),
        (
            "STREAMINFO of 40 bytes",
            with(7, &[40]),
            Malformed,
            "STREAMINFO",
        ),
        ("rate 0", with(18, &[0, 0, 0]), Unsupported, "0 Hz"),
        (
            "blocks of 0",
            with(8, &[0, 0, 0, 0]),
            Malformed,
            "blocks of 0",
        ),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        match decode_every_way(Format::Flac, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
    assert_eq!(decode(Format::Flac, 16_000, &[]).unwrap(), []);
}
