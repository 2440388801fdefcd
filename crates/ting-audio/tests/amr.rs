//! AMR against opencore-amr: sound, lengths, pauses, damage. The files are made by `make_amr.py`.

mod common;

use common::{Random, at_16k, decode, decode_every_way, report};
use ting_audio::{AudioErrorKind, Format, sniff};

struct Case {
    name: &'static str,
    amr: &'static [u8],
    /// What opencore-amr makes of it.
    reference: &'static [u8],
    rate: u32,
}

macro_rules! case {
    ($name:literal, $rate:literal) => {
        Case {
            name: $name,
            amr: include_bytes!(concat!("data/", $name, ".amr")),
            reference: include_bytes!(concat!("data/", $name, ".amr.s16")),
            rate: $rate,
        }
    };
}

const CASES: &[Case] = &[
    case!("amr_nb_modes", 8_000),
    case!("amr_nb_dtx", 8_000),
    case!("amr_nb_lost", 8_000),
    case!("amr_wb_modes", 16_000),
    case!("amr_wb_dtx", 16_000),
];
const NARROW: &Case = &CASES[0];

impl Case {
    /// The reference at 16 kHz, without the delay that every decoder has and that we trim.
    fn wanted(&self) -> Vec<f32> {
        let delay = if self.rate == 8_000 { 40 } else { 95 };
        at_16k(&self.reference[2 * delay..], self.rate)
    }

    /// That delay in samples at 16 kHz.
    fn delay(&self) -> usize {
        if self.rate == 8_000 { 80 } else { 95 }
    }
}

/// How far the resampler looks ahead and the trimmed delay, in samples at 16 kHz, with some to spare.
const REACH: usize = 250;

/// Bit for bit: the resampler of narrow files is the same on both sides.
#[test]
fn equals_the_reference_decoder() {
    let mut failures = Vec::new();
    for case in CASES {
        if sniff(case.amr) != Some(Format::Amr) {
            failures.push(format!("{}: taken for {:?}", case.name, sniff(case.amr)));
        }
        let wanted = case.wanted();
        match decode_every_way(Format::Amr, 16_000, case.amr) {
            Ok(Ok(samples)) if samples == wanted => {}
            Ok(Ok(samples)) => {
                let worst = samples
                    .iter()
                    .zip(&wanted)
                    .map(|(a, b)| (a - b).abs() * 32_768.0)
                    .fold(0.0, f32::max);
                let at = samples.iter().zip(&wanted).position(|(a, b)| a != b);
                failures.push(format!(
                    "{}: {} samples for {}, off by {worst} from {at:?} on",
                    case.name,
                    samples.len(),
                    wanted.len()
                ));
            }
            Ok(Err(error)) => failures.push(format!("{}: {error}", case.name)),
            Err(reason) => failures.push(format!("{}: {reason}", case.name)),
        }
    }
    report(failures);
}

/// Start of each frame.
fn frames(amr: &[u8]) -> Vec<usize> {
    const NARROW: [usize; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
    const WIDE: [usize; 16] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];
    let (mut at, sizes) = match amr.starts_with(b"#!AMR-WB\n") {
        true => (9, WIDE),
        false => (6, NARROW),
    };
    let mut frames = Vec::new();
    while at < amr.len() {
        frames.push(at);
        at += 1 + sizes[usize::from(amr[at] >> 3 & 15)];
    }
    frames
}

/// Damage to the bytes between frames costs the frames it hit, not the time of what follows.
#[test]
fn damage_is_concealed() {
    let mut failures = Vec::new();
    for case in CASES {
        let whole = decode(Format::Amr, 16_000, case.amr).unwrap();
        let frames = frames(case.amr);
        for frame in [0, 1, 5, 11, frames.len() - 9] {
            let (start, after) = (frames[frame], frames[frame + 1]);
            let mut bad_type = case.amr.to_vec();
            bad_type[start] = 0x54;
            let mut bad_padding = case.amr.to_vec();
            bad_padding[start] |= 0x83;
            let noise: Vec<u8> = std::iter::repeat_n(0xFF, after - start).collect();
            let noisy = [&case.amr[..start], &noise, &case.amr[after..]].concat();
            let mut bad_quality = case.amr.to_vec();
            bad_quality[start] &= !4;
            for (what, bytes) in [
                ("type", bad_type),
                ("padding", bad_padding),
                ("noise", noisy),
                ("quality", bad_quality),
            ] {
                let name = format!("{}, frame {frame}, {what}", case.name);
                match decode_every_way(Format::Amr, 16_000, &bytes) {
                    Ok(Ok(samples)) => {
                        let before = (frame * 320).saturating_sub(REACH);
                        if samples[..before] != whole[..before] {
                            failures.push(format!("{name}: changed what was before"));
                        }
                        // The size of what is lost is known for files of one mode; a frame more or less otherwise.
                        if samples.len().abs_diff(whole.len()) > 640 {
                            failures.push(format!("{name}: {} samples", samples.len()));
                        }
                        if what == "quality" && samples.len() != whole.len() {
                            failures.push(format!("{name}: {} samples", samples.len()));
                        }
                    }
                    Ok(Err(error)) => failures.push(format!("{name}: {error}")),
                    Err(reason) => failures.push(format!("{name}: {reason}")),
                }
            }
        }
    }
    report(failures);
}

