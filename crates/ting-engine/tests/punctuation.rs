//! Marks in partials and finals, and tasks that want none.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{finals, model, options, pcm, run, silence, speech};
use ting_engine::{Event, Sentence, TaskOptions};
use ting_models::Model;

const MARKS: [char; 8] = ['，', '。', '？', '！', '、', ',', '.', '?'];

/// Two sentences in each of two languages, with pauses that end some of them.
fn audio() -> Vec<u8> {
    let mut samples = Vec::new();
    for (name, pause) in [
        ("hello_zh.wav", 400),
        ("hello_zh.wav", 1500),
        ("hello_en.wav", 300),
        ("hello_en.wav", 100),
    ] {
        samples.extend(speech(name));
        samples.extend(silence(pause));
    }
    pcm(&samples)
}

fn sentence(event: &Event) -> Option<&Sentence> {
    match event {
        Event::Partial { sentence } | Event::Final { sentence, .. } => Some(sentence),
        _ => None,
    }
}

fn unmarked(text: &str) -> String {
    text.replace(MARKS, "").replace(' ', "")
}

#[test]
fn a_task_may_have_no_punctuation() {
    let model = model();
    let with = run(&model, &options(), &audio(), &[3200]);
    let bare = TaskOptions {
        punctuation: false,
        ..options()
    };
    let without = run(&model, &bare, &audio(), &[3200]);
    assert_eq!(with.len(), without.len());
    let marked = |s: &Sentence| s.text.contains(MARKS);
    assert!(with.iter().filter_map(sentence).any(marked), "{with:#?}");
    for (with, without) in with.iter().zip(&without) {
        let (Some(with), Some(without)) = (sentence(with), sentence(without)) else {
            assert_eq!(with, without);
            continue;
        };
        assert!(!marked(without), "{without:?}");
        assert_eq!(unmarked(&with.text), unmarked(&without.text));
        // All else is as it was, times and sentence ends too.
        let mut stripped = with.clone();
        stripped.text.clone_from(&without.text);
        for word in &mut stripped.words {
            word.punctuation.clear();
        }
        assert_eq!(&stripped, without);
    }
}

#[test]
fn finals_end_as_sentences_do() {
    let events = run(&model(), &options(), &audio(), &[3200]);
    let finals = finals(&events);
    assert!(finals.len() >= 2, "{finals:#?}");
    for sentence in finals {
        let last = sentence.words.last().unwrap();
        assert!(
            ["。", "？", "！", ".", "?", "!"].contains(&last.punctuation.as_str()),
            "{sentence:?}"
        );
        assert!(sentence.text.ends_with(&last.punctuation), "{sentence:?}");
    }
}

/// The embedded model, whose network decides without the recogniser's marks, which may change while words stand.
fn network_alone() -> Arc<Model> {
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny");
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(tiny).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    let config = dir.path().join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("\"recogniser\""), "{text}");
    std::fs::write(config, text.replace("\"recogniser\"", "\"was\"")).unwrap();
    Model::from_dir(dir.path()).unwrap()
}

#[test]
fn partials_keep_their_marks_while_the_words_stand() {
    let model = network_alone();
    let look_ahead = model.punctuator.as_ref().unwrap().config().look_ahead;
    let events = run(&model, &options(), &audio(), &[3200]);
    let sentences: Vec<&Sentence> = events.iter().filter_map(sentence).collect();
    let (mut compared, mut marks) = (0, 0);
    for pair in sentences.windows(2).filter(|pair| pair[0].id == pair[1].id) {
        let (now, then) = (&pair[0].words, &pair[1].words);
        let same = now
            .iter()
            .zip(then)
            .take_while(|(a, b)| a.text == b.text)
            .count();
        for i in 0..same.saturating_sub(look_ahead) {
            assert_eq!(now[i].punctuation, then[i].punctuation, "{i}: {pair:#?}");
            compared += 1;
            marks += usize::from(!now[i].punctuation.is_empty());
        }
        // Nearer to the end of a partial than the look-ahead nothing is known yet.
        let known = now.len().saturating_sub(look_ahead);
        assert!(now[known..].iter().all(|word| word.punctuation.is_empty()));
    }
    assert!(compared > 100, "only {compared} marks were compared");
    assert!(marks > 0, "no partial had a mark");
}

#[test]
fn a_model_without_the_network_writes_the_recognisers_marks() {
    let mut model = model();
    let with = run(&model, &options(), &audio(), &[3200]);
    let bare: &mut Model = Arc::get_mut(&mut model).unwrap();
    bare.punctuator = None;
    let without = run(&model, &options(), &audio(), &[3200]);
    // The words are the recogniser's either way.
    let texts = |events: &[Event]| -> Vec<String> {
        let finals = finals(events).into_iter();
        finals.map(|s| unmarked(&s.text.to_lowercase())).collect()
    };
    assert_eq!(texts(&with), texts(&without));
}
