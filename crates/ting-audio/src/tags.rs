//! Tags that stand before, behind and between the frames of bare streams.

/// Bytes from which [`size`] can tell every tag.
pub(crate) const PEEK: usize = 32;

/// Bytes of the tag that begins here: ID3v2 or, where a frame is due, ID3v1 or APE. `bytes` are [`PEEK`] or more,
/// or fewer at the end of the input.
pub(crate) fn size(bytes: &[u8], is_due: bool) -> Option<u64> {
    match bytes {
        [b'I', b'D', b'3', major, minor, _, sizes @ ..] if *major != 0xFF && *minor != 0xFF => {
            let is_size = sizes.len() >= 4 && sizes[..4].iter().all(|byte| byte & 0x80 == 0);
            is_size.then(|| id3_size(bytes) as u64)
        }
        [b'T', b'A', b'G', b'+', ..] if is_due => Some(227),
        [b'T', b'A', b'G', ..] if is_due => Some(128),
        [b'A', b'P', b'E', b'T', b'A', b'G', b'E', b'X', ..] if is_due && bytes.len() >= PEEK => {
            // The size counts what follows a header; a footer alone has the items before it.
            let items = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
            let is_header = bytes[23] & 0x20 != 0;
            Some(32 + if is_header { u64::from(items) } else { 0 })
        }
        _ => None,
    }
}

/// Whether a tag may begin here, as far as four bytes tell.
pub(crate) fn may_begin(bytes: &[u8]) -> bool {
    [&b"ID3"[..], b"TAG", b"APET", b"LYRI"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
}

/// Bytes of the ID3v2 tag whose header `bytes` begins with (ID3v2.4.0 section 3.1), header and footer included.
/// `bytes` may be shorter than the header; what is missing counts as 0.
pub(crate) fn id3_size(bytes: &[u8]) -> usize {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let footer = if at(5) & 0x10 != 0 { 10 } else { 0 };
    let body = (6..10).fold(0, |size, index| size << 7 | usize::from(at(index) & 0x7F));
    10 + body + footer
}
