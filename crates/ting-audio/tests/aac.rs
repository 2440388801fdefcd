//! AAC in ADTS: lengths, delays, damage. The files are made by `make_formats.py`.

mod common;

use common::signal::File;
use common::{Random, decode, decode_every_way, report};
use ting_audio::{AudioErrorKind, AudioStream, Format};

/// ADTS tells no delay: the first block is dropped, which ffmpeg does not, and the end stays as the encoder padded it.
const FILES: &[File] = &[
    File {
        name: "16k.aac",
        bytes: include_bytes!("data/formats/16k.aac"),
        format: Format::Aac,
        rate: 16_000,
        channels: 1,
        length: 13 * 1024,
        ffmpeg_head: 1024,
    },
    File {
        name: "44k-stereo.aac",
        bytes: include_bytes!("data/formats/44k-stereo.aac"),
        format: Format::Aac,
        rate: 44_100,
        channels: 2,
        length: 35 * 1024,
        ffmpeg_head: 1024,
    },
];
const PLAIN: &[u8] = FILES[0].bytes;

/// The frames of an ADTS stream.
fn frames(adts: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    let mut rest = adts;
    while rest.len() >= 7 {
        let size =
            usize::from(rest[3] & 3) << 11 | usize::from(rest[4]) << 3 | usize::from(rest[5] >> 5);
        let (frame, after) = rest.split_at(size);
        frames.push(frame);
        rest = after;
    }
    frames
}

/// A frame with the header of `like`, its size and number of blocks set.
fn frame(like: &[u8], has_crc: bool, blocks: usize, body: &[u8]) -> Vec<u8> {
    let mut frame = like[..7].to_vec();
    let size = 7 + body.len();
    frame[1] = frame[1] & !1 | u8::from(!has_crc);
    frame[3] = frame[3] & !3 | (size >> 11) as u8;
    frame[4] = (size >> 3) as u8;
    frame[5] = (size << 5) as u8 | frame[5] & 0x1F;
    frame[6] = frame[6] & !3 | (blocks - 1) as u8;
    frame.extend(body);
    frame
}

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

