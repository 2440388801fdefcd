//! The identification header (RFC 7845 section 5.1).

use crate::error::{AudioError, AudioErrorKind};

const MAGIC: &[u8] = b"OpusHead";

/// The fields of `OpusHead` that decoding needs.
pub(super) struct Head {
    /// Samples at 48 kHz to drop from the start of the decoder's output.
    pub(super) pre_skip: u16,
    /// Gain to apply, in dB times 256.
    pub(super) gain: i16,
}

impl Head {
    pub(super) fn parse(packet: &[u8]) -> Result<Self, AudioError> {
        let &[
            version,
            channels,
            skip0,
            skip1,
            _,
            _,
            _,
            _,
            gain0,
            gain1,
            family,
            ref mapping @ ..,
        ] = packet.get(MAGIC.len()..).unwrap_or_default()
        else {
            return Err(AudioError::new(
                AudioErrorKind::Malformed,
                format!(
                    "the OpusHead packet has {} bytes, at least 19 are due",
                    packet.len()
                ),
            ));
        };
        // Versions 0 to 15 promise to be readable as version 1 is.
        if version > 15 {
            return Err(unsupported(format!(
                "version {version} of the OpusHead packet"
            )));
        }
        // One Opus stream of one or two channels, whatever the mapping calls them.
        let single = family == 0 || mapping.first() == Some(&1);
        if !(1..=2).contains(&channels) || !single {
            return Err(unsupported(format!(
                "{channels} channels (mapping family {family})"
            )));
        }
        Ok(Self {
            pre_skip: u16::from_le_bytes([skip0, skip1]),
            gain: i16::from_le_bytes([gain0, gain1]),
        })
    }
}

fn unsupported(what: String) -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!("{what} are not supported; send Ogg-Opus with one or two channels"),
    )
}
