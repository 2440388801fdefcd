use std::ops::Range;

use crate::samples::Samples;

/// Takes out what an encoder put before and behind the sound.
#[derive(Default)]
pub(crate) struct Trim {
    /// Samples of no interest at the start.
    head: u64,
    /// Samples of no interest later on.
    tail: Range<u64>,
    /// Samples so far, at the decoder's rate.
    position: u64,
}

impl Trim {
    /// Drops the first `head` samples and those of the range `tail`, both counted from the decoder's first.
    pub(crate) fn new(head: u64, tail: Range<u64>) -> Self {
        Self {
            head,
            tail,
            position: 0,
        }
    }

    /// Writes what is left of `samples`.
    pub(crate) fn write(&mut self, rate: u32, samples: &[f32], out: &mut Samples<'_>) {
        let start = self.position;
        self.position += samples.len() as u64;
        let at = |position: u64| {
            let offset = position.saturating_sub(start);
            offset.min(samples.len() as u64) as usize
        };
        let head = at(self.head);
        let (tail_start, tail_end) = (at(self.tail.start).max(head), at(self.tail.end).max(head));
        if tail_start >= tail_end {
            out.write(rate, &samples[head..]);
            return;
        }
        out.write(rate, &samples[head..tail_start]);
        out.write(rate, &samples[tail_end..]);
    }

    /// Writes `count` samples of silence in place of a packet that does not decode: time goes on.
    pub(crate) fn write_silence(&mut self, rate: u32, count: usize, out: &mut Samples<'_>) {
        const SILENCE: [f32; 1024] = [0.0; 1024];
        let mut left = count;
        while left > 0 {
            let here = left.min(SILENCE.len());
            self.write(rate, &SILENCE[..here], out);
            left -= here;
        }
    }
}
