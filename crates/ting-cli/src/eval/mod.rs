//! `ting eval`: error rates on sets of recordings with transcripts.

mod hotwords;
mod punctuation;
mod report;
pub(crate) mod set;
mod stability;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, mpsc};
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use ting_engine::{Event, Hotword, TaskOptions};

use crate::error::CliError;
use crate::hotwords as files;
use crate::machine::{self, thread_cpu_seconds};
use crate::recognise::{Model, recognise};
use crate::score::language::ScoredLanguage;
use crate::score::rate::{Pair, Unit};
use crate::stdout;
use crate::text::append_sentence;
use crate::transcribe::input;
use punctuation::MarkRate;
use report::{Rate, Scored};
use set::{Set, Split};

/// Recordings read ahead of the recogniser, per thread.
const READ_AHEAD: usize = 4;

/// Measure error rates on sets of recordings with transcripts
///
/// A set is a tab-separated table with the fields id, split and text, and a tar with a recording id.opus or id.wav per
/// row. Every recording is one task; its text is all its finals. Both sides are normalised: NFKC, lower case, no
/// punctuation, no spaces between Chinese or Japanese characters; digits, traditional characters and kana stay as they
/// are. CER counts characters without spaces, WER words. A Japanese text `surface|kana` is compared with either form,
/// and the better counts. A recording that cannot be recognised counts as recognised as nothing.
#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// One or more pairs of a table and its tar
    #[arg(required = true, value_name = "SET.tsv SET.tar", num_args = 2..)]
    sets: Vec<PathBuf>,
    /// Which part of the sets to use
    #[arg(long, value_enum, default_value = "dev")]
    split: Split,
    /// At most N recordings per set, spread evenly over its table
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Recordings recognised at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Also report the rates of each group of recordings that have the same in this field of the tables, such as source or speaker
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,
    /// How many of the worst utterances to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    worst: usize,
    /// Also report precision, recall and F1 of each punctuation mark
    #[arg(long)]
    punctuation: bool,
    /// Also write everything to FILE as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Score every utterance as this language, instead of by the set's name (zh-…) or else the script of its text
    #[arg(long, value_enum)]
    language: Option<ScoredLanguage>,
    /// Recognise everything a second time with the hotwords of FILE, and report what they change: a word a line, or
    /// between tabs a word, its weight (1 to 5, or 50) and its language (zh, en, ja), or a JSON list as the service has it
    #[arg(long, value_name = "FILE")]
    hotwords: Option<PathBuf>,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

/// The content of `--json`.
#[derive(Serialize)]
struct Evaluation<'a> {
    model: &'a str,
    machine: String,
    threads: usize,
    audio_seconds: f64,
    /// Processing time over audio time.
    rtf: f64,
    rates: &'a [Rate],
    /// Of `--by`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Rate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    punctuation: Vec<MarkRate>,
    utterances: &'a [Scored],
    #[serde(skip_serializing_if = "Option::is_none")]
    hotwords: Option<Listed<'a>>,
}

/// The part of `--json` with the list of `--hotwords`.
#[derive(Serialize)]
struct Listed<'a> {
    effect: &'a hotwords::Effect,
    rates: &'a [Rate],
    utterances: &'a [Scored],
}

