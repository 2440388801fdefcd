//! What a task's options do to the text of its partials and finals alike.

mod common;

use common::{finals, model, options, pcm, run, silence, speech};
use ting_engine::{Event, Sentence, TaskOptions, WordFilter};

fn partials(events: &[Event]) -> Vec<&Sentence> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Partial { sentence } => Some(sentence),
            _ => None,
        })
        .collect()
}

/// What there is of `text` beside marks.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric() || *c == '*')
        .collect()
}

#[test]
fn filtered_words_are_in_no_result() {
    let model = model();
    let audio = pcm(&[speech("hello_zh.wav"), silence(300)].concat());
    let plain = run(&model, &options(), &audio, &[3200]);
    let [sentence] = finals(&plain)[..] else {
        panic!("{plain:?}")
    };
    let said: Vec<&str> = sentence.words.iter().map(|w| w.text.as_str()).collect();
    assert!(said.len() > 2, "{said:?}");
    let with = |masked: &[&str], removed: &[&str]| {
        let options = TaskOptions {
            word_filter: WordFilter::new(masked, removed),
            ..options()
        };
        run(&model, &options, &audio, &[3200])
    };

    // One word, and the rest as without the filter.
    let word = said[1];
    let events = with(&[], &[word]);
    let shorter: Vec<&&str> = said.iter().filter(|other| **other != word).collect();
    assert_eq!(
        finals(&events)[0]
            .words
            .iter()
            .map(|w| &w.text)
            .collect::<Vec<_>>(),
        shorter
    );
    for partial in partials(&events) {
        assert!(!partial.text.contains(word), "{partial:?}");
    }

    // All words hidden.
    let events = with(&said, &[]);
    let hidden = bare(&finals(&events)[0].text);
    assert_eq!(hidden, "*".repeat(bare(&sentence.text).chars().count()));

    // All words of the final gone: it comes, empty, only if it has a partial to take back.
    let events = with(&[], &said);
    let shown = !partials(&events).is_empty();
    match finals(&events)[..] {
        [] => assert!(!shown, "{events:?}"),
        [last] => {
            assert!(shown, "{events:?}");
            assert_eq!((last.text.as_str(), last.words.len()), ("", 0));
        }
        _ => panic!("{events:?}"),
    }

    // All words of all results gone: there is none.
    let all: Vec<&str> = partials(&plain)
        .iter()
        .flat_map(|partial| &partial.words)
        .map(|word| word.text.as_str())
        .chain(said.iter().copied())
        .collect();
    let events = with(&[], &all);
    assert!(matches!(events[..], [Event::Finished { .. }]), "{events:?}");
}
