//! Where sentences begin and end: speech probabilities in, openings and closings out.
//!
//! All times are frames of 10 ms, counted from the first sample of the task.

use crate::closing::Closing;

/// Milliseconds per frame.
pub(crate) const FRAME_MS: u64 = 10;
/// No segment is longer than this; a longer one is cut where it is least like speech. 20 s bound the memory of a
/// session and the delay of its final, and exceed what a speaker says in one breath.
pub const MAX_SEGMENT_MS: u64 = 20_000;
/// The cut of an over-long segment is looked for in its last 6 s.
const CUT_WINDOW: usize = 600;
/// Speech frames that open a segment, out of the last `OPEN_WINDOW`: 80 ms of speech, the shortest of syllables.
const OPEN_SPEECH: usize = 8;
const OPEN_WINDOW: usize = 14;
/// A pause is broken by this many speech frames out of the last `RESUME_WINDOW`, so that a click is no speech.
const RESUME_SPEECH: usize = 4;
const RESUME_WINDOW: usize = 6;
/// Audio before the first speech frame that belongs to the segment: soft onsets lie below the threshold, and the recogniser hears the
/// first word better after a little silence, as recordings have it (with 250 ms here and 300 ms behind, errors were 6 to 9 % more).
pub(crate) const LEAD: usize = 50;
/// Audio after the last speech frame that the final looks at.
pub(crate) const TAIL: usize = 60;

/// Frames without speech that are a pause of the speaker and not a weak spot of a word: 300 ms.
const PAUSE: usize = 30;

/// Mean speech probabilities of a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Likeness {
    /// Of all its frames.
    pub(crate) whole: f32,
    /// Without its pauses.
    pub(crate) spoken: f32,
}

impl Likeness {
    fn of(probabilities: &[f32], threshold: f32) -> Self {
        let mean = |sum: f32, frames: usize| sum / frames.max(1) as f32;
        let (mut sum, mut frames) = (0.0, 0);
        for run in probabilities.chunk_by(|a, b| (*a > threshold) == (*b > threshold)) {
            if run[0] > threshold || run.len() < PAUSE {
                sum += run.iter().sum::<f32>();
                frames += run.len();
            }
        }
        Self {
            whole: mean(probabilities.iter().sum(), probabilities.len()),
            spoken: mean(sum, frames),
        }
    }
}

/// What a frame changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// A segment opened, and its audio begins at this frame, at most the current one.
    Open {
        /// First frame of the segment's audio.
        start: usize,
        /// First frame of speech.
        speech: usize,
    },
    /// The segment closed.
    Close {
        /// One past the last frame of speech.
        speech_end: usize,
        /// One past the last frame of the segment.
        end: usize,
        /// How likely it is speech, from the first to the last frame of speech.
        likeness: Likeness,
        /// Whether the speaker went on, so that a new segment begins at `end`.
        cut: bool,
    },
}

/// The state of one task.
pub(crate) struct Segmenter {
    threshold: f32,
    closing: Closing,
    /// Probabilities from `first` on: of the open segment, or the last few.
    probabilities: Vec<f32>,
    first: usize,
    open: Option<Open>,
    /// No segment begins before this frame.
    floor: usize,
}

struct Open {
    start: usize,
    /// First frame of speech.
    speech: usize,
    /// One past the last speech frame.
    speech_end: usize,
}

impl Segmenter {
    /// `closing` says how much non-speech closes a segment; `noise_threshold` (-1 to 1) moves the probability from which
    /// a frame counts as speech, 0.5 at 0.
    pub(crate) fn new(closing: Closing, noise_threshold: f32) -> Self {
        Self {
            threshold: 0.5 + 0.45 * noise_threshold,
            closing,
            probabilities: Vec::new(),
            first: 0,
            open: None,
            floor: 0,
        }
    }

    /// The first frame that a segment may still refer to: older audio can be forgotten.
    pub(crate) fn oldest_needed(&self) -> usize {
        let now = self.first + self.probabilities.len();
        let start = self.open.as_ref().map_or(usize::MAX, |open| open.start);
        start
            .min(now.saturating_sub(OPEN_WINDOW + LEAD))
            .max(self.floor.min(start))
    }

    /// Whether any of the frames `start..end`, which are known, is speech.
    pub(crate) fn has_speech(&self, start: usize, end: usize) -> bool {
        (start..end).any(|frame| self.is_speech(frame))
    }

