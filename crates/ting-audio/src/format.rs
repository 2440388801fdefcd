use crate::tags::id3_size;

/// Rates that a header may give, Hz: outside them the resampler's table would be useless or large.
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

/// How many of a file's first bytes [`sniff`] wants to see, judged by `bytes`, which it begins with: a file may
/// begin with an ID3 tag of up to 256 MiB, an Ogg file with pages of streams that are no audio.
pub fn sniff_len(bytes: &[u8]) -> usize {
    const USUAL: usize = 64;
    const OGG: usize = 512;
    if bytes.starts_with(b"OggS") {
        return OGG;
    }
    let mut start = 0;
    while let Some(rest) = bytes.get(start..)
        && rest.starts_with(b"ID3")
    {
        start += id3_size(rest);
    }
    start + USUAL
}

/// The format of a file, from its first bytes ([`sniff_len`] tells how many are enough; a file that begins with an
/// ID3 tag is taken for MP3 unless the bytes go on behind the tag). `None` if they are no container known here;
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

/// The first codec that is decoded among those an Ogg file's first pages announce: they come before all others, one for
/// each of the streams side by side.
fn sniff_ogg(bytes: &[u8]) -> Format {
    let mut rest = bytes;
    while let Some((segments, body)) = ogg_first_page(rest) {
        if let (Some(format), _) = crate::ogg::identify(body) {
            return format;
        }
        let packet = segments.iter().map(|&value| usize::from(value)).sum();
        rest = body.get(packet..).unwrap_or_default();
    }
    Format::Opus
}

/// The lacing values of the first page of a stream, and what follows them.
pub(crate) fn ogg_first_page(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_first = bytes.starts_with(b"OggS") && bytes.get(5)? & 2 != 0;
    let segments = usize::from(*bytes.get(26)?);
    bytes[27..].split_at_checked(segments).filter(|_| is_first)
}

/// Whether `bytes` are surely of another format than `format`: a container, not a bare stream that chance can look
/// like.
pub(crate) fn looks_like_another(format: Format, bytes: &[u8]) -> bool {
    sniff(bytes).is_some_and(|found| found != format)
}
