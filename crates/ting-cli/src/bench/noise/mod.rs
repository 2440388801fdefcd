//! `ting bench noise`.

mod mix;

use std::path::{Path, PathBuf};

use clap::Args;
use ting_audio::{AudioStream, Format, SAMPLE_RATE};
use ting_engine::{Event, TaskOptions, segments, speech_probabilities};

use super::audio::to_pcm;
use crate::error::CliError;
use crate::eval::set::{Set, Split};
use crate::recognise::{Model, recognise};
use crate::stdout;
use crate::table::markdown;
use crate::transcribe::input;
use mix::Mixer;

/// The thresholds that are compared.
const THRESHOLDS: [f32; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];
/// Noise louder than this under the speech of the noisy rows, in dB.
const SNR_DB: f32 = 10.0;
/// Digital silence before and after each recording of speech, in ms.
const SILENCE_MS: usize = 1500;

/// Measure what noise is taken for, and what speech for noise, at several values of speech_noise_threshold
///
/// Noise: minutes of audio mixed from the noise recordings of the split dev at random levels, with synthetic noise under
/// them; the same minutes at every run. Speech: recordings of the split dev, cut where they are silent, between 1.5 s of
/// digital silence, each a task of its own; once as they are, once with noise 10 dB below. Of speech, what counts is
/// every 10 ms within 35 dB of the recording's loudest, and pauses of up to 300 ms.
#[derive(Args, Debug)]
pub(crate) struct NoiseArgs {
    /// A table of recordings with the fields id, split and kind, and its tar; rows of the kind noise are used
    #[arg(required = true, value_name = "NOISE.tsv NOISE.tar", num_args = 2)]
    noise: Vec<PathBuf>,
    /// One or more pairs of a table of speech and its tar
    #[arg(long, value_name = "SET.tsv SET.tar", num_args = 2..)]
    speech: Vec<PathBuf>,
    /// At most N recordings of each set of speech, spread evenly over its table
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Minutes of noise
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    minutes: u16,
    /// Also write the table to FILE as comma-separated values
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
}

/// What one threshold does.
#[derive(Clone, Debug, Default)]
struct Row {
    threshold: f32,
    noise_ms: u64,
    /// Noise that lies in segments.
    alarm_ms: u64,
    /// Sentences with text in it.
    texts: Vec<String>,
    clean: Missed,
    noisy: Missed,
}

/// What became of speech.
#[derive(Clone, Copy, Debug, Default)]
struct Missed {
    speech_ms: u64,
    /// Speech outside all segments.
    missed_ms: u64,
    recordings: usize,
    /// Recordings without any text.
    textless: usize,
}

/// A recording of speech between silences.
struct Speech {
    samples: Vec<f32>,
    /// For each 10 ms, whether it is speech.
    reference: Vec<bool>,
}

/// Runs the command.
pub(crate) fn run(args: &NoiseArgs) -> Result<(), CliError> {
    if !args.speech.len().is_multiple_of(2) {
        return Err(CliError::input(
            "each table needs its tar: --speech A.tsv A.tar B.tsv B.tar",
        ));
    }
    let model = Model::load(args.model_dir.as_deref())?;
    let clips = noise_clips(&args.noise[0], &args.noise[1])?;
    let clip_s = clips.iter().map(Vec::len).sum::<usize>() as f64 / f64::from(SAMPLE_RATE);
    let count = clips.len();
    let mut mixer = Mixer::new(clips);
    let mut rows = THRESHOLDS.map(|threshold| Row {
        threshold,
        ..Row::default()
    });
    for minute in 0..args.minutes {
        let samples = mixer.minute(usize::from(minute));
        let probabilities = speech_probabilities(&model.shared, &samples);
        for row in &mut rows {
            row.noise(&model, &samples, &probabilities)?;
        }
    }
    let mut recordings = 0;
    for pair in args.speech.chunks_exact(2) {
        let set = Set::open(
            &pair[0],
            &pair[1],
            Split::Dev,
            Some(args.limit as usize),
            None,
        )?;
        set.read_archive(&mut |index, bytes| {
            let samples = decode(bytes).map_err(|error| {
                CliError::input(format!("{}: {error}", set.utterances[index].id))
            })?;
            recordings += 1;
            let Some(speech) = Speech::new(&samples) else {
                return Ok(());
            };
            let noisy = Speech {
                samples: mixer.under(&speech.samples, SNR_DB),
                reference: speech.reference.clone(),
            };
            let probabilities =
                [&speech, &noisy].map(|s| speech_probabilities(&model.shared, &s.samples));
            for row in &mut rows {
                let options = row.options();
                row.clean
                    .speech(&model, &speech, &probabilities[0], &options)?;
                row.noisy
                    .speech(&model, &noisy, &probabilities[1], &options)?;
            }
            Ok(())
        })?;
    }
    stdout::print(&format!(
        "model {}; {} minutes mixed from {count} recordings of noise ({clip_s:.0} s); {recordings} recordings of speech\n\n",
        model.name, args.minutes
    ))?;
    stdout::print(&table(&rows))?;
    for row in &rows {
        for text in &row.texts {
            stdout::print(&format!("\nnoise as text at {}: {text}", row.threshold))?;
        }
    }
    stdout::print("\n")?;
    if let Some(path) = &args.csv {
        std::fs::write(path, csv(&rows))
            .map_err(|error| CliError::output(&path.display().to_string(), &error))?;
    }
    Ok(())
}

