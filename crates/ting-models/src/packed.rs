//! Texts packed with gzip.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::error::{ModelError, ModelErrorKind};

/// What a file may unpack to, in bytes: far more than any word list, and little enough to be no danger.
const LONGEST: u64 = 64 << 20;

/// The text that `packed`, the bytes of a gzip file, holds.
///
/// # Errors
/// `Format` when it cannot be unpacked, is no UTF-8, or is longer than 64 MiB.
pub(crate) fn unpack(packed: &[u8]) -> Result<String, ModelError> {
    let fail = |message: String| Err(ModelError::new(ModelErrorKind::Format, message));
    let mut text = String::new();
    let read = GzDecoder::new(packed)
        .take(LONGEST + 1)
        .read_to_string(&mut text);
    match read {
        Err(error) => fail(format!("cannot be unpacked: {error}")),
        Ok(_) if text.len() as u64 > LONGEST => fail("is longer than 64 MiB".to_owned()),
        Ok(_) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn texts_are_unpacked_and_nothing_else() {
        assert_eq!(unpack(&packed("一\tyi1".as_bytes())).unwrap(), "一\tyi1");
        let whole = packed(b"words");
        let long = packed(&vec![b'a'; LONGEST as usize + 1]);
        for (bytes, want) in [
            (&whole[..whole.len() - 9], "cannot be unpacked"),
            (&b"words"[..], "cannot be unpacked"),
            (&packed(b"\xff\xfe"), "cannot be unpacked"),
            (&long, "longer than 64 MiB"),
        ] {
            let error = unpack(bytes).unwrap_err();
            assert_eq!(error.kind(), ModelErrorKind::Format);
            assert!(error.to_string().contains(want), "{error}");
        }
    }
}
