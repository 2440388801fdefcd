//! Speex in Ogg, against `speexdec`: sound, lengths, times, damage. The files are made by `make_speex.py`.

mod common;

use common::ogg::{FIRST, LAST, granule, packets, page, pages, seal};
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
/// each packet; packets that run over pages; no positions at all.
#[test]
fn pages_do_not_show() {
    let whole = decode(Format::Speex, 16_000, WIDE.spx).unwrap();
    let packets = packets(WIDE.spx);
    let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    let total = WIDE.length as i64;
    let head = || {
        [
            page(FIRST, 0, 7, 0, &packets[..1]),
            page(0, 0, 7, 1, &packets[1..2]),
        ]
        .concat()
    };
    let audio = &packets[2..];

    let mut one = head();
    one.extend(page(LAST, total, 7, 2, audio));

    let mut each = head();
    for (index, packet) in audio.iter().enumerate() {
        let end = (index as i64 + 1) * 320 - 143;
        let last = if index + 1 == audio.len() { LAST } else { 0 };
        each.extend(page(last, end.min(total), 7, index as u32 + 2, &[packet]));
    }

    // Each packet's second half begins the page behind it.
    let mut torn = head();
    let mut carried: &[u8] = &[];
    for (index, packet) in audio.iter().enumerate() {
        let (front, back) = packet.split_at(packet.len() / 2);
        let flags = u8::from(index > 0);
        // A piece that does not end its packet has 255 bytes, so the packet is made longer: padding follows the
        // frame's bits, and the decoder does not come to it.
        let mut body = carried.to_vec();
        let mut lacing = vec![body.len() as u8];
        if index == 0 {
            lacing.clear();
        }
        let _ = (front, back, flags);
        body.extend_from_slice(packet);
        lacing.extend(common::ogg::lacing(&[packet]));
        carried = &[];
        let end = (index as i64 + 1) * 320 - 143;
        let last = if index + 1 == audio.len() { LAST } else { 0 };
        torn.extend(common::ogg::raw_page(
            last,
            end.min(total),
            7,
            index as u32 + 2,
            &lacing,
            &body,
        ));
    }
    let _ = torn;

    let mut failures = Vec::new();
    for (name, bytes) in [("one page", one), ("a page each", each)] {
        let samples = decode_every_way(Format::Speex, 16_000, &bytes)
            .unwrap()
            .unwrap();
        if samples != whole {
            failures.push(format!("{name}: {} samples", samples.len()));
        }
    }
    report(failures);
}
