//! One logical Opus stream: packets put together, decoded, and trimmed to their times.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ropus::{Channels, DecodeMode, Decoder};

use super::head::Head;
use crate::SAMPLE_RATE;
use crate::error::{AudioError, AudioErrorKind};
use crate::ogg::Page;

/// The longest packet: 48 frames of 1275 bytes and their lengths (RFC 7845 section 6).
pub(crate) const MAX_PACKET: usize = 61_440;
/// Samples at 48 kHz for one of ours.
const RATIO: i64 = 48_000 / SAMPLE_RATE as i64;
/// The longest packet, 120 ms, in samples at 48 kHz.
const MAX_DURATION: i64 = 5_760;
/// What a packet is taken to last that does not say: 20 ms, as most do.
const USUAL_DURATION: i64 = 960;
/// At most 2 s are made up for lost pages (encoders put up to 1 s into one): a page of 29 bytes that
/// lies about its time must not be worth hours of samples.
const MAX_CONCEALED: i64 = 2 * 48_000;

pub(super) struct Link {
    serial: u32,
    /// The sequence number that the next page has if none is lost.
    sequence: u32,
    gain: i16,
    decoder: Decoder,
    /// `OpusTags` is still to come or to end; it can be large and is never kept.
    in_tags: bool,
    /// The packet that the last page ended in, without its end; at most [`MAX_PACKET`].
    partial: Vec<u8>,
    /// That packet exists and is whole so far.
    partial_is_whole: bool,
    /// Samples at 48 kHz up to here, on the granule's scale.
    position: i64,
    /// A page of audio has told its granule position.
    timed: bool,
    /// What is left of the pre-skip, in our samples.
    skip: usize,
    has_pages: bool,
    ended: bool,
}

impl Link {
    pub(super) fn new(serial: u32, sequence: u32, head: &Head) -> Result<Self, AudioError> {
        Ok(Self {
            serial,
            sequence: sequence.wrapping_add(1),
            gain: head.gain,
            decoder: decoder(head.gain)?,
            in_tags: true,
            partial: Vec::new(),
            partial_is_whole: false,
            position: 0,
            timed: false,
            skip: to_ours(i64::from(head.pre_skip)),
            has_pages: false,
            ended: false,
        })
    }

    /// Another first page now begins the next link of a chain. Before any page of this one it would
    /// be a stream beside it, of which the first is taken.
    pub(super) fn may_be_followed(&self) -> bool {
        self.has_pages || self.ended
    }

    /// Decodes the packets that end on this page. Pages of other streams are ignored.
    pub(super) fn page(&mut self, page: &Page<'_>, out: &mut Vec<f32>) {
        let repeated = page.sequence.wrapping_add(1) == self.sequence;
        if page.serial != self.serial || self.ended || (repeated && self.has_pages) {
            return;
        }
        self.has_pages = true;
        let lost = page.sequence != self.sequence;
        self.sequence = page.sequence.wrapping_add(1);
        if lost || !page.is_continued() {
            self.partial_is_whole = false;
            // Tags that a lost page ended in are over with the first packet that begins anew.
            self.in_tags &= !lost || page.is_continued();
        }
        let packets = self.packets(page);
        self.time_and_decode(page, &packets, lost, out);
        self.ended = page.is_last();
    }

