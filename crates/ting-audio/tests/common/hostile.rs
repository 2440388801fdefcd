//! What must hold for any bytes at all. The fuzz targets (`fuzz/`) and the replay of their corpora (`replay.rs`) share it.
#![allow(dead_code, unreachable_pub)] // each target uses its part

use ting_audio::{AudioError, AudioStream, Format, sniff};

/// Samples at 16 kHz that a byte may become, by format: what the shortest frame that the format knows lasts. The
/// documentation of [`AudioStream`] gives the reasons.
fn samples_per_byte(format: Format) -> usize {
    match format {
        // 8 bits at 8 kHz.
        Format::Pcm | Format::Wav => 2,
        // A frame of 21 bytes: MPEG-2.5 at 8 kbit/s and 8 kHz.
        Format::Mp3 => 128,
        // A page of 29 bytes that claims a gap of two seconds.
        Format::Opus => 1_200,
        // Frames of silence have five bits.
        Format::Speex => 2_400,
        // Access units of two bytes at 7350 Hz.
        Format::Aac | Format::M4a => 2_300,
        // A lost frame is one byte.
        Format::Amr => 320,
        // 65535 equal samples at 8 kHz, in a frame of 11 bytes.
        Format::Flac => 14_000,
        // Two bytes for a block of 8192 at 8 kHz.
        Format::Vorbis => 8_200,
        _ => usize::MAX,
    }
}

/// What a stream answers: all samples, or those before the fault and the fault.
type Answer = (Vec<f32>, Result<(), AudioError>);

/// Decodes in pieces whose lengths `cut` gives, and watches the amount of every push.
fn decode(format: Format, data: &[u8], mut cut: impl FnMut() -> usize) -> Answer {
    let mut stream = match AudioStream::new(format, 8_000) {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let (mut samples, mut out) = (Vec::new(), Vec::new());
    let mut rest = data;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut().clamp(1, rest.len()));
        let result = stream.push(piece, &mut out);
        samples.append(&mut out);
        if let Err(error) = result {
            // It stays.
            assert_eq!(stream.push(b"more", &mut out), Err(error.clone()));
            assert_eq!(stream.finish(&mut out), Err(error.clone()));
            assert!(out.is_empty(), "samples after an error");
            return (samples, Err(error));
        }
        rest = after;
    }
    let result = stream.finish(&mut samples);
    if result.is_ok() {
        let length = samples.len();
        assert_eq!(stream.push(b"more", &mut samples), Ok(()));
        assert_eq!(stream.finish(&mut samples), Ok(()));
        assert_eq!(length, samples.len(), "samples after the end");
    }
    (samples, result)
}

/// Whole and cut anywhere it is the same; samples are samples, and no more than the bytes can be worth.
///
/// # Panics
/// When that does not hold.
pub fn check(format: Format, data: &[u8]) {
    let sealed = seal_ogg(data);
    let data = sealed.as_slice();
    let whole = decode(format, data, || usize::MAX);
    let mut random = data.iter().fold(1u64, |sum, &byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let cut = decode(format, data, || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // Many small pieces and a few large ones.
        match random >> 62 {
            0 => 1,
            1 => (random >> 40) as usize % 16 + 1,
            2 => (random >> 40) as usize % 256 + 1,
            _ => (random >> 40) as usize % 8_192 + 1,
        }
    });
    assert_eq!(whole.1, cut.1, "the cuts change the result");
    assert_eq!(whole.0.len(), cut.0.len(), "the cuts change the length");
    assert!(whole.0 == cut.0, "the cuts change the samples");
    assert!(
        whole.0.iter().all(|x| (-1.0..=1.0).contains(x)),
        "samples outside [-1, 1]"
    );
    // A constant for what decoders and resamplers add at an end: concealment and tails.
    let most = 64_000 + samples_per_byte(format).saturating_mul(data.len());
    assert!(
        whole.0.len() <= most,
        "{} samples of {} bytes",
        whole.0.len(),
        data.len()
    );
    if let Err(error) = &whole.1 {
        let message = error.to_string();
        assert!(
            !message.is_empty() && message.len() < 500,
            "a message of {} bytes",
            message.len()
        );
    }
}

/// [`check`] of the format that the first bytes tell, then of one of the others, which the bytes choose.
///
/// # Panics
/// As [`check`].
pub fn check_any(data: &[u8]) {
    if let Some(format) = sniff(data) {
        check(format, data);
    }
    let other = data.iter().fold(0, |sum, &byte| sum + usize::from(byte)) % Format::ALL.len();
    check(Format::ALL[other], data);
}

/// Panics inside the walls around the codecs are handled there, and must not end the fuzzer.
pub fn let_walls_hold() {
    std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
}

/// Writes the right checksum into every Ogg page, or a mutated page would never get past the demuxer. Bytes that end
/// in an odd one stay as they are.
fn seal_ogg(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    if bytes.last().is_some_and(|last| last & 1 == 1) {
        return bytes;
    }
    let mut at = 0;
    while at + 27 <= bytes.len() {
        if !bytes[at..].starts_with(b"OggS") {
            at += 1;
            continue;
        }
        let lacing = at + 27..at + 27 + usize::from(bytes[at + 26]);
        let Some(body) = bytes.get(lacing.clone()) else {
            break;
        };
        let end = lacing.end + body.iter().map(|&size| usize::from(size)).sum::<usize>();
        let Some(page) = bytes.get_mut(at..end) else {
            at += 1;
            continue;
        };
        page[22..26].fill(0);
        let crc = page.iter().fold(0u32, |mut crc, &byte| {
            crc ^= u32::from(byte) << 24;
            for _ in 0..8 {
                crc = if crc >> 31 == 1 {
                    crc << 1 ^ 0x04C1_1DB7
                } else {
                    crc << 1
                };
            }
            crc
        });
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        at = end;
    }
    bytes
}
