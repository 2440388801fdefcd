//! Where the packets of a track are in the file.

use super::boxes::{Fields, child, malformed};
use crate::error::AudioError;

/// The place of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Of its first byte, in the file.
    pub(super) offset: u64,
    /// Bytes.
    pub(super) size: u32,
}

/// Sizes of packets, never more of them in memory than the file spends bytes on.
pub(super) enum Sizes {
    Alike { size: u32, count: u32 },
    Each(Vec<u32>),
}

impl Sizes {
    pub(super) fn count(&self) -> u64 {
        match self {
            Sizes::Alike { count, .. } => u64::from(*count),
            Sizes::Each(sizes) => sizes.len() as u64,
        }
    }

    pub(super) fn get(&self, index: u64) -> Option<u32> {
        match self {
            Sizes::Alike { size, count } => (index < u64::from(*count)).then_some(*size),
            Sizes::Each(sizes) => sizes.get(usize::try_from(index).ok()?).copied(),
        }
    }
}

/// The sample table of a track that is not fragmented.
pub(super) struct Table {
    sizes: Sizes,
    /// Where each chunk, a run of packets without a gap, begins.
    chunks: Vec<u64>,
    /// From which chunk on, counted from 1, a chunk has how many packets.
    runs: Vec<(u32, u32)>,
    /// The packet, and the chunk, that come next.
    packet: u64,
    chunk: usize,
    run: usize,
    /// Packets of the chunk at hand yet to come, and where they begin.
    left: u32,
    offset: u64,
}

impl Table {
    /// From the body of `stbl`.
    pub(super) fn parse(stbl: &[u8]) -> Result<Self, AudioError> {
        let missing = |name: &str| malformed(&format!("its index has no '{name}' box"));
        let mut fields = Fields::new(child(stbl, b"stsz").ok_or_else(|| missing("stsz"))?);
        fields.version()?;
        let (size, count) = (fields.u32()?, fields.u32()?);
        let sizes = if size > 0 {
            Sizes::Alike { size, count }
        } else {
            Sizes::Each(words(fields, count)?)
        };
        let chunks = match (child(stbl, b"stco"), child(stbl, b"co64")) {
            (Some(stco), _) => {
                let mut fields = Fields::new(stco);
                fields.version()?;
                let count = fields.u32()?;
                words(fields, count)?.into_iter().map(u64::from).collect()
            }
            (None, Some(co64)) => {
                let mut fields = Fields::new(co64);
                fields.version()?;
                let count = fields.u32()? as usize;
                let bytes = fields.take(count.saturating_mul(8))?;
                let (offsets, _) = bytes.as_chunks::<8>();
                offsets.iter().map(|&x| u64::from_be_bytes(x)).collect()
            }
            (None, None) => return Err(missing("stco")),
        };
        let mut fields = Fields::new(child(stbl, b"stsc").ok_or_else(|| missing("stsc"))?);
        fields.version()?;
        let count = fields.u32()? as usize;
        let bytes = fields.take(count.saturating_mul(12))?;
        let (entries, _) = bytes.as_chunks::<12>();
        let word =
            |x: &[u8; 12], at: usize| u32::from_be_bytes([x[at], x[at + 1], x[at + 2], x[at + 3]]);
        let runs = entries.iter().map(|x| (word(x, 0), word(x, 4))).collect();
        Ok(Self {
            sizes,
            chunks,
            runs,
            packet: 0,
            chunk: 0,
            run: 0,
            left: 0,
            offset: 0,
        })
    }

    /// Packets in all.
    pub(super) fn packets(&self) -> u64 {
        self.sizes.count()
    }
}

impl Iterator for Table {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let size = self.sizes.get(self.packet)?;
        while self.left == 0 {
            self.offset = *self.chunks.get(self.chunk)?;
            self.chunk += 1;
            while let Some((first, _)) = self.runs.get(self.run + 1)
                && *first as usize <= self.chunk
            {
                self.run += 1;
            }
            self.left = self.runs.get(self.run)?.1;
        }
        let place = Place {
            offset: self.offset,
            size,
        };
        self.packet += 1;
        self.left -= 1;
        self.offset = self.offset.saturating_add(u64::from(size));
        Some(place)
    }
}

/// `count` numbers of 32 bits.
pub(super) fn words(mut fields: Fields<'_>, count: u32) -> Result<Vec<u32>, AudioError> {
    let bytes = fields.take((count as usize).saturating_mul(4))?;
    let (words, _) = bytes.as_chunks::<4>();
    Ok(words.iter().map(|&word| u32::from_be_bytes(word)).collect())
}
