//! Streams without end, made to harm: whatever they claim, memory stays bounded, and they end in a clear error or a clean end.
//!
//! One test, and alone in its binary, because it measures the memory of the process.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot get its files has failed"
)]

mod common;

use common::ogg::{CONTINUED, FIRST, page, pages, raw_page};
use common::{report, seed};
use ting_audio::{AudioStream, Format};

/// How a stream must end.
enum End {
    /// Without an error.
    Clean,
    /// With an error that says this.
    Error(&'static str),
}

struct Case {
    name: &'static str,
    format: Format,
    /// What comes first.
    head: Vec<u8>,
    /// What then comes over and over; a turn's number makes it.
    again: Box<dyn Fn(u32) -> Vec<u8>>,
    /// The most bytes that the stream may hold.
    memory: u64,
    end: End,
}

/// How much comes of an endless stream: bytes, turns, or samples that they became.
const ENDLESS: usize = 20 << 20;
const TURNS: u32 = 40_000;
const LONG: usize = 10 * 60 * 16_000;
/// What a stream of the wire may hold, with what the allocator wastes.
const MEMORY: u64 = 1 << 20;
/// Opus's header of a mono stream, and its empty comments.
const OPUS_HEAD: &[u8] = b"OpusHead\x01\x01\0\0\x80\xBB\0\0\0\0\0";
const OPUS_TAGS: &[u8] = b"OpusTags\0\0\0\0\0\0\0\0";

fn case(
    name: &'static str,
    format: Format,
    head: Vec<u8>,
    again: impl Fn(u32) -> Vec<u8> + 'static,
    end: End,
) -> Case {
    Case {
        name,
        format,
        head,
        again: Box::new(again),
        memory: MEMORY,
        end,
    }
}

fn chunk(name: &[u8; 4], size: u32) -> Vec<u8> {
    [&name[..], &size.to_le_bytes()].concat()
}

fn atom(size: u32, name: &[u8; 4]) -> Vec<u8> {
    [&size.to_be_bytes()[..], name].concat()
}

fn wav_head() -> Vec<u8> {
    seed(Format::Wav, "alaw.wav")[..12].to_vec()
}

/// An MP4's first box.
fn ftyp() -> Vec<u8> {
    [atom(20, b"ftyp"), b"M4A \0\0\0\0isom".to_vec()].concat()
}

fn opus_head() -> Vec<u8> {
    [
        page(FIRST, 0, 1, 0, &[OPUS_HEAD]),
        page(0, 0, 1, 1, &[OPUS_TAGS]),
    ]
    .concat()
}

/// The headers of a Speex stream: all pages of a seed but the audio.
fn speex_head() -> Vec<u8> {
    let file = seed(Format::Speex, "wb.spx");
    file[..pages(&file)[2]].to_vec()
}

fn cases() -> Vec<Case> {
    use End::{Clean, Error};
    let nothing = |_| vec![0; 4096];
    let id3 = |_| b"ID3\x04\0\0\x7F\x7F\x7F\x7F".to_vec();
    let empties = |turn: u32| raw_page(0, 0, 1, 2 + turn, &[0; 255], &[]);
    let metadata = |_| [&[0x04, 0, 0xFF, 0xFF][..], &[b'x'; 0xFFFF]].concat();
    vec![
        // Packets, frames and chunks of nothing.
        case(
            "opus, packets of no bytes",
            Format::Opus,
            opus_head(),
            empties,
            Clean,
        ),
        case(
            "speex, packets of no bytes",
            Format::Speex,
            speex_head(),
            move |turn| {
                let serial = u32::from_le_bytes(speex_head()[14..18].try_into().unwrap());
                raw_page(0, 0, serial, 2 + turn, &[0; 255], &[])
            },
            Clean,
        ),
        case(
            "opus, pages of no packets",
            Format::Opus,
            opus_head(),
            |turn| raw_page(0, -1, 1, 2 + turn, &[], &[]),
            Clean,
        ),
        case(
            "wav, chunks of no bytes",
            Format::Wav,
            wav_head(),
            |_| chunk(b"LIST", 0).repeat(512),
            Error("'fmt '"),
        ),
        case(
            "m4a, boxes of no bytes",
            Format::M4a,
            ftyp(),
            |_| atom(8, b"free").repeat(512),
            Error("moov"),
        ),
        case(
            "amr, frames without data",
            Format::Amr,
            b"#!AMR\n".to_vec(),
            |_| vec![0x7C; 64],
            Clean,
        ),
        // Sizes that nothing has.
        case(
            "wav, a chunk of 4 GiB",
            Format::Wav,
            [wav_head(), chunk(b"LIST", u32::MAX)].concat(),
            nothing,
            Error("'fmt '"),
        ),
        case(
            "wav, a format chunk of 4 GiB",
            Format::Wav,
            [wav_head(), chunk(b"fmt ", u32::MAX)].concat(),
            |_| vec![1; 4096],
            Error(""),
        ),
        case(
            "mp3, a tag of 256 MiB",
            Format::Mp3,
            b"ID3\x04\0\0\x7F\x7F\x7F\x7F".to_vec(),
            nothing,
            Error("tags"),
        ),
        case(
            "aac, a tag of 256 MiB",
            Format::Aac,
            b"ID3\x04\0\0\x7F\x7F\x7F\x7F".to_vec(),
            nothing,
            Error("tags"),
        ),
        case(
            "m4a, a box of 4 GiB",
            Format::M4a,
            [ftyp(), atom(u32::MAX, b"free")].concat(),
            nothing,
            Error("moov"),
        ),
        case(
            "m4a, a box of 2^63 bytes",
            Format::M4a,
            [
                ftyp(),
                atom(1, b"free"),
                (1u64 << 63).to_be_bytes().to_vec(),
            ]
            .concat(),
            nothing,
            Error("moov"),
        ),
        case(
            "m4a, an index of 4 GiB",
            Format::M4a,
            [ftyp(), atom(u32::MAX, b"moov")].concat(),
            nothing,
            Error(""),
        ),
        case(
            "flac, a picture of 16 MiB",
            Format::Flac,
            flac_head(),
            |_| vec![0; 4096],
            Error(""),
        ),
        // Metadata that does not end.
        case(
            "wav, chunks without end",
            Format::Wav,
            wav_head(),
            |_| [chunk(b"LIST", 4000), vec![b'x'; 4000]].concat(),
            Error("'fmt '"),
        ),
        case(
            "mp3, tags without end",
            Format::Mp3,
            Vec::new(),
            |_| [b"ID3\x04\0\0\0\0\x1F\x00".to_vec(), vec![0; 0xF80]].concat(),
            Error("tags"),
        ),
        case(
            "mp3, tags within tags",
            Format::Mp3,
            Vec::new(),
            id3,
            Error("tags"),
        ),
        case(
            "opus, comments without end",
            Format::Opus,
            page(FIRST, 0, 1, 0, &[OPUS_HEAD]),
            |turn| {
                raw_page(
                    if turn == 0 { 0 } else { CONTINUED },
                    -1,
                    1,
                    1 + turn,
                    &[255; 255],
                    &tags_body(turn),
                )
            },
            Error(""),
        ),
        case(
            "flac, metadata without end",
            Format::Flac,
            b"fLaC".to_vec(),
            metadata,
            Error(""),
        ),
        case(
            "m4a, boxes without end",
            Format::M4a,
            ftyp(),
            |_| [atom(4008, b"free"), vec![0; 4000]].concat(),
            Error("moov"),
        ),
        // One thing in another.
        case(
            "m4a, indexes within indexes",
            Format::M4a,
            ftyp(),
            |_| atom(u32::MAX, b"moov").repeat(512),
            Error(""),
        ),
        case(
            "wav in wav",
            Format::Wav,
            Vec::new(),
            |_| seed(Format::Wav, "alaw.wav"),
            Clean,
        ),
        case(
            "ogg in ogg",
            Format::Opus,
            page(FIRST, 0, 1, 0, &[OPUS_HEAD]),
            |turn| {
                let inner = page(FIRST, 0, 1, 0, &[OPUS_HEAD]);
                page(0, 0, 1, 1 + turn, &[&inner])
            },
            Clean,
        ),
        case(
            "streams of ogg side by side, without end",
            Format::Opus,
            opus_head(),
            |turn| page(FIRST, 0, 2 + turn, 0, &[OPUS_HEAD]),
            Clean,
        ),
        case(
            "links of ogg, without end",
            Format::Opus,
            Vec::new(),
            |turn| {
                [
                    page(FIRST, 0, turn, 0, &[OPUS_HEAD]),
                    page(0, 0, turn, 1, &[OPUS_TAGS]),
                    page(4, 0, turn, 2, &[&[0xFC]]),
                ]
                .concat()
            },
            Clean,
        ),
        // Nothing that is sound.
        case(
            "opus, garbage behind the capture pattern",
            Format::Opus,
            b"OggS".to_vec(),
            |turn| vec![turn as u8; 977],
            Error("OpusHead"),
        ),
        case(
            "mp3, a header without its frame over and over",
            Format::Mp3,
            Vec::new(),
            |_| b"\xFF\xFB\x90\x00".repeat(512),
            Error("nothing whole follows"),
        ),
        case(
            "aac, a header of no size over and over",
            Format::Aac,
            Vec::new(),
            |_| b"\xFF\xF1\x50\x80\x00\x1F\xFC".repeat(512),
            Error("nothing whole follows"),
        ),
    ]
}

fn flac_head() -> Vec<u8> {
    let file = seed(Format::Flac, "16.flac");
    // The stream's description, no longer the last block, and a picture.
    let mut head = file[..42].to_vec();
    head[4] &= 0x7F;
    head.extend([0x06, 0xFF, 0xFF, 0xFF]);
    head
}

fn tags_body(turn: u32) -> Vec<u8> {
    let mut body = vec![b'x'; 255 * 255];
    if turn == 0 {
        body[..OPUS_TAGS.len()].copy_from_slice(OPUS_TAGS);
    }
    body
}

/// Memory of this process that no file backs, bytes.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Pushes bytes without end, or up to the error. Returns how it ended and the most memory that was added.
fn run(case: &Case) -> (Result<(), String>, u64) {
    let mut stream = AudioStream::new(case.format, 16_000).unwrap();
    let mut out = Vec::with_capacity(32 << 20);
    // What a process needs once does not count.
    let _ = stream.push(&case.head, &mut out);
    let before = memory().unwrap_or(0);
    let (mut most, mut sent, mut turn) = (before, 0, 0);
    let mut result = Ok(());
    let mut samples = 0;
    while sent < ENDLESS && turn < TURNS && samples < LONG && result.is_ok() {
        let bytes = (case.again)(turn);
        // `out` belongs to the caller: as many bytes as an engine gives at once.
        for piece in bytes.chunks(4_096) {
            out.clear();
            result = result.and_then(|()| stream.push(piece, &mut out));
            samples += out.len();
        }
        sent += bytes.len();
        turn += 1;
        if turn % 512 == 0 || bytes.len() > 1 << 20 {
            most = most.max(memory().unwrap_or(0));
        }
    }
    most = most.max(memory().unwrap_or(0));
    out.clear();
    let result = result.and_then(|()| stream.finish(&mut out));
    (result.map_err(|error| error.to_string()), most - before)
}

#[test]
fn endless_streams_are_bounded() {
    let mut failures = Vec::new();
    // Pages of the buffer for samples, touched before anything is measured.
    let mut warm = vec![0.5f32; 32 << 20];
    warm.iter_mut().for_each(|x| *x += 1.0);
    drop(warm);
    for case in cases() {
        let (result, memory) = run(&case);
        let ended = match (&case.end, &result) {
            (End::Clean, Ok(())) => true,
            (End::Error(words), Err(message)) => message.contains(words),
            _ => false,
        };
        println!("{}: {result:?}, {memory} bytes", case.name);
        if !ended {
            failures.push(format!("{}: {result:?}", case.name));
        }
        if memory > case.memory {
            failures.push(format!("{}: {memory} bytes are held", case.name));
        }
    }
    report(failures);
}
