//! How long a silence has to be to end a sentence.

use crate::api::TaskOptions;
use crate::segmenter::FRAME_MS;

/// Silence that ends a sentence of `semantic` tasks, in ms, as the service documents it.
pub const SEMANTIC_SILENCE_MS: u32 = 2_000;
/// With `multi_threshold` the silence begins to shrink for sentences longer than this, in ms: most sentences are shorter.
pub const SHRINKS_FROM_MS: u32 = 5_000;
/// From this length on, in ms, it is `SHORTEST_SILENCE_MS`.
pub const SHRINKS_TO_MS: u32 = 15_000;
/// The shortest silence that ends a sentence, in ms: the least that `max_sentence_silence` can be set to.
pub const SHORTEST_SILENCE_MS: u32 = 200;

/// The silence that ends a sentence, by the length of the sentence. All in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    silence: usize,
    shrinks: bool,
}

fn frames(ms: u32) -> usize {
    u64::from(ms).div_ceil(FRAME_MS) as usize
}

impl Closing {
    pub(crate) fn new(options: &TaskOptions) -> Self {
        if options.semantic {
            return Self {
                silence: frames(SEMANTIC_SILENCE_MS),
                shrinks: false,
            };
        }
        Self {
            silence: frames(options.max_sentence_silence_ms),
            shrinks: options.multi_threshold,
        }
    }

    /// Frames of silence that end a sentence whose speech lasts `spoken` frames so far: never more than the option says,
    /// and never more for a longer sentence.
    ///
    /// With `multi_threshold` it falls in a straight line from the whole silence at `SHRINKS_FROM_MS` to
    /// `SHORTEST_SILENCE_MS` at `SHRINKS_TO_MS`.
    pub(crate) fn silence(&self, spoken: usize) -> usize {
        if !self.shrinks {
            return self.silence;
        }
        let (from, to) = (frames(SHRINKS_FROM_MS), frames(SHRINKS_TO_MS));
        let shrinkable = self.silence.saturating_sub(frames(SHORTEST_SILENCE_MS));
        self.silence - shrinkable * (spoken.clamp(from, to) - from) / (to - from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ting_audio::Format;

    fn closing(max_sentence_silence_ms: u32, multi_threshold: bool, semantic: bool) -> Closing {
        Closing::new(&TaskOptions {
            max_sentence_silence_ms,
            multi_threshold,
            semantic,
            ..TaskOptions::new(Format::Pcm, 16_000)
        })
    }

    #[test]
    fn longer_sentences_end_after_shorter_silences() {
        // (max_sentence_silence, multi_threshold, semantic, sentence in ms, silence in ms)
        let cases = [
            (1300, false, false, 100, 1300),
            (1300, false, false, 19_000, 1300),
            (205, false, false, 100, 210),
            (1300, true, false, 0, 1300),
            (1300, true, false, 5_000, 1300),
            (1300, true, false, 10_000, 750),
            (1300, true, false, 15_000, 200),
            (1300, true, false, 20_000, 200),
            (6000, true, false, 7_500, 4_550),
            (200, true, false, 3_000, 200),
            (200, true, false, 20_000, 200),
            (200, false, true, 1_000, 2_000),
            (6000, true, true, 19_000, 2_000),
        ];
        let failed: Vec<_> = cases
            .into_iter()
            .filter(|(most, multi, semantic, spoken, want)| {
                closing(*most, *multi, *semantic).silence(spoken / 10) * 10 != *want
            })
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn the_curve_falls_and_stays_in_its_bounds() {
        for most in (200..=6000).step_by(100) {
            let closing = closing(most, true, false);
            let mut before = frames(most);
            for spoken in 0..2100 {
                let now = closing.silence(spoken);
                assert!(
                    now <= before && now >= frames(SHORTEST_SILENCE_MS),
                    "{most} {spoken}"
                );
                before = now;
            }
        }
    }
}