impl Row {
    fn options(&self) -> TaskOptions {
        TaskOptions {
            speech_noise_threshold: self.threshold,
            ..TaskOptions::new(Format::Pcm, SAMPLE_RATE)
        }
    }

    fn noise(
        &mut self,
        model: &Model,
        samples: &[f32],
        probabilities: &[f32],
    ) -> Result<(), CliError> {
        let options = self.options();
        self.noise_ms += samples.len() as u64 * 1000 / u64::from(SAMPLE_RATE);
        let alarms = segments(probabilities, &options);
        self.alarm_ms += alarms.iter().map(|s| s.end - s.start).sum::<u64>();
        self.texts.extend(texts(model, &options, samples)?);
        Ok(())
    }

    /// Seconds per hour.
    fn alarms_per_hour(&self) -> f64 {
        3600.0 * self.alarm_ms as f64 / self.noise_ms.max(1) as f64
    }
}

impl Missed {
    fn speech(
        &mut self,
        model: &Model,
        speech: &Speech,
        probabilities: &[f32],
        options: &TaskOptions,
    ) -> Result<(), CliError> {
        let found = segments(probabilities, options);
        let spoken = speech
            .reference
            .iter()
            .enumerate()
            .filter(|(_, spoken)| **spoken);
        for (frame, _) in spoken {
            let ms = frame as u64 * 10;
            self.speech_ms += 10;
            if !found.iter().any(|segment| segment.contains(&ms)) {
                self.missed_ms += 10;
            }
        }
        self.recordings += 1;
        self.textless += usize::from(texts(model, options, &speech.samples)?.is_empty());
        Ok(())
    }

    fn share(&self) -> f64 {
        self.missed_ms as f64 / self.speech_ms.max(1) as f64
    }
}

impl Speech {
    /// None when all of it is silent.
    fn new(samples: &[f32]) -> Option<Self> {
        const FRAME: usize = SAMPLE_RATE as usize / 100;
        const RANGE_DB: f32 = 35.0;
        const PAUSE: usize = 30;
        let power: Vec<f32> = samples
            .chunks_exact(FRAME)
            .map(|frame| frame.iter().map(|x| x * x).sum::<f32>() / FRAME as f32)
            .collect();
        let loudest = power.iter().copied().fold(0.0, f32::max);
        let spoken = |power: &f32| *power > loudest * 10f32.powf(-RANGE_DB / 10.0);
        let from = power.iter().position(spoken)?;
        let to = power.iter().rposition(spoken)? + 1;
        let mut inside: Vec<bool> = power[from..to].iter().map(spoken).collect();
        let mut last = 0;
        for frame in 0..inside.len() {
            if inside[frame] {
                if frame - last <= PAUSE {
                    inside[last..frame].fill(true);
                }
                last = frame;
            }
        }
        let silence = vec![0.0; SILENCE_MS * SAMPLE_RATE as usize / 1000];
        let none = vec![false; SILENCE_MS / 10];
        Some(Self {
            samples: [&silence, &samples[from * FRAME..to * FRAME], &silence].concat(),
            reference: [&none, &inside[..], &none].concat(),
        })
    }
}

/// The texts of a task's sentences that have any.
fn texts(model: &Model, options: &TaskOptions, samples: &[f32]) -> Result<Vec<String>, CliError> {
    let mut texts = Vec::new();
    let pcm = to_pcm(samples);
    recognise(model, options.clone(), &mut pcm.as_slice(), &mut |event| {
        if let Event::Final { sentence, .. } = event
            && !sentence.text.is_empty()
        {
            texts.push(sentence.text);
        }
        Ok(())
    })?;
    Ok(texts)
}

