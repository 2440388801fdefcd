//! `dictionary.txt.gz`.

use ting_models::{Dictionary, DictionaryConfig, ModelErrorKind, Tokens};

const TOKENS: &str = "<blank>\nか\tja\nき\tja\n柿\tja\n木\tja,zh\n鍵\tja\n好\tzh\nカ\tja";
const SOUNDS: &str = "<blank>\nカ\nキ\nギ\nyi1";
const WORDS: &str = "2\n0 1\n-2 4\nカ キ\t柿\t1\t1\t8\n\tかき\t1\t0\t12\nキ\t木\t0\t1\t-4\nカ ギ\t鍵\t1\t1\t20\nカ\tか\t1\t1\t6";

fn config() -> DictionaryConfig {
    DictionaryConfig {
        cost_weight: 0.5,
        lm_weight: 0.25,
        token_weight: 0.5,
        sound_bonus: 1.0,
        beam: 10,
    }
}

/// All words that begin with the sounds that lead to `node`, as `sounds spelling left right cost`.
fn below(dictionary: &Dictionary, node: u32, sounds: &str, found: &mut Vec<String>) {
    for id in dictionary.words(node) {
        let word = dictionary.word(id);
        assert!(word.cost >= dictionary.least(node));
        let again = dictionary.pronunciation(id);
        let again: Vec<String> = again.iter().map(u16::to_string).collect();
        assert_eq!(again.join(" "), sounds.trim_start());
        let (spelling, cost) = (dictionary.spelling(id), word.cost);
        found.push(format!(
            "{sounds} {spelling:?} {} {} {cost}",
            word.left, word.right
        ));
    }
    assert_eq!(
        dictionary.goes_on(node),
        dictionary.next(node).next().is_some()
    );
    for (sound, child) in dictionary.next(node) {
        assert!(dictionary.least(child) >= dictionary.least(node));
        below(dictionary, child, &format!("{sounds} {sound}"), found);
    }
}

#[test]
fn words_stand_in_a_tree_of_their_sounds() {
    let tokens = Tokens::parse(TOKENS).unwrap();
    let dictionary = Dictionary::parse(WORDS, SOUNDS, &tokens, config()).unwrap();
    let mut found = Vec::new();
    below(&dictionary, Dictionary::ROOT, "", &mut found);
    let want = [
        " 1 [1] 1 1 1.5",
        " 1 2 [3] 1 1 2",
        " 1 2 [1, 2] 1 0 3",
        " 1 3 [5] 1 1 5",
        " 2 [4] 0 1 -1",
    ];
    assert_eq!(found, want);
    assert_eq!(dictionary.sounds(), [false, true, true, true, false]);
    let costs = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(a, b)| dictionary.connection(a, b));
    assert_eq!(costs, [0.0, 0.25, -0.5, 1.0]);
}

#[test]
fn parts_of_hotwords_are_read_as_words_and_as_names() {
    let tokens = Tokens::parse(TOKENS).unwrap();
    let names = "キ カ\t木か\t1\t0\n\t柿\t0\t1\nキ\t木\t1\t1\nカ キ\t木岡\t1\t1\n\t岡\t1\t1";
    let list = format!("{WORDS}\n{names}");
    let dictionary = Dictionary::parse(&list, SOUNDS, &tokens, config()).unwrap();
    // Names are no words.
    let plain = Dictionary::parse(WORDS, SOUNDS, &tokens, config()).unwrap();
    let all = |dictionary: &Dictionary| {
        let mut found = Vec::new();
        below(dictionary, Dictionary::ROOT, "", &mut found);
        found
    };
    assert_eq!(all(&dictionary), all(&plain));
    let names = dictionary.names();
    assert_eq!(names.usual_classes(), (1, 1));
    // A character that is no token has a number of its own, and a kana that stands for it.
    let oka = names.letter('岡').unwrap();
    assert!(usize::from(oka) >= tokens.len() && names.letter('木').is_none());
    assert_eq!(
        (names.stand_in('岡'), names.stand_in('木')),
        (Some(7), None)
    );
    let parts: [&[u16]; 5] = [&[3], &[4], &[4, 1], &[4, oka], &[6]];
    let found = dictionary.readings(&parts.into_iter().collect());
    let read = |part: &[u16]| -> Vec<(Vec<u16>, (u16, u16))> {
        let readings = found.get(part).into_iter().flatten();
        readings.map(|r| (r.sounds.clone(), r.classes)).collect()
    };
    assert_eq!(read(&[3]), [(vec![1, 2], (1, 1)), (vec![2, 1], (0, 1))]);
    assert_eq!(read(&[4]), [(vec![2], (0, 1))]);
    assert_eq!(read(&[4, 1]), [(vec![2, 1], (1, 0))]);
    assert_eq!(read(&[4, oka]), [(vec![1, 2], (1, 1))]);
    assert_eq!(read(&[6]), []);
    assert_eq!(
        names.kana("ギ").and_then(|sound| names.name_of(sound)),
        Some("ギ")
    );
    assert_eq!(names.kana("yi1"), None);
}

