//! Speex in Ogg, against `speexdec`: sound, lengths, times, damage. The files are made by `make_speex.py`.

mod common;

use common::ogg::{CONTINUED, FIRST, LAST, granule, packets, page, pages, raw_page, seal};
use common::{Random, at_16k, decode, decode_every_way, report, snr_db};
use ting_audio::{AudioErrorKind, AudioStream, Format, sniff};

struct Case {
    name: &'static str,
    spx: &'static [u8],
    /// What `speexdec --mono` makes of it.
    reference: &'static [u8],
    rate: u32,
    /// Samples of the original.
    length: usize,
}

macro_rules! case {
    ($name:literal, $rate:literal, $length:literal) => {
        Case {
            name: $name,
            spx: include_bytes!(concat!("data/", $name, ".spx")),
            reference: include_bytes!(concat!("data/", $name, ".spx.s16")),
            rate: $rate,
            length: $length,
        }
    };
}

const CASES: &[Case] = &[
    case!("nb", 8_000, 6_400),
    case!("wb", 16_000, 12_800),
    case!("uwb", 32_000, 16_000),
    case!("stereo_vbr_3", 16_000, 12_800),
    case!("rate_11025", 11_025, 7_717),
];
const WIDE: &Case = &CASES[1];

/// The length of a case at 16 kHz.
fn samples_at_16k(length: usize, rate: u32) -> usize {
    (length as f64 * 16e3 / f64::from(rate)).round() as usize
}

#[test]
fn equals_the_reference_decoder() {
    let mut failures = Vec::new();
    for case in CASES {
        if sniff(case.spx) != Some(Format::Speex) {
            failures.push(format!("{}: taken for {:?}", case.name, sniff(case.spx)));
        }
        let samples = match decode_every_way(Format::Speex, 16_000, case.spx) {
            Ok(Ok(samples)) => samples,
            Ok(Err(error)) => {
                failures.push(format!("{}: {error}", case.name));
                continue;
            }
            Err(reason) => {
                failures.push(format!("{}: {reason}", case.name));
                continue;
            }
        };
        let length = samples_at_16k(case.length, case.rate);
        if samples.len() != length {
            failures.push(format!(
                "{}: {} samples, not {length}",
                case.name,
                samples.len()
            ));
            continue;
        }
        let snr = snr_db(&at_16k(case.reference, case.rate), &samples);
        println!("{}: {snr:.1} dB", case.name);
        if snr < 60.0 {
            failures.push(format!("{}: {snr:.1} dB", case.name));
        }
    }
    report(failures);
}

/// The page structure changes nothing: all on one page, whose position tells the end but not the start; a page for
/// each packet; packets that run over pages.
#[test]
fn pages_do_not_show() {
    let whole = decode(Format::Speex, 16_000, WIDE.spx).unwrap();
    let packets = packets(WIDE.spx);
    let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    let (headers, audio) = packets.split_at(2);
    let total = WIDE.length as i64;
    // Where packet `index` ends: `speexenc` counts its look-ahead of 143 samples off.
    let end = |index: usize| (index as i64 * 320 + 177).min(total);
    let last = |index: usize| if index + 1 == audio.len() { LAST } else { 0 };
    let head = [
        page(FIRST, 0, 7, 0, &headers[..1]),
        page(0, 0, 7, 1, &headers[1..]),
    ]
    .concat();

    let mut one = head.clone();
    one.extend(page(LAST, total, 7, 2, audio));

    let mut each = head.clone();
    for (index, packet) in audio.iter().enumerate() {
        each.extend(page(
            last(index),
            end(index),
            7,
            index as u32 + 2,
            &[packet],
        ));
    }

    // Only 255 bytes can be left open, so the packets are made longer; nothing reads beyond the frame.
    let mut torn = head;
    let long: Vec<Vec<u8>> = audio
        .iter()
        .map(|packet| [packet, &[0; 300][..]].concat())
        .collect();
    torn.extend(raw_page(0, -1, 7, 2, &[255], &long[0][..255]));
    for (index, packet) in long.iter().enumerate() {
        let mut lacing = vec![(packet.len() - 255) as u8];
        let mut body = packet[255..].to_vec();
        if let Some(next) = long.get(index + 1) {
            lacing.push(255);
            body.extend_from_slice(&next[..255]);
        }
        let flags = CONTINUED | last(index);
        torn.extend(raw_page(
            flags,
            end(index),
            7,
            index as u32 + 3,
            &lacing,
            &body,
        ));
    }

    let mut failures = Vec::new();
    for (name, bytes) in [("one page", one), ("one each", each), ("torn", torn)] {
        let samples = decode_every_way(Format::Speex, 16_000, &bytes)
            .unwrap()
            .unwrap();
        if samples != whole {
            failures.push(format!("{name}: {} samples", samples.len()));
        }
    }
    report(failures);
}

