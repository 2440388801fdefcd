//! AAC in MP4: indexes before, behind and between the audio, trimming, damage. The files are made by `make_formats.py`.

#![allow(clippy::unwrap_used)] // in helpers of the tests

mod common;

use common::signal::File;
use common::{Random, decode, decode_every_way, report};
use ting_audio::{AudioErrorKind, AudioStream, Format};

macro_rules! file {
    ($name:literal, $rate:expr, $channels:expr, $length:expr, $ffmpeg_head:expr) => {
        File {
            name: $name,
            bytes: include_bytes!(concat!("data/formats/", $name)),
            format: Format::M4a,
            rate: $rate,
            channels: $channels,
            length: $length,
            ffmpeg_head: $ffmpeg_head,
        }
    };
}

/// An index tells start and end; without it, in fragments, the usual delay is dropped, which ffmpeg does not.
const FILES: &[File] = &[
    file!("index-last.m4a", 16_000, 1, 12_800, 0),
    file!("index-first.m4a", 44_100, 2, 35_280, 0),
    file!("fragments.m4a", 16_000, 1, 13 * 1024, 1024),
];

#[test]
fn files_have_their_length_and_place() {
    report(
        FILES
            .iter()
            .filter_map(|file| {
                let error = file.check_signal(20.0).err()?;
                Some(format!("{}: {error}", file.name))
            })
            .collect(),
    );
}

#[test]
fn files_sound_as_ffmpeg_has_them() {
    let mut failures = Vec::new();
    for file in FILES {
        match file.check_ffmpeg(60.0) {
            None => return println!("skipped: no ffmpeg"),
            Some(Err(error)) => failures.push(format!("{}: {error}", file.name)),
            Some(Ok(())) => {}
        }
    }
    report(failures);
}

/// Where a box begins, the first of its name.
fn find(bytes: &[u8], name: &[u8; 4]) -> usize {
    let at = bytes.windows(4).position(|window| window == name).unwrap();
    at - 4
}

/// A box.
fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(8 + body.len() as u32).to_be_bytes()[..], name, body].concat()
}

/// `bytes` with `new` in place of what is at `at`.
fn with(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

/// The same audio by other ways of the format.
#[test]
fn boxes_come_in_many_forms() {
    let last = FILES[0].bytes;
    let wanted = decode(Format::M4a, 16_000, last).unwrap();
    let mdat = find(last, b"mdat");
    let moov = find(last, b"moov");
    // The size of `mdat` in 64 bits; before it, in place of 8 bytes, stood a `free` box.
    let free = find(last, b"free");
    assert_eq!(free + 8, mdat);
    let size = u64::from(u32::from_be_bytes(last[mdat..mdat + 4].try_into().unwrap()));
    let long = [&[0, 0, 0, 1][..], b"mdat", &(size + 8).to_be_bytes()].concat();
    let padded = [last, &boxed(b"free", &[0; 5000])].concat();
    let to_the_end = with(last, moov, &[0; 4]);
    // HE-AAC announced: at 32 kHz over the core that is there.
    let esds = find(last, b"esds");
    let tag = last[esds..]
        .windows(4)
        .position(|window| window == [5, 0x80, 0x80, 0x80]);
    let announced = with(last, esds + tag.unwrap() + 5, &[0x2C, 0x0A, 0x88, 0, 0]);
    let elst = find(last, b"elst");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("64-bit size", with(last, free, &long)),
        ("padding behind", padded),
        ("box to the end", to_the_end),
        ("truncated last box", [last, b"\0\0\x10\0free\0\0"].concat()),
        ("the core of HE-AAC", announced),
        (
            "no edit list: the usual delay",
            with(last, elst + 4, b"free"),
        ),
    ];
    let mut failures = Vec::new();
    for (name, bytes) in cases {
        match decode_every_way(Format::M4a, 16_000, &bytes) {
            Ok(Ok(samples)) if samples == wanted => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// iTunes tells delay and length in a comment.
#[test]
fn itunes_comment_trims() {
    let last = FILES[0].bytes;
    let text = b" 00000000 00000500 00000123 0000000000002000 00000000";
    let item = [
        boxed(b"mean", b"\0\0\0\0com.apple.iTunes"),
        boxed(b"name", b"\0\0\0\0iTunSMPB"),
        boxed(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0][..], text].concat()),
    ]
    .concat();
    let ilst = boxed(b"ilst", &boxed(b"----", &item));
    let meta = boxed(b"meta", &[&[0; 4][..], &ilst].concat());
    let udta = boxed(b"udta", &meta);
    // In place of what the file has as `udta`, and with another size of `moov`.
    let moov = find(last, b"moov");
    let old = find(last, b"udta");
    let mut bytes = with(last, find(last, b"elst") + 4, b"free");
    bytes.truncate(old);
    bytes.extend(&udta);
    let size = (bytes.len() - moov) as u32;
    let bytes = with(&bytes, moov, &size.to_be_bytes());
    let samples = decode_every_way(Format::M4a, 16_000, &bytes)
        .unwrap()
        .unwrap();
    let whole = decode(Format::M4a, 16_000, last).unwrap();
    // 0x500 of delay instead of 1024, 0x2000 of sound.
    assert_eq!(samples[..], whole[0x500 - 1024..][..0x2000]);
}

/// What is cut off costs what is behind it.
#[test]
fn truncated_files_give_what_is_there() {
    let first = FILES[1].bytes;
    let whole = decode(Format::M4a, 16_000, first).unwrap();
    let samples = decode_every_way(Format::M4a, 16_000, &first[..first.len() - 2000])
        .unwrap()
        .unwrap();
    assert!(samples.len() > 8_000 && samples.len() < whole.len());
    // But for the resampler's tail.
    let same = samples.len() - 100;
    assert_eq!(samples[..same], whole[..same]);
}

/// Bytes damaged anywhere, the index above all: an error or samples, never a panic.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(12);
    for file in FILES {
        let moov = find(file.bytes, b"moov");
        for round in 0..200 {
            let mut bytes = file.bytes.to_vec();
            for _ in 0..1 + random.below(10) {
                let span = if round % 2 == 0 {
                    bytes.len() - moov
                } else {
                    bytes.len()
                };
                let at = bytes.len() - 1 - random.below(span);
                bytes[at] = random.next() as u8;
            }
            let mut stream = AudioStream::new(Format::M4a, 16_000).unwrap();
            let mut out = Vec::new();
            let result = stream
                .push(&bytes, &mut out)
                .and_then(|()| stream.finish(&mut out));
            // A packet has at least 4 bytes, at 7350 Hz.
            assert!(
                out.len() <= bytes.len() * 560,
                "{} round {round}: {result:?}",
                file.name
            );
        }
    }
}

