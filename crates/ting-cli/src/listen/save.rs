//! The file that finals are saved to as they come.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ting_protocol::Sentence;

use crate::error::{CliError, CliErrorKind};
use crate::text::append_sentence;
use crate::transcribe::OutputFormat;
use crate::transcribe::output::from_the_wire;
use crate::transcribe::subtitles::{VTT_HEADER, cues, srt_after, vtt_cues};

/// A result that is complete after every sentence, so that nothing is lost when the program is killed.
pub(crate) struct Saving {
    path: PathBuf,
    format: OutputFormat,
    file: File,
    /// Bytes of `file` that no later sentence changes.
    written: u64,
    /// What is to be written behind them: what could not be written before comes again with the next sentence.
    pending: Vec<u8>,
    /// Subtitles so far, and the end of the last one in ms.
    cues: usize,
    shown_until_ms: u64,
    /// All sentences together, for JSON.
    text: String,
    sentences: usize,
}

/// The format that the ending of a file's name says.
pub(crate) fn format_of(path: &Path) -> Result<OutputFormat, CliError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_lowercase();
    let mut formats = OutputFormat::value_variants().iter();
    let format = formats.find(|format| format.extension() == extension);
    format.copied().ok_or_else(|| {
        let all = OutputFormat::value_variants().iter();
        let known: Vec<String> = all
            .map(|format| format!(".{}", format.extension()))
            .collect();
        CliError::input(format!(
            "--save {}: the ending of the name says what is written; it must be {}",
            path.display(),
            known.join(", ")
        ))
    })
}

