//! Hotwords, contexts and languages change what a task writes, as far as its options say and no further.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use common::{finals, model, options, pcm, run, silence, speech};
use ting_engine::{
    Engine, EngineErrorKind, EngineOptions, Event, Hotword, Language, MAX_HOTWORDS, Recognizer,
    TaskOptions,
};
use ting_models::Model;

fn hotword(text: &str, weight: u8) -> Hotword {
    Hotword {
        text: text.to_owned(),
        weight,
        language: None,
    }
}

/// A sentence in Chinese, about a park (公园), and one in English.
fn two_sentences() -> Vec<u8> {
    let samples = [
        silence(400),
        speech("hello_zh.wav"),
        silence(1700),
        speech("hello_en.wav"),
        silence(600),
    ];
    pcm(&samples.concat())
}

/// The texts of all partials, and those of all finals.
fn texts(events: &[Event]) -> (String, String) {
    let partials = events.iter().filter_map(|event| match event {
        Event::Partial { sentence } => Some(sentence.text.as_str()),
        _ => None,
    });
    let finals = finals(events)
        .into_iter()
        .map(|sentence| sentence.text.as_str());
    (
        partials.collect::<Vec<_>>().join("\n"),
        finals.collect::<Vec<_>>().join("\n"),
    )
}

fn recognise(model: &Arc<Model>, change: impl FnOnce(&mut TaskOptions)) -> (String, String) {
    let mut options = options();
    change(&mut options);
    texts(&run(model, &options, &two_sentences(), &[3200]))
}