/// Runs the command.
pub(crate) fn run(args: &EvalArgs) -> Result<ExitCode, CliError> {
    if !args.sets.len().is_multiple_of(2) {
        return Err(CliError::input(
            "each table needs its tar: eval A.tsv A.tar B.tsv B.tar",
        ));
    }
    let limit = args.limit.map(|limit| limit as usize);
    let sets: Vec<Set> = args
        .sets
        .chunks_exact(2)
        .map(|pair| Set::open(&pair[0], &pair[1], args.split, limit, args.by.as_deref()))
        .collect::<Result<_, _>>()?;
    let model = Model::load(args.model_dir.as_deref())?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = args.threads.map_or(cores, usize::from);
    let list = args.hotwords.as_deref();
    let list = list
        .map(|path| files::load(path, &model, &[]))
        .transpose()?;

    let started = Instant::now();
    let mut scored = Vec::new();
    let mut listed = Vec::new();
    let mut silent = 0;
    let mut missing = 0;
    for set in &sets {
        let language = args
            .language
            .or_else(|| ScoredLanguage::from_set_name(&set.name));
        let (mut recognised, lacking) =
            recognise_set(set, &model, threads, language, list.as_deref())?;
        if let Some(first) = lacking.first() {
            missing += lacking.len();
            let (archive, count, id) = (
                set.archive.display(),
                lacking.len(),
                &set.utterances[*first].id,
            );
            eprintln!(
                "ting: {archive}: no recording for {count} rows of the table, the first is {id:?}"
            );
        }
        let before = recognised.len();
        recognised.retain(|(utterance, _)| utterance.characters.reference > 0);
        silent += before - recognised.len();
        for (plain, with_list) in recognised {
            scored.push(plain);
            listed.extend(with_list);
        }
    }
    let wall = started.elapsed().as_secs_f64();
    if scored.is_empty() {
        return Err(CliError::input(
            "there is nothing to evaluate: no row of this split has text and a recording",
        ));
    }

    let audio_seconds = scored
        .iter()
        .map(|s| s.audio_ms as f64 / 1000.0)
        .sum::<f64>();
    let busy = scored.iter().map(|s| s.seconds).sum::<f64>();
    let rtf = if audio_seconds > 0.0 {
        busy / audio_seconds
    } else {
        0.0
    };
    let rates = report::rates(&scored);
    let mut report = format!(
        "model: {}\nmachine: {}\n\n",
        model.name,
        machine::describe()
    );
    report += &report::rate_table(&rates);
    let groups = report::group_rates(&scored);
    if let Some(field) = &args.by {
        let table = report::rate_table(&groups);
        report += &format!("\nby {field}:\n\n{table}");
    }
    let marks = if args.punctuation {
        punctuation::mark_rates(&scored)
    } else {
        Vec::new()
    };
    if !marks.is_empty() {
        report += &format!("\n{}", punctuation::mark_table(&marks));
    }
    report += &format!(
        "\n{audio_seconds:.1} s of audio in {wall:.1} s on {threads} threads; RTF {rtf:.4} (processing time over audio time, one thread)\n"
    );
    if silent > 0 {
        report += &format!("{silent} utterances left out: their text has no letters or digits\n");
    }
    let listed_rates = report::rates(&listed);
    let effect = list.map(|list| hotwords::effect(&list, &scored, &listed));
    if let Some(effect) = &effect {
        report += &effect.report();
        report += &format!("\nwith the list:\n\n{}", report::rate_table(&listed_rates));
    }
    let stability = stability::table(&scored);
    if !stability.is_empty() {
        report += &format!("\nstability of partials:\n\n{stability}");
    }
    let worst = report::worst(&scored, args.worst);
    if !worst.is_empty() {
        report += &format!("\nworst utterances, normalised:\n\n{worst}");
    }
    stdout::print(&report)?;
    if let Some(path) = &args.json {
        let evaluation = Evaluation {
            model: &model.name,
            machine: machine::describe(),
            threads,
            audio_seconds,
            rtf,
            rates: &rates,
            groups,
            punctuation: marks,
            utterances: &scored,
            hotwords: effect.as_ref().map(|effect| Listed {
                effect,
                rates: &listed_rates,
                utterances: &listed,
            }),
        };
        write_json(path, &evaluation)?;
    }
    let failed = scored.iter().filter(|s| s.failure.is_some()).count();
    for utterance in scored.iter().filter(|s| s.failure.is_some()) {
        let reason = utterance.failure.as_deref().unwrap_or_default();
        eprintln!("ting: {}: {reason} (scored as no text)", utterance.id);
    }
    Ok(if failed + missing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn write_json(path: &Path, evaluation: &Evaluation<'_>) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::output(&path.display().to_string(), &error);
    let json = serde_json::to_string_pretty(evaluation).map_err(|error| failed(error.into()))?;
    std::fs::write(path, json + "\n").map_err(failed)
}

/// A recording without hotwords, and with the list if there is one.
type Recognised = (Scored, Option<Scored>);

/// Recognises a set on `threads` threads. Returns its utterances in the table's order, recognised without hotwords and with
/// the `list`, if there is one; and the indices of those without a recording.
fn recognise_set(
    set: &Set,
    model: &Model,
    threads: usize,
    language: Option<ScoredLanguage>,
    list: Option<&[Hotword]>,
) -> Result<(Vec<Recognised>, Vec<usize>), CliError> {
    let results = Mutex::new(Vec::with_capacity(set.utterances.len()));
    let (sender, recordings) = mpsc::sync_channel::<(usize, Vec<u8>)>(READ_AHEAD * threads);
    let recordings = Mutex::new(recordings);
    let missing = std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    // A thread that panicked leaves the queue as it was.
                    let next = recordings
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .recv();
                    let Ok((index, bytes)) = next else { break };
                    let plain = score(set, index, &bytes, model, language, &[]);
                    let listed = list.map(|list| score(set, index, &bytes, model, language, list));
                    let scored = (plain, listed);
                    let mut results = results
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    results.push((index, scored));
                }
            });
        }
        let missing = set.read_archive(&mut |index, bytes| {
            sender
                .send((index, bytes))
                .map_err(|_| CliError::input("the recogniser stopped"))
        });
        drop(sender);
        missing
    })?;
    let mut results = results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    Ok((
        results.into_iter().map(|(_, scored)| scored).collect(),
        missing,
    ))
}