/// The same blocks in other frames, and things between them, give the same samples.
#[test]
fn frames_come_in_many_forms() {
    let plain = frames(PLAIN);
    let id3 = [&b"ID3\x04\0\0\0\0\x02\0"[..], &[0xFF; 256]].concat();
    let with_crc: Vec<u8> = plain
        .iter()
        .flat_map(|one| frame(one, true, 1, &[&[0, 0], &one[7..]].concat()))
        .collect();
    // Three blocks a frame: the positions of the second and third, a checksum, and one behind each block.
    let three: Vec<u8> = plain
        .chunks(3)
        .flat_map(|chunk| {
            let mut body = Vec::new();
            let mut at = 0;
            for one in &chunk[..chunk.len() - 1] {
                at += one.len() - 7 + 2;
                body.extend((at as u16).to_be_bytes());
            }
            body.extend([0, 0]);
            for one in chunk {
                body.extend(&one[7..]);
                body.extend(if chunk.len() > 1 { &[0, 0][..] } else { &[] });
            }
            frame(chunk[0], true, chunk.len(), &body)
        })
        .collect();
    let each = |between: &[u8]| -> Vec<u8> {
        plain
            .iter()
            .flat_map(|one| [one, between].concat())
            .collect()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("checksums", with_crc),
        ("three blocks a frame", three),
        ("id3 before", [&id3, PLAIN].concat()),
        ("id3 between", each(&id3)),
        ("garbage before", [&[0x55; 5000][..], PLAIN].concat()),
        (
            "garbage between",
            [
                &plain[..6].concat()[..],
                b"\xFF\xF1noise\xFF\xFF",
                &plain[6..].concat(),
            ]
            .concat(),
        ),
        ("zeros behind", [PLAIN, &[0; 3000]].concat()),
    ];
    let wanted = decode(Format::Aac, 16_000, PLAIN).unwrap();
    let mut failures = Vec::new();
    for (name, bytes) in cases {
        match decode_every_way(Format::Aac, 16_000, &bytes) {
            Ok(Ok(samples)) if samples == wanted => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// Damage costs the frames it hit; time goes on where their number is known.
#[test]
fn damage_is_survived() {
    let plain = frames(PLAIN);
    let all = |change: &dyn Fn(usize, &[u8]) -> Vec<u8>| -> Vec<u8> {
        plain
            .iter()
            .enumerate()
            .flat_map(|(at, one)| change(at, one))
            .collect()
    };
    let cases: Vec<(&str, Vec<u8>, usize)> = vec![
        (
            "bodies of noise",
            all(&|at, one| {
                if at % 3 == 1 {
                    frame(one, false, 1, &[0xA5; 90])
                } else {
                    one.to_vec()
                }
            }),
            0,
        ),
        (
            "empty bodies",
            all(&|at, one| {
                if at % 3 == 1 {
                    frame(one, false, 1, &[])
                } else {
                    one.to_vec()
                }
            }),
            0,
        ),
        (
            "a broken header",
            all(&|at, one| {
                if at == 5 {
                    [&[0; 3], &one[3..]].concat()
                } else {
                    one.to_vec()
                }
            }),
            1,
        ),
        ("last frame cut short", PLAIN[..PLAIN.len() - 3].into(), 1),
        (
            "two blocks without a checksum",
            all(&|at, one| {
                if at == 5 {
                    frame(one, false, 2, &one[7..])
                } else {
                    one.to_vec()
                }
            }),
            0,
        ),
    ];
    let mut failures = Vec::new();
    for (name, bytes, lost) in cases {
        let wanted = (13 - lost) * 1024..=14 * 1024;
        match decode_every_way(Format::Aac, 16_000, &bytes) {
            Ok(Ok(samples)) if wanted.contains(&samples.len()) => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// Streams one behind the other: each keeps its rate and channels.
#[test]
fn rate_and_channels_may_change() {
    let bytes = [FILES[0].bytes, FILES[1].bytes, FILES[0].bytes].concat();
    let samples = decode_every_way(Format::Aac, 16_000, &bytes)
        .unwrap()
        .unwrap();
    // Only the first is known to begin.
    let wanted = 13 * 1024 + (36 * 1024 * 16_000 + 22_050) / 44_100 + 14 * 1024;
    assert_eq!(samples.len(), wanted);
}

/// Bytes damaged anywhere: an error or samples, never a panic.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(10);
    for file in FILES {
        for round in 0..150 {
            let mut bytes = file.bytes.to_vec();
            for _ in 0..1 + random.below(60) {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            let mut stream = AudioStream::new(Format::Aac, 16_000).unwrap();
            let mut out = Vec::new();
            let result = stream
                .push(&bytes, &mut out)
                .and_then(|()| stream.finish(&mut out));
            // The smallest frame: 7 bytes for 4 blocks at 7350 Hz.
            assert!(
                out.len() <= bytes.len() * 1300,
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
    // Two frames of a header, so that they are believed.
    let two = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut one = frame(PLAIN, false, 1, &[0; 60]);
        change(&mut one);
        one.repeat(2)
    };
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        (
            "wav",
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0".into(),
            WrongFormat,
            "RIFF",
        ),
        (
            "mp3",
            [&b"\xFF\xFB\x90\x64"[..], &[0; 300]].concat(),
            WrongFormat,
            "MP3",
        ),
        (
            "m4a",
            b"\0\0\0\x1cftypM4A \0\0\x02\0isomiso2".into(),
            WrongFormat,
            "an MP4 file",
        ),
        (
            "loas",
            [&b"\x56\xE0\x20"[..], &[0; 70_000]].concat(),
            WrongFormat,
            "LOAS",
        ),
        ("noise", vec![0x3C; 70_000], WrongFormat, "HTML"),
        (
            "main profile",
            two(&|f| f[2] &= 0x3F),
            Unsupported,
            "AAC Main",
        ),
        (
            "long-term prediction",
            two(&|f| f[2] |= 0xC0),
            Unsupported,
            "AAC LTP",
        ),
        (
            "5.1 channels",
            two(&|f| {
                f[2] |= 1;
                f[3] |= 0x80;
                f[3] &= 0xBF;
            }),
            Unsupported,
            "6 channels",
        ),
        (
            "channels in the stream",
            two(&|f| f[3] &= 0x3F),
            Unsupported,
            "described in the stream",
        ),
        (
            "two blocks, no checksum",
            two(&|f| f[6] |= 1),
            Unsupported,
            "several blocks",
        ),
        (
            "half a frame",
            PLAIN[..100].into(),
            Malformed,
            "first frame",
        ),
        ("three bytes", b"abc".into(), WrongFormat, "'abc'"),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        match decode_every_way(Format::Aac, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
    assert_eq!(decode(Format::Aac, 16_000, &[]).unwrap(), []);
}