impl Saving {
    /// Begins the file `path`, in place of one that may be there, with what was heard from `source`.
    ///
    /// # Errors
    /// `Input` when its name has none of the known endings, `Output` when it cannot be written.
    pub(crate) fn create(path: &Path, source: &str) -> Result<Self, CliError> {
        let format = format_of(path)?;
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path);
        let file = opened.map_err(|error| {
            CliError::new(
                CliErrorKind::Output,
                format!("cannot write {}: {error}", path.display()),
            )
        })?;
        let pending = match format {
            OutputFormat::Text | OutputFormat::Srt => String::new(),
            OutputFormat::Vtt => VTT_HEADER.to_owned(),
            OutputFormat::Json => format!("{{\"file\":{},\"sentences\":[", json(&source)),
        };
        let mut saving = Self {
            path: path.to_owned(),
            format,
            file,
            written: 0,
            pending: pending.into_bytes(),
            cues: 0,
            shown_until_ms: 0,
            text: String::new(),
            sentences: 0,
        };
        saving.write(0)?;
        Ok(saving)
    }

    /// Adds a final, when `heard_ms` of audio were heard.
    ///
    /// # Errors
    /// `Output` when it cannot be written now; it is tried again with the next.
    pub(crate) fn add(&mut self, sentence: &Sentence, heard_ms: u64) -> Result<(), CliError> {
        match self.format {
            OutputFormat::Text => {
                self.put(sentence.text.trim());
                self.put("\n");
            }
            OutputFormat::Json => {
                if self.sentences > 0 {
                    self.put(",");
                }
                self.put(&json(sentence));
                append_sentence(&mut self.text, &sentence.text);
            }
            OutputFormat::Srt | OutputFormat::Vtt => {
                let mut cues = cues(&[from_the_wire(sentence)]);
                for cue in &mut cues {
                    // What is written is not changed any more, so that it is this one that makes room.
                    cue.begin_ms = cue.begin_ms.max(self.shown_until_ms);
                    cue.end_ms = cue.end_ms.max(cue.begin_ms + 1);
                    self.shown_until_ms = cue.end_ms;
                }
                self.put(&match self.format {
                    OutputFormat::Vtt => vtt_cues(&cues),
                    _ => srt_after(self.cues, &cues),
                });
                self.cues += cues.len();
            }
        }
        self.sentences += 1;
        self.write(heard_ms)
    }

    /// Ends the file, when `heard_ms` of audio were heard.
    ///
    /// # Errors
    /// `Output` when something of it could not be written.
    pub(crate) fn finish(&mut self, heard_ms: u64) -> Result<(), CliError> {
        self.write(heard_ms)
    }

    fn put(&mut self, text: &str) {
        self.pending.extend_from_slice(text.as_bytes());
    }

    /// Writes what is pending, and behind it what makes the file complete.
    fn write(&mut self, heard_ms: u64) -> Result<(), CliError> {
        let path = self.path.display();
        let failed = |error: io::Error| {
            CliError::new(
                CliErrorKind::Output,
                format!("cannot write {path}: {error}"),
            )
        };
        if self.format == OutputFormat::Json {
            // Over the end that stands there. It never gets shorter.
            self.file
                .seek(SeekFrom::Start(self.written))
                .map_err(failed)?;
            let end = format!(
                "],\"text\":{},\"duration_ms\":{heard_ms}}}\n",
                json(&self.text)
            );
            // At once: a kill leaves the old whole or the new one.
            let whole = [&self.pending, end.as_bytes()].concat();
            self.file.write_all(&whole).map_err(failed)?;
            self.written += self.pending.len() as u64;
            self.pending.clear();
            return Ok(());
        }
        while !self.pending.is_empty() {
            match self.file.write(&self.pending) {
                Ok(0) => return Err(failed(io::ErrorKind::WriteZero.into())),
                // What a full disk took stays there and is not written twice.
                Ok(length) => drop(self.pending.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

/// Strings, integers and lists: there is nothing in them that JSON cannot say.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;
    use ting_protocol::{Sentence, Word};

    use super::{Saving, format_of};

    fn final_of(id: u32, begin: u64, text: &str) -> Sentence {
        let end = begin + 1000;
        let word = Word {
            begin_time: begin,
            end_time: Some(end),
            text: text.trim_end_matches('.').to_owned(),
            punctuation: ".".to_owned(),
            fixed: None,
        };
        Sentence {
            begin_time: begin,
            end_time: Some(end),
            text: text.to_owned(),
            sentence_end: true,
            sentence_id: id,
            words: vec![word],
            ..Sentence::default()
        }
    }

    #[test]
    fn the_ending_says_the_format() {
        let cases = [
            ("a.srt", Some("srt")),
            ("a.b/c.VTT", Some("vtt")),
            ("x.txt", Some("txt")),
            ("x.json", Some("json")),
            ("srt", None),
            (".srt", None),
            ("a.docx", None),
            ("a.", None),
        ];
        for (name, expected) in cases {
            let got = format_of(Path::new(name));
            match expected {
                Some(extension) => assert_eq!(got.map(|f| f.extension()), Ok(extension)),
                None => {
                    let error = got.unwrap_err().to_string();
                    assert!(error.contains(".txt, .json, .srt, .vtt"), "{error}");
                }
            }
        }
    }

    #[test]
    fn the_file_is_complete_after_every_sentence() {
        let dir = tempfile::tempdir().unwrap();
        // The second begins before the first ends.
        let sentences = [
            final_of(1, 500, "One."),
            final_of(2, 1200, "Two."),
            final_of(3, 4000, "三."),
        ];
        let srt = [
            "",
            "1\n00:00:00,500 --> 00:00:01,500\nOne.\n\n",
            "2\n00:00:01,500 --> 00:00:02,200\nTwo.\n\n",
            "3\n00:00:04,000 --> 00:00:05,000\n三.\n\n",
        ];
        for extension in ["srt", "vtt", "txt", "json"] {
            let path = dir.path().join(format!("a.{extension}"));
            std::fs::write(&path, "what was there before, and is longer").unwrap();
            let mut saving = Saving::create(&path, "m\"ic").unwrap();
            for count in 0..=sentences.len() {
                if let Some(before) = count.checked_sub(1) {
                    saving.add(&sentences[before], 1000 * count as u64).unwrap();
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let expected = match extension {
                    "srt" => srt[..=count].concat(),
                    "vtt" => format!(
                        "WEBVTT\n\n{}",
                        srt[1..=count]
                            .iter()
                            .map(|cue| cue[2..].replace(',', "."))
                            .collect::<String>()
                    ),
                    "txt" => ["", "One.\n", "Two.\n", "三.\n"][..=count].concat(),
                    _ => {
                        let value: Value = serde_json::from_str(&text).unwrap();
                        assert_eq!(value["file"], "m\"ic");
                        assert_eq!(
                            value["sentences"],
                            serde_json::to_value(&sentences[..count]).unwrap()
                        );
                        assert_eq!(
                            value["text"],
                            ["", "One.", "One. Two.", "One. Two.三."][count]
                        );
                        assert_eq!(value["duration_ms"], 1000 * count);
                        continue;
                    }
                };
                assert_eq!(text, expected, "{extension}");
            }
            saving.finish(9000).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(
                extension != "json" || text.ends_with(",\"duration_ms\":9000}\n"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_comes_with_the_next() {
        let wrong = |path: &str| {
            Saving::create(Path::new(path), "x")
                .err()
                .unwrap()
                .to_string()
        };
        assert!(wrong("/no/such/a.srt").contains("/no/such/a.srt"));
        assert!(wrong("/").contains("ending"));
        if Path::new("/dev/full").exists() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.txt");
            std::os::unix::fs::symlink("/dev/full", &path).unwrap();
            let mut saving = Saving::create(&path, "x").unwrap();
            let full = saving.add(&final_of(1, 0, "One."), 0).unwrap_err();
            assert!(full.to_string().contains("a.txt"), "{full}");
            saving.file = std::fs::File::create(dir.path().join("b.txt")).unwrap();
            saving.add(&final_of(2, 2000, "Two."), 0).unwrap();
            let text = std::fs::read_to_string(dir.path().join("b.txt")).unwrap();
            assert_eq!(text, "One.\nTwo.\n");
        }
    }
}
