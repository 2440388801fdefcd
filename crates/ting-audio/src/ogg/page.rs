//! Pages of Ogg (RFC 3533), found in a stream of bytes: whole pages with a valid checksum come out, everything
//! else is passed over until the next capture pattern.

/// The pattern a page begins with.
const CAPTURE: &[u8; 4] = b"OggS";
/// Header before the lacing values.
const HEADER: usize = 27;
/// Header, 255 lacing values, 255 segments of 255 bytes: no page is longer, so no more is ever held.
pub(crate) const MAX_PAGE: usize = HEADER + 255 + 255 * 255;

/// One page, borrowed from the demuxer's buffer.
pub(crate) struct Page<'a> {
    flags: u8,
    /// Codec's count of samples at the end of the last packet that ends here; -1 if none does.
    pub(crate) granule: i64,
    pub(crate) serial: u32,
    pub(crate) sequence: u32,
    lacing: &'a [u8],
    body: &'a [u8],
}

impl<'a> Page<'a> {
    /// The first piece continues a packet of the page before.
    pub(crate) fn is_continued(&self) -> bool {
        self.flags & 1 != 0
    }

    /// First page of a logical stream.
    pub(crate) fn is_first(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Last page of a logical stream.
    pub(crate) fn is_last(&self) -> bool {
        self.flags & 4 != 0
    }

    /// The pieces of packets on this page, each with whether its packet ends with it.
    pub(crate) fn pieces(&self) -> Vec<(&'a [u8], bool)> {
        let mut pieces = Vec::new();
        let (mut start, mut end) = (0, 0);
        for &value in self.lacing {
            end += usize::from(value);
            if value < 255 {
                pieces.push((&self.body[start..end], true));
                start = end;
            }
        }
        if self.lacing.last() == Some(&255) {
            pieces.push((&self.body[start..end], false));
        }
        pieces
    }
}

/// Finds pages in bytes that come in any pieces.
#[derive(Default)]
pub(crate) struct PageReader {
    buffer: Vec<u8>,
    /// Start of the bytes in `buffer` that no page took yet.
    start: usize,
    /// Bytes that belonged to no valid page.
    skipped: u64,
}

impl PageReader {
    /// Adds bytes; call [`PageReader::next`] until it has no more before adding others.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole, valid page.
    pub(crate) fn next(&mut self) -> Option<Page<'_>> {
        let (lacing, body, end) = loop {
            self.seek_capture();
            let bytes = &self.buffer[self.start..];
            if bytes.len() < HEADER {
                return None;
            }
            let lacing = HEADER + usize::from(bytes[26]);
            if bytes[4] == 0 {
                let table = bytes.get(HEADER..lacing)?;
                let body = table.iter().map(|&value| usize::from(value)).sum::<usize>();
                let page = bytes.get(..lacing + body)?;
                if checksum(page) == le32(page, 22) {
                    break (
                        self.start + HEADER,
                        self.start + lacing,
                        self.start + lacing + body,
                    );
                }
            }
            // Damaged, or the pattern by chance: the true page may begin at the very next byte.
            self.start += 1;
            self.skipped += 1;
        };
        let header = &self.buffer[self.start..self.start + HEADER];
        let page = Page {
            flags: header[5],
            granule: i64::from(le32(header, 6)) | i64::from(le32(header, 10)) << 32,
            serial: le32(header, 14),
            sequence: le32(header, 18),
            lacing: &self.buffer[lacing..body],
            body: &self.buffer[body..end],
        };
        self.start = end;
        if self.skipped > 0 {
            tracing::debug!(bytes = self.skipped, "passed over damaged ogg data");
            self.skipped = 0;
        }
        Some(page)
    }

    /// Moves to the next capture pattern, or to what may become one.
    fn seek_capture(&mut self) {
        let bytes = &self.buffer[self.start..];
        let at = (0..bytes.len())
            .find(|&at| {
                let rest = &bytes[at..];
                rest.iter().zip(CAPTURE).all(|(a, b)| a == b)
            })
            .unwrap_or(bytes.len());
        self.start += at;
        self.skipped += at as u64;
    }
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// CRC-32 of polynomial 0x04C11DB7, most significant bit first, from 0, with the field itself as 0.
fn checksum(page: &[u8]) -> u32 {
    page.iter().enumerate().fold(0u32, |crc, (at, &byte)| {
        let byte = if (22..26).contains(&at) { 0 } else { byte };
        (crc << 8) ^ TABLE[usize::from((crc >> 24) as u8 ^ byte)]
    })
}

const TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = (i as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000_0000 != 0 {
                (crc << 1) ^ 0x04C1_1DB7
            } else {
                crc << 1
            };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};
