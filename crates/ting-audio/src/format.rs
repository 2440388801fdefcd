use crate::error::{AudioError, AudioErrorKind};

/// Rates that a header may give, Hz: outside them the resampler's table would be useless or large.
#[allow(dead_code)] // the decoders that come next
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 7_350..=192_000;

/// How the bytes of a task are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Headerless 16-bit little-endian mono samples.
    Pcm,
    /// RIFF/WAVE: PCM, float, A-law or µ-law.
    Wav,
    /// MPEG-1, 2 and 2.5 audio, layers I to III, with or without ID3 tags.
    Mp3,
    /// Opus in Ogg (RFC 7845).
    Opus,
    /// Speex in Ogg.
    Speex,
    /// AAC-LC in ADTS frames (ISO 13818-7).
    Aac,
    /// AMR-NB or AMR-WB in the storage format of RFC 4867.
    Amr,
    /// FLAC in its own container (RFC 9639). For files only.
    Flac,
    /// Vorbis in Ogg. For files only.
    Vorbis,
    /// AAC-LC in ISO-MP4 (`.m4a`, `.mp4`). For files only.
    M4a,
}

impl Format {
    /// Every format there is, in the order messages list them.
    pub const ALL: &'static [Format] = &[
        Format::Pcm,
        Format::Wav,
        Format::Mp3,
        Format::Opus,
        Format::Speex,
        Format::Aac,
        Format::Amr,
        Format::Flac,
        Format::Vorbis,
        Format::M4a,
    ];

    /// The formats that a task on the wire may name. The others are for files.
    pub const WIRE: &'static [Format] = &[
        Format::Pcm,
        Format::Wav,
        Format::Mp3,
        Format::Opus,
        Format::Speex,
        Format::Aac,
        Format::Amr,
    ];

    /// The format of a [`name`](Format::name), exactly as written there; `None` if unknown.
    pub fn parse(name: &str) -> Option<Format> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == name)
    }

    /// The name: on the wire, for those of [`Format::WIRE`], and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pcm => "pcm",
            Format::Wav => "wav",
            Format::Mp3 => "mp3",
            Format::Opus => "opus",
            Format::Speex => "speex",
            Format::Aac => "aac",
            Format::Amr => "amr",
            Format::Flac => "flac",
            Format::Vorbis => "vorbis",
            Format::M4a => "m4a",
        }
    }
}

/// The format of a file, from its first bytes (64 are enough but for a file that begins with an ID3 tag, which
/// is taken for MP3 unless the bytes go on behind the tag). `None` if they are no container known here;
/// headerless PCM cannot be told from its bytes and is never the answer.
///
/// An Ogg file of a codec that is not decoded is reported as [`Format::Opus`], whose decoder then names that codec.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [b'R', b'I', b'F', b'F', rest @ ..]
        | [b'R', b'F', b'6', b'4', rest @ ..]
        | [b'B', b'W', b'6', b'4', rest @ ..] => {
            (rest.len() < 8 || &rest[4..8] == b"WAVE").then_some(Format::Wav)
        }
        [b'O', b'g', b'g', b'S', ..] => Some(sniff_ogg(bytes)),
        [b'I', b'D', b'3', ..] => {
            let mut rest = bytes;
            while rest.starts_with(b"ID3") {
                rest = rest.get(id3_size(rest)..).unwrap_or_default();
            }
            let behind = if rest.len() < 4 { None } else { sniff(rest) };
            Some(behind.unwrap_or(Format::Mp3))
        }
        [b'f', b'L', b'a', b'C', ..] => Some(Format::Flac),
        [b'#', b'!', b'A', b'M', b'R', ..] => Some(Format::Amr),
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [_, _, _, _, b's', b't', b'y', b'p', ..]
        | [_, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..] => Some(Format::M4a),
        // Layer 0 is what MPEG audio has not; ADTS has nothing else.
        [0xFF, second, third, ..] if second & 0xF6 == 0xF0 => {
            ((third >> 2) & 0xF <= 12).then_some(Format::Aac)
        }
        // A version, a layer, a bit rate and a sample rate that exist; other than in text of UTF-16 that
        // begins with its mark FF FE.
        [0xFF, second, third, ..] => {
            let exists = second & 0xE0 == 0xE0
                && second & 0x18 != 0x08
                && second & 0x06 != 0
                && *second != 0xFE
                && third & 0xF0 != 0xF0
                && third & 0x0C != 0x0C;
            exists.then_some(Format::Mp3)
        }
        _ => None,
    }
}

/// The body of the first page of an Ogg file, as far as it is there.
fn ogg_packet(bytes: &[u8]) -> &[u8] {
    bytes
        .get(26)
        .and_then(|&segments| bytes.get(27 + usize::from(segments)..))
        .unwrap_or_default()
}

/// The codec of the first packet of an Ogg file.
fn sniff_ogg(bytes: &[u8]) -> Format {
    let packet = ogg_packet(bytes);
    if packet.starts_with(b"Speex   ") {
        Format::Speex
    } else if packet.starts_with(b"\x01vorbis") {
        Format::Vorbis
    } else {
        Format::Opus
    }
}

/// Bytes of the ID3v2 tag whose header `bytes` begins with (ID3v2.4.0 section 3.1), header and footer included.
/// `bytes` may be shorter than the header; what is missing counts as 0.
pub(crate) fn id3_size(bytes: &[u8]) -> usize {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let footer = if at(5) & 0x10 != 0 { 10 } else { 0 };
    let body = (6..10).fold(0, |size, index| size << 7 | usize::from(at(index) & 0x7F));
    10 + body + footer
}

/// The error for bytes that are not of `format`: names both, and how to put it right. `wanted` is what the format
/// holds; `bytes` are the first of the stream, the more of [`HEAD`] the better.
pub(crate) fn wrong_format(format: Format, wanted: &str, bytes: &[u8]) -> AudioError {
    let name = format.name();
    let head = bytes[..bytes.len().min(4)].escape_ascii();
    let message = match recognise(bytes) {
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

/// Whether `bytes` are surely of another format than `format`: a container, not a bare stream that chance can look
/// like.
pub(crate) fn looks_like_another(format: Format, bytes: &[u8]) -> bool {
    sniff(bytes).is_some_and(|found| found != format)
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
        return match sniff_ogg(bytes) {
            Format::Speex => found("Speex in Ogg", Some(Format::Speex), true),
            Format::Vorbis => found("Vorbis in Ogg", Some(Format::Vorbis), true),
            _ if ogg_packet(bytes).starts_with(b"OpusHead") => {
                found("Opus in Ogg", Some(Format::Opus), true)
            }
            _ => found("an Ogg file", None, true),
        };
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
        [b'{' | b'[', ..] => found("text, perhaps JSON", None, false),
        [b'<', ..] => found("text, perhaps HTML", None, false),
        _ => match sniff(bytes) {
            Some(Format::Aac) => found("AAC in ADTS frames", Some(Format::Aac), false),
            Some(Format::Mp3) => found("MP3", Some(Format::Mp3), false),
            _ => None,
        },
    }
}