/// Recognises one recording and compares it with its reference.
fn score(
    set: &Set,
    index: usize,
    bytes: &[u8],
    model: &Model,
    language: Option<ScoredLanguage>,
    hotwords: &[Hotword],
) -> Scored {
    let utterance = &set.utterances[index];
    let mut hypothesis = String::new();
    let mut watch = stability::Watch::default();
    let (started, cpu) = (Instant::now(), thread_cpu_seconds());
    let recognised = input::from_reader(
        Box::new(std::io::Cursor::new(bytes.to_vec())),
        input::Encoding::Told,
    )
    .and_then(|mut input| {
        let mut options = TaskOptions::new(input.format, input.sample_rate);
        options.hotwords = hotwords.to_vec();
        // References say what was spoken, so the recogniser must not write it otherwise.
        options.inverse_text_normalization = false;
        recognise(model, options, &mut input.bytes, &mut |event| {
            watch.see(&event);
            if let Event::Final { sentence, .. } = event {
                append_sentence(&mut hypothesis, &sentence.text);
            }
            Ok(())
        })
    });
    let wall = started.elapsed().as_secs_f64();
    // Other work on the machine disturbs the processor's time less than the clock's.
    let used = thread_cpu_seconds().zip(cpu);
    let seconds = used.map_or(wall, |(after, before)| after - before);
    let (audio_ms, failure) = match recognised {
        Ok(audio_ms) => (audio_ms, None),
        Err(error) => {
            hypothesis.clear();
            (0, Some(error.to_string()))
        }
    };
    let language = language.unwrap_or_else(|| ScoredLanguage::from_script(&utterance.text));
    let references: Vec<&str> = match language {
        ScoredLanguage::Ja => utterance.text.split('|').collect(),
        _ => vec![utterance.text.as_str()],
    };
    let unit = if language.counts_words() {
        Unit::Word
    } else {
        Unit::Character
    };
    let pair = Pair::new(&references, &hypothesis, unit);
    Scored {
        set: set.name.clone(),
        id: utterance.id.clone(),
        group: utterance.group.clone(),
        language,
        reference: utterance.text.clone(),
        hypothesis,
        characters: pair.errors(Unit::Character),
        words: pair.errors(Unit::Word),
        pair,
        stability: watch.counts(),
        audio_ms,
        seconds,
        failure,
    }
}
