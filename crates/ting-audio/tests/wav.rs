//! Headers and encodings of WAV, honest and hostile, and headerless samples.

mod common;

use common::{decode, decode_every_way, level_db, report, tone, tone_at};
use ting_audio::{AudioErrorKind, AudioStream, Format, sniff};

/// What a test writes into a file.
#[derive(Clone)]
struct Wav {
    tag: u16,
    bits: u16,
    channels: u16,
    rate: u32,
    /// Format tag in the GUID of an extensible header instead of `tag`.
    extensible: bool,
    /// Chunks before the samples.
    before: Vec<u8>,
    /// Bytes after the samples.
    after: Vec<u8>,
    riff: [u8; 4],
    data_size: Option<u32>,
    seconds: f64,
}

impl Default for Wav {
    fn default() -> Self {
        Wav {
            tag: 1,
            bits: 16,
            channels: 1,
            rate: 16_000,
            extensible: false,
            before: Vec::new(),
            after: Vec::new(),
            riff: *b"RIFF",
            data_size: None,
            seconds: 0.25,
        }
    }
}

impl Wav {
    /// A 440 Hz tone in the first channel; the others have the same.
    fn bytes(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for x in tone(440.0, self.rate, self.seconds) {
            for _ in 0..self.channels {
                self.encode(f64::from(x), &mut data);
            }
        }
        let block = self.channels * self.bits / 8;
        let mut fmt = Vec::new();
        let tag = if self.extensible { 0xFFFE } else { self.tag };
        fmt.extend(tag.to_le_bytes());
        fmt.extend(self.channels.to_le_bytes());
        fmt.extend(self.rate.to_le_bytes());
        fmt.extend((self.rate * u32::from(block)).to_le_bytes());
        fmt.extend(block.to_le_bytes());
        fmt.extend(self.bits.to_le_bytes());
        if self.extensible {
            fmt.extend(22u16.to_le_bytes());
            fmt.extend(self.bits.to_le_bytes());
            fmt.extend(0u32.to_le_bytes());
            fmt.extend(self.tag.to_le_bytes());
            fmt.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        }
        let mut body = b"WAVE".to_vec();
        body.extend(&self.before);
        body.extend(chunk(b"fmt ", &fmt));
        let size = self.data_size.unwrap_or(data.len() as u32);
        body.extend(b"data");
        body.extend(size.to_le_bytes());
        body.extend(&data);
        body.extend(&self.after);
        let mut file = self.riff.to_vec();
        file.extend((body.len() as u32).to_le_bytes());
        file.extend(body);
        file
    }