/// A frame that is marked as damaged is not believed: it sounds like those around it, whatever its bits.
#[test]
fn bad_quality_is_heeded() {
    let case = &CASES[2];
    let start = frames(case.amr)[13];
    let with = |first: u8| {
        let mut bytes = case.amr.to_vec();
        bytes[start] = first;
        decode(Format::Amr, 16_000, &bytes).unwrap()
    };
    let (good, bad) = (with(0x3C), with(0x38));
    assert_eq!(good, case.wanted());
    assert_ne!(good, bad);
    assert_eq!(good[..13 * 320 - REACH], bad[..13 * 320 - REACH]);
}

#[test]
fn a_cut_off_frame_is_dropped() {
    let mut failures = Vec::new();
    for case in CASES {
        let frames = frames(case.amr);
        for cut in [frames[7] + 1, frames[8] - 1, case.amr.len() - 1] {
            let whole = frames.iter().filter(|&&start| start < cut).count() - 1;
            match decode_every_way(Format::Amr, 16_000, &case.amr[..cut]) {
                Ok(Ok(samples)) if samples.len() == whole * 320 - case.delay() => {}
                other => failures.push(format!(
                    "{} cut to {cut}: {:?}",
                    case.name,
                    other.map(|result| result.map(|samples| samples.len()))
                )),
            }
        }
    }
    report(failures);
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    let then = |magic: &[u8], rest: &[u8]| [magic, rest].concat();
    let endless: Vec<u8> = std::iter::repeat_n(0xFF, 70_000).collect();
    let cases: Vec<(&str, Vec<u8>, AudioErrorKind, &str)> = vec![
        ("wav", b"RIFF\0\0\0\0WAVE".into(), WrongFormat, "RIFF"),
        ("ogg", b"OggS\0\x02".into(), WrongFormat, "Ogg"),
        (
            "frames without a header",
            NARROW.amr[6..].into(),
            WrongFormat,
            "begins with '#!AMR",
        ),
        ("a line of text", b"#!AMRX\n".into(), WrongFormat, "#!AM"),
        ("two bytes", b"#?".into(), WrongFormat, "'#?'"),
        (
            "half a header",
            b"#!AMR-W".into(),
            Malformed,
            "within its header",
        ),
        (
            "multichannel",
            then(b"#!AMR_MC1.0\n", &[0, 0, 0, 2]),
            Unsupported,
            "one channel",
        ),
        (
            "multichannel wide",
            then(b"#!AMR-WB_MC1.0\n", &[2]),
            Unsupported,
            "one channel",
        ),
        (
            "no frame",
            then(b"#!AMR\n", &[0xFF; 99]),
            Malformed,
            "no whole frame",
        ),
        (
            "half a frame",
            NARROW.amr[..12].into(),
            Malformed,
            "no whole frame",
        ),
        (
            "no frames for long",
            then(&NARROW.amr[..32], &endless),
            Malformed,
            "65536 bytes",
        ),
    ];
    let mut failures = Vec::new();
    for (name, bytes, kind, words) in cases {
        match decode_every_way(Format::Amr, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
    for nothing in [&b""[..], b"#!AMR\n", b"#!AMR-WB\n"] {
        assert_eq!(decode(Format::Amr, 16_000, nothing).unwrap(), []);
    }
}

/// Frames of any bits in any order: what comes out is bounded by what went in, and is in range.
#[test]
fn hostile_frames_are_survived() {
    let mut random = Random(11);
    for round in 0..120 {
        let wide = round % 2 == 1;
        let magic: &[u8] = if wide { b"#!AMR-WB\n" } else { b"#!AMR\n" };
        let mut bytes = magic.to_vec();
        for _ in 0..60 {
            // Half of the rounds have first bytes that are possible, the others whatever comes.
            let first = random.next() as u8 & if round % 4 < 2 { 0x7C } else { 0xFF };
            bytes.push(first);
            bytes.extend((0..random.below(62)).map(|_| random.next() as u8));
        }
        match decode_every_way(Format::Amr, 16_000, &bytes).unwrap() {
            Ok(samples) => assert!(samples.len() <= 320 * bytes.len(), "round {round}"),
            Err(error) => assert_eq!(error.kind(), AudioErrorKind::Malformed, "round {round}"),
        }
    }
}

/// Real files with a few bytes changed.
#[test]
fn hostile_bytes_are_survived() {
    let mut random = Random(12);
    for round in 0..200 {
        let mut bytes = CASES[round % CASES.len()].amr.to_vec();
        for _ in 0..1 + random.below(20) {
            let at = 9 + random.below(bytes.len() - 9);
            bytes[at] = random.next() as u8;
        }
        let samples = decode(Format::Amr, 16_000, &bytes).unwrap();
        assert!(samples.len() < 320 * bytes.len(), "round {round}");
    }
}
