//! Bytes that are not what the task says: recognised by their first bytes, and named in the error.

use crate::error::{AudioError, AudioErrorKind};
use crate::format::{Format, ogg_first_page, sniff};
use crate::ogg::identify;

/// The error for bytes that are not of `format`: names both, and how to put it right. `wanted` is what the format
/// holds; `bytes` are the first of the stream, the more of [`HEAD`] the better.
pub(crate) fn wrong_format(format: Format, wanted: &str, bytes: &[u8]) -> AudioError {
    let name = format.name();
    let head = bytes[..bytes.len().min(4)].escape_ascii();
    let message = match recognise(bytes) {
        // It begins as it should, and that was all.
        Some(found) if found.format == Some(format) => format!(
            "format is {name}, and the bytes begin with '{head}' as {} does, but nothing whole follows; send {wanted}",
            found.what
        ),
        Some(Found { what, format, .. }) => {
            let advice = match format {
                Some(real) if Format::WIRE.contains(&real) => {
                    format!("set format to {}", real.name())
                }
                _ => "convert it".to_owned(),
            };
            format!(
                "format is {name}, but the bytes are {what} (they begin with '{head}'); {advice}, or send {wanted}"
            )
        }
        None => format!(
            "format is {name}, but the bytes begin with '{head}' and are no kind known here (headerless samples, \
             perhaps: those are format pcm); send {wanted}, or set format to what the bytes are"
        ),
    };
    AudioError::new(AudioErrorKind::WrongFormat, message)
}

/// First bytes of a stream that are looked at before its decoder gets any.
pub(crate) const HEAD: usize = 64;

/// Refuses a stream whose first bytes are the signature of another kind of file than `format`.
///
/// Only signatures that nothing else begins with count: of at least four bytes, and for PCM, which may begin with
/// any bytes, of what would be loud noise as samples. All else is for the decoder to judge.
///
/// # Errors
/// `WrongFormat`.
pub(crate) fn check_head(format: Format, head: &[u8]) -> Result<(), AudioError> {
    let Some(found) = recognise(head) else {
        return Ok(());
    };
    let ogg = matches!(format, Format::Opus | Format::Speex | Format::Vorbis);
    let accepted = match format {
        // Read as WAV, with a warning.
        Format::Pcm => found.format == Some(Format::Wav),
        // The decoder knows which streams of an Ogg file it can use.
        _ if ogg && head.starts_with(b"OggS") => true,
        // The decoder says what to do about it.
        Format::Wav if head.starts_with(b"RIFX") => true,
        // They may have an ID3 tag before them.
        Format::Mp3 | Format::Aac | Format::Flac if head.starts_with(b"ID3") => true,
        _ => found.format == Some(format),
    };
    if accepted || !found.certain {
        return Ok(());
    }
    Err(wrong_format(format, wanted(format), head))
}

/// What a stream of `format` holds, for messages.
pub(crate) fn wanted(format: Format) -> &'static str {
    match format {
        Format::Pcm => "16-bit little-endian samples without a header",
        Format::Wav => "a RIFF/WAVE file",
        Format::Mp3 => "MP3",
        Format::Opus => "Opus in Ogg pages, which begin with 'OggS'",
        Format::Speex => "Speex in Ogg pages, which begin with 'OggS'",
        Format::Aac => "AAC in ADTS frames",
        Format::Amr => "an AMR file, which begins with '#!AMR'",
        Format::Flac => "a FLAC file, which begins with 'fLaC'",
        Format::Vorbis => "Vorbis in Ogg pages, which begin with 'OggS'",
        Format::M4a => "an MP4 file",
    }
}

/// A well-known kind of file.
struct Found {
    /// Its name, with an article where it has one.
    what: &'static str,
    /// What it is to this crate.
    format: Option<Format>,
    /// The signature is so long that nothing else begins with it.
    certain: bool,
}

/// What well-known file begins like this, for error messages only.
fn recognise(bytes: &[u8]) -> Option<Found> {
    const MAGIC: &[(&[u8], &str, Option<Format>)] = &[
        (b"fLaC", "a FLAC file", Some(Format::Flac)),
        (b"#!AMR", "an AMR file", Some(Format::Amr)),
        (b"OggS", "an Ogg file", None),
        (b"FORM", "an AIFF file", None),
        (b"RIFX", "a big-endian RIFX/WAVE file", None),
        (b"RIFF", "a RIFF/WAVE file", Some(Format::Wav)),
        (b"RF64", "an RF64/WAVE file", Some(Format::Wav)),
        (b"BW64", "a BW64/WAVE file", Some(Format::Wav)),
        (b"caff", "a Core Audio file", None),
        (b".snd", "a Sun audio file", None),
        (b"\x1A\x45\xDF\xA3", "a WebM or Matroska file", None),
        (b"\x30\x26\xB2\x75", "a Windows Media file", None),
        (b"OpusHead", "an Opus header without its Ogg pages", None),
        (b"Speex   ", "a Speex header without its Ogg pages", None),
    ];
    let found = |what, format, certain| {
        Some(Found {
            what,
            format,
            certain,
        })
    };
    if bytes.starts_with(b"RIFF") && bytes.get(8..12).is_some_and(|kind| kind != b"WAVE") {
        return found("a RIFF file of another kind than WAVE", None, true);
    }
    if bytes.starts_with(b"OggS") {
        let codec = ogg_first_page(bytes).and_then(|(_, packet)| identify(packet).0);
        let what = match codec {
            Some(Format::Opus) => "Opus in Ogg",
            Some(Format::Speex) => "Speex in Ogg",
            Some(Format::Vorbis) => "Vorbis in Ogg",
            _ => "an Ogg file",
        };
        return found(what, codec, true);
    }
    let magic = |magic: &[u8]| bytes.starts_with(magic);
    if let Some(&(_, what, format)) = MAGIC.iter().find(|(bytes, ..)| magic(bytes)) {
        return found(what, format, true);
    }
    match bytes {
        // The version and the size of a tag have bytes that are never larger.
        [b'I', b'D', b'3', version, 0..=0xFE, _, size @ ..] => {
            let sized = size.len() >= 4 && size[..4].iter().all(|byte| byte & 0x80 == 0);
            found("MP3", Some(Format::Mp3), sized && (2..=4).contains(version))
        }
        [0, 0, _, _, b'f', b't', b'y', b'p', ..] => found("an MP4 file", Some(Format::M4a), true),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => found("an MP4 file", Some(Format::M4a), false),
        [0x56, second, ..] if second & 0xE0 == 0xE0 => found("AAC in LOAS", None, false),
        [b'{' | b'[', ..] => found("text, perhaps JSON", None, false),
        [b'<', ..] => found("text, perhaps HTML", None, false),
        _ => match sniff(bytes) {
            Some(Format::Aac) => found("AAC in ADTS frames", Some(Format::Aac), false),
            Some(Format::Mp3) => found("MP3", Some(Format::Mp3), false),
            _ => None,
        },
    }
}