#[test]
fn a_list_changes_partials_and_finals() {
    // All of the same sound as 公园, the word that is said: only a list brings them.
    let model = model();
    let plain = recognise(&model, |_| {});
    assert!(
        plain.0.contains("公园") && plain.1.contains("公园"),
        "{plain:?}"
    );
    let cases = [
        ("another character", "龚园"),
        ("a longer word", "去龚园"),
        ("another tone", "功远"),
        ("a character that is no token of the model", "龚鼋"),
    ];
    let mut failed = Vec::new();
    for (name, word) in cases {
        let (partials, finals) =
            recognise(&model, |options| options.hotwords = vec![hotword(word, 50)]);
        if !partials.contains(word) || !finals.contains(word) || plain.0.contains(word) {
            failed.push(format!(
                "{name}: {word} is not in {partials:?} and {finals:?}"
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // What was not said stays away.
    let unsaid = [
        hotword("慕容明哲", 50),
        hotword("ひろしま", 50),
        hotword("Worthington", 4),
    ];
    assert_eq!(
        recognise(&model, |options| options.hotwords = unsaid.to_vec()),
        plain
    );
}

#[test]
fn a_word_of_letters_is_found_by_its_sounds_in_finals() {
    // No tokens that the network takes to be likely spell them, so partials do without.
    let model = model();
    for word in ["Trayne", "Warme Kote"] {
        let (partials, finals) =
            recognise(&model, |options| options.hotwords = vec![hotword(word, 4)]);
        assert!(
            finals.contains(word) && !partials.contains(word),
            "{word}: {partials:?}, {finals:?}"
        );
    }
}

#[test]
fn words_keep_their_order_and_times_with_a_list() {
    let model = model();
    let mut options = options();
    options.hotwords = vec![
        hotword("龚园", 50),
        hotword("天气", 5),
        hotword("Please", 5),
    ];
    let events = run(&model, &options, &two_sentences(), &[3200]);
    for sentence in finals(&events) {
        let mut at = sentence.begin_ms;
        for word in &sentence.words {
            assert!(
                at <= word.begin_ms && word.begin_ms <= word.end_ms,
                "{sentence:#?}"
            );
            at = word.end_ms;
        }
        assert!(at <= sentence.end_ms, "{sentence:#?}");
    }
    // Characters stay words of their own.
    let words: Vec<&str> = finals(&events)[0]
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert!(
        words.windows(2).any(|pair| pair == ["龚", "园"]),
        "{words:?}"
    );
}

#[test]
fn languages_restrict_partials_finals_and_hotwords() {
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let latin = |c: char| c.is_ascii_alphabetic();
    let kana = |c: char| ('\u{3041}'..='\u{30fe}').contains(&c);
    let model = model();
    struct Case {
        languages: &'static [Language],
        han: bool,
        latin: bool,
        kana: bool,
        /// Of 龚园, Please and カフェ those that cannot be written.
        ineffective: &'static [&'static str],
    }
    let cases = [
        Case {
            languages: &[],
            han: true,
            latin: true,
            kana: false,
            ineffective: &[],
        },
        Case {
            languages: &[Language::Chinese],
            han: true,
            latin: false,
            kana: false,
            ineffective: &["Please", "カフェ"],
        },
        Case {
            languages: &[Language::English],
            han: false,
            latin: true,
            kana: false,
            ineffective: &["龚园", "カフェ"],
        },
        Case {
            languages: &[Language::Chinese, Language::English],
            han: true,
            latin: true,
            kana: false,
            ineffective: &["カフェ"],
        },
        Case {
            languages: &[Language::Japanese],
            han: true,
            latin: false,
            kana: true,
            ineffective: &["龚园", "Please"],
        },
    ];
    let mut failed = Vec::new();
    for case in cases {
        let mut options = options();
        options.languages = case.languages.to_vec();
        options.hotwords = [("龚园", 50), ("Please", 4), ("カフェ", 4)]
            .map(|(word, weight)| hotword(word, weight))
            .to_vec();
        let recognizer = Recognizer::new(Arc::clone(&model), options.clone()).unwrap();
        let ineffective: Vec<&str> = recognizer
            .ineffective_hotwords()
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        if ineffective != case.ineffective {
            failed.push(format!("{:?}: ineffective {ineffective:?}", case.languages));
        }
        let (partials, finals) = texts(&run(&model, &options, &two_sentences(), &[3200]));
        for (kind, text) in [("partials", partials), ("finals", finals)] {
            let got = (
                text.chars().any(han),
                text.chars().any(latin),
                text.chars().any(kana),
            );
            // Which of the allowed scripts come is the network's choice; the others must not.
            if (got.0 && !case.han) || (got.1 && !case.latin) || (got.2 && !case.kana) {
                failed.push(format!("{:?}: {kind} {text:?}", case.languages));
            }
            let written = ["龚园", "Please"]
                .iter()
                .filter(|word| !case.ineffective.contains(word));
            for word in written {
                if !text.contains(word) {
                    failed.push(format!("{:?}: {kind} {text:?} lack {word}", case.languages));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A context that changes the Chinese sentence: 公圆 sounds like 公园.
const CONTEXT: &str = "一起去公圆吧。";

/// Runs a task with contexts at byte positions.
fn run_with_contexts(
    model: &Arc<Model>,
    bytes: &[u8],
    contexts: &[(usize, &str)],
    cut: usize,
) -> Vec<Event> {
    let mut recognizer = Recognizer::new(Arc::clone(model), options()).unwrap();
    let (mut events, mut at) = (Vec::new(), 0);
    for (until, context) in contexts.iter().copied().chain([(bytes.len(), "")]) {
        for piece in bytes[at..until].chunks(cut) {
            recognizer.push(piece, &mut events);
        }
        at = until;
        if until < bytes.len() {
            recognizer.set_context(&[context.to_owned()]);
        }
    }
    recognizer.finish(&mut events);
    events
}

#[test]
fn a_context_holds_for_the_audio_after_it() {
    let model = model();
    let said = pcm(&[silence(400), speech("hello_zh.wav"), silence(1700)].concat());
    let bytes = [said.clone(), said.clone(), said.clone()].concat();
    let plain = run_with_contexts(&model, &bytes, &[], 3200);
    let changed = [(said.len(), CONTEXT), (2 * said.len(), "")];
    let with = run_with_contexts(&model, &bytes, &changed, 3200);
    let ends: Vec<bool> = finals(&with)
        .iter()
        .map(|sentence| sentence.text.contains("公圆"))
        .collect();
    assert_eq!(ends, [false, true, false], "{:?}", texts(&with).1);
    assert!(!texts(&plain).1.contains("公圆"));
    // Neither how the bytes between are cut nor a context in the middle of a word may make a difference.
    let positions: [&[(usize, &str)]; 3] = [
        &changed,
        &[(said.len() / 2 + 1, CONTEXT)],
        &[
            (777, CONTEXT),
            (said.len() + said.len() / 3, ""),
            (2 * said.len() - 60_000, CONTEXT),
        ],
    ];
    let mut failed = Vec::new();
    for contexts in positions {
        let whole = run_with_contexts(&model, &bytes, contexts, bytes.len());
        for cut in [7, 3200, 50_001] {
            if run_with_contexts(&model, &bytes, contexts, cut) != whole {
                failed.push(format!("{contexts:?} cut every {cut}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_session_keeps_the_order_of_bytes_and_contexts() {
    let model = model();
    let said = pcm(&[silence(400), speech("hello_zh.wav"), silence(1700)].concat());
    let bytes = [said.clone(), said.clone()].concat();
    let want = run_with_contexts(&model, &bytes, &[(said.len(), CONTEXT)], 3200);
    let options_of_engine = EngineOptions {
        threads: 2,
        max_sessions: Some(1),
    };
    let engine = Engine::start(model, options_of_engine).unwrap();
    let (sender, events) = mpsc::channel();
    let session = engine
        .open(options(), move |event| drop(sender.send(event)))
        .unwrap();
    for piece in said.chunks(6400) {
        session.push(piece.to_vec());
    }
    session.set_context(vec![CONTEXT.to_owned()]);
    session.push(said);
    session.finish();
    let mut got = Vec::new();
    while !matches!(got.last(), Some(Event::Finished { .. })) {
        got.push(events.recv_timeout(Duration::from_secs(120)).unwrap());
    }
    assert_eq!(got, want);
}

#[test]
fn a_list_beyond_its_limits_is_refused() {
    let mut options = options();
    options.hotwords = vec![hotword("龚园", 4); MAX_HOTWORDS + 1];
    let error = Recognizer::new(model(), options).unwrap_err();
    assert_eq!(error.kind(), EngineErrorKind::InvalidOption);
    assert!(error.message().contains("at most 1000"), "{error}");
}

#[test]
fn cuts_change_nothing_with_a_full_list() {
    let model = model();
    let mut options = options();
    options.hotwords = (0..500)
        .map(|i| {
            let first = char::from_u32(0x4e00 + 7 * i).unwrap();
            hotword(&format!("{first}园去"), 5)
        })
        .chain([
            hotword("龚园", 50),
            hotword("Train", 5),
            hotword("the slates", 5),
        ])
        .collect();
    let bytes = two_sentences();
    let whole = run(&model, &options, &bytes, &[bytes.len()]);
    assert!(texts(&whole).1.contains("龚园"));
    for cuts in [&[7][..], &[333, 1, 4000], &[12_800]] {
        assert_eq!(run(&model, &options, &bytes, cuts), whole, "{cuts:?}");
    }
}