/// Damage costs the sound of the page it hit, not the time of what follows.
#[test]
fn damage_is_concealed() {
    let mut failures = Vec::new();
    for case in CASES {
        let whole = decode(Format::Speex, 16_000, case.spx).unwrap();
        let pages = pages(case.spx);
        // Pages 0 and 1 are the headers; the last one says where the stream ends.
        for page in 2..pages.len() - 1 {
            let mut flipped = case.spx.to_vec();
            flipped[pages[page] + 40] ^= 0x10;
            let without = [&case.spx[..pages[page]], &case.spx[pages[page + 1]..]].concat();
            // Samples that the pages before gave, less the reach of decoder and resampler.
            let before = granule(case.spx, pages[page - 1]) as usize;
            let before = samples_at_16k(before, case.rate).saturating_sub(250);
            for (what, bytes) in [("flipped", flipped), ("lost", without)] {
                let name = format!("{}, page {page} {what}", case.name);
                match decode_every_way(Format::Speex, 16_000, &bytes) {
                    Ok(Ok(samples)) if samples.len() != whole.len() => {
                        failures.push(format!("{name}: {} samples", samples.len()));
                    }
                    Ok(Ok(samples)) if samples[..before] != whole[..before] => {
                        failures.push(format!("{name}: changed what was before"));
                    }
                    Ok(Ok(samples)) if samples == whole => {
                        failures.push(format!("{name}: nothing was lost"));
                    }
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => failures.push(format!("{name}: {error}")),
                    Err(reason) => failures.push(format!("{name}: {reason}")),
                }
            }
        }
    }
    report(failures);
}

/// A broadcast joined in the middle: page numbers and times jump behind the headers, and nothing is
/// made up for what was sent before. Only the decoder's own look-ahead of 80 samples is dropped.
#[test]
fn broadcast_begins_where_it_was_joined() {
    let mut bytes = WIDE.spx.to_vec();
    let pages = pages(WIDE.spx);
    for (page, &start) in pages.iter().enumerate().skip(2) {
        let end = pages.get(page + 1).copied().unwrap_or(bytes.len());
        let granule = granule(&bytes, start) + 16_000_000;
        bytes[start + 6..start + 14].copy_from_slice(&granule.to_le_bytes());
        bytes[start + 18..start + 22].copy_from_slice(&(page as u32 + 5_000).to_le_bytes());
        seal(&mut bytes[start..end]);
    }
    let samples = decode(Format::Speex, 16_000, &bytes).unwrap();
    let whole = decode(Format::Speex, 16_000, WIDE.spx).unwrap();
    assert_eq!(samples[143..], whole);
}

/// Other codecs, rates and modes follow in one file.
#[test]
fn chained_streams_follow_each_other() {
    const OPUS: &[u8] = include_bytes!("data/burst.opus");
    let parts: Vec<&[u8]> = vec![CASES[0].spx, WIDE.spx, OPUS, CASES[2].spx, CASES[4].spx];
    let mut wanted = decode(Format::Speex, 16_000, parts[0]).unwrap();
    for part in &parts[1..] {
        let format = sniff(part).unwrap();
        wanted.extend(decode(format, 16_000, part).unwrap());
    }
    let samples = decode_every_way(Format::Speex, 16_000, &parts.concat())
        .unwrap()
        .unwrap();
    assert!(
        samples == wanted,
        "{} samples, not {}",
        samples.len(),
        wanted.len()
    );
}