    fn encode(&self, x: f64, out: &mut Vec<u8>) {
        match (self.tag, self.bits) {
            (1, 8) => out.push((x * 128.0 + 128.0).round() as u8),
            (1, 16) => out.extend(((x * 32768.0).round() as i16).to_le_bytes()),
            (1, 24) => out.extend(&((x * 8388608.0).round() as i32).to_le_bytes()[..3]),
            (1, 32) => out.extend(((x * 2147483648.0).round() as i32).to_le_bytes()),
            (3, 32) => out.extend((x as f32).to_le_bytes()),
            (3, 64) => out.extend(x.to_le_bytes()),
            (6, 8) => out.push(nearest(x, alaw)),
            (7, 8) => out.push(nearest(x, mulaw)),
            _ => out.push(0),
        }
    }
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// The code whose value is nearest: an encoder that shares nothing with the decoder but the law.
fn nearest(x: f64, law: fn(u8) -> f64) -> u8 {
    (0..=255)
        .min_by(|&a, &b| (law(a) - x).abs().total_cmp(&(law(b) - x).abs()))
        .unwrap_or_default()
}

/// G.711 in its textbook form, segment by segment.
fn alaw(code: u8) -> f64 {
    let code = code ^ 0x55;
    let (segment, step) = (i32::from(code >> 4 & 7), f64::from(code & 15));
    let size = match segment {
        0 => (2.0 * step + 1.0) / 4096.0,
        _ => (2.0 * step + 33.0) * f64::powi(2.0, segment - 1) / 4096.0,
    };
    if code & 0x80 != 0 { size } else { -size }
}

fn mulaw(code: u8) -> f64 {
    let code = !code;
    let (segment, step) = (i32::from(code >> 4 & 7), f64::from(code & 15));
    let size = ((2.0 * step + 33.0) * f64::powi(2.0, segment) - 33.0) / 8192.0;
    if code & 0x80 != 0 { -size } else { size }
}

struct Case {
    name: &'static str,
    wav: Wav,
    /// Decoded minus encoded tone, dB: the resolution of the encoding.
    noise_db: f64,
}

fn case(name: &'static str, noise_db: f64, wav: Wav) -> Case {
    Case {
        name,
        wav,
        noise_db,
    }
}

#[test]
fn every_encoding_decodes() {
    let d = Wav::default;
    let list = chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0");
    let mut ds64 = Vec::new();
    for value in [0u64, 8_000, 4_000] {
        ds64.extend(value.to_le_bytes());
    }
    ds64.extend(0u32.to_le_bytes());
    let cases = [
        case("8-bit", -43.0, Wav { bits: 8, ..d() }),
        case("16-bit", -90.0, d()),
        case("24-bit", -130.0, Wav { bits: 24, ..d() }),
        case("32-bit", -135.0, Wav { bits: 32, ..d() }),
        case(
            "float 32",
            -135.0,
            Wav {
                tag: 3,
                bits: 32,
                ..d()
            },
        ),
        case(
            "float 64",
            -135.0,
            Wav {
                tag: 3,
                bits: 64,
                ..d()
            },
        ),
        case(
            "a-law",
            -35.0,
            Wav {
                tag: 6,
                bits: 8,
                ..d()
            },
        ),
        case(
            "mu-law",
            -35.0,
            Wav {
                tag: 7,
                bits: 8,
                ..d()
            },
        ),
        case(
            "extensible 16-bit",
            -90.0,
            Wav {
                extensible: true,
                ..d()
            },
        ),
        case(
            "extensible float",
            -135.0,
            Wav {
                tag: 3,
                bits: 32,
                extensible: true,
                ..d()
            },
        ),
        case("stereo", -90.0, Wav { channels: 2, ..d() }),
        case(
            "24-bit 5.1",
            -120.0,
            Wav {
                bits: 24,
                channels: 6,
                extensible: true,
                ..d()
            },
        ),
        case(
            "8 kHz mu-law",
            -35.0,
            Wav {
                tag: 7,
                bits: 8,
                rate: 8_000,
                ..d()
            },
        ),
        case(
            "44.1 kHz stereo",
            -85.0,
            Wav {
                rate: 44_100,
                channels: 2,
                ..d()
            },
        ),
        case(
            "48 kHz float",
            -90.0,
            Wav {
                rate: 48_000,
                tag: 3,
                bits: 32,
                ..d()
            },
        ),
        case(
            "192 kHz 24-bit",
            -90.0,
            Wav {
                rate: 192_000,
                bits: 24,
                ..d()
            },
        ),
        case(
            "LIST before the samples",
            -90.0,
            Wav {
                before: list.clone(),
                ..d()
            },
        ),
        case("LIST after the samples", -90.0, Wav { after: list, ..d() }),
        case(
            "odd chunk",
            -90.0,
            Wav {
                before: chunk(b"junk", b"odd"),
                ..d()
            },
        ),
        case(
            "2 MB chunk",
            -90.0,
            Wav {
                before: chunk(b"id3 ", &vec![7; 2_000_001]),
                ..d()
            },
        ),
        case(
            "unknown length, all ones",
            -90.0,
            Wav {
                data_size: Some(u32::MAX),
                ..d()
            },
        ),
        case(
            "unknown length, zero",
            -90.0,
            Wav {
                data_size: Some(0),
                ..d()
            },
        ),
        case(
            "length beyond the end",
            -90.0,
            Wav {
                data_size: Some(0x7FFF_F000),
                ..d()
            },
        ),
        case(
            "BW64",
            -90.0,
            Wav {
                riff: *b"BW64",
                before: chunk(b"ds64", &ds64),
                data_size: Some(u32::MAX),
                ..d()
            },
        ),
        case(
            "RF64",
            -90.0,
            Wav {
                riff: *b"RF64",
                before: chunk(b"ds64", &ds64),
                data_size: Some(u32::MAX),
                after: chunk(b"LIST", &[0x55; 100]),
                ..d()
            },
        ),
    ];
    let mut failures = Vec::new();
    for Case {
        name,
        wav,
        noise_db,
    } in cases
    {
        let bytes = wav.bytes();
        if sniff(&bytes) != Some(Format::Wav) {
            failures.push(format!("{name}: sniff does not know it"));
        }
        let samples = match decode_every_way(Format::Wav, 16_000, &bytes) {
            Err(reason) => {
                failures.push(format!("{name}: {reason}"));
                continue;
            }
            Ok(result) => result,
        };
        match samples {
            Err(error) => failures.push(format!("{name}: {error}")),
            Ok(samples) if samples.len() != 4_000 => {
                failures.push(format!("{name}: {} samples, not 4000", samples.len()));
            }
            Ok(samples) => {
                // The ends of a resampled tone ring; encodings at 16 kHz are compared whole.
                let edge = if wav.rate == 16_000 { 0 } else { 400 };
                let inner = samples.iter().enumerate().skip(edge).take(4_000 - 2 * edge);
                let noise =
                    level_db(inner.map(|(n, &y)| f64::from(y) - tone_at(440.0, n as f64 / 16e3)));
                if noise > noise_db {
                    failures.push(format!(
                        "{name}: noise at {noise:.1} dB, allowed {noise_db}"
                    ));
                }
            }
        }
    }
    report(failures);
}

#[test]
fn g711_is_exact() {
    let mut failures = Vec::new();
    for (tag, law) in [(6, alaw as fn(u8) -> f64), (7, mulaw)] {
        for code in 0..=255u8 {
            let mut bytes = Wav {
                tag,
                bits: 8,
                seconds: 0.0,
                ..Wav::default()
            }
            .bytes();
            bytes.push(code);
            let samples = decode(Format::Wav, 16_000, &bytes).unwrap();
            if samples != [law(code) as f32] {
                failures.push(format!(
                    "tag {tag}, code {code:#04X}: {samples:?}, not {}",
                    law(code)
                ));
            }
        }
    }
    report(failures);
}

#[test]
fn channels_are_averaged() {
    let mut bytes = Wav {
        channels: 2,
        seconds: 0.0,
        ..Wav::default()
    }
    .bytes();
    for value in [16384i16, -8192, 32767, 32767, -32768, -32768] {
        bytes.extend(value.to_le_bytes());
    }
    let samples = decode(Format::Wav, 16_000, &bytes).unwrap();
    assert_eq!(samples, [0.125, 32767.0 / 32768.0, -1.0]);
}

#[test]
fn floats_that_are_none_are_silence() {
    let mut bytes = Wav {
        tag: 3,
        bits: 32,
        seconds: 0.0,
        ..Wav::default()
    }
    .bytes();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, 0.5] {
        bytes.extend(value.to_le_bytes());
    }
    assert_eq!(
        decode(Format::Wav, 16_000, &bytes).unwrap(),
        [0.0, 1.0, -1.0, 1.0, 0.5]
    );
}

