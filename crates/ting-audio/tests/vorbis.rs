//! Vorbis in Ogg: lengths, times, damage. The files are made by `make_formats.py`.

#![allow(clippy::unwrap_used)] // in helpers of the tests

mod common;

use common::ogg::{CONTINUED, FIRST, LAST, packets, page, pages, raw_page, seal};
use common::signal::File;
use common::{Random, decode, decode_every_way, report};
use ting_audio::{AudioErrorKind, AudioStream, Format};

const FILES: &[File] = &[
    File {
        name: "16k.ogg",
        bytes: include_bytes!("data/formats/16k.ogg"),
        format: Format::Vorbis,
        rate: 16_000,
        channels: 1,
        length: 12_800,
        ffmpeg_head: 0,
    },
    File {
        name: "44k-stereo.ogg",
        bytes: include_bytes!("data/formats/44k-stereo.ogg"),
        format: Format::Vorbis,
        rate: 44_100,
        channels: 2,
        length: 35_280,
        ffmpeg_head: 0,
    },
];
const PLAIN: &[u8] = FILES[0].bytes;

#[test]
fn files_have_their_length_and_place() {
    report(
        FILES
            .iter()
            .filter_map(|file| {
                let error = file.check_signal(10.0).err()?;
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

/// The file with at most `count` packets a page, each page with its granule position and `offset` more. Samples of
/// a packet are a quarter of its block and the one before; libvorbis has a short and a long mode.
fn paged(ogg: &[u8], count: usize, offset: i64) -> Vec<Vec<u8>> {
    let all = packets(ogg);
    let blocks = [1i64 << (all[0][28] & 15), 1 << (all[0][28] >> 4)];
    let mut made = vec![
        page(FIRST, 0, 1, 0, &[&all[0]]),
        page(0, 0, 1, 1, &[&all[1], &all[2]]),
    ];
    let mut position = offset;
    let mut previous = None;
    let audio: Vec<&[u8]> = all[3..].iter().map(Vec::as_slice).collect();
    for (index, chunk) in audio.chunks(count).enumerate() {
        for packet in chunk {
            let block = blocks[usize::from(packet[0] >> 1 & 1)];
            position += previous.map_or(0, |previous: i64| (previous + block) / 4);
            previous = Some(block);
        }
        let is_last = (index + 1) * count >= audio.len();
        let granule = if is_last { offset + 12_800 } else { position };
        made.push(page(
            if is_last { LAST } else { 0 },
            granule,
            1,
            index as u32 + 2,
            chunk,
        ));
    }
    made
}

/// However packets are spread over pages, and streams follow each other, the sound is the same.
#[test]
fn pages_and_chains() {
    let wanted = decode(Format::Vorbis, 16_000, PLAIN).unwrap();
    let all = packets(PLAIN);
    let small = paged(PLAIN, 1, 0);
    // Headers that run over pages.
    let headers = [common::ogg::lacing(&[&all[1], &all[2]]), vec![]].concat();
    let body = [&all[1][..], &all[2]].concat();
    let half = headers.len() - 4;
    let first: usize = headers[..half]
        .iter()
        .map(|&value| usize::from(value))
        .sum();
    let torn = [
        small[0].clone(),
        raw_page(0, -1, 1, 1, &headers[..half], &body[..first]),
        raw_page(CONTINUED, 0, 1, 2, &headers[half..], &body[first..]),
        paged(PLAIN, 5, 0)[2..]
            .iter()
            .map(|page| {
                let mut page = page.clone();
                page[18] += 1;
                seal(&mut page);
                page
            })
            .collect::<Vec<_>>()
            .concat(),
    ]
    .concat();
    let twice = [wanted.clone(), wanted.clone()].concat();
    let other = FILES[1].decode().unwrap();
    let cases: Vec<(&str, Vec<u8>, Vec<f32>)> = vec![
        ("a packet a page", small.concat(), wanted.clone()),
        (
            "five packets a page",
            paged(PLAIN, 5, 0).concat(),
            wanted.clone(),
        ),
        ("headers over pages", torn, wanted.clone()),
        (
            "joined in the middle",
            paged(PLAIN, 2, 5_000_000).concat(),
            wanted.clone(),
        ),
        ("chained", [PLAIN, PLAIN].concat(), twice),
        (
            "another rate behind",
            [PLAIN, FILES[1].bytes].concat(),
            [wanted.clone(), other].concat(),
        ),
        (
            "noise between pages",
            small.join(&b"OggS noise"[..]),
            wanted.clone(),
        ),
    ];
    let mut failures = Vec::new();
    for (name, bytes, wanted) in cases {
        match decode_every_way(Format::Vorbis, 16_000, &bytes) {
            Ok(Ok(samples)) if samples == wanted => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// A lost page costs its sound, not the time of what follows.
#[test]
fn damage_is_concealed() {
    let small = paged(PLAIN, 2, 0);
    let mut failures = Vec::new();
    for lost in 3..small.len() - 1 {
        let mut bytes = small.clone();
        bytes.remove(lost);
        match decode_every_way(Format::Vorbis, 16_000, &bytes.concat()) {
            Ok(Ok(samples)) if samples.len() == 12_800 => {}
            Ok(Ok(samples)) => failures.push(format!("page {lost}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("page {lost}: {error}")),
            Err(reason) => failures.push(format!("page {lost}: {reason}")),
        }
    }
    report(failures);
    let cut = [small[..8].concat(), small[8][..40].to_vec()].concat();
    let samples = decode_every_way(Format::Vorbis, 16_000, &cut)
        .unwrap()
        .unwrap();
    assert!(
        samples.len() > 2_000 && samples.len() < 12_800,
        "{}",
        samples.len()
    );
}

/// Bytes damaged anywhere, in pages that are valid: an error or samples, never a panic.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(13);
    let small = paged(PLAIN, 5, 0).concat();
    let starts = pages(&small);
    for round in 0..200 {
        let mut bytes = small.clone();
        for _ in 0..1 + random.below(8) {
            // The setup header in every other round.
            let span = if round % 2 == 0 {
                starts[2]
            } else {
                bytes.len()
            };
            let at = random.below(span);
            bytes[at] = random.next() as u8;
        }
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(bytes.len());
            seal(&mut bytes[start..end]);
        }
        let mut stream = AudioStream::new(Format::Vorbis, 16_000).unwrap();
        let mut out = Vec::new();
        let result = stream
            .push(&bytes, &mut out)
            .and_then(|()| stream.finish(&mut out));
        assert!(out.len() <= 60 * 12_800, "round {round}: {result:?}");
        assert!(out.iter().all(|x| (-1.0..=1.0).contains(x)));
    }
}

/// Numbers written as Vorbis does, the lowest bit first.
fn bits(fields: &[(u64, usize)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    for &(value, count) in fields {
        for bit in 0..count {
            if at % 8 == 0 {
                bytes.push(0);
            }
            *bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (at % 8);
            at += 1;
        }
    }
    bytes
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    let all = packets(PLAIN);
    let stream = |identification: &[u8], setup: &[u8]| {
        [
            page(FIRST, 0, 1, 0, &[identification]),
            page(0, 0, 1, 1, &[&all[1], setup]),
            page(LAST, 12_800, 1, 2, &[&all[3], &all[4]]),
        ]
        .concat()
    };
    let first = |at: usize, bytes: &[u8]| {
        let mut header = all[0].clone();
        header[at..at + bytes.len()].copy_from_slice(bytes);
        stream(&header, &all[2])
    };
    // 256 books of 131072 vectors of 32 numbers, each in a few bytes: 4 GB if they were believed.
    let mut fields: Vec<(u64, usize)> = b"\x05vorbis"
        .iter()
        .map(|&byte| (u64::from(byte), 8))
        .collect();
    fields.push((255, 8));
    for _ in 0..256 {
        fields.extend([
            (0x56_4342, 24),
            (32, 16),
            (131_072, 24),
            (1, 1),
            (16, 5),
            (131_072, 18),
        ]);
        fields.extend([(1, 4), (0, 32), (0, 32), (0, 4), (0, 1), (0, 1)]);
    }
    let bomb = bits(&fields);
    let lost = [
        paged(PLAIN, 5, 0)[0].clone(),
        paged(PLAIN, 5, 0)[2..].concat(),
    ]
    .concat();
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        ("wav", b"RIFF\0\0\0\0WAVEfmt ".into(), WrongFormat, "RIFF"),
        (
            "opus",
            page(FIRST, 0, 1, 0, &[b"OpusHead\x01\x01"]),
            Unsupported,
            "Opus",
        ),
        (
            "header of 8 bytes",
            page(FIRST, 0, 1, 0, &[b"\x01vorbis\0"]),
            Malformed,
            "8 bytes",
        ),
        ("no channels", first(11, &[0]), Unsupported, "0 channels"),
        ("rate 0", first(12, &[0; 4]), Unsupported, "0 Hz"),
        ("blocks of 2^15", first(28, &[0xF8]), Malformed, "2^15"),
        (
            "a setup header of text",
            stream(&all[0], b"\x05vorbis and more"),
            Malformed,
            "codebooks",
        ),
        (
            "a setup header cut short",
            stream(&all[0], &all[2][..900]),
            Malformed,
            "codebooks",
        ),
        (
            "a setup header of gigabytes",
            stream(&all[0], &bomb),
            Unsupported,
            "values",
        ),
        ("setup header lost", lost, Malformed, "setup header"),
        (
            "first page lost",
            PLAIN[58..].into(),
            Malformed,
            "Vorbis header",
        ),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        match decode_every_way(Format::Vorbis, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
    assert_eq!(decode(Format::Vorbis, 16_000, &[]).unwrap(), []);
}