/// Of streams side by side the first that is Speex is taken, whatever comes before it.
#[test]
fn streams_side_by_side_are_told_apart() {
    let split = |ogg: &[u8], serial: u32| -> Vec<Vec<u8>> {
        let starts = pages(ogg);
        let ends = starts.iter().skip(1).copied().chain([ogg.len()]);
        starts
            .iter()
            .zip(ends)
            .map(|(&start, end)| {
                let mut page = ogg[start..end].to_vec();
                page[14..18].copy_from_slice(&serial.to_le_bytes());
                seal(&mut page);
                page
            })
            .collect()
    };
    let (first, second) = (split(WIDE.spx, 11), split(CASES[0].spx, 12));
    let mut bytes = page(FIRST, 0, 10, 0, &[b"\x80theora, and more"]);
    bytes.extend(&first[0]);
    bytes.extend(&second[0]);
    for index in 1..first.len().max(second.len()) {
        bytes.extend(page(0, 99, 10, index as u32, &[&[0x5A; 70]]));
        bytes.extend(second.get(index).into_iter().flatten());
        bytes.extend(first.get(index).into_iter().flatten());
    }
    let samples = decode_every_way(Format::Speex, 16_000, &bytes)
        .unwrap()
        .unwrap();
    assert_eq!(samples, decode(Format::Speex, 16_000, WIDE.spx).unwrap());
}

/// The file with a field of its header changed.
fn with_header(at: usize, value: u32) -> Vec<u8> {
    let mut ogg = WIDE.spx.to_vec();
    ogg[28 + at..28 + at + 4].copy_from_slice(&value.to_le_bytes());
    seal(&mut ogg[..108]);
    ogg
}

