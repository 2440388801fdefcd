//! What has to be known of the setup header (Vorbis I specification, sections 3.2.1 and 4.2.4) before a decoder is
//! made of it: how much memory it would take, and how long the blocks of each mode are.

use crate::error::{AudioError, AudioErrorKind};

/// Numbers that all codebooks of a stream may unfold to: eight times what the largest of libvorbis's setups do. A few
/// bytes can ask for 16 MB, in each of 256 books.
const MAX_VALUES: u64 = 1 << 21;

/// For each mode, whether its blocks are the long ones.
///
/// # Errors
/// `Malformed` if the header breaks its rules; `Unsupported` if a decoder would need too much memory.
pub(super) fn modes(setup: &[u8]) -> Result<Vec<bool>, AudioError> {
    check_codebooks(setup)?;
    find_modes(setup).ok_or_else(|| malformed("has no modes"))
}

fn check_codebooks(setup: &[u8]) -> Result<(), AudioError> {
    let mut bits = Bits {
        bytes: setup,
        at: 7 * 8,
    };
    let short = || malformed("ends within its codebooks");
    let books = bits.take(8).ok_or_else(short)? + 1;
    let mut values = 0u64;
    for _ in 0..books {
        values += codebook(&mut bits).ok_or_else(short)?;
        if values > MAX_VALUES {
            return Err(AudioError::new(
                AudioErrorKind::Unsupported,
                format!("the Vorbis setup header describes more than {MAX_VALUES} values"),
            ));
        }
    }
    Ok(())
}

/// Passes over a codebook; how many numbers it unfolds to. `None` if it is none.
fn codebook(bits: &mut Bits<'_>) -> Option<u64> {
    (bits.take(24)? == 0x56_4342).then_some(())?;
    let dimensions = bits.take(16)?;
    let entries = bits.take(24)?;
    if bits.take(1)? == 0 {
        let is_sparse = bits.take(1)? == 1;
        for _ in 0..entries {
            if !is_sparse || bits.take(1)? == 1 {
                bits.take(5)?;
            }
        }
    } else {
        bits.take(5)?;
        let mut left = entries;
        while left > 0 {
            let number = bits.take(32 - left.leading_zeros())?;
            left = left.checked_sub(number)?;
        }
    }
    let unfolded = u64::from(entries) * u64::from(dimensions);
    let values = match bits.take(4)? {
        0 => return Some(u64::from(entries)),
        1 => root(entries, dimensions),
        2 => unfolded,
        _ => return None,
    };
    bits.take(32)?;
    bits.take(32)?;
    let width = u64::from(bits.take(4)?) + 1;
    bits.take(1)?;
    bits.skip(values.checked_mul(width)?)?;
    Some(unfolded)
}

/// The largest number whose power to `dimensions` is at most `entries`.
fn root(entries: u32, dimensions: u32) -> u64 {
    let fits = |x: u64| {
        x.checked_pow(dimensions)
            .is_some_and(|power| power <= u64::from(entries))
    };
    if dimensions == 0 {
        return 0;
    }
    let mut x = f64::from(entries).powf(1.0 / f64::from(dimensions)) as u64;
    while x > 0 && !fits(x) {
        x -= 1;
    }
    while fits(x + 1) {
        x += 1;
    }
    x
}

/// The modes stand last, and before them what is long to read through. Each has 41 bits, of which 32 are zeros, and
/// their number stands before them; so they can be found from the end.
fn find_modes(setup: &[u8]) -> Option<Vec<bool>> {
    let last = setup.iter().rposition(|&byte| byte != 0)?;
    // The framing bit is the last that is set.
    let end = last * 8 + 7 - setup[last].leading_zeros() as usize;
    let at = |at: usize, count: u32| Bits { bytes: setup, at }.take(count);
    let mut found = None;
    for count in 1..=64usize {
        let Some(start) = end.checked_sub(41 * count).filter(|&start| start >= 6) else {
            break;
        };
        if at(start + 1, 32)? != 0 || at(start + 33, 8)? > 63 {
            break;
        }
        if at(start - 6, 6)? as usize + 1 == count {
            found = Some((start, count));
        }
    }
    let (start, count) = found?;
    (0..count)
        .map(|mode| Some(at(start + 41 * mode, 1)? == 1))
        .collect()
}

/// Bits of a packet, the lowest of each byte first.
pub(super) struct Bits<'a> {
    pub(super) bytes: &'a [u8],
    /// Bits read.
    pub(super) at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for bit in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        let at = (self.at as u64).checked_add(count)?;
        (at <= self.bytes.len() as u64 * 8).then_some(())?;
        self.at = usize::try_from(at).ok()?;
        Some(())
    }
}

fn malformed(what: &str) -> AudioError {
    let message = format!("the Vorbis setup header {what}; send the file from its start");
    AudioError::new(AudioErrorKind::Malformed, message)
}
