//! Opening what the user named: a file or standard input, of a format told by its first bytes.

use std::fs::File;
use std::io::{self, Cursor, Read};

use ting_audio::Format;

use crate::error::CliError;

/// Bytes looked at to tell the format.
const HEAD: usize = 64;

/// Audio to recognise.
pub(crate) struct Input {
    /// What the bytes are.
    pub(crate) format: Format,
    /// Sample rate in Hz for headerless audio; other formats have their own.
    pub(crate) sample_rate: u32,
    /// All the bytes, from the first.
    pub(crate) bytes: Box<dyn Read + Send>,
}

/// How many bytes `name` has, as far as can be told before reading.
pub(crate) fn size(name: &str) -> u64 {
    if name == "-" {
        0
    } else {
        std::fs::metadata(name).map_or(0, |metadata| metadata.len())
    }
}

/// Opens `name` (`-` is standard input). With `raw` the bytes are headerless 16-bit samples at that rate in Hz.
pub(crate) fn open(name: &str, raw: Option<u32>) -> Result<Input, CliError> {
    let unreadable = |error: io::Error| CliError::input(format!("cannot be read: {error}"));
    let bytes: Box<dyn Read + Send> = if name == "-" {
        Box::new(io::stdin())
    } else {
        // Opening a folder succeeds, and reading it fails with a message nobody understands.
        if std::fs::metadata(name).map_err(unreadable)?.is_dir() {
            return Err(CliError::input("is a folder; name the files in it"));
        }
        Box::new(File::open(name).map_err(unreadable)?)
    };
    from_reader(bytes, raw)
}

/// The audio that `bytes` gives. See [`open`].
pub(crate) fn from_reader(
    mut bytes: Box<dyn Read + Send>,
    raw: Option<u32>,
) -> Result<Input, CliError> {
    if let Some(sample_rate) = raw {
        return Ok(Input {
            format: Format::Pcm,
            sample_rate,
            bytes,
        });
    }
    let mut head = Vec::with_capacity(HEAD);
    bytes
        .by_ref()
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(|error| CliError::input(format!("cannot be read: {error}")))?;
    if head.is_empty() {
        return Err(CliError::input("is empty; expected WAV or Ogg-Opus audio"));
    }
    let format = ting_audio::sniff(&head).ok_or_else(|| {
        CliError::input(
            "is neither WAV nor Ogg-Opus; convert it (ffmpeg -i FILE -ar 16000 -ac 1 out.wav), or give --raw RATE \
             for headerless 16-bit samples",
        )
    })?;
    Ok(Input {
        format,
        sample_rate: 16_000,
        bytes: Box::new(Cursor::new(head).chain(bytes)),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use ting_audio::Format;

    use super::{from_reader, open};

    #[test]
    fn formats_by_their_first_bytes() {
        /// The first bytes, `--raw`, and the format or a part of the error.
        type Case = (&'static [u8], Option<u32>, Result<Format, &'static str>);
        let cases: [Case; 6] = [
            (b"RIFF\xff\xff\xff\xffWAVEfmt ", None, Ok(Format::Wav)),
            (b"OggS\0\x02", None, Ok(Format::Opus)),
            (b"RIFF\xff\xff\xff\xffWAVEfmt ", Some(8000), Ok(Format::Pcm)),
            (b"", Some(8000), Ok(Format::Pcm)),
            (b"", None, Err("empty")),
            (b"FORM\0\0\0\x20AIFF", None, Err("--raw RATE")),
        ];
        let mut failed = Vec::new();
        for (bytes, raw, expected) in cases {
            let result = from_reader(Box::new(Cursor::new(bytes.to_vec())), raw);
            let right = match (&result, expected) {
                (Ok(input), Ok(format)) => input.format == format,
                (Err(error), Err(part)) => error.to_string().contains(part),
                _ => false,
            };
            if !right {
                failed.push((bytes, raw, result.map(|input| input.format), expected));
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }

    #[test]
    fn no_byte_is_lost_to_looking() {
        let bytes: Vec<u8> = b"OggS"
            .iter()
            .copied()
            .chain((0..200).map(|i| i as u8))
            .collect();
        let mut input = from_reader(Box::new(Cursor::new(bytes.clone())), None).unwrap();
        let mut read = Vec::new();
        input.bytes.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    #[test]
    fn what_cannot_be_opened() {
        let error = |name: &str| open(name, None).err().map(|error| error.to_string());
        assert!(error("/no/such/file").unwrap().contains("No such file"));
        assert!(error("/").unwrap().contains("is a folder"));
    }
}
