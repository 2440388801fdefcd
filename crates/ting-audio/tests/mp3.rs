//! MPEG audio: lengths, delays, tags, damage. The files are made by `make_formats.py`.

mod common;

use common::signal::File;
use common::{Random, decode, decode_every_way, report};
use ting_audio::{AudioErrorKind, AudioStream, Format};

macro_rules! file {
    ($name:literal, $rate:expr, $channels:expr, $length:expr, $ffmpeg_head:expr) => {
        File {
            name: $name,
            bytes: include_bytes!(concat!("data/formats/", $name)),
            format: Format::Mp3,
            rate: $rate,
            channels: $channels,
            length: $length,
            ffmpeg_head: $ffmpeg_head,
        }
    };
}

/// With a tag the length is that of the source, 0.8 s; ffmpeg trims by it too. Without, the usual delay is.
const FILES: &[File] = &[
    file!("16k.mp3", 16_000, 1, 12_800, 0),
    file!("44k-stereo-vbr.mp3", 44_100, 2, 35_280, 0),
    file!("8k.mp3", 8_000, 1, 6_400, 0),
    file!("22k-no-tag.mp3", 22_050, 1, 33 * 576 - 1105, 1105),
    file!("48k-layer2.mp3", 48_000, 1, 34 * 1152 - 481, 481),
];
const PLAIN: &[u8] = FILES[0].bytes;

