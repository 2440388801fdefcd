//! One logical stream: its packets decoded, and trimmed to their times.

use super::packets::{Completed, Packets};
use super::{Codec, Page, Timing};
use crate::error::{AudioError, AudioErrorKind};
use crate::samples::Samples;

/// At most this much is made up for lost pages, in seconds (encoders put up to 1 s into one): a page of 29 bytes
/// that lies about its time must not be worth hours of samples.
const MAX_CONCEALED_S: i64 = 2;

pub(super) struct Link {
    serial: u32,
    codec: Box<dyn Codec>,
    timing: Timing,
    packets: Packets,
    /// Ticks up to here, on the granule's scale.
    position: i64,
    /// A page of audio has come.
    begun: bool,
    /// Samples yet to be dropped from the start.
    skip: usize,
    ended: bool,
    /// Samples of one packet; empty between packets.
    decoded: Vec<f32>,
}

impl Link {
    /// The stream that `page` begins.
    pub(super) fn new(page: &Page<'_>, codec: Box<dyn Codec>) -> Self {
        let timing = codec.timing();
        Self {
            serial: page.serial,
            packets: Packets::new(page.sequence, timing.headers),
            position: timing.start,
            begun: false,
            skip: codec.samples(timing.pre_skip),
            ended: false,
            decoded: Vec::new(),
            timing,
            codec,
        }
    }

    /// Another first page now begins the next link of a chain. Before any page of this one it would
    /// be a stream beside it, of which the first is taken.
    pub(super) fn may_be_followed(&self) -> bool {
        self.packets.has_pages() || self.ended
    }

    /// Decodes the packets that end on this page. Pages of other streams are ignored.
    pub(super) fn page(
        &mut self,
        page: &Page<'_>,
        out: &mut Samples<'_>,
    ) -> Result<(), AudioError> {
        if page.serial != self.serial || self.ended {
            return Ok(());
        }
        if let Some(completed) = self.packets.complete(page, self.codec.as_ref())? {
            for header in &completed.headers {
                self.codec.header(header)?;
            }
            if let Some(name) = self.codec.missing_header()
                && !completed.packets.is_empty()
            {
                return Err(AudioError::new(
                    AudioErrorKind::Malformed,
                    format!(
                        "the Ogg comes to its audio without a whole, undamaged {name}; send the file from its start"
                    ),
                ));
            }
            self.time_and_decode(page, &completed, out);
            self.ended = page.is_last();
        }
        Ok(())
    }

    fn time_and_decode(
        &mut self,
        page: &Page<'_>,
        Completed { packets, lost, .. }: &Completed<'_>,
        out: &mut Samples<'_>,
    ) {
        let first = packets.first().map(|packet| self.codec.duration(packet));
        let total = self.codec.total(packets);
        // -1 says that no packet ends here, other negative values mean nothing.
        let granule = Some(page.granule).filter(|&granule| granule >= 0);
        if let Some(first) = first {
            let start = granule.map(|granule| granule.saturating_sub(total));
            if !self.begun {
                self.begin(start, first, *lost, page.is_last());
            }
            if let Some(start) = start.filter(|_| *lost) {
                let mut gap = start.saturating_sub(self.position).max(0);
                if page.is_last() {
                    // It tells where the sound ends, which is up to a packet before its own end; but whole
                    // packets are missing.
                    gap = gap.saturating_add(first - 1) / first * first;
                }
                let next = packets.first().map(AsRef::as_ref);
                self.fill_gap(gap, next, out);
            }
        }
        // Output is late, so what ends at a position has come out only that much behind it.
        let end = granule.filter(|&granule| page.is_last() && granule >= self.position);
        let mut budget = match end {
            Some(end) => {
                let left = end.saturating_sub(self.position).min(total);
                self.codec.samples(left + self.timing.delay)
            }
            None => usize::MAX,
        };
        for (index, packet) in packets.iter().enumerate() {
            let next = packets.get(index + 1).map(AsRef::as_ref);
            let ticks = self.codec.decode(packet, next, &mut self.decoded);
            self.position = self.position.saturating_add(ticks);
            budget -= self.write(budget, out);
        }
        if end.is_some() {
            // What the decoder still holds back.
            let left = budget.min(self.codec.samples(self.timing.delay));
            self.codec
                .conceal(self.timing.delay, None, &mut self.decoded);
            self.write(left, out);
        }
    }

    /// Finds where the first page of audio lies in time, and from it what is to be dropped. `start` is where
    /// the page says that it begins, `first` the length of its first packet.
    fn begin(&mut self, start: Option<i64>, first: i64, lost: bool, last: bool) {
        self.begun = true;
        if let Some(start) = start {
            // A last page ends where the sound does, which need not be the end of its packets.
            let told = self.timing.start_is_told && !lost && !last && (-first..=0).contains(&start);
            let gap = start.saturating_sub(self.position);
            if told {
                self.position = start;
            } else if !lost || gap > self.most_concealed() {
                // A broadcast is joined in the middle and counts from there.
                self.position = start.max(self.position);
            }
        }
        self.skip += self.codec.samples(self.timing.delay - self.position.min(0));
    }

    /// Makes up for `gap` ticks of lost pages.
    fn fill_gap(&mut self, gap: i64, next: Option<&[u8]>, out: &mut Samples<'_>) {
        self.codec
            .conceal(gap.min(self.most_concealed()), next, &mut self.decoded);
        self.write(usize::MAX, out);
        // A gap is longer than any packet, and rare.
        self.decoded.shrink_to_fit();
        self.position = self.position.saturating_add(gap);
    }

    fn most_concealed(&self) -> i64 {
        MAX_CONCEALED_S * self.timing.ticks_per_second
    }

    /// Writes at most `budget` of the decoded samples, less what is to be dropped from the stream's start. Returns how
    /// much of the budget they took.
    fn write(&mut self, budget: usize, out: &mut Samples<'_>) -> usize {
        let kept = self.decoded.len().min(budget);
        let skipped = self.skip.min(kept);
        self.skip -= skipped;
        out.write(self.codec.rate(), &self.decoded[skipped..kept]);
        self.decoded.clear();
        kept
    }
}
