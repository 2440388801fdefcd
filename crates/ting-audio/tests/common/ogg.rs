//! Ogg pages, taken apart and made.

/// Start of each page.
pub fn pages(ogg: &[u8]) -> Vec<usize> {
    (0..ogg.len())
        .filter(|&at| ogg[at..].starts_with(b"OggS"))
        .collect()
}

/// The packets of a file with one logical stream.
pub fn packets(ogg: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    while at < ogg.len() {
        let segments = usize::from(ogg[at + 26]);
        let mut body = at + 27 + segments;
        for &value in &ogg[at + 27..at + 27 + segments] {
            open.extend_from_slice(&ogg[body..body + usize::from(value)]);
            body += usize::from(value);
            if value < 255 {
                packets.push(std::mem::take(&mut open));
            }
        }
        at = body;
    }
    packets
}

/// Flags of a page.
pub const CONTINUED: u8 = 1;
/// See [`CONTINUED`].
pub const FIRST: u8 = 2;
/// See [`CONTINUED`].
pub const LAST: u8 = 4;

/// Lacing values of whole packets.
pub fn lacing(packets: &[&[u8]]) -> Vec<u8> {
    packets
        .iter()
        .flat_map(|packet| {
            let full = std::iter::repeat_n(255, packet.len() / 255);
            full.chain([(packet.len() % 255) as u8])
        })
        .collect()
}

/// A page of whole packets.
pub fn page(flags: u8, granule: i64, serial: u32, sequence: u32, packets: &[&[u8]]) -> Vec<u8> {
    raw_page(
        flags,
        granule,
        serial,
        sequence,
        &lacing(packets),
        &packets.concat(),
    )
}

/// A page of any lacing values, which need not fit what is in it.
pub fn raw_page(
    flags: u8,
    granule: i64,
    serial: u32,
    sequence: u32,
    lacing: &[u8],
    body: &[u8],
) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(serial.to_le_bytes());
    page.extend(sequence.to_le_bytes());
    page.extend([0; 4]);
    page.push(lacing.len() as u8);
    page.extend(lacing);
    page.extend(body);
    seal(&mut page);
    page
}

/// Writes a page's checksum, bit by bit as RFC 3533 defines it.
pub fn seal(page: &mut [u8]) {
    if page.len() < 27 {
        return;
    }
    page[22..26].fill(0);
    let mut crc = 0u32;
    for &byte in page.iter() {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc >> 31 == 1 {
                crc << 1 ^ 0x04C1_1DB7
            } else {
                crc << 1
            };
        }
    }
    page[22..26].copy_from_slice(&crc.to_le_bytes());
}

/// The granule position of the page that begins at `at`.
pub fn granule(ogg: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(std::array::from_fn(|byte| ogg[at + 6 + byte]))
}
