//! The audio track: what it holds, and what of it is to be heard.

use super::boxes::{Fields, child, children, descend, malformed};
use super::fragment::Fragments;
use super::table::{Place, Table};
use crate::aac::{BLOCK, Config, USUAL_DELAY, decode_block};
use crate::codec::Codec;
use crate::error::{AudioError, AudioErrorKind};
use crate::samples::Samples;
use crate::trim::Trim;

/// The longest packet that is kept: AAC-LC has at most 768 bytes for each of two channels; fill bytes may come to it.
const MAX_PACKET: u32 = 16 * 1024;
/// A packet shorter than this cannot hold a block: not even the fields before its first value.
const MIN_PACKET: u32 = 4;

pub(super) struct Track {
    config: Config,
    codec: Codec,
    trim: Trim,
    table: Table,
    fragments: Option<Fragments>,
    /// The packet that is being read, and how many of its bytes have come.
    current: Option<(Place, u32)>,
    /// Those bytes; empty where they are at hand in one piece or too many. At most [`MAX_PACKET`].
    packet: Vec<u8>,
}

impl Track {
    /// The first audio track that the body of a `moov` box describes.
    pub(super) fn parse(moov: &[u8]) -> Result<Self, AudioError> {
        let trak = children(moov)
            .filter(|(name, _)| name == b"trak")
            .map(|(_, trak)| trak)
            .find(|trak| {
                descend(trak, &[b"mdia", b"hdlr"]).and_then(|hdlr| hdlr.get(8..12)) == Some(b"soun")
            })
            .ok_or_else(|| {
                let message = "the MP4 has no audio track; send one with AAC-LC";
                AudioError::new(AudioErrorKind::Unsupported, message)
            })?;
        let part = |path: &[&[u8; 4]]| {
            descend(trak, path).ok_or_else(|| malformed("its index lacks a box of the audio track"))
        };
        let stbl = part(&[b"mdia", b"minf", b"stbl"])?;
        let config =
            config(child(stbl, b"stsd").ok_or_else(|| malformed("it has no 'stsd' box"))?)?;
        let mut mdhd = Fields::new(part(&[b"mdia", b"mdhd"])?);
        let (version, _) = mdhd.version()?;
        mdhd.take(if version == 0 { 8 } else { 16 })?;
        let timescale = mdhd.u32()?.max(1);
        let mut tkhd = Fields::new(part(&[b"tkhd"])?);
        let (version, _) = tkhd.version()?;
        tkhd.take(if version == 0 { 8 } else { 16 })?;
        let id = tkhd.u32()?;
        Ok(Self {
            codec: config.codec()?,
            trim: trim(moov, trak, stbl, timescale, config.rate)?,
            config,
            table: Table::parse(stbl)?,
            fragments: Fragments::parse(moov, id)?,
            current: None,
            packet: Vec::new(),
        })
    }

    /// How long the track is by the number of its packets, fragments aside, in seconds.
    pub(super) fn seconds(&self) -> u64 {
        self.table.packets().saturating_mul(BLOCK as u64) / u64::from(self.config.rate)
    }

    /// Adds the packets of the `moof` box whose first byte is at `start` in the file.
    pub(super) fn add_fragment(&mut self, moof: &[u8], start: u64) -> Result<(), AudioError> {
        match &mut self.fragments {
            Some(fragments) => fragments.add(moof, start),
            None => Ok(()),
        }
    }

