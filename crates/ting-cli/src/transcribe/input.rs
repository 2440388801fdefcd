//! Opening what the user named: a file or standard input, of a format told by its first bytes.

use std::fs::File;
use std::io::{self, Cursor, Read};

use ting_audio::Format;

use crate::error::CliError;

/// A tag longer than this before the audio is not looked behind: with its picture one has a few megabytes.
const MAX_TAG: usize = 16 << 20;

/// How the bytes are encoded, as far as the user said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Encoding {
    /// To be told by the first bytes.
    Told,
    /// Headerless 16-bit samples at a rate in Hz.
    Raw(u32),
    /// A format by its name.
    Named(Format),
}

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

/// Opens `name` (`-` is standard input).
pub(crate) fn open(name: &str, encoding: Encoding) -> Result<Input, CliError> {
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
    from_reader(bytes, encoding)
}

/// The audio that `bytes` gives. See [`open`].
pub(crate) fn from_reader(
    mut bytes: Box<dyn Read + Send>,
    encoding: Encoding,
) -> Result<Input, CliError> {
    let (format, sample_rate) = match encoding {
        Encoding::Raw(sample_rate) => (Format::Pcm, sample_rate),
        Encoding::Named(format) => (format, ting_audio::SAMPLE_RATE),
        Encoding::Told => {
            let head = read_head(&mut bytes)
                .map_err(|error| CliError::input(format!("cannot be read: {error}")))?;
            let format = tell(&head)?;
            bytes = Box::new(Cursor::new(head).chain(bytes));
            (format, ting_audio::SAMPLE_RATE)
        }
    };
    Ok(Input {
        format,
        sample_rate,
        bytes,
    })
}

/// As many of the first bytes as tell the format.
fn read_head(bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let wanted = ting_audio::sniff_len(&head);
        let missing = wanted.saturating_sub(head.len());
        if missing == 0 || wanted > MAX_TAG {
            return Ok(head);
        }
        if bytes.take(missing as u64).read_to_end(&mut head)? < missing {
            return Ok(head);
        }
    }
}

/// The format of a file that begins with `head`.
fn tell(head: &[u8]) -> Result<Format, CliError> {
    if head.is_empty() {
        return Err(CliError::input("is empty; expected audio"));
    }
    ting_audio::sniff(head).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL
            .iter()
            .filter(|format| **format != Format::Pcm)
            .map(|format| format.name())
            .collect();
        CliError::input(format!(
            "is in no format known here ({}); convert it (ffmpeg -i FILE -ar 16000 -ac 1 out.wav), name its format with \
             --input-format, or give --raw RATE for headerless 16-bit samples",
            known.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use ting_audio::Format;

    use super::{Encoding, from_reader, open};

    #[test]
    fn formats_by_their_first_bytes() {
        /// The first bytes, what the user said, and the format or a part of the error.
        type Case = (Vec<u8>, Encoding, Result<Format, &'static str>);
        use Encoding::{Named, Raw, Told};
        let wav = b"RIFF\xff\xff\xff\xffWAVEfmt ".to_vec();
        // A tag of 1000 bytes before an ADTS header.
        let mut tagged = b"ID3\x04\0\0\0\0\x07\x68".to_vec();
        tagged.resize(10 + 1000, 0);
        tagged.extend(b"\xff\xf1\x50\x80");
        let cases: [Case; 11] = [
            (wav.clone(), Told, Ok(Format::Wav)),
            (b"OggS\0\x02".to_vec(), Told, Ok(Format::Opus)),
            (b"\xff\xfb\x90\x64".to_vec(), Told, Ok(Format::Mp3)),
            (
                b"ID3\x04\0\0\x7f\x7f\x7f\x7f".to_vec(),
                Told,
                Ok(Format::Mp3),
            ),
            (b"\0\0\0\x1cftypM4A ".to_vec(), Told, Ok(Format::M4a)),
            (tagged, Told, Ok(Format::Aac)),
            (wav.clone(), Raw(8000), Ok(Format::Pcm)),
            (wav, Named(Format::Flac), Ok(Format::Flac)),
            (vec![], Raw(8000), Ok(Format::Pcm)),
            (vec![], Told, Err("empty")),
            (b"FORM\0\0\0\x20AIFF".to_vec(), Told, Err("--raw RATE")),
        ];
        let mut failed = Vec::new();
        for (bytes, encoding, expected) in cases {
            let result = from_reader(Box::new(Cursor::new(bytes.clone())), encoding);
            let right = match (&result, expected) {
                (Ok(input), Ok(format)) => input.format == format,
                (Err(error), Err(part)) => error.to_string().contains(part),
                _ => false,
            };
            if !right {
                failed.push((bytes, encoding, result.map(|input| input.format), expected));
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
        let mut input = from_reader(Box::new(Cursor::new(bytes.clone())), Encoding::Told).unwrap();
        let mut read = Vec::new();
        input.bytes.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    #[test]
    fn what_cannot_be_opened() {
        let error = |name: &str| {
            open(name, Encoding::Told)
                .err()
                .map(|error| error.to_string())
        };
        assert!(error("/no/such/file").unwrap().contains("No such file"));
        assert!(error("/").unwrap().contains("is a folder"));
    }
}
