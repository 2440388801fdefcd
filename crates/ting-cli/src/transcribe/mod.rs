//! `ting transcribe`: files in, text out.

pub(crate) mod input;
pub(crate) mod output;
mod printer;
mod progress;
pub(crate) mod subtitles;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};

use clap::{Args, ValueEnum};
use ting_engine::{Event, Hotword, Language, Sentence, TaskOptions};

use crate::error::{CliError, CliErrorKind};
use crate::hotwords;
use crate::recognise::{Model, recognise};
use printer::{Destination, Printer};
use progress::{Counted, Progress};

/// Recognise audio files and print their text, one sentence a line
///
/// WAV, MP3, Ogg (Opus, Speex, Vorbis), AAC, AMR, FLAC and M4A are told by their first bytes. Several files are recognised at the same time, and printed in the
/// order given; in text format each is then preceded by its name, as head(1) does. A file that cannot be recognised is
/// named on stderr and has no JSON object; the others go on, and the exit status is 1.
#[derive(Args, Debug)]
pub(crate) struct TranscribeArgs {
    /// The audio files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// What to print: text; json, one object a line; srt and vtt subtitles
    #[arg(long, value_enum, default_value = "text")]
    format: OutputFormat,
    /// Write FILE's result to DIR/FILE.txt (.json, .srt, .vtt) instead of standard output
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Languages to recognise, of zh, en, ja; all by default
    #[arg(long, value_delimiter = ',', value_name = "LANGUAGES")]
    language: Vec<SpokenLanguage>,
    /// Silence that ends a sentence, in ms, 200 to 6000 [default: 1300]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(200..=6000))]
    max_sentence_silence: Option<u32>,
    /// Write no punctuation
    #[arg(long)]
    no_punctuation: bool,
    /// Take the input for this format, whatever its first bytes say: wav, mp3, opus, speex, aac, amr, flac, vorbis, m4a
    #[arg(long, value_name = "NAME", value_parser = input_format, conflicts_with = "raw")]
    input_format: Option<ting_audio::Format>,
    /// Write numbers, dates and money as they were spoken, not in figures
    #[arg(long)]
    no_itn: bool,
    /// Leave out fillers and repetitions, such as um, 嗯 and 我我我
    #[arg(long)]
    no_fillers: bool,
    /// The input is headerless 16-bit little-endian mono at RATE Hz, 8000 to 192000
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(8000..=192000))]
    raw: Option<u32>,
    /// Prefer the words of FILE: a word a line, or between tabs a word, its weight (1 to 5, or 50) and its language (zh,
    /// en, ja), or a JSON list as the service has it
    #[arg(long, value_name = "FILE")]
    hotwords: Option<PathBuf>,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
    /// Files recognised at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// A sentence a line.
    Text,
    /// An object a line.
    Json,
    /// SubRip.
    Srt,
    /// WebVTT.
    Vtt,
}

impl OutputFormat {
    /// The ending of a file of this format.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Json => "json",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
        }
    }
}

/// A language by its code on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SpokenLanguage {
    /// Chinese.
    Zh,
    /// English.
    En,
    /// Japanese.
    Ja,
}

impl SpokenLanguage {
    /// The code on the wire.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
            Self::Ja => "ja",
        }
    }
}

impl From<SpokenLanguage> for Language {
    fn from(language: SpokenLanguage) -> Self {
        match language {
            SpokenLanguage::Zh => Self::Chinese,
            SpokenLanguage::En => Self::English,
            SpokenLanguage::Ja => Self::Japanese,
        }
    }
}

/// What a worker tells the printer about the file of an index.
enum Report {
    Sentence(Sentence),
    /// The audio's length in ms, or why there is no more.
    Done(Result<u64, CliError>),
}

