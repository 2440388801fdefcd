//! Audio for the tests, and ways to run it through the recogniser.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot get its audio has failed"
)]

use std::path::PathBuf;
use std::sync::Arc;

use ting_audio::AudioStream;
use ting_engine::{Event, Format, Recognizer, Sentence, TaskOptions};
use ting_models::Model;

pub fn model() -> Arc<Model> {
    Model::embedded().unwrap()
}

/// Samples at 16 kHz of one of the sentences in `tests/data`, which espeak-ng spoke, without silence around them.
pub fn speech(name: &str) -> Vec<i16> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name);
    let mut samples = Vec::new();
    let mut stream = AudioStream::new(Format::Wav, 16_000).unwrap();
    stream
        .push(&std::fs::read(path).unwrap(), &mut samples)
        .unwrap();
    stream.finish(&mut samples).unwrap();
    let samples: Vec<i16> = samples.iter().map(|x| (x * 32767.0) as i16).collect();
    let loud = |x: &i16| x.unsigned_abs() > 300;
    let (from, to) = (
        samples.iter().position(loud).unwrap(),
        samples.iter().rposition(loud).unwrap(),
    );
    samples[from..=to].to_vec()
}

/// The first 2 s of a sentence, which hold no pause.
pub fn phrase() -> Vec<i16> {
    speech("hello_en.wav")[..32_000].to_vec()
}

/// `ms` of digital silence.
pub fn silence(ms: usize) -> Vec<i16> {
    vec![0; ms * 16]
}

pub fn pcm(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

pub fn options() -> TaskOptions {
    TaskOptions::new(Format::Pcm, 16_000)
}

/// All events of a task whose bytes come in `cuts` (repeated as often as needed).
pub fn run(model: &Arc<Model>, options: &TaskOptions, bytes: &[u8], cuts: &[usize]) -> Vec<Event> {
    let mut recognizer = Recognizer::new(Arc::clone(model), options.clone()).unwrap();
    let mut events = Vec::new();
    let (mut at, mut cuts) = (0, cuts.iter().cycle());
    while at < bytes.len() {
        let end = (at + cuts.next().unwrap()).min(bytes.len());
        recognizer.push(&bytes[at..end], &mut events);
        at = end;
    }
    recognizer.finish(&mut events);
    events
}

pub fn finals(events: &[Event]) -> Vec<&Sentence> {
    fn of(event: &Event) -> Option<&Sentence> {
        match event {
            Event::Final { sentence, .. } => Some(sentence),
            _ => None,
        }
    }
    events.iter().filter_map(of).collect()
}

/// A generator of pseudo-random numbers that is the same everywhere (xorshift).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Evenly in [-1, 1).
    pub fn sample(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// A recording of `tests/data/spoken.tar`: its bytes, Ogg-Opus.
pub fn spoken_opus(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/spoken.tar");
    let mut tar = tar::Archive::new(std::fs::File::open(path).unwrap());
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().to_string_lossy() == format!("{name}.opus") {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            return bytes;
        }
    }
    panic!("there is no {name} in spoken.tar");
}

/// The same as samples, without the silence around them.
pub fn spoken(name: &str) -> Vec<i16> {
    let mut samples = Vec::new();
    let mut stream = AudioStream::new(Format::Opus, 16_000).unwrap();
    stream.push(&spoken_opus(name), &mut samples).unwrap();
    stream.finish(&mut samples).unwrap();
    let samples: Vec<i16> = samples.iter().map(|x| (x * 32767.0) as i16).collect();
    let loud = |x: &i16| x.unsigned_abs() > 300;
    let (from, to) = (
        samples.iter().position(loud).unwrap(),
        samples.iter().rposition(loud).unwrap(),
    );
    samples[from..=to].to_vec()
}
