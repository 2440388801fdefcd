//! Ogg-Opus: lengths, times, damage. The file is made by `make_opus.py`.

mod common;

use common::ogg::{pages, seal};
use common::{Random, decode, decode_every_way, level_db, report, snr_db};
use ting_audio::{AudioErrorKind, AudioStream, Format, sniff};

/// 1.5 s, silent but for a 1 kHz tone from 0.5 s to 1.0 s.
const BURST: &[u8] = include_bytes!("data/burst.opus");
const SAMPLES: usize = 24_000;

/// Level of the burst's tone in a span of samples, dB.
fn level(samples: &[f32]) -> f64 {
    level_db(samples.iter().map(|&x| f64::from(x)))
}

#[test]
fn tone_has_its_length_place_and_level() {
    assert_eq!(sniff(BURST), Some(Format::Opus));
    let samples = decode_every_way(Format::Opus, 16_000, BURST)
        .unwrap()
        .unwrap();
    assert_eq!(samples.len(), SAMPLES);
    let spans = [
        level(&samples[..7_800]),
        level(&samples[8_200..15_800]),
        level(&samples[16_400..]),
    ];
    assert!(
        spans[0] < -40.0 && spans[1].abs() < 1.0 && spans[2] < -30.0,
        "levels {spans:?}"
    );

    // The phase of the tone tells the delay to a fraction of its period of 16 samples.
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (n, &x) in samples.iter().enumerate().take(15_200).skip(8_800) {
        let angle = std::f64::consts::PI / 8.0 * n as f64;
        sine += f64::from(x) * angle.sin();
        cosine += f64::from(x) * angle.cos();
    }
    let late = -cosine.atan2(sine) / std::f64::consts::PI * 8.0;
    assert!(late.abs() < 1.0, "the tone is {late:.2} samples late");
}

#[test]
fn chained_streams_follow_each_other() {
    let twice = [BURST, BURST].concat();
    let samples = decode_every_way(Format::Opus, 16_000, &twice)
        .unwrap()
        .unwrap();
    let once = decode(Format::Opus, 16_000, BURST).unwrap();
    assert_eq!(samples, [once.clone(), once].concat());
}

/// Damage costs the sound of the page it hit, not the time of what follows.
#[test]
fn damage_is_concealed() {
    let pages = pages(BURST);
    let mut failures = Vec::new();
    // Pages 0 and 1 are the headers; the last one says where the stream ends.
    for page in 2..pages.len() - 1 {
        let mut flipped = BURST.to_vec();
        flipped[pages[page] + 40] ^= 0x10;
        let without = [&BURST[..pages[page]], &BURST[pages[page + 1]..]].concat();
        let mut noisy = BURST.to_vec();
        noisy.splice(
            pages[page]..pages[page],
            b"OggS and OggOggS\0 noise".iter().copied(),
        );
        for (what, bytes) in [("flipped", flipped), ("lost", without), ("in noise", noisy)] {
            match decode_every_way(Format::Opus, 16_000, &bytes) {
                Ok(Ok(samples)) if samples.len() == SAMPLES => {}
                Ok(Ok(samples)) => {
                    failures.push(format!("page {page} {what}: {} samples", samples.len()));
                }
                Ok(Err(error)) => failures.push(format!("page {page} {what}: {error}")),
                Err(reason) => failures.push(format!("page {page} {what}: {reason}")),
            }
        }
    }
    report(failures);
}

/// A packet may carry a copy of the one before it, at a lower rate: a lost page is then not made up but heard.
#[test]
fn forward_error_correction_is_used() {
    const FEC: &[u8] = include_bytes!("data/fec.opus");
    let whole = decode(Format::Opus, 16_000, FEC).unwrap();
    let pages = pages(FEC);
    // The sound of page 10 + n, and what it becomes without that page. A packet has 320 samples, and they are 104
    // (312 at 48 kHz, the pre-skip) late.
    let errors: Vec<f64> = (10..pages.len() - 3)
        .map(|page| {
            let without = [&FEC[..pages[page]], &FEC[pages[page + 1]..]].concat();
            let samples = decode_every_way(Format::Opus, 16_000, &without)
                .unwrap()
                .unwrap();
            assert_eq!(samples.len(), whole.len(), "page {page}");
            let span = (page - 2) * 320 - 104..(page - 1) * 320 - 104;
            assert_eq!(samples[..span.start], whole[..span.start], "page {page}");
            snr_db(&whole[span.clone()], &samples[span]).min(40.0)
        })
        .collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    println!("lost packets come back with {mean:.1} dB");
    // What the decoder makes up without the copies has less than 1 dB here.
    assert!(mean > 5.0, "{mean:.1} dB: {errors:.1?}");
}