/// Runs the command.
pub(crate) fn run(args: &TranscribeArgs) -> Result<ExitCode, CliError> {
    check(args)?;
    let model = Model::load(args.model_dir.as_deref())?;
    let list = args.hotwords.as_deref();
    let list = list.map(|path| hotwords::load(path, &model, &languages(args)));
    let hotwords = list.transpose()?.unwrap_or_default();
    let progress = Progress::new(&args.files);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let destination = match &args.output_dir {
        Some(dir) => Destination::folder(dir)?,
        None => Destination::Stdout,
    };
    let mut printer = Printer::new(args.format, &args.files, destination, &progress);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = args
        .threads
        .map_or(cores, usize::from)
        .min(args.files.len());

    std::thread::scope(|scope| {
        let (sender, reports) = mpsc::channel();
        for _ in 0..threads {
            let sender = sender.clone();
            let (model, hotwords) = (&model, &hotwords);
            let (progress, next, stop) = (&progress, &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(name) = args.files.get(index) else {
                        break;
                    };
                    let done = transcribe(args, model, hotwords, name, progress, &|sentence| {
                        send(&sender, index, Report::Sentence(sentence), stop)
                    });
                    if send(&sender, index, Report::Done(done), stop).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let printed = reports
            .into_iter()
            .try_for_each(|(index, report)| match report {
                Report::Sentence(sentence) => printer.sentence(index, sentence),
                Report::Done(done) => printer.done(index, done),
            });
        // Nobody wants the rest when it cannot be printed.
        stop.store(true, Ordering::Relaxed);
        printed
    })?;
    progress.finish();
    Ok(if printer.failures() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A format by its name, but for `pcm`, whose rate `--raw` tells.
fn input_format(name: &str) -> Result<ting_audio::Format, String> {
    use ting_audio::Format;
    Format::parse(name)
        .filter(|format| *format != Format::Pcm)
        .ok_or_else(|| {
            let names = Format::ALL.iter().map(|format| format.name());
            let known: Vec<&str> = names.filter(|name| *name != "pcm").collect();
            format!(
                "it must be one of {}; headerless samples are --raw RATE",
                known.join(", ")
            )
        })
}

/// Refuses what could not give a usable result, before any work is done.
fn check(args: &TranscribeArgs) -> Result<(), CliError> {
    let subtitles = matches!(args.format, OutputFormat::Srt | OutputFormat::Vtt);
    if subtitles && args.files.len() > 1 && args.output_dir.is_none() {
        return Err(CliError::input(
            "subtitles of several files cannot go to one output, because their times would overlap: give \
             --output-dir DIR, or one file at a time",
        ));
    }
    if args.files.iter().filter(|name| *name == "-").count() > 1 {
        return Err(CliError::input(
            "standard input (-) can be read only once; name it once",
        ));
    }
    Ok(())
}

fn send(
    sender: &Sender<(usize, Report)>,
    index: usize,
    report: Report,
    stop: &AtomicBool,
) -> Result<(), CliError> {
    let gone = CliError::new(CliErrorKind::ClosedPipe, "nobody prints");
    if stop.load(Ordering::Relaxed) {
        return Err(gone);
    }
    sender.send((index, report)).map_err(|_| gone)
}

fn languages(args: &TranscribeArgs) -> Vec<Language> {
    let languages = args.language.iter();
    languages.map(|language| (*language).into()).collect()
}

/// Recognises the file `name`; returns its length in ms.
fn transcribe(
    args: &TranscribeArgs,
    model: &Model,
    hotwords: &[Hotword],
    name: &str,
    progress: &Progress,
    on_final: &dyn Fn(Sentence) -> Result<(), CliError>,
) -> Result<u64, CliError> {
    let encoding = match (args.raw, args.input_format) {
        (Some(sample_rate), _) => input::Encoding::Raw(sample_rate),
        (None, Some(format)) => input::Encoding::Named(format),
        (None, None) => input::Encoding::Told,
    };
    let input = input::open(name, encoding)?;
    let mut options = TaskOptions::new(input.format, input.sample_rate);
    options.languages = languages(args);
    options.hotwords = hotwords.to_vec();
    options.punctuation = !args.no_punctuation;
    if let Some(silence) = args.max_sentence_silence {
        options.max_sentence_silence_ms = silence;
    }
    options.inverse_text_normalization = !args.no_itn;
    options.disfluency_removal = args.no_fillers;
    let mut bytes = Counted::new(input.bytes, progress);
    recognise(model, options, &mut bytes, &mut |event| match event {
        // An empty final takes back a partial, which nobody saw here.
        Event::Final { sentence, .. } if !sentence.text.trim().is_empty() => on_final(sentence),
        _ => Ok(()),
    })
}

/// A lock that a panicking thread does not spoil: what it guards is a display.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
