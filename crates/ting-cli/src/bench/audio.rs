//! Recordings as the bytes a microphone client sends.

use std::io::Read;

use ting_audio::{AudioStream, SAMPLE_RATE};

use crate::error::CliError;
use crate::transcribe::input::{self, Encoding, Input};

/// Bytes of a second of what [`load_pcm`] gives.
pub(crate) const BYTES_PER_SECOND: usize = 2 * SAMPLE_RATE as usize;

/// The file `name`, opened, and all its bytes.
pub(crate) fn read(name: &str) -> Result<(Input, Vec<u8>), CliError> {
    let named = |what: String| CliError::input(format!("{name}: {what}"));
    let mut input = input::open(name, Encoding::Told).map_err(|error| named(error.to_string()))?;
    let mut bytes = Vec::new();
    input
        .bytes
        .read_to_end(&mut bytes)
        .map_err(|error| named(format!("cannot be read: {error}")))?;
    Ok((input, bytes))
}

/// The file `name` as 16-bit little-endian mono samples at 16 kHz.
pub(crate) fn load_pcm(name: &str) -> Result<Vec<u8>, CliError> {
    let named = |what: String| CliError::input(format!("{name}: {what}"));
    let (input, bytes) = read(name)?;
    let mut samples = Vec::new();
    AudioStream::new(input.format, input.sample_rate)
        .and_then(|mut stream| {
            stream.push(&bytes, &mut samples)?;
            stream.finish(&mut samples)
        })
        .map_err(|error| named(error.to_string()))?;
    if samples.is_empty() {
        return Err(named("has no audio".to_owned()));
    }
    Ok(to_pcm(&samples))
}

/// Samples as 16-bit little-endian bytes; louder ones than 1 saturate.
pub(crate) fn to_pcm(samples: &[f32]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| ((sample * 32768.0).round() as i16).to_le_bytes())
        .collect()
}

/// Length of PCM in ms.
pub(crate) fn length_ms(pcm: &[u8]) -> u64 {
    (pcm.len() as u64 * 1000).div_ceil(BYTES_PER_SECOND as u64)
}

#[cfg(test)]
mod tests {
    use super::{length_ms, load_pcm, to_pcm};

    #[test]
    fn samples_saturate() {
        let pcm = to_pcm(&[0.0, 0.5, 1.0, -1.0, 2.0]);
        let values: Vec<i16> = pcm
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        assert_eq!(values, [0, 16384, 32767, -32768, 32767]);
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let mut wav = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend(16000u32.to_le_bytes());
        wav.extend(32000u32.to_le_bytes());
        wav.extend(b"\x02\0\x10\0data\xff\xff\xff\xff");
        let audio: Vec<u8> = (0..3200u16).flat_map(|i| (i % 100).to_le_bytes()).collect();
        wav.extend(&audio);
        std::fs::write(&path, &wav).unwrap();
        let pcm = load_pcm(path.to_str().unwrap()).unwrap();
        assert!(pcm == audio);
        assert_eq!(length_ms(&pcm), 200);

        std::fs::write(&path, &wav[..44]).unwrap();
        let error = load_pcm(path.to_str().unwrap()).unwrap_err().to_string();
        assert!(error.ends_with("has no audio"), "{error}");
    }
}