#[test]
fn files_have_their_length_and_place() {
    report(
        FILES
            .iter()
            .filter_map(|file| {
                let error = file.check_signal(12.0).err()?;
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

/// An ID3v2.4 tag around `body`.
fn id3(flags: u8, body: &[u8]) -> Vec<u8> {
    let size = body.len();
    let sizes = [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7F);
    [&b"ID3\x04\0"[..], &[flags], &sizes, body].concat()
}

/// An APEv2 tag: header, items, footer.
fn ape(items: &[u8]) -> Vec<u8> {
    let end = |flags: u32| {
        let size = (items.len() as u32 + 32).to_le_bytes();
        let flags = flags.to_le_bytes();
        [
            &b"APETAGEX\xD0\x07\0\0"[..],
            &size,
            &[1, 0, 0, 0],
            &flags,
            &[0; 8],
        ]
        .concat()
    };
    [&end(0xA000_0000)[..], items, &end(0x8000_0000)].concat()
}

/// The start of each frame of `mp3`, its tag's frame included.
fn frames(mp3: &[u8]) -> Vec<usize> {
    (0..mp3.len())
        .filter(|&at| mp3[at..].starts_with(b"\xFF\xF3"))
        .collect()
}

/// Tags, wherever they are, change nothing of the sound.
#[test]
fn tags_are_passed_over() {
    let bare = &PLAIN[frames(PLAIN)[0]..];
    // Two frames in a picture, so that they confirm each other.
    let picture = [&[0xFF; 50][..], &bare[..900], &[0xFF; 50]].concat();
    let id3v1 = [&b"TAG"[..], &[0x20; 125]].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no tag", bare.into()),
        ("id3v2 with a picture", [&id3(0, &picture), bare].concat()),
        (
            "id3v2 with a footer",
            [
                &id3(0x10, &[0; 300])[..],
                b"3DI\x04\0\x10\0\0\x02\x2C",
                bare,
            ]
            .concat(),
        ),
        (
            "two id3v2",
            [&id3(0, &picture)[..], &id3(0, b""), bare].concat(),
        ),
        ("id3v1", [bare, &id3v1].concat()),
        ("ape and id3v1", [bare, &ape(&picture), &id3v1].concat()),
        ("ape before", [&ape(&picture), bare].concat()),
        ("id3v2 behind", [bare, &id3(0, &picture)].concat()),
        ("garbage before", [&[0x55; 5000][..], bare].concat()),
        ("zeros behind", [bare, &[0; 5000]].concat()),
    ];
    let wanted = decode(Format::Mp3, 16_000, PLAIN).unwrap();
    let mut failures = Vec::new();
    for (name, bytes) in cases {
        match decode_every_way(Format::Mp3, 16_000, &bytes) {
            Ok(Ok(samples)) if samples == wanted => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// Files one behind the other: each has its own delay, rate and channels.
#[test]
fn files_may_follow_each_other() {
    let cases: [(&str, usize, usize); 4] = [
        ("the same again", 0, 0),
        ("another rate", 0, 2),
        ("another rate and channels", 1, 0),
        ("another layer", 0, 4),
    ];
    let mut failures = Vec::new();
    for (name, first, second) in cases {
        let (first, second) = (&FILES[first], &FILES[second]);
        let bytes = [first.bytes, second.bytes].concat();
        let apart = [first, second].map(|file| file.decode().unwrap().len());
        // A stream without a tag does not tell that it begins: its delay stays in.
        let delay = if second.name.contains("layer2") {
            481 / 3
        } else {
            0
        };
        let wanted = apart[0] + apart[1] + delay;
        match decode_every_way(Format::Mp3, 16_000, &bytes) {
            Ok(Ok(samples)) if samples.len().abs_diff(wanted) <= 1 => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} not {wanted}", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// Damage costs the frames it hit; the rest goes on.
#[test]
fn damage_is_survived() {
    let starts = frames(PLAIN);
    let fifth = starts[5];
    let mut header = PLAIN.to_vec();
    header[fifth + 1] = 0;
    let mut body = PLAIN.to_vec();
    for pair in starts[5..10].windows(2) {
        body[pair[0] + 6..pair[1]].fill(0xA5);
    }
    let cut = [&PLAIN[..fifth], &PLAIN[fifth + 100..]].concat();
    let noisy = [&PLAIN[..fifth], b"\xFF\xF3 noise \xFF\xFB", &PLAIN[fifth..]].concat();
    // Samples of frames that are lost.
    let cases = [
        ("a header", header, 1),
        ("four bodies", body, 0),
        ("100 bytes missing", cut, 1),
        ("noise between", noisy, 0),
        ("last frame cut short", PLAIN[..PLAIN.len() - 9].to_vec(), 1),
    ];
    let mut failures = Vec::new();
    for (name, bytes, lost) in cases {
        match decode_every_way(Format::Mp3, 16_000, &bytes) {
            // What the tag says of the end hits other samples then.
            Ok(Ok(samples)) if samples.len() + 576 * lost >= 12_800 => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// Bytes damaged anywhere: an error or samples, never a panic, and no more than frames can hold.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(9);
    for file in FILES {
        for round in 0..60 {
            let mut bytes = file.bytes.to_vec();
            for _ in 0..1 + random.below(60) {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            let mut stream = AudioStream::new(Format::Mp3, 16_000).unwrap();
            let mut out = Vec::new();
            let result = stream
                .push(&bytes, &mut out)
                .and_then(|()| stream.finish(&mut out));
            // The smallest frame: 24 bytes for 576 samples at 8 kHz.
            assert!(
                out.len() <= bytes.len() * 48 + 100,
                "{} round {round}: {result:?}",
                file.name
            );
            assert!(out.iter().all(|x| (-1.0..=1.0).contains(x)));
        }
    }
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    let bare = &PLAIN[frames(PLAIN)[0]..];
    let free: Vec<u8> = (0..40)
        .flat_map(|_| [&b"\xFF\xFB\x00\xC4"[..], &[0; 600]].concat())
        .collect();
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        (
            "wav",
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0".into(),
            WrongFormat,
            "RIFF",
        ),
        (
            "ogg",
            b"OggS\0\x02\0\0\0\0\0\0\0\0".into(),
            WrongFormat,
            "Ogg",
        ),
        (
            "adts",
            [&b"\xFF\xF1\x60\x40\x1F"[..], &[0; 300]].concat(),
            WrongFormat,
            "AAC",
        ),
        (
            "adts behind id3",
            [&id3(0, b"x")[..], b"\xFF\xF1\x60\x40\x1F", &[0; 30]].concat(),
            WrongFormat,
            "AAC",
        ),
        (
            "json",
            [&b"{\"a\":1}"[..], &[b' '; 40]].concat(),
            WrongFormat,
            "JSON",
        ),
        ("noise", vec![0x3C; 70_000], WrongFormat, "HTML"),
        ("free format", free, Unsupported, "free format"),
        ("half a frame", bare[..100].into(), Malformed, "first frame"),
        (
            "tag without end",
            id3(0, &[0; 9])[..12].into(),
            Malformed,
            "tags",
        ),
        (
            "tag of 256 MiB",
            b"ID3\x04\0\0\x7F\x7F\x7F\x7Fabc".into(),
            Malformed,
            "tags",
        ),
        ("three bytes", b"abc".into(), WrongFormat, "'abc'"),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        match decode_every_way(Format::Mp3, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
    assert_eq!(decode(Format::Mp3, 16_000, &[]).unwrap(), []);
}