    /// Takes the speech probability of the next frame.
    pub(crate) fn push(&mut self, probability: f32) -> Option<Change> {
        let now = self.first + self.probabilities.len();
        self.probabilities.push(probability);
        let end = now + 1;
        let Some(Open {
            start,
            speech,
            mut speech_end,
        }) = self.open
        else {
            let change = self.try_open(end);
            if change.is_none() {
                self.forget();
            }
            return change;
        };
        if self.speech_in(RESUME_WINDOW.min(end - start)) >= RESUME_SPEECH && self.is_speech(now) {
            speech_end = end;
            if let Some(open) = &mut self.open {
                open.speech_end = end;
            }
        }
        // A speech frame may be the first of the speech that breaks the pause: the next silent one decides.
        let spoken = speech_end.saturating_sub(speech);
        if !self.is_speech(now) && end - speech_end >= self.closing.silence(spoken) {
            return self.close(end, false);
        }
        if (end - start) as u64 * FRAME_MS >= MAX_SEGMENT_MS {
            return self.close(self.least_speech(end), true);
        }
        None
    }

    /// Cuts the open segment before `frame`, whatever the probabilities say. None when nothing is open there.
    pub(crate) fn cut(&mut self, frame: usize) -> Option<Change> {
        let open = self.open.as_ref()?;
        let now = self.first + self.probabilities.len();
        (open.start < frame && frame < now).then(|| self.close(frame, true))?
    }

    /// Goes on in a new segment right at the end of the one that was cut. Its frames up to now are replayed.
    pub(crate) fn reopen(&mut self) -> Change {
        let start = self.floor;
        self.probabilities.drain(..start - self.first);
        self.first = start;
        let last = self.probabilities.iter().rposition(|p| *p > self.threshold);
        let speech_end = last.map_or(start, |frame| start + frame + 1);
        self.open = Some(Open {
            start,
            speech: start,
            speech_end,
        });
        Change::Open {
            start,
            speech: start,
        }
    }

    /// Ends the audio: an open segment closes.
    pub(crate) fn finish(&mut self) -> Option<Change> {
        self.close(self.first + self.probabilities.len(), false)
    }

    fn try_open(&mut self, end: usize) -> Option<Change> {
        let window = OPEN_WINDOW.min(end.saturating_sub(self.floor));
        if self.speech_in(window) < OPEN_SPEECH {
            return None;
        }
        let speech = (end - window..end).find(|frame| self.is_speech(*frame))?;
        let start = speech.saturating_sub(LEAD).max(self.floor).max(self.first);
        self.open = Some(Open {
            start,
            speech,
            speech_end: end,
        });
        Some(Change::Open { start, speech })
    }

    fn close(&mut self, end: usize, cut: bool) -> Option<Change> {
        let Open {
            speech, speech_end, ..
        } = self.open.take()?;
        let speech_end = speech_end.min(end);
        let spoken = &self.probabilities[speech - self.first..speech_end.max(speech) - self.first];
        let likeness = Likeness::of(spoken, self.threshold);
        // The probabilities stay until the next frame: partials up to here may still ask for them.
        self.floor = end;
        Some(Change::Close {
            speech_end,
            end,
            likeness,
            cut,
        })
    }

    fn is_speech(&self, frame: usize) -> bool {
        frame >= self.first && self.probabilities[frame - self.first] > self.threshold
    }

    fn speech_in(&self, last: usize) -> usize {
        let from = self.probabilities.len().saturating_sub(last);
        self.probabilities[from..]
            .iter()
            .filter(|p| **p > self.threshold)
            .count()
    }

    /// The frame of the cut window with the least speech around it.
    fn least_speech(&self, end: usize) -> usize {
        const AROUND: usize = 8;
        let last = end - AROUND;
        let mean = |frame: usize| {
            let at = frame - self.first;
            self.probabilities[at - AROUND..at + AROUND]
                .iter()
                .sum::<f32>()
        };
        (end - CUT_WINDOW..last)
            .min_by(|a, b| mean(*a).total_cmp(&mean(*b)).then(b.cmp(a)))
            .unwrap_or(last)
    }

