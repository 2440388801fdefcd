use crate::error::{AudioError, AudioErrorKind};

/// How the bytes of a task are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Headerless 16-bit little-endian mono samples.
    Pcm,
    /// RIFF/WAVE: PCM, float, A-law or µ-law.
    Wav,
    /// Opus in Ogg (RFC 7845).
    Opus,
}

impl Format {
    /// Every format this build decodes, in the order messages list them.
    pub const ALL: &'static [Format] = &[Format::Pcm, Format::Wav, Format::Opus];

    /// The format of a wire name (`"pcm"`, `"wav"`, `"opus"`), exactly as written there; `None` if unknown.
    pub fn parse(name: &str) -> Option<Format> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == name)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pcm => "pcm",
            Format::Wav => "wav",
            Format::Opus => "opus",
        }
    }
}

/// The format of a file, from its first bytes (12 are enough). `None` if they are no container known
/// here; headerless PCM cannot be told from its bytes and is never the answer.
///
/// An Ogg file of another codec is reported as [`Format::Opus`], whose decoder then names that codec.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [b'R', b'I', b'F', b'F', rest @ ..] | [b'R', b'F', b'6', b'4', rest @ ..] => {
            (rest.len() < 8 || &rest[4..8] == b"WAVE").then_some(Format::Wav)
        }
        [b'O', b'g', b'g', b'S', ..] => Some(Format::Opus),
        _ => None,
    }
}

/// The error for bytes that are not of `format`: names what they look like and how to put it right.
pub(crate) fn wrong_format(format: Format, wanted: &str, bytes: &[u8]) -> AudioError {
    let head = bytes[..bytes.len().min(4)].escape_ascii();
    let message = match recognise(bytes) {
        Some(found) => format!(
            "format is {}, but the bytes begin with '{head}' ({found}); send {wanted}, or set format to \
             what the bytes are",
            format.name()
        ),
        None => format!(
            "format is {}, but the bytes begin with '{head}'; send {wanted}, or set format to what the \
             bytes are",
            format.name()
        ),
    };
    AudioError::new(AudioErrorKind::WrongFormat, message)
}

/// What well-known file begins like this, for error messages only.
fn recognise(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"RIFF", "RIFF/WAV"),
        (b"RF64", "RF64/WAV"),
        (b"OggS", "Ogg"),
        (b"ID3", "MP3"),
        (b"fLaC", "FLAC"),
        (b"#!AMR", "AMR"),
        (b"FORM", "AIFF"),
        (b"\x1A\x45\xDF\xA3", "WebM/Matroska"),
        (b"OpusHead", "an Opus header without its Ogg pages"),
        (b"{", "text, perhaps JSON"),
        (b"<", "text, perhaps HTML"),
    ];
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(name);
    }
    match bytes {
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => Some("AAC in ADTS"),
        [0xFF, second, ..] if second & 0xE0 == 0xE0 => Some("MP3"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("MP4/M4A"),
        _ => None,
    }
}