/// Sizes and counts of 2^32 are believed only as far as bytes come.
#[test]
fn large_numbers_cost_nothing() {
    let last = FILES[0].bytes;
    let body = |name: &[u8; 4]| find(last, name) + 8;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("stsz count", with(last, body(b"stsz") + 8, &[0xFF; 4])),
        (
            "stsz alike",
            with(
                last,
                body(b"stsz") + 4,
                &[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF],
            ),
        ),
        (
            "stsz of 4 GiB each",
            with(last, body(b"stsz") + 4, &[0xFF; 8]),
        ),
        ("stco count", with(last, body(b"stco") + 4, &[0xFF; 4])),
        ("stsc count", with(last, body(b"stsc") + 4, &[0xFF; 4])),
        ("stts", with(last, body(b"stts") + 4, &[0xFF; 12])),
        ("timescale", with(last, body(b"mdhd") + 12, &[0xFF; 4])),
        ("edit", with(last, body(b"elst") + 4, &[0xFF; 12])),
        ("descriptor", with(last, body(b"esds") + 5, &[0xFF; 4])),
    ];
    for (name, bytes) in cases {
        let result = decode_every_way(Format::M4a, 16_000, &bytes).unwrap();
        let samples = result.map_or(0, |samples| samples.len());
        assert!(samples <= bytes.len() * 560, "{name}: {samples} samples");
    }
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    let (last, first) = (FILES[0].bytes, FILES[1].bytes);
    let alac: &[u8] = include_bytes!("data/formats/alac.m4a");
    let rename = |name: &[u8; 4], new: &[u8; 4]| with(last, find(last, name) + 4, new);
    // The object type of the AudioSpecificConfig: the 5 bits behind the tag and size of its descriptor.
    let esds = find(last, b"esds");
    let specific = esds
        + last[esds..]
            .windows(4)
            .position(|w| w == [5, 0x80, 0x80, 0x80])
            .unwrap()
        + 5;
    let late = [
        boxed(b"ftyp", b"M4A \0\0\0\0"),
        boxed(b"mdat", &vec![7; (64 << 20) + 1]),
    ]
    .concat();
    let mut order = first.to_vec();
    let stco = find(first, b"stco") + 16;
    order[stco..stco + 4].copy_from_slice(&[0, 0, 0, 9]);
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        ("wav", b"RIFF\0\0\0\0WAVEfmt ".into(), WrongFormat, "RIFF"),
        ("three bytes", b"abc".into(), WrongFormat, "'abc'"),
        ("alac", alac.into(), Unsupported, "Apple Lossless"),
        ("opus", rename(b"mp4a", b"Opus"), Unsupported, "Opus"),
        (
            "video only",
            rename(b"soun", b"vide"),
            Unsupported,
            "no audio track",
        ),
        (
            "AAC Main",
            with(last, specific, &[last[specific] & 7 | 1 << 3]),
            Unsupported,
            "AAC Main",
        ),
        (
            "xHE-AAC",
            with(last, specific, &[0xF9, 0x48]),
            Unsupported,
            "xHE-AAC",
        ),
        (
            "mp3 in mp4",
            with(last, specific - 18, &[0x6B]),
            Unsupported,
            "MP3",
        ),
        (
            "no index",
            last[..find(last, b"moov")].into(),
            Malformed,
            "'moov'",
        ),
        ("no sizes", rename(b"stsz", b"free"), Malformed, "'stsz'"),
        ("fragment first", boxed(b"moof", &[]), Malformed, "fragment"),
        (
            "box of 4 bytes",
            b"\0\0\0\x08ftyp\0\0\0\x04free".into(),
            Malformed,
            "shorter",
        ),
        (
            "index of 4 GiB",
            b"\0\0\0\x08ftyp\xFF\xFF\xFF\xFFmoov".into(),
            Unsupported,
            "32 MiB",
        ),
        ("audio before its data", order, Unsupported, "another order"),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        match decode_every_way(Format::M4a, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    let error = decode(Format::M4a, 16_000, &late).unwrap_err();
    if !error.to_string().contains("+faststart") {
        failures.push(format!("index too late: {error}"));
    }
    report(failures);
    assert_eq!(decode(Format::M4a, 16_000, &[]).unwrap(), []);
}
