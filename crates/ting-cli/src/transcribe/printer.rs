//! Puts the results of files that are recognised at the same time into the order given.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ting_engine::Sentence;

use super::OutputFormat;
use super::output::{json_line, subtitles};
use super::progress::Progress;
use crate::error::CliError;
use crate::stdout;

/// Where results go.
pub(crate) enum Destination {
    /// All to standard output.
    Stdout,
    /// Each to a file of its own in a folder.
    Folder(PathBuf),
}

impl Destination {
    /// Files in `dir`, which is created.
    pub(crate) fn folder(dir: &Path) -> Result<Self, CliError> {
        let failed = |error| CliError::output(&dir.display().to_string(), &error);
        fs::create_dir_all(dir).map_err(failed)?;
        Ok(Self::Folder(dir.to_owned()))
    }
}

/// Prints results. Text of the file whose turn it is goes out sentence by sentence, as it is recognised.
pub(crate) struct Printer<'a> {
    format: OutputFormat,
    names: &'a [String],
    destination: Destination,
    progress: &'a Progress,
    files: Vec<FileState>,
    /// The file whose turn it is.
    current: usize,
    /// Names written to so far, because two inputs may have the same one.
    written: BTreeSet<PathBuf>,
    headed: usize,
    failures: usize,
}

#[derive(Default)]
struct FileState {
    sentences: Vec<Sentence>,
    /// Sentences printed already.
    printed: usize,
    headed: bool,
    done: Option<Result<u64, CliError>>,
}

impl<'a> Printer<'a> {
    /// A printer of the results of the files `names`.
    pub(crate) fn new(
        format: OutputFormat,
        names: &'a [String],
        destination: Destination,
        progress: &'a Progress,
    ) -> Self {
        Self {
            format,
            names,
            destination,
            progress,
            files: names.iter().map(|_| FileState::default()).collect(),
            current: 0,
            written: BTreeSet::new(),
            headed: 0,
            failures: 0,
        }
    }

    /// Files that could not be recognised.
    pub(crate) fn failures(&self) -> usize {
        self.failures
    }

    /// A final of the file `index`.
    pub(crate) fn sentence(&mut self, index: usize, sentence: Sentence) -> Result<(), CliError> {
        self.files[index].sentences.push(sentence);
        if index == self.current && self.streams() {
            self.print_sentences()
        } else {
            Ok(())
        }
    }

    /// The end of the file `index`, with its length in ms or the reason of its failure.
    pub(crate) fn done(
        &mut self,
        index: usize,
        done: Result<u64, CliError>,
    ) -> Result<(), CliError> {
        self.files[index].done = Some(done);
        while let Some(done) = self
            .files
            .get_mut(self.current)
            .and_then(|file| file.done.take())
        {
            match done {
                Ok(duration_ms) => self.print_whole(duration_ms)?,
                Err(error) => self.print_failure(&error)?,
            }
            // The text is printed; hold no more of it.
            self.files[self.current].sentences = Vec::new();
            self.current += 1;
        }
        if self.current < self.files.len() && self.streams() {
            self.print_sentences()
        } else {
            Ok(())
        }
    }

    fn streams(&self) -> bool {
        self.format == OutputFormat::Text && matches!(self.destination, Destination::Stdout)
    }

    /// Prints the current file's name, once, when there are several files.
    fn print_heading(&mut self) -> Result<(), CliError> {
        if self.names.len() == 1 || self.files[self.current].headed {
            return Ok(());
        }
        self.files[self.current].headed = true;
        self.headed += 1;
        let gap = if self.headed > 1 { "\n" } else { "" };
        let name = display_name(&self.names[self.current]);
        self.print(&format!("{gap}==> {name} <==\n"))
    }

    /// Prints what is new of the current file's text.
    fn print_sentences(&mut self) -> Result<(), CliError> {
        if !self.files[self.current].sentences.is_empty() {
            self.print_heading()?;
        }
        let file = &mut self.files[self.current];
        let mut text = String::new();
        for sentence in &file.sentences[file.printed..] {
            text += sentence.text.trim();
            text.push('\n');
        }
        file.printed = file.sentences.len();
        self.print(&text)
    }

    fn print_whole(&mut self, duration_ms: u64) -> Result<(), CliError> {
        let name = &self.names[self.current];
        let sentences = &self.files[self.current].sentences;
        let whole = match self.format {
            OutputFormat::Text if self.streams() => {
                // A file without speech has its name printed as well.
                self.print_heading()?;
                return self.print_sentences();
            }
            OutputFormat::Text => sentences
                .iter()
                .map(|sentence| format!("{}\n", sentence.text.trim()))
                .collect(),
            OutputFormat::Json => json_line(name, duration_ms, sentences),
            OutputFormat::Srt | OutputFormat::Vtt => subtitles(self.format, sentences),
        };
        let Destination::Folder(dir) = &self.destination else {
            return self.print(&whole);
        };
        let path = dir.join(file_name(name, self.format));
        if !self.written.insert(path.clone()) {
            let reason = format!("{} was written for another FILE already", path.display());
            return self.print_failure(&CliError::input(reason));
        }
        match fs::write(&path, whole) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.print_failure(&CliError::output(&path.display().to_string(), &error))
            }
        }
    }

    fn print_failure(&mut self, error: &CliError) -> Result<(), CliError> {
        self.failures += 1;
        // Text recognised before the failure is printed; it may be all there is of a long recording.
        if self.streams() {
            self.print_sentences()?;
        }
        let name = display_name(&self.names[self.current]);
        self.progress.suspend(|| eprintln!("ting: {name}: {error}"));
        Ok(())
    }

    fn print(&self, text: &str) -> Result<(), CliError> {
        if text.is_empty() {
            return Ok(());
        }
        self.progress.suspend(|| stdout::print(text))
    }
}

/// What a file is called to the user.
fn display_name(name: &str) -> &str {
    if name == "-" { "standard input" } else { name }
}

/// The name of a result in the folder: `talk.wav` gives `talk.srt`.
fn file_name(name: &str, format: OutputFormat) -> PathBuf {
    let stem = if name == "-" {
        "stdin".as_ref()
    } else {
        Path::new(name)
    };
    let stem = stem.file_stem().unwrap_or(stem.as_os_str());
    let mut file = stem.to_owned();
    file.push(".");
    file.push(format.extension());
    PathBuf::from(file)
}