#[test]
fn extra_headers_are_passed_over() {
    let mut bytes = with_header(68, 2)[..108].to_vec();
    let tail = packets(WIDE.spx);
    bytes.extend(page(0, 0, 1, 1, &[&tail[1], b"one", b"two"]));
    for (index, packet) in tail[2..].iter().enumerate() {
        let granule = index as i64 * 320 + 177;
        bytes.extend(page(0, granule, 1, index as u32 + 2, &[packet]));
    }
    let samples = decode(Format::Speex, 16_000, &bytes).unwrap();
    let whole = decode(Format::Speex, 16_000, WIDE.spx).unwrap();
    assert!(samples.len() >= whole.len());
    assert_eq!(samples[..whole.len()], whole);
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    const OPUS: &[u8] = include_bytes!("data/burst.opus");
    let first = |packet: &[u8]| {
        let mut ogg = page(FIRST, 0, 1, 0, &[packet]);
        ogg.extend(page(0, 0, 1, 1, &[b"tags"]));
        ogg
    };
    // A comment packet that never ends: as many pages of it as are wanted.
    let endless = |pages: u32| {
        let mut ogg = WIDE.spx[..108].to_vec();
        for sequence in 1..=pages {
            let flags = if sequence > 1 { CONTINUED } else { 0 };
            ogg.extend(raw_page(
                flags,
                -1,
                1,
                sequence,
                &[255; 255],
                &[b'x'; 65_025],
            ));
        }
        ogg
    };
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        ("wav", b"RIFF\0\0\0\0WAVE".into(), WrongFormat, "RIFF"),
        ("bare packets", vec![0x48; 99], WrongFormat, "Ogg"),
        ("three bytes", b"abc".into(), WrongFormat, "'abc'"),
        ("two bytes", b"Og".into(), Malformed, "Speex header"),
        (
            "first page lost",
            WIDE.spx[108..].into(),
            Malformed,
            "Speex header",
        ),
        ("opus", OPUS.into(), Unsupported, "set format to opus"),
        (
            "vorbis",
            first(b"\x01vorbis"),
            Unsupported,
            "holds Vorbis; send",
        ),
        (
            "flac",
            first(b"\x7FFLAC\x01\0"),
            Unsupported,
            "holds FLAC; send",
        ),
        ("short header", first(b"Speex   1.2"), Malformed, "11 bytes"),
        ("version 2", with_header(28, 2), Unsupported, "version 2"),
        (
            "bit stream 3",
            with_header(44, 3),
            Unsupported,
            "bit stream 3",
        ),
        ("mode 3", with_header(40, 3), Malformed, "mode 3"),
        ("rate 0", with_header(36, 0), Malformed, "rate of 0"),
        (
            "rate 2^31",
            with_header(36, 1 << 31),
            Malformed,
            "rate of 2147483648",
        ),
        (
            "many headers",
            with_header(68, u32::MAX),
            Malformed,
            "4294967295 extra",
        ),
        ("endless tags", endless(260), Malformed, "16 MiB of tags"),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        let result = if bytes.len() > 1 << 20 {
            Ok(decode(Format::Speex, 16_000, &bytes))
        } else {
            decode_every_way(Format::Speex, 16_000, &bytes)
        };
        match result {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
    assert_eq!(decode(Format::Speex, 16_000, &[]).unwrap(), []);
    assert_eq!(decode(Format::Speex, 16_000, &endless(20)).unwrap(), []);
}

/// What is hostile but no error: how much comes out is bounded by what went in, and what came before stays.
#[test]
fn hostile_streams_are_survived() {
    let head = &WIDE.spx[..pages(WIDE.spx)[2]];
    let tail = packets(WIDE.spx);
    let then = |header: &[u8], pages: Vec<Vec<u8>>| [header, &pages.concat()].concat();
    let many_frames = [&with_header(64, u32::MAX)[..108], &head[108..]].concat();
    let none = [&[][..]; 255];
    let one = [&[0xFF][..]; 255];
    let cases: Vec<(&str, Vec<u8>, std::ops::Range<usize>)> = vec![
        (
            "empty packets",
            then(head, vec![page(0, 255 * 320, 1, 2, &none)]),
            0..1,
        ),
        (
            "broken packets",
            then(head, vec![page(0, 255 * 320 - 143, 1, 2, &one)]),
            81_000..82_000,
        ),
        (
            "packets that claim 2^32 frames",
            then(&many_frames, vec![page(0, i64::MAX, 1, 2, &one)]),
            1..10 * 320 * 255,
        ),
        (
            "a gap of ages",
            then(
                head,
                vec![
                    page(0, 177, 1, 2, &[&tail[2]]),
                    page(0, i64::MAX, 1, 9, &[&tail[3]]),
                    page(LAST, i64::MAX, 1, 10, &[&tail[4]]),
                ],
            ),
            32_000..34_000,
        ),
        (
            "an end before the start",
            then(head, vec![page(LAST, 1, 1, 2, &[&tail[2], &tail[3]])]),
            1..2,
        ),
        (
            "positions that are none",
            then(head, vec![page(0, i64::MIN, 1, 2, &[&tail[2], &tail[3]])]),
            400..420,
        ),
        (
            "a packet over 70 KB",
            then(
                head,
                vec![
                    raw_page(0, -1, 1, 2, &[255; 255], &[0; 65_025]),
                    raw_page(CONTINUED, 177, 1, 3, &[255, 255, 0], &[0; 510]),
                ],
            ),
            0..1,
        ),
    ];
    let mut failures = Vec::new();
    for (name, bytes, allowed) in cases {
        match decode_every_way(Format::Speex, 16_000, &bytes) {
            Ok(Ok(samples)) if allowed.contains(&samples.len()) => {}
            Ok(Ok(samples)) => failures.push(format!("{name}: {} samples", samples.len())),
            Ok(Err(error)) => failures.push(format!("{name}: {error}")),
            Err(reason) => failures.push(format!("{name}: {reason}")),
        }
    }
    report(failures);
}

/// Bytes damaged anywhere, headers included, with the pages sealed again so that lies are believed: an error or
/// samples, never a panic.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(8);
    let mut errors = 0;
    for round in 0..600 {
        let mut bytes = CASES[round % CASES.len()].spx.to_vec();
        for _ in 0..1 + random.below(12) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        let starts = pages(&bytes);
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(bytes.len());
            seal(&mut bytes[start..end]);
        }
        let mut out = Vec::new();
        let mut stream = AudioStream::new(Format::Speex, 16_000).unwrap();
        let result = stream
            .push(&bytes, &mut out)
            .and_then(|()| stream.finish(&mut out));
        errors += usize::from(result.is_err());
        assert!(
            out.iter().all(|x| (-1.0..=1.0).contains(x)),
            "round {round}"
        );
    }
    assert!(errors < 300, "{errors} of 600 were refused");
}
