//! Boxes within a box that is whole in memory (ISO 14496-12 section 4.2), and the fields in them.

use crate::error::{AudioError, AudioErrorKind};

/// Big-endian fields, read one after the other.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], AudioError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| malformed("a box of its index ends within a field"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, AudioError> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, AudioError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, AudioError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(super) fn u64(&mut self) -> Result<u64, AudioError> {
        Ok(u64::from(self.u32()?) << 32 | u64::from(self.u32()?))
    }

    /// 32 or, in version 1 of a box, 64 bits.
    pub(super) fn sized(&mut self, version: u8) -> Result<u64, AudioError> {
        if version == 0 {
            self.u32().map(u64::from)
        } else {
            self.u64()
        }
    }

    /// Version and flags, which begin many boxes.
    pub(super) fn version(&mut self) -> Result<(u8, u32), AudioError> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0xFF_FFFF))
    }
}

/// The boxes in `bytes`, each with its name. Bytes behind the last whole one are passed over.
pub(super) fn children(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (size, name) = (rest.first_chunk::<4>()?, rest.get(4..8)?);
        let name = [name[0], name[1], name[2], name[3]];
        let (header, size) = match u32::from_be_bytes(*size) {
            // To the end.
            0 => (8, rest.len()),
            1 => {
                let long = rest.get(8..16)?.first_chunk::<8>()?;
                (16, usize::try_from(u64::from_be_bytes(*long)).ok()?)
            }
            size => (8, size as usize),
        };
        let body = rest.get(header..size)?;
        rest = &rest[size..];
        Some((name, body))
    })
}

/// The first box of a name within `bytes`.
pub(super) fn child<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    children(bytes)
        .find(|(found, _)| found == name)
        .map(|(_, body)| body)
}

/// The box at the end of a path of names.
pub(super) fn descend<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter()
        .try_fold(bytes, |bytes, name| child(bytes, name))
}

pub(super) fn malformed(what: &str) -> AudioError {
    let message = format!("the M4A is damaged: {what}");
    AudioError::new(AudioErrorKind::Malformed, message)
}