    /// Decodes the packets that `bytes`, which are at `offset` in the file, complete.
    pub(super) fn data(
        &mut self,
        offset: u64,
        bytes: &[u8],
        out: &mut Samples<'_>,
    ) -> Result<(), AudioError> {
        let end = offset + bytes.len() as u64;
        while let Some((place, seen)) = self.current.take().or_else(|| self.next_place()) {
            let from = place.offset.saturating_add(u64::from(seen));
            if from >= end {
                self.current = Some((place, seen));
                return Ok(());
            }
            let Some(skipped) = from.checked_sub(offset) else {
                return Err(AudioError::new(
                    AudioErrorKind::Unsupported,
                    "the M4A has its audio in another order than its index; write it anew (ffmpeg -i FILE -c copy \
                     out.m4a)",
                ));
            };
            let rest = &bytes[skipped as usize..];
            let here = rest.len().min((place.size - seen) as usize);
            let seen = seen + here as u32;
            let is_whole = seen == place.size;
            if place.size > MAX_PACKET {
                // No block of AAC; its time goes on.
                if is_whole {
                    self.trim.write_silence(self.config.rate, BLOCK, out);
                }
            } else if is_whole && self.packet.is_empty() {
                self.decode(&rest[..here], out);
            } else {
                self.packet.extend_from_slice(&rest[..here]);
                if is_whole {
                    let packet = std::mem::take(&mut self.packet);
                    self.decode(&packet, out);
                }
            }
            if !is_whole {
                self.current = Some((place, seen));
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next packet that can hold anything. Those that cannot are no time either: a table may list millions of
    /// them.
    fn next_place(&mut self) -> Option<(Place, u32)> {
        loop {
            let place = self
                .table
                .next()
                .or_else(|| self.fragments.as_mut()?.next())?;
            if place.size >= MIN_PACKET {
                return Some((place, 0));
            }
        }
    }

    fn decode(&mut self, packet: &[u8], out: &mut Samples<'_>) {
        decode_block(
            &mut self.codec,
            self.config.rate,
            packet,
            &mut self.trim,
            out,
        );
    }
}

/// What the first sample entry of the body of `stsd` describes.
fn config(stsd: &[u8]) -> Result<Config, AudioError> {
    let entries = stsd.get(8..).unwrap_or_default();
    let (name, entry) = children(entries)
        .next()
        .ok_or_else(|| malformed("its 'stsd' box is empty"))?;
    if &name != b"mp4a" {
        let codec = match &name {
            b"alac" => "Apple Lossless".to_owned(),
            b"samr" | b"sawb" => "AMR".to_owned(),
            b".mp3" => "MP3".to_owned(),
            b"Opus" => "Opus".to_owned(),
            b"fLaC" => "FLAC".to_owned(),
            b"ac-3" | b"ec-3" => "Dolby Digital".to_owned(),
            b"enca" => "encrypted audio".to_owned(),
            b"lpcm" | b"sowt" | b"twos" => "PCM".to_owned(),
            other => format!("'{}'", other.escape_ascii()),
        };
        return Err(holds(&codec));
    }
    // Behind 28 bytes of fields, 16 or 36 more in QuickTime's versions 1 and 2.
    let mut fields = Fields::new(entry);
    fields.take(8)?;
    let version = fields.u16()?;
    fields.take(18)?;
    fields.take(match version {
        0 => 0,
        1 => 16,
        _ => 36,
    })?;
    let esds = child(fields.rest, b"esds")
        .or_else(|| descend(fields.rest, &[b"wave", b"esds"]))
        .ok_or_else(|| malformed("its audio has no 'esds' box"))?;
    let mut fields = Fields::new(esds);
    fields.version()?;
    let mut stream = descriptor(&mut fields, 3)?;
    stream.take(2)?;
    let flags = stream.u8()?;
    stream.take(if flags & 0x80 != 0 { 2 } else { 0 })?;
    if flags & 0x40 != 0 {
        let url = stream.u8()?;
        stream.take(usize::from(url))?;
    }
    stream.take(if flags & 0x20 != 0 { 2 } else { 0 })?;
    let mut decoder = descriptor(&mut stream, 4)?;
    match decoder.u8()? {
        // MPEG-4 audio, and AAC-LC of MPEG-2.
        0x40 | 0x67 => {}
        0x66 => return Err(holds("AAC Main")),
        0x68 => return Err(holds("AAC SSR")),
        0x69 | 0x6B => return Err(holds("MP3")),
        other => return Err(holds(&format!("MPEG object type {other:#x}"))),
    }
    decoder.take(12)?;
    let specific = descriptor(&mut decoder, 5)?;
    Config::parse(specific.rest)
}

/// The fields of the descriptor with this tag (ISO 14496-1 section 8.3.3): its size has 7 bits in each byte.
fn descriptor<'a>(fields: &mut Fields<'a>, tag: u8) -> Result<Fields<'a>, AudioError> {
    if fields.u8()? != tag {
        return Err(malformed("its 'esds' box does not describe a stream"));
    }
    let mut size = 0;
    for _ in 0..4 {
        let byte = fields.u8()?;
        size = size << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    // Some writers give the size of what the descriptor could have held.
    let size = size.min(fields.rest.len());
    Ok(Fields::new(fields.take(size)?))
}

/// What of the track is to be heard, by its edit list, by iTunes's comment, and by the durations of its packets. Where
/// none says how the track begins, the usual delay is taken out; see [`USUAL_DELAY`].
fn trim(
    moov: &[u8],
    trak: &[u8],
    stbl: &[u8],
    timescale: u32,
    rate: u32,
) -> Result<Trim, AudioError> {
    let scaled = |time: u64, to: u32, from: u32| {
        let product = u128::from(time) * u128::from(to) + u128::from(from / 2);
        u64::try_from(product / u128::from(from.max(1))).unwrap_or(u64::MAX)
    };
    let edit = match descend(trak, &[b"edts", b"elst"]) {
        Some(elst) => first_edit(elst)?,
        None => None,
    };
    let comment = gapless_comment(moov);
    // In the track's timescale: the end that its durations give.
    let mut end = 0u64;
    if let Some(stts) = child(stbl, b"stts") {
        let mut fields = Fields::new(stts);
        fields.version()?;
        for _ in 0..fields.u32()? {
            let (count, duration) = (u64::from(fields.u32()?), u64::from(fields.u32()?));
            end = end.saturating_add(count.saturating_mul(duration));
        }
    }
    let head = match (edit, &comment) {
        (Some((_, start)), _) => start,
        (None, Some(comment)) => scaled(comment.delay, timescale, rate),
        (None, None) => scaled(USUAL_DELAY, timescale, rate),
    };
    if let Some(comment) = &comment {
        end = end.min(head.saturating_add(scaled(comment.length, timescale, rate)));
    } else if let Some((duration @ 1.., _)) = edit
        && let Some(mut mvhd) = child(moov, b"mvhd").map(Fields::new)
    {
        let (version, _) = mvhd.version()?;
        mvhd.take(if version == 0 { 8 } else { 16 })?;
        let movie = mvhd.u32()?.max(1);
        // Rounded to the movie's timescale, so the packets' durations are better unless they are surely more.
        let by_edit = head.saturating_add(scaled(duration, timescale, movie));
        if by_edit.saturating_add(u64::from(timescale.div_ceil(movie))) < end {
            end = by_edit;
        }
    }
    let (head, end) = (scaled(head, rate, timescale), scaled(end, rate, timescale));
    // A fragmented file does not tell its end.
    Ok(Trim::new(head, if end > 0 { end..u64::MAX } else { 0..0 }))
}

/// Length in the movie's timescale and start in the track's of the first edit that shows the track.
fn first_edit(elst: &[u8]) -> Result<Option<(u64, u64)>, AudioError> {
    let mut fields = Fields::new(elst);
    let (version, _) = fields.version()?;
    let mut found = None;
    let mut count = 0;
    for _ in 0..fields.u32()? {
        let duration = fields.sized(version)?;
        let start = fields.sized(version)?;
        fields.take(4)?;
        // -1 is a pause before the sound.
        let is_pause = start == u64::MAX || (version == 0 && start == u64::from(u32::MAX));
        if !is_pause {
            count += 1;
            found.get_or_insert((duration, start));
        }
    }
    // Of a list that cuts and joins, all is heard from the first start on.
    Ok(found.map(|(duration, start)| (if count == 1 { duration } else { 0 }, start)))
}

/// What iTunes and its kin write as the comment `iTunSMPB`, in samples.
struct GaplessComment {
    delay: u64,
    length: u64,
}

fn gapless_comment(moov: &[u8]) -> Option<GaplessComment> {
    let meta = descend(moov, &[b"udta", b"meta"])?;
    let ilst = child(meta.get(4..)?, b"ilst")?;
    let comment = children(ilst)
        .filter(|(name, _)| name == b"----")
        .map(|(_, item)| item)
        .find(|item| child(item, b"name").and_then(|name| name.get(4..)) == Some(b"iTunSMPB"))?;
    let text = std::str::from_utf8(child(comment, b"data")?.get(8..)?).ok()?;
    let mut numbers = text
        .split_ascii_whitespace()
        .map(|word| u64::from_str_radix(word, 16).ok());
    let (delay, _padding, length) = (numbers.nth(1)??, numbers.next()??, numbers.next()??);
    (length > 0).then_some(GaplessComment { delay, length })
}

fn holds(codec: &str) -> AudioError {
    AudioError::new(
        AudioErrorKind::Unsupported,
        format!("the M4A holds {codec}; send AAC-LC"),
    )
}
