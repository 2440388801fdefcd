//! Names of formats, and formats told by their first bytes.

mod common;

use common::report;
use ting_audio::{Format, sniff};

#[test]
fn names() {
    for &format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
    }
    for unknown in ["", "PCM", "ogg", "wave"] {
        assert_eq!(Format::parse(unknown), None);
    }
    let wire: Vec<&str> = Format::WIRE.iter().map(|format| format.name()).collect();
    assert_eq!(wire, ["pcm", "wav", "mp3", "opus", "speex", "aac", "amr"]);
}

/// An Ogg page of one segment, up to the start of its packet.
fn ogg(packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\x02".to_vec();
    page.resize(26, 0);
    page.extend([1, packet.len() as u8]);
    page.extend(packet);
    page
}

/// An ID3v2.4 tag with a body of `body` zeros, then `rest`.
fn id3(flags: u8, body: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'I', b'D', b'3', 4, 0, flags, 0, 0, 0, body];
    bytes.resize(bytes.len() + usize::from(body), 0);
    bytes.extend(rest);
    bytes
}

#[test]
fn first_bytes_tell_the_format() {
    let footer = [&b"3DI\x04\0\x10\0\0\0\x05"[..], b"\xFF\xF1\x50\x80"].concat();
    let cases: Vec<(&str, Vec<u8>, Option<Format>)> = vec![
        ("nothing", vec![], None),
        ("wav", b"RIFF\0\0\0\0WAVE".into(), Some(Format::Wav)),
        (
            "rf64",
            b"RF64\xff\xff\xff\xffWAVE".into(),
            Some(Format::Wav),
        ),
        ("avi", b"RIFF\0\0\0\0AVI ".into(), None),
        ("ogg, cut short", b"OggS".into(), Some(Format::Opus)),
        ("ogg of opus", ogg(b"OpusHead"), Some(Format::Opus)),
        ("ogg of speex", ogg(b"Speex   1.2"), Some(Format::Speex)),
        ("ogg of vorbis", ogg(b"\x01vorbis"), Some(Format::Vorbis)),
        (
            "ogg of flac, not decoded",
            ogg(b"\x7FFLAC"),
            Some(Format::Opus),
        ),
        (
            "ogg with video before its sound",
            [ogg(b"\x80theora\x03\x02"), ogg(b"Speex   1.2")].concat(),
            Some(Format::Speex),
        ),
        (
            "ogg whose second page is no first one",
            [ogg(b"\x80theora"), b"OggS\0\0".to_vec()].concat(),
            Some(Format::Opus),
        ),
        ("flac", b"fLaC\0\0\0\x22".into(), Some(Format::Flac)),
        ("amr-nb", b"#!AMR\n".into(), Some(Format::Amr)),
        ("amr-wb", b"#!AMR-WB\n".into(), Some(Format::Amr)),
        ("m4a", b"\0\0\0\x1cftypM4A ".into(), Some(Format::M4a)),
        ("old quicktime", b"\0\0\x10\0moov".into(), Some(Format::M4a)),
        (
            "mp3 layer III",
            b"\xFF\xFB\x90\x64".into(),
            Some(Format::Mp3),
        ),
        (
            "mp3 MPEG-2.5",
            b"\xFF\xE3\x18\xC4".into(),
            Some(Format::Mp3),
        ),
        ("bad bit rate", b"\xFF\xFB\xF0\x64".into(), None),
        ("bad sample rate", b"\xFF\xFB\x9C\x64".into(), None),
        ("utf-16 text", b"\xFF\xFEh\0i\0".into(), None),
        (
            "adts",
            b"\xFF\xF1\x50\x80\x02\x1F\xFC".into(),
            Some(Format::Aac),
        ),
        (
            "adts of MPEG-2",
            b"\xFF\xF9\x50\x80".into(),
            Some(Format::Aac),
        ),
        ("adts of no rate", b"\xFF\xF1\x7C\x80".into(), None),
        ("id3, cut short", b"ID3\x04".into(), Some(Format::Mp3)),
        (
            "id3 before mp3",
            id3(0, 5, b"\xFF\xFB\x90\x64"),
            Some(Format::Mp3),
        ),
        (
            "id3 before adts",
            id3(0, 5, b"\xFF\xF1\x50\x80"),
            Some(Format::Aac),
        ),
        (
            "id3 with a footer",
            id3(0x10, 5, &footer),
            Some(Format::Aac),
        ),
        ("id3 before flac", id3(0, 9, b"fLaC"), Some(Format::Flac)),
        ("aiff", b"FORM\0\0\0\0AIFF".into(), None),
    ];
    report(
        cases
            .into_iter()
            .filter(|(_, bytes, format)| sniff(bytes) != *format)
            .map(|(name, bytes, format)| format!("{name}: {:?}, not {format:?}", sniff(&bytes)))
            .collect(),
    );
}