#[test]
fn truncated_file_gives_what_is_there() {
    let bytes = Wav::default().bytes();
    // 44 bytes of header and 999 of samples, the last one cut in two.
    let samples = decode(Format::Wav, 16_000, &bytes[..44 + 999]).unwrap();
    assert_eq!(samples.len(), 499);
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    use AudioErrorKind::{Malformed, Unsupported, WrongFormat};
    let d = Wav::default;
    let fmt_of = |size: u32| {
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
        bytes.extend(size.to_le_bytes());
        bytes.extend([0; 100]);
        bytes
    };
    let pcm = Format::Pcm;
    let wav = Format::Wav;
    let cases: Vec<(&str, Format, Vec<u8>, AudioErrorKind, &str)> = vec![
        (
            "ogg as wav",
            wav,
            b"OggS\0\x02 and more".into(),
            WrongFormat,
            "the bytes are an Ogg file",
        ),
        (
            "mp3 as wav",
            wav,
            b"ID3\x04 and more".into(),
            WrongFormat,
            "MP3",
        ),
        (
            "json as wav",
            wav,
            b"{\"header\": 1}".into(),
            WrongFormat,
            "JSON",
        ),
        (
            "samples as wav",
            wav,
            vec![0; 64],
            WrongFormat,
            "format is wav",
        ),
        (
            "avi as wav",
            wav,
            b"RIFF\0\0\0\0AVI LIST".into(),
            WrongFormat,
            "format is wav",
        ),
        (
            "big-endian",
            wav,
            Wav {
                riff: *b"RIFX",
                ..d()
            }
            .bytes(),
            Unsupported,
            "RIFX",
        ),
        (
            "ogg as pcm",
            pcm,
            b"OggS\0\x02 and so on".into(),
            WrongFormat,
            "format is pcm",
        ),
        (
            "adpcm",
            wav,
            Wav {
                tag: 0x11,
                bits: 4,
                ..d()
            }
            .bytes(),
            Unsupported,
            "IMA ADPCM",
        ),
        (
            "mp3 inside",
            wav,
            Wav {
                tag: 0x55,
                bits: 0,
                ..d()
            }
            .bytes(),
            Unsupported,
            "MP3",
        ),
        (
            "unknown codec",
            wav,
            Wav { tag: 0x1234, ..d() }.bytes(),
            Unsupported,
            "0x1234",
        ),
        (
            "16-bit float",
            wav,
            Wav { tag: 3, ..d() }.bytes(),
            Unsupported,
            "16-bit float",
        ),
        (
            "64-bit PCM",
            wav,
            Wav { bits: 64, ..d() }.bytes(),
            Unsupported,
            "64-bit PCM",
        ),
        (
            "no channels",
            wav,
            Wav { channels: 0, ..d() }.bytes(),
            Malformed,
            "0 channels",
        ),
        (
            "4095 channels",
            wav,
            Wav {
                channels: 4095,
                seconds: 0.0,
                ..d()
            }
            .bytes(),
            Malformed,
            "4095",
        ),
        (
            "4 kHz",
            wav,
            Wav { rate: 4_000, ..d() }.bytes(),
            Unsupported,
            "4000 Hz",
        ),
        (
            "0 Hz",
            wav,
            Wav { rate: 0, ..d() }.bytes(),
            Unsupported,
            "0 Hz",
        ),
        ("short fmt", wav, fmt_of(15), Malformed, "15 bytes"),
        (
            "endless fmt",
            wav,
            fmt_of(u32::MAX),
            Malformed,
            "0 channels",
        ),
        (
            "data first",
            wav,
            b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd".into(),
            Malformed,
            "before its 'fmt '",
        ),
        (
            "header only",
            wav,
            b"RIFF\0\0\0\0WAVE".into(),
            Malformed,
            "before its 'fmt ' chunk",
        ),
        (
            "half a header",
            wav,
            b"RIFF\0\0".into(),
            Malformed,
            "RIFF header",
        ),
        (
            "no data",
            wav,
            Wav {
                seconds: 0.0,
                ..d()
            }
            .bytes()[..36]
                .into(),
            Malformed,
            "'data' chunk",
        ),
        (
            "endless junk",
            wav,
            [
                b"RIFF\0\0\0\0WAVEjunk\xFF\xFF\xFF\xFF".as_slice(),
                &[0; 9_999],
            ]
            .concat(),
            Malformed,
            "before its 'fmt ' chunk",
        ),
    ];
    let mut failures = Vec::new();
    for (name, format, bytes, kind, words) in cases {
        match decode_every_way(format, 16_000, &bytes) {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(Ok(samples)) => failures.push(format!("{name}: gave {} samples", samples.len())),
            Ok(Err(error)) if error.kind() != kind || !error.to_string().contains(words) => {
                failures.push(format!("{name}: {:?}: {error}", error.kind()));
            }
            Ok(Err(_)) => {}
        }
    }
    report(failures);
}