/// A broadcast joined in the middle: page numbers and times jump behind the headers, and nothing is
/// made up for what was sent before.
#[test]
fn broadcast_begins_where_it_was_joined() {
    let mut bytes = BURST.to_vec();
    let pages = pages(BURST);
    for (page, &start) in pages.iter().enumerate().skip(2) {
        let end = pages.get(page + 1).copied().unwrap_or(bytes.len());
        let granule = i64::from_le_bytes(bytes[start + 6..start + 14].try_into().unwrap());
        bytes[start + 6..start + 14].copy_from_slice(&(granule + 48_000_000).to_le_bytes());
        bytes[start + 18..start + 22].copy_from_slice(&(page as u32 + 5_000).to_le_bytes());
        seal(&mut bytes[start..end]);
    }
    let samples = decode(Format::Opus, 16_000, &bytes).unwrap();
    assert_eq!(samples, decode(Format::Opus, 16_000, BURST).unwrap());
}

#[test]
fn truncated_file_gives_its_whole_pages() {
    let pages = pages(BURST);
    let samples = decode(Format::Opus, 16_000, &BURST[..pages[5] + 30]).unwrap();
    assert!(
        (6_000..12_000).contains(&samples.len()),
        "{} samples of three pages",
        samples.len()
    );
}

/// Random bytes in otherwise valid pages: every packet is hostile, none may panic or hang.
#[test]
fn hostile_packets_are_survived() {
    let mut random = Random(7);
    let pages = pages(BURST);
    for round in 0..200 {
        let mut bytes = BURST.to_vec();
        for page in 2..pages.len() {
            let end = pages.get(page + 1).copied().unwrap_or(bytes.len());
            let body = pages[page] + 27 + usize::from(bytes[pages[page] + 26]);
            for _ in 0..1 + random.below(40) {
                let at = body + random.below(end - body);
                bytes[at] = random.next() as u8;
            }
            seal(&mut bytes[pages[page]..end]);
        }
        let samples = decode(Format::Opus, 16_000, &bytes).unwrap();
        assert!(
            samples.len() < 250 * SAMPLES,
            "round {round}: {} samples",
            samples.len()
        );
    }
}

/// Bytes damaged anywhere, headers included: an error or samples, never a panic.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(8);
    for _ in 0..300 {
        let mut bytes = BURST.to_vec();
        for _ in 0..1 + random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        // Sealed again, so that lies in headers are believed.
        for window in pages(&bytes).windows(2) {
            seal(&mut bytes[window[0]..window[1]]);
        }
        let mut out = Vec::new();
        let mut stream = AudioStream::new(Format::Opus, 16_000).unwrap();
        let _ = stream
            .push(&bytes, &mut out)
            .and_then(|()| stream.finish(&mut out));
    }
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    let pages = pages(BURST);
    let with = |at: usize, bytes: &[u8]| {
        let mut ogg = BURST.to_vec();
        ogg[pages[0] + 28 + at..][..bytes.len()].copy_from_slice(bytes);
        seal(&mut ogg[pages[0]..pages[1]]);
        ogg
    };
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        ("wav", b"RIFF\0\0\0\0WAVE".into(), WrongFormat, "RIFF"),
        ("bare packets", vec![0x48; 99], WrongFormat, "Ogg"),
        ("three bytes", b"abc".into(), WrongFormat, "'abc'"),
        ("two bytes", b"Og".into(), Malformed, "OpusHead"),
        (
            "first page lost",
            BURST[pages[1]..].into(),
            Malformed,
            "OpusHead",
        ),
        ("vorbis", with(0, b"\x01vorbis"), Unsupported, "Vorbis"),
        ("speex", with(0, b"Speex   "), Unsupported, "Speex"),
        ("version 16", with(8, &[16]), Unsupported, "version 16"),
        ("six channels", with(9, &[6]), Unsupported, "6 channels"),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        match decode_every_way(Format::Opus, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
    assert_eq!(decode(Format::Opus, 16_000, &[]).unwrap(), []);
}

/// Recordings of people have the lengths that their table gives.
#[test]
fn recordings_have_their_length() {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/speech");
    let (Ok(table), Ok(tar)) = (
        std::fs::read_to_string(format!("{shared}/zh-read.tsv")),
        std::fs::File::open(format!("{shared}/zh-read.tar")),
    ) else {
        println!("skipped: no ../shared");
        return;
    };
    let mut failures = Vec::new();
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().unwrap().take(8) {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let id = name.trim_end_matches(".opus");
        let row = table
            .lines()
            .find(|line| line.split('\t').next() == Some(id))
            .unwrap();
        let seconds: f64 = row.split('\t').nth(2).unwrap().parse().unwrap();
        let samples = decode_every_way(Format::Opus, 16_000, &bytes)
            .unwrap()
            .unwrap();
        let decoded = samples.len() as f64 / 16e3;
        if (decoded - seconds).abs() > 0.011 || level(&samples) < -60.0 {
            failures.push(format!(
                "{name}: {decoded} s at {:.0} dB, not {seconds} s",
                level(&samples)
            ));
        }
    }
    report(failures);
}

#[test]
fn streams_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<AudioStream>();
}
