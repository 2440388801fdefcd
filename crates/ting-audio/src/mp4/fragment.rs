//! Movie fragments (ISO 14496-12 section 8.8): `moof` boxes that each tell the places of the packets behind them.

use std::collections::VecDeque;

use super::boxes::{Fields, child, children, malformed};
use super::table::{Place, Sizes};
use crate::error::AudioError;

/// Packets one behind the other.
struct Run {
    offset: u64,
    sizes: Sizes,
    packet: u64,
}

/// The runs of one track that have been told and not yet read.
#[derive(Default)]
pub(super) struct Fragments {
    track: u32,
    /// Bytes of a packet where no fragment says other.
    default_size: u32,
    runs: VecDeque<Run>,
}

impl Fragments {
    /// For the track of this id; `moov` is the body of that box. `None` if the file has no fragments.
    pub(super) fn parse(moov: &[u8], track: u32) -> Result<Option<Self>, AudioError> {
        let Some(mvex) = child(moov, b"mvex") else {
            return Ok(None);
        };
        let mut default_size = 0;
        for (_, trex) in children(mvex).filter(|(name, _)| name == b"trex") {
            let mut fields = Fields::new(trex);
            fields.version()?;
            if fields.u32()? == track {
                fields.take(8)?;
                default_size = fields.u32()?;
            }
        }
        Ok(Some(Self {
            track,
            default_size,
            runs: VecDeque::new(),
        }))
    }

    /// Adds the runs of the `moof` box whose first byte is at `start` in the file.
    pub(super) fn add(&mut self, moof: &[u8], start: u64) -> Result<(), AudioError> {
        // Where nothing else is said, data begins with the fragment and goes on from track to track.
        let mut base = start;
        for (_, traf) in children(moof).filter(|(name, _)| name == b"traf") {
            let tfhd = child(traf, b"tfhd").ok_or_else(|| malformed("a 'traf' has no 'tfhd'"))?;
            let mut fields = Fields::new(tfhd);
            let (_, flags) = fields.version()?;
            let track = fields.u32()?;
            if flags & 0x01 != 0 {
                base = fields.u64()?;
            } else if flags & 0x02_0000 != 0 {
                base = start;
            }
            fields.take(if flags & 0x02 != 0 { 4 } else { 0 })?;
            fields.take(if flags & 0x08 != 0 { 4 } else { 0 })?;
            let mut default_size = self.default_size;
            if flags & 0x10 != 0 {
                default_size = fields.u32()?;
            }
            let mut end = base;
            for (_, trun) in children(traf).filter(|(name, _)| name == b"trun") {
                let run = Self::run(trun, base, end, default_size)?;
                let bytes = match &run.sizes {
                    Sizes::Alike { size, count } => u64::from(*size) * u64::from(*count),
                    Sizes::Each(sizes) => sizes.iter().map(|&size| u64::from(size)).sum(),
                };
                end = run.offset.saturating_add(bytes);
                if track == self.track {
                    self.runs.push_back(run);
                }
            }
            base = end;
        }
        Ok(())
    }

    /// A run of the traf that begins at `base`; `end` is where the run before it ends.
    fn run(trun: &[u8], base: u64, end: u64, default_size: u32) -> Result<Run, AudioError> {
        let mut fields = Fields::new(trun);
        let (_, flags) = fields.version()?;
        let count = fields.u32()?;
        let offset = if flags & 0x01 != 0 {
            base.saturating_add_signed(i64::from(fields.u32()? as i32))
        } else {
            end
        };
        fields.take(if flags & 0x04 != 0 { 4 } else { 0 })?;
        // Duration, size, flags, composition offset: each is there for every packet or for none.
        let before = if flags & 0x100 != 0 { 4 } else { 0 };
        let behind = 4 * (flags >> 10 & 3).count_ones() as usize;
        let sizes = if flags & 0x200 != 0 {
            let mut sizes = Vec::new();
            for _ in 0..count {
                fields.take(before)?;
                sizes.push(fields.u32()?);
                fields.take(behind)?;
            }
            Sizes::Each(sizes)
        } else {
            Sizes::Alike {
                size: default_size,
                count: if default_size == 0 { 0 } else { count },
            }
        };
        Ok(Run {
            offset,
            sizes,
            packet: 0,
        })
    }
}

impl Iterator for Fragments {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        loop {
            let run = self.runs.front_mut()?;
            if let Some(size) = run.sizes.get(run.packet) {
                let offset = run.offset;
                run.packet += 1;
                run.offset = offset.saturating_add(u64::from(size));
                return Some(Place { offset, size });
            }
            self.runs.pop_front();
        }
    }
}