#[test]
fn pcm_is_samples() {
    let mut failures = Vec::new();
    for (rate, kind) in [
        (7_999, Some(AudioErrorKind::SampleRate)),
        (192_001, Some(AudioErrorKind::SampleRate)),
        (0, Some(AudioErrorKind::SampleRate)),
        (8_000, None),
        (16_000, None),
        (44_100, None),
        (48_000, None),
        (192_000, None),
    ] {
        let bytes: Vec<u8> = tone(440.0, rate, 0.5)
            .iter()
            .flat_map(|x| ((x * 32768.0).round() as i16).to_le_bytes())
            .collect();
        match decode_every_way(Format::Pcm, rate, &bytes) {
            Err(reason) => failures.push(format!("{rate} Hz: {reason}")),
            Ok(Err(error)) => {
                let named = error.to_string().contains("sample_rate");
                if kind != Some(error.kind()) || !named {
                    failures.push(format!("{rate} Hz: {error}"));
                }
            }
            Ok(Ok(samples)) => {
                if kind.is_some() || samples.len() != 8_000 {
                    failures.push(format!("{rate} Hz: {} samples", samples.len()));
                }
            }
        }
    }
    report(failures);
    let odd = decode(Format::Pcm, 16_000, &[0, 0x40, 0, 0xC0, 9]).unwrap();
    assert_eq!(odd, [0.5, -0.5], "half a sample at the end is dropped");
    assert_eq!(decode(Format::Pcm, 16_000, &[]).unwrap(), []);
}

#[test]
fn wav_sent_as_pcm_is_read_as_wav() {
    let bytes = Wav {
        rate: 8_000,
        ..Wav::default()
    }
    .bytes();
    let as_wav = decode(Format::Wav, 16_000, &bytes).unwrap();
    assert_eq!(
        decode_every_way(Format::Pcm, 16_000, &bytes)
            .unwrap()
            .unwrap(),
        as_wav
    );
}

#[test]
fn an_error_stays() {
    let mut stream = AudioStream::new(Format::Wav, 16_000).unwrap();
    let mut out = Vec::new();
    let first = stream.push(&[b'x'; 64], &mut out).unwrap_err();
    assert_eq!(
        stream.push(&Wav::default().bytes(), &mut out).unwrap_err(),
        first
    );
    assert_eq!(stream.finish(&mut out).unwrap_err(), first);
    assert!(out.is_empty());
}
