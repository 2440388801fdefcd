//! Every kind of file under the name of every other: an error that names both, or decoded right where that is documented.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot get its files has failed"
)]

mod common;

use common::{decode, decode_every_way, report};
use std::path::Path;
use ting_audio::{AudioErrorKind, Format};

/// A word of the error for a file of this kind.
fn word(real: Format) -> &'static str {
    match real {
        // Nothing tells samples.
        Format::Pcm => "known here",
        Format::Wav => "WAVE",
        Format::Mp3 => "MP3",
        Format::Opus => "Opus",
        Format::Speex => "Speex",
        Format::Aac => "AAC",
        Format::Amr => "AMR",
        Format::Flac => "FLAC",
        Format::Vorbis => "Vorbis",
        Format::M4a => "MP4",
        _ => "?",
    }
}

/// The files of a kind: the fuzzer's seeds, and samples long enough for any decoder to give up.
fn files(real: Format) -> Vec<(String, Vec<u8>)> {
    if real == Format::Pcm {
        let samples = (0..60_000).flat_map(|n| (((n * 37) % 4_001 - 2_000) as i16).to_le_bytes());
        return vec![("samples".to_owned(), samples.collect())];
    }
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus"));
    let entries = std::fs::read_dir(folder.join(real.name())).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn both_formats_are_named() {
    let mut failures = Vec::new();
    for &named in Format::ALL {
        for &real in Format::ALL.iter().filter(|&&real| real != named) {
            for (file, bytes) in files(real) {
                let result = match decode_every_way(named, 16_000, &bytes) {
                    Ok(result) => result,
                    Err(reason) => {
                        failures.push(format!("{file} as {}: {reason}", named.name()));
                        continue;
                    }
                };
                let right = match &result {
                    // A WAV header under `pcm` is skipped.
                    Ok(samples) => {
                        named == Format::Pcm
                            && real == Format::Wav
                            && *samples == decode(Format::Wav, 16_000, &bytes).unwrap()
                    }
                    Err(error) => {
                        let message = error.to_string();
                        matches!(
                            error.kind(),
                            AudioErrorKind::WrongFormat | AudioErrorKind::Unsupported
                        ) && message.contains(&format!("format is {}", named.name()))
                            && message.contains(word(real))
                    }
                };
                if !right {
                    let told = match result {
                        Ok(samples) => format!("{} samples", samples.len()),
                        Err(error) => format!("{:?}: {error}", error.kind()),
                    };
                    failures.push(format!("{file} as {}: {told}", named.name()));
                }
            }
        }
    }
    report(failures);
}

/// Samples may begin with any bytes; only a whole signature is refused.
#[test]
fn samples_that_look_like_a_header_are_samples() {
    let mut failures = Vec::new();
    let heads: [&[u8]; 9] = [
        b"Ogg\0",
        b"ID3\xFF\xFF\0\0\0\0\0",
        b"ID3\x04\0\0\xFF\xFF\xFF\xFF",
        b"RIFF",
        b"\xFF\xFB\x90\x00",
        b"\xFF\xF1\x50\x80\x02\x1F\xFC",
        b"\xFF\xFB",
        b"{\"",
        b"<html",
    ];
    for head in heads {
        for length in [head.len(), 3_000, 9_000] {
            let mut bytes = head.to_vec();
            bytes.resize(length.max(head.len()), 0);
            let expected: Vec<f32> = bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&b| f32::from(i16::from_le_bytes(b)) / 32768.0)
                .collect();
            // The four letters alone are a file of another kind, for a `WAVE` would follow.
            let refused = head == b"RIFF" && length > 12;
            match decode_every_way(Format::Pcm, 16_000, &bytes) {
                Ok(Ok(samples)) if samples == expected && !refused => {}
                Ok(Err(_)) if refused => {}
                other => failures.push(format!(
                    "{} of {length}: {:?}",
                    head.escape_ascii(),
                    other.map(|result| result.map(|samples| samples.len()))
                )),
            }
        }
    }
    report(failures);
}
