use crate::SAMPLE_RATE;
use crate::error::AudioError;
use crate::resample::Resampler;

/// A push decoder of one container or encoding.
///
/// What it writes must not depend on how the bytes were cut, and what it keeps between two calls must be
/// bounded by a constant. A caller pushes nothing after an error or after `finish`.
pub(crate) trait Decode: Send {
    /// Decodes what `bytes` complete.
    ///
    /// # Errors
    /// Any kind but `SampleRate`; samples before the fault are written first.
    fn push(&mut self, bytes: &[u8], out: &mut Samples<'_>) -> Result<(), AudioError>;

    /// Ends the input. Where no byte came at all, that is no error.
    ///
    /// # Errors
    /// `Malformed` if the input ended before its audio began; a file truncated later ends cleanly.
    fn finish(&mut self, out: &mut Samples<'_>) -> Result<(), AudioError>;
}

/// Takes decoded mono samples at their own rate to 16 kHz; a new rate in mid-stream ends one resampler and
/// begins another.
pub(crate) struct Samples<'a> {
    output: &'a mut Output,
    out: &'a mut Vec<f32>,
}

/// What of [`Samples`] lasts from one push to the next.
#[derive(Default)]
pub(crate) struct Output {
    /// The rate in use and, unless it is 16 kHz, its resampler. `None` until the first samples, because a header
    /// may have to come before the rate is known.
    current: Option<(u32, Option<Box<Resampler>>)>,
}

impl Output {
    /// A writer that appends to `out`.
    pub(crate) fn to<'a>(&'a mut self, out: &'a mut Vec<f32>) -> Samples<'a> {
        Samples { output: self, out }
    }

    /// Appends the resampler's tail: no more samples will come.
    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) {
        if let Some((_, Some(resampler))) = &mut self.current {
            resampler.finish(out);
        }
        self.current = None;
    }
}

impl Samples<'_> {
    /// Writes `samples` of `rate` Hz, each in [-1, 1]. The callers bound the rate to [`RATES`](crate::format::RATES).
    pub(crate) fn write(&mut self, rate: u32, samples: &[f32]) {
        if samples.is_empty() {
            return;
        }
        if let Some((current, _)) = &self.output.current
            && *current != rate
        {
            tracing::debug!(from = *current, to = rate, "sample rate changes");
            self.output.finish(self.out);
        }
        let (_, resampler) = self.output.current.get_or_insert_with(|| {
            let resampler = (rate != SAMPLE_RATE).then(|| Box::new(Resampler::new(rate)));
            (rate, resampler)
        });
        match resampler {
            Some(resampler) => resampler.push(samples, self.out),
            None => self.out.extend_from_slice(samples),
        }
    }
}