#[test]
fn its_language_is_asked_for_when_all_its_tokens_are() {
    let tokens = Tokens::parse(TOKENS).unwrap();
    let dictionary = Dictionary::parse(WORDS, SOUNDS, &tokens, config()).unwrap();
    let without = |token: usize| -> Vec<bool> { (0..8).map(|i| i != token).collect() };
    for (token, want) in [(6, true), (0, true), (3, false), (4, false)] {
        assert_eq!(dictionary.is_within(&without(token)), want, "{token}");
    }
}

#[test]
fn errors_name_the_line() {
    let tokens = Tokens::parse(TOKENS).unwrap();
    let table = "1\n0\n";
    let cases = [
        ("", "line 1: it should be the number of classes"),
        ("0", "line 1: it should be the number of classes"),
        ("2\n0 1", "line 3: it should have 2 costs"),
        ("2\n0 1\n0", "line 3: it should have 2 costs"),
        ("2\n0 1\n0 x", "line 3: `x` is no cost"),
        ("1\n0", "there are no words"),
        (
            "1\n0\nカ\tか\t0",
            "line 3: a word should have five fields, with tabs between, a name four",
        ),
        ("1\n0\nカ\tか\t0\t0", "there are no words"),
        (
            "1\n0\nカ\tか\t0\t0\t1\nギ\t岐\t0\t0",
            "`岐` has characters that nothing stands for",
        ),
        (
            "1\n0\n\tか\t0\t0\t1",
            "line 3: the first word has no sounds",
        ),
        ("1\n0\nカ\t\t0\t0\t1", "line 3: a word has no spelling"),
        ("1\n0\nカ ク\tか\t0\t0\t1", "line 3: `ク` is no sound"),
        (
            "1\n0\n<blank>\tか\t0\t0\t1",
            "line 3: `<blank>` is no sound",
        ),
        (
            "1\n0\nカ\tか\t0\t1\t1",
            "line 3: `1` is no class, they are from 0 to 0",
        ),
        ("1\n0\nカ\tか\t0\t0\t1e9", "line 3: `1e9` is no cost"),
        ("1\n0\nカ\tが\t0\t0\t1", "`が` of `が` is no token"),
    ];
    for (text, want) in cases {
        let error = Dictionary::parse(text, SOUNDS, &tokens, config()).unwrap_err();
        assert_eq!(error.kind(), ModelErrorKind::Format, "{text:?}");
        let message = error.to_string();
        let named = format!("dictionary.txt.gz: {want}");
        assert!(message.starts_with(&named), "{text:?}: {message}");
    }
    let alike = format!("{table}カ{}", "\tか\t0\t0\t1\n".repeat(1 << 16));
    let error = Dictionary::parse(&alike, SOUNDS, &tokens, config()).unwrap_err();
    assert!(error.to_string().contains("sound alike"), "{error}");
    let error = Dictionary::from_bytes(b"words", SOUNDS, &tokens, config()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("dictionary.txt.gz: cannot be unpacked"),
        "{error}"
    );
}