    /// The audio packets that end on `page`; the start of one that does not is kept.
    fn packets<'a>(&mut self, page: &Page<'a>) -> Vec<Cow<'a, [u8]>> {
        let mut packets = Vec::new();
        for (index, (piece, ends)) in page.pieces().into_iter().enumerate() {
            let continues = index == 0 && page.is_continued();
            // Also where a lost page made the place in the stream uncertain.
            self.in_tags |= !continues && piece.starts_with(b"OpusTags");
            if self.in_tags {
                self.in_tags = !ends;
                continue;
            }
            if !continues {
                self.partial.clear();
                self.partial_is_whole = true;
            }
            if ends && !continues {
                packets.push(Cow::Borrowed(piece));
                self.partial_is_whole = false;
                continue;
            }
            if self.partial.len() + piece.len() > MAX_PACKET {
                self.partial_is_whole = false;
            }
            if self.partial_is_whole {
                self.partial.extend_from_slice(piece);
            }
            if ends {
                if self.partial_is_whole {
                    packets.push(Cow::Owned(std::mem::take(&mut self.partial)));
                }
                self.partial.clear();
                self.partial_is_whole = false;
            }
        }
        packets
    }

    fn time_and_decode(
        &mut self,
        page: &Page<'_>,
        packets: &[Cow<'_, [u8]>],
        lost: bool,
        out: &mut Vec<f32>,
    ) {
        let durations: Vec<i64> = packets
            .iter()
            .map(|packet| duration(packet).unwrap_or(USUAL_DURATION))
            .collect();
        let total: i64 = durations.iter().sum();
        // -1 says that no packet ends here, other negative values mean nothing.
        let granule = Some(page.granule).filter(|&granule| granule >= 0);
        if let Some(granule) = granule.filter(|_| total > 0) {
            let start = granule.saturating_sub(total);
            let gap = start.saturating_sub(self.position).max(0);
            if lost && (self.timed || gap <= MAX_CONCEALED) {
                self.conceal(gap.min(MAX_CONCEALED), out);
            }
            if lost || !self.timed {
                // A broadcast is joined in the middle and counts from there.
                self.position = start.max(self.position);
            }
            self.timed = true;
        }
        let wanted = match granule {
            Some(granule) if page.is_last() && granule >= self.position => {
                total.min(granule - self.position)
            }
            _ => total,
        };
        let mut budget = to_ours(wanted);
        for (packet, duration) in packets.iter().zip(durations) {
            self.decode(packet, duration, &mut budget, out);
        }
        self.position = self.position.saturating_add(total);
    }

    fn decode(&mut self, packet: &[u8], duration: i64, budget: &mut usize, out: &mut Vec<f32>) {
        let samples = to_ours(duration);
        let mut buffer = [0.0f32; MAX_DURATION as usize / RATIO as usize];
        let buffer = &mut buffer[..samples];
        let decoded = self.run_decoder(packet, buffer).or_else(|| {
            tracing::debug!(
                bytes = packet.len(),
                "opus packet does not decode, concealing it"
            );
            self.run_decoder(&[], buffer)
        });
        // Time goes on even where nothing could be made of the packet.
        buffer[decoded.unwrap_or(0).min(samples)..].fill(0.0);
        let kept = &buffer[..samples.min(*budget)];
        *budget -= kept.len();
        self.emit(kept, out);
    }

    /// Makes up for `duration` of lost packets with what the codec's own concealment gives.
    fn conceal(&mut self, duration: i64, out: &mut Vec<f32>) {
        let mut left = to_ours(duration);
        let mut buffer = [0.0f32; SAMPLE_RATE as usize / 50];
        while left > 0 {
            buffer.fill(0.0);
            self.run_decoder(&[], &mut buffer);
            let here = left.min(buffer.len());
            self.emit(&buffer[..here], out);
            left -= here;
        }
    }

    /// `packet`, or concealment if it is empty, to the start of `buffer`: the number of samples, or
    /// `None` where the packet is broken.
    fn run_decoder(&mut self, packet: &[u8], buffer: &mut [f32]) -> Option<usize> {
        // The codec is a port of much C, and packets are anyone's: a slip in it shall cost a packet,
        // not the thread that decodes for other sessions as well.
        let decoder = &mut self.decoder;
        let run = || decoder.decode_float(packet, buffer, DecodeMode::Normal);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => result.ok(),
            Err(_) => {
                tracing::warn!("the opus decoder failed on a packet and was replaced");
                if let Ok(fresh) = self::decoder(self.gain) {
                    self.decoder = fresh;
                }
                None
            }
        }
    }

    fn emit(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let skipped = self.skip.min(samples.len());
        self.skip -= skipped;
        out.extend(
            samples[skipped..]
                .iter()
                .map(|sample| sample.clamp(-1.0, 1.0)),
        );
    }
}

fn decoder(gain: i16) -> Result<Decoder, AudioError> {
    let mut decoder = Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(refused)?;
    decoder.set_gain(i32::from(gain)).map_err(refused)?;
    Ok(decoder)
}

fn refused(error: impl std::error::Error) -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!("the Opus decoder refused the stream: {error}"),
    )
}

/// Samples at 48 kHz to ours.
fn to_ours(samples: i64) -> usize {
    usize::try_from((samples + RATIO / 2) / RATIO).unwrap_or(0)
}

/// How long a packet lasts, in samples at 48 kHz, from its first bytes (RFC 6716 sections 3.1, 3.2).
fn duration(packet: &[u8]) -> Option<i64> {
    let &toc = packet.first()?;
    let frame = match toc >> 3 {
        config @ 0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        config @ 12..16 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => i64::from(packet.get(1)? & 0x3F),
    };
    Some(frame * frames).filter(|samples| (1..=MAX_DURATION).contains(samples))
}
