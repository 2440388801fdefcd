//! Streams that end or change where they should not: the audio before is given, and a clear error or a clean end.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot get its files has failed"
)]

mod common;

use common::{decode, decode_every_way, report, seed};
use ting_audio::Format;

/// A file that ends anywhere gives the audio before, and no error once audio has begun.
#[test]
fn truncated_files_end_cleanly() {
    // One page of Ogg and one frame of FLAC are all or nothing.
    let whole_or_none = ["uwb.spx", "24-stereo.flac", "8000-1.ogg"];
    let files = [
        (Format::Wav, "alaw.wav"),
        (Format::Mp3, "44100-1.mp3"),
        (Format::Mp3, "16000-2.mp3"),
        (Format::Aac, "16000-2.aac"),
        (Format::Opus, "burst.opus"),
        (Format::Speex, "uwb.spx"),
        (Format::Amr, "nb-7.amr"),
        (Format::Amr, "wb-8.amr"),
        (Format::Flac, "24-stereo.flac"),
        (Format::Vorbis, "8000-1.ogg"),
        (Format::M4a, "fragmented.m4a"),
    ];
    let mut failures = Vec::new();
    for (format, name) in files {
        let bytes = match format {
            Format::Opus => include_bytes!("data/burst.opus").to_vec(),
            _ => seed(format, name),
        };
        let whole = decode(format, 16_000, &bytes).unwrap();
        let (mut begun, mut last) = (false, 0);
        for end in (0..bytes.len()).step_by(7) {
            match decode_every_way(format, 16_000, &bytes[..end]) {
                Ok(Ok(samples)) => {
                    // What is left of one cut frame may be a frame by chance, and with more of it none.
                    begun |= samples.len() > 320;
                    // A tail that the encoder added is cut off the whole file only, by what its end tells.
                    if samples.len() > whole.len() + 4_096 || samples.len() + 4_096 < last {
                        failures.push(format!("{name} to {end}: {} samples", samples.len()));
                    }
                    last = samples.len();
                }
                Ok(Err(error)) if begun => failures.push(format!("{name} to {end}: {error}")),
                Ok(Err(_)) => {}
                Err(reason) => failures.push(format!("{name} to {end}: {reason}")),
            }
        }
        if !begun && !whole_or_none.contains(&name) {
            failures.push(format!("{name}: no audio before its end"));
        }
    }
    report(failures);
}

/// What follows at another rate is heard at its own pitch and length.
#[test]
fn rates_may_change_in_mid_stream() {
    let cases = [
        (Format::Mp3, "8000-1.mp3", "44100-1.mp3"),
        (Format::Mp3, "44100-1.mp3", "16000-2.mp3"),
        (Format::Aac, "16000-2.aac", "44100-1.aac"),
        (Format::Aac, "44100-1.aac", "8000-1.aac"),
        (Format::Opus, "mono.opus", "stereo.opus"),
        (Format::Speex, "nb.spx", "uwb.spx"),
        (Format::Vorbis, "8000-1.ogg", "44100-2.ogg"),
    ];
    let mut failures = Vec::new();
    for (format, first, second) in cases {
        let (first, second) = (seed(format, first), seed(format, second));
        let apart: usize = [&first, &second]
            .iter()
            .map(|bytes| decode(format, 16_000, bytes).unwrap().len())
            .sum();
        match decode_every_way(format, 16_000, &[first, second].concat()) {
            // An encoder's delay is trimmed once more or less often: 1105 samples of MP3 at 8 kHz.
            Ok(Ok(samples)) if samples.len().abs_diff(apart) <= 2_300 => {}
            other => failures.push(format!(
                "{}: {:?}, not {apart}",
                format.name(),
                other.map(|result| result.map(|samples| samples.len()))
            )),
        }
    }
    report(failures);
}
