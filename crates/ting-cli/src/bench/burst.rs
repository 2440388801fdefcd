//! `ting bench burst`.

use std::path::PathBuf;

use clap::Args;
use ting_protocol::Sentence;

use super::audio::{BYTES_PER_SECOND, length_ms, load_pcm};
use super::child::ServerProcess;
use super::client::{Client, Pace};
use crate::error::{CliError, CliErrorKind};
use crate::machine::mib;
use crate::stdout;
use crate::table::markdown;
use crate::text::append_sentence;

/// Silence between repetitions, longer than the silence that ends a sentence.
const GAP_SECONDS: usize = 2;

/// Send a long recording as fast as TCP takes it
///
/// Repeats FILE, with 2 s of silence after each repetition, and checks that every repetition has a final with text.
#[derive(Args, Debug)]
pub(crate) struct BurstArgs {
    /// A recording of speech
    #[arg(value_name = "FILE")]
    file: String,
    /// Length of what is sent
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=60))]
    minutes: u32,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(args: &BurstArgs) -> Result<(), CliError> {
    let mut once = load_pcm(&args.file)?;
    once.resize(once.len() + GAP_SECONDS * BYTES_PER_SECOND, 0);
    let wanted = args.minutes as usize * 60 * BYTES_PER_SECOND;
    let repetitions = wanted.div_ceil(once.len());
    let pcm = once.repeat(repetitions);

    let server = ServerProcess::start(args.model_dir.as_deref())?;
    let before = server.memory();
    let mut client = Client::connect(&server.url, None).await?;
    let record = client.run_task(&pcm, Pace::Burst).await?;
    let after = server.memory();

    let texts = text_of_repetitions(record.finals(), repetitions, length_ms(&once));
    let spoken = texts.iter().filter(|text| !text.is_empty()).count();
    let same = texts.iter().filter(|text| **text == texts[0]).count();
    let audio = pcm.len() as f64 / BYTES_PER_SECOND as f64;
    let sending = record
        .finish_sent
        .duration_since(record.first_sent)
        .as_secs_f64();
    let wall = record
        .finished
        .duration_since(record.first_sent)
        .as_secs_f64();
    let memory = |memory: Option<u64>| memory.map_or("-".to_owned(), mib);
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let rows = [
        row("audio", format!("{audio:.1} s, {}", mib(pcm.len() as u64))),
        row("sent in", format!("{sending:.2} s")),
        row(
            "transcribed in",
            format!("{wall:.1} s, {:.1} x real time", audio / wall),
        ),
        row(
            "repetitions with text",
            format!("{spoken} of {repetitions}"),
        ),
        row(
            "with the text of the first",
            format!("{same} of {repetitions}"),
        ),
        row("resident memory before", memory(before.map(|m| m.resident))),
        row("peak resident memory", memory(after.map(|m| m.peak))),
    ];
    stdout::print(&markdown(&["burst", "measured"], &rows))?;
    if spoken < repetitions {
        let silent = texts.iter().position(String::is_empty).unwrap_or_default() + 1;
        let lacking = repetitions - spoken;
        return Err(CliError::new(
            CliErrorKind::Check,
            format!(
                "{lacking} of {repetitions} repetitions have no text, the first is number {silent}"
            ),
        ));
    }
    Ok(())
}

/// The text of each repetition: a final belongs to where its middle is.
fn text_of_repetitions<'a>(
    finals: impl Iterator<Item = &'a Sentence>,
    repetitions: usize,
    length_ms: u64,
) -> Vec<String> {
    let mut texts = vec![String::new(); repetitions];
    for sentence in finals {
        let middle = sentence
            .begin_time
            .midpoint(sentence.end_time.unwrap_or(sentence.begin_time));
        if let Some(text) = texts.get_mut((middle / length_ms) as usize) {
            append_sentence(text, &sentence.text);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use ting_protocol::Sentence;

    use super::text_of_repetitions;

    #[test]
    fn finals_belong_to_the_repetition_of_their_middle() {
        let sentence = |begin_time, end_time, text: &str| Sentence {
            begin_time,
            end_time: Some(end_time),
            text: text.to_owned(),
            heartbeat: false,
            sentence_begin: false,
            sentence_end: true,
            sentence_id: 1,
            words: Vec::new(),
            stash: None,
        };
        let finals = [
            sentence(0, 400, "one"),
            sentence(500, 990, "two"),
            sentence(1990, 2500, "three"),
            sentence(9000, 9100, "after the end"),
        ];
        assert_eq!(
            text_of_repetitions(finals.iter(), 3, 1000),
            ["one two", "", "three"]
        );
    }
}