fn decode(bytes: Vec<u8>) -> Result<Vec<f32>, CliError> {
    let mut input =
        input::from_reader(Box::new(std::io::Cursor::new(bytes)), input::Encoding::Told)?;
    let mut bytes = Vec::new();
    let unreadable = |error: std::io::Error| CliError::input(format!("cannot be read: {error}"));
    std::io::Read::read_to_end(&mut input.bytes, &mut bytes).map_err(unreadable)?;
    let mut samples = Vec::new();
    AudioStream::new(input.format, input.sample_rate)
        .and_then(|mut stream| {
            stream.push(&bytes, &mut samples)?;
            stream.finish(&mut samples)
        })
        .map_err(|error| CliError::input(error.to_string()))?;
    Ok(samples)
}

/// The recordings of the rows of `table` that are noise of the split dev.
fn noise_clips(table: &Path, archive: &Path) -> Result<Vec<Vec<f32>>, CliError> {
    let failed = |path: &Path, what: &dyn std::fmt::Display| {
        CliError::input(format!("{}: {what}", path.display()))
    };
    let text = std::fs::read_to_string(table).map_err(|error| failed(table, &error))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &str| {
        let found = header.iter().position(|field| *field == name);
        found.ok_or_else(|| failed(table, &format!("there is no field `{name}` in the header")))
    };
    let (id, split, kind) = (column("id")?, column("split")?, column("kind")?);
    let wanted: Vec<&str> = lines
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fields| fields.get(split) == Some(&"dev") && fields.get(kind) == Some(&"noise"))
        .filter_map(|fields| fields.get(id).copied())
        .collect();
    let file = std::fs::File::open(archive).map_err(|error| failed(archive, &error))?;
    let mut tar = tar::Archive::new(std::io::BufReader::new(file));
    let mut clips = Vec::new();
    for entry in tar.entries().map_err(|error| failed(archive, &error))? {
        let mut entry = entry.map_err(|error| failed(archive, &error))?;
        let path = entry.path().map_err(|error| failed(archive, &error))?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !wanted.contains(&name.as_str()) {
            continue;
        }
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes)
            .map_err(|error| failed(archive, &error))?;
        clips.push(decode(bytes).map_err(|error| failed(archive, &format!("{name}: {error}")))?);
    }
    clips.retain(|clip| !clip.is_empty());
    if clips.is_empty() {
        return Err(failed(
            archive,
            &"has no recording of a row that is noise of the split dev",
        ));
    }
    Ok(clips)
}

const HEADER: [&str; 8] = [
    "speech_noise_threshold",
    "false alarms, s per hour",
    "sentences of noise",
    "missed speech",
    "without text",
    "missed, noisy",
    "without text, noisy",
    "recordings",
];

fn table(rows: &[Row]) -> String {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let cells = |row: &Row| {
        vec![
            format!("{:+.1}", row.threshold),
            format!("{:.1}", row.alarms_per_hour()),
            row.texts.len().to_string(),
            percent(row.clean.share()),
            row.clean.textless.to_string(),
            percent(row.noisy.share()),
            row.noisy.textless.to_string(),
            row.clean.recordings.to_string(),
        ]
    };
    markdown(&HEADER, &rows.iter().map(cells).collect::<Vec<_>>())
}

fn csv(rows: &[Row]) -> String {
    let mut csv =
        "threshold,alarm_seconds_per_hour,noise_sentences,missed,textless,missed_noisy,textless_noisy,recordings\n"
            .to_owned();
    for row in rows {
        let (clean, noisy) = (row.clean, row.noisy);
        csv += &format!(
            "{},{:.2},{},{:.5},{},{:.5},{},{}\n",
            row.threshold,
            row.alarms_per_hour(),
            row.texts.len(),
            clean.share(),
            clean.textless,
            noisy.share(),
            noisy.textless,
            clean.recordings
        );
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::Speech;

    #[test]
    fn speech_is_what_is_loud() {
        let tone = |ms: usize| (0..16 * ms).map(|i| (i as f32 * 0.3).sin() * 0.5);
        let silence = |ms: usize| std::iter::repeat_n(0.0f32, 16 * ms);
        let samples: Vec<f32> = silence(200)
            .chain(tone(100))
            .chain(silence(200))
            .chain(tone(100))
            .chain(silence(500))
            .chain(tone(100))
            .chain(silence(70))
            .collect();
        let speech = Speech::new(&samples).unwrap();
        assert_eq!(speech.samples.len(), 16 * (1500 + 1000 + 1500));
        assert_eq!(speech.reference.len(), 400);
        let spoken = speech.reference.iter().filter(|spoken| **spoken).count();
        assert_eq!(
            spoken,
            10 + 20 + 10 + 10,
            "a pause of 200 ms counts, one of 500 ms does not"
        );
        assert!(Speech::new(&[0.0; 16_000]).is_none());
    }
}