    /// Drops probabilities that no later segment can refer to.
    fn forget(&mut self) {
        let keep = OPEN_WINDOW + LEAD;
        let extra = self.probabilities.len().saturating_sub(keep);
        // In larger steps, so that the rest is not moved for each frame.
        if extra > 64 {
            self.probabilities.drain(..extra);
            self.first += extra;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::TaskOptions;
    use ting_audio::Format;

    /// Runs (frames, probability) stretches through a segmenter and lists the closed segments as (start, end) frames.
    fn segments(
        max_sentence_silence_ms: u32,
        threshold: f32,
        stretches: &[(usize, f32)],
    ) -> Vec<(usize, usize)> {
        let closing = Closing::new(&TaskOptions {
            max_sentence_silence_ms,
            ..TaskOptions::new(Format::Pcm, 16_000)
        });
        let mut segmenter = Segmenter::new(closing, threshold);
        let (mut result, mut begin) = (Vec::new(), 0);
        let mut note = |change: Change, begin: &mut usize| match change {
            Change::Open { speech, .. } => *begin = speech,
            Change::Close { speech_end, .. } => result.push((*begin, speech_end)),
        };
        for (frames, probability) in stretches {
            for _ in 0..*frames {
                if let Some(change) = segmenter.push(*probability) {
                    note(change, &mut begin);
                    if let Change::Close { cut: true, .. } = change {
                        note(segmenter.reopen(), &mut begin);
                    }
                }
            }
        }
        if let Some(change) = segmenter.finish() {
            note(change, &mut begin);
        }
        result
    }

    #[test]
    fn silence_closes_at_its_length() {
        struct Case {
            silence_ms: u32,
            gap: usize,
            want: usize,
        }
        // One frame less than the limit keeps the segment open, the limit itself closes it.
        let mut cases = Vec::new();
        for silence_ms in [200, 500, 800, 1300, 3000, 6000] {
            let limit = silence_ms as usize / 10;
            cases.push(Case {
                silence_ms,
                gap: limit - 1,
                want: 1,
            });
            cases.push(Case {
                silence_ms,
                gap: limit,
                want: 2,
            });
        }
        let failed: Vec<_> = cases
            .iter()
            .map(|case| {
                let stretches = [
                    (50, 0.0),
                    (100, 0.9),
                    (case.gap, 0.1),
                    (100, 0.9),
                    (700, 0.0),
                ];
                (
                    case.silence_ms,
                    case.gap,
                    case.want,
                    segments(case.silence_ms, 0.0, &stretches),
                )
            })
            .filter(|(_, _, want, got)| got.len() != *want)
            .collect();
        assert!(failed.is_empty(), "failed: {failed:?}");
    }

    #[test]
    fn begins_and_ends_with_the_speech() {
        let got = segments(1300, 0.0, &[(70, 0.0), (120, 0.9), (200, 0.0)]);
        assert_eq!(got, vec![(70, 190)]);
    }

    #[test]
    fn pauses_do_not_make_speech_unlikely() {
        let probabilities = |stretches: &[(usize, f32)]| -> Vec<f32> {
            let stretch = |(frames, probability): &(usize, f32)| vec![*probability; *frames];
            stretches.iter().flat_map(stretch).collect()
        };
        // (stretches, whole, without pauses)
        let cases = [
            (vec![], 0.0, 0.0),
            (vec![(10, 0.8)], 0.8, 0.8),
            (vec![(10, 0.9), (30, 0.1), (10, 0.9)], 0.42, 0.9),
            (vec![(10, 0.9), (20, 0.1), (10, 0.9)], 0.5, 0.5),
        ];
        for (stretches, whole, spoken) in cases {
            let got = Likeness::of(&probabilities(&stretches), 0.5);
            let near = |got: f32, want: f32| (got - want).abs() < 1e-5;
            assert!(
                near(got.whole, whole) && near(got.spoken, spoken),
                "{stretches:?}: {got:?}"
            );
        }
    }

    #[test]
    fn clicks_open_nothing_and_break_no_pause() {
        let clicks = [(50, 0.0), (5, 0.9), (50, 0.0), (5, 0.9), (50, 0.0)];
        assert_eq!(segments(500, 0.0, &clicks), vec![]);
        let speech = [
            (100, 0.9),
            (30, 0.0),
            (2, 0.9),
            (30, 0.0),
            (100, 0.9),
            (100, 0.0),
        ];
        assert_eq!(segments(500, 0.0, &speech).len(), 2);
    }

    #[test]
    fn the_noise_threshold_moves_the_border() {
        let faint = [(30, 0.0), (100, 0.3), (200, 0.0)];
        assert_eq!(segments(500, 0.0, &faint).len(), 0);
        assert_eq!(segments(500, -1.0, &faint).len(), 1);
        let clear = [(30, 0.0), (100, 0.9), (200, 0.0)];
        assert_eq!(segments(500, 0.0, &clear).len(), 1);
        assert_eq!(segments(500, 1.0, &clear).len(), 0);
    }

    #[test]
    fn long_speech_is_cut_at_its_weakest_frame() {
        let got = segments(
            1300,
            0.0,
            &[(1700, 0.95), (20, 0.3), (1500, 0.95), (300, 0.0)],
        );
        assert_eq!(got.len(), 2, "{got:?}");
        assert!((1690..1730).contains(&got[0].1), "{got:?}");
        assert_eq!(got[1].1, 3220);
    }
}
