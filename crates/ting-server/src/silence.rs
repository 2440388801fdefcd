//! Telling digital silence from sound, without decoding.

use ting_engine::TaskOptions;

/// Whether a task's bytes can be judged by [`is_silent`]: samples as they are, not compressed.
pub(crate) fn is_judged(options: &TaskOptions) -> bool {
    matches!(
        options.format,
        ting_audio::Format::Pcm | ting_audio::Format::Wav
    )
}

/// Whether a frame of 16-bit samples, cut anywhere, is digital silence: every sample 0, or 0 dithered by one step.
///
/// These are the bytes `00`, `01` and `ff` in any order. Samples such as 256 are made of them too, but no sound is made
/// of such samples only. The public page calls silent audio "no sound signal", so the noise of a microphone is none.
pub(crate) fn is_silent(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0x00 | 0x01 | 0xff))
}

#[cfg(test)]
mod tests {
    use super::is_silent;

    #[test]
    fn silence_is_told_from_sound() {
        let cases: [(&str, Vec<u8>, bool); 5] = [
            ("zeros", vec![0; 3200], true),
            (
                "dither",
                [0i16, -1, 1, 0]
                    .iter()
                    .flat_map(|s| s.to_le_bytes())
                    .collect(),
                true,
            ),
            (
                "dither cut inside a sample",
                vec![0xff, 0, 0, 1, 0, 0xff],
                true,
            ),
            (
                "faint noise",
                [0i16, 3, -2].iter().flat_map(|s| s.to_le_bytes()).collect(),
                false,
            ),
            ("a wav header", b"RIFF".to_vec(), false),
        ];
        for (name, bytes, want) in cases {
            assert_eq!(is_silent(&bytes), want, "{name}");
        }
    }
}
