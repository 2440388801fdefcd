//! `lexicon.txt.gz` and `sounds.txt`.

use ting_models::{Lexicon, ModelErrorKind, Tokens};

const TOKENS: &str = "<blank>\n。\n▁\n▁can\n▁the\nt\n'\n行\tzh\n日\tja,zh\n好\tzh";
const SOUNDS: &str = "<blank>\nk\næ\nn\nt\nð\nə\nxing2\nhang2\nri4\nニ\nチ";
const LEXICON: &str = "▁\t\n▁can\tk æ n|k ə n\nt\tt|\n'\t\n行\txing2|hang2\n日\tri4|ニ チ\n▁the▁\tð ə\n▁can't▁\tk æ n t";

#[test]
fn texts_are_pronounced() {
    let tokens = Tokens::parse(TOKENS).unwrap();
    let lexicon = Lexicon::parse(LEXICON, SOUNDS, &tokens).unwrap();
    assert_eq!(lexicon.sounds(), 12);
    // The pieces, and what is said of each word or piece; none where something is not known.
    let cases: [(&[&str], Option<&str>); 9] = [
        (&[], Some("")),
        (&["▁can"], Some("1 2 3|1 6 3")),
        // A word that the lexicon has, whatever its pieces.
        (&["▁can", "'", "t"], Some("1 2 3 4")),
        // One that it does not have.
        (&["▁can", "t"], Some("1 2 3|1 6 3, 4|")),
        (&["▁", "t", "▁the", "。"], Some(", 4|, 5 6")),
        // A token without a line is known as a word alone.
        (&["▁the", "t"], None),
        (&["行", "。", "日"], Some("7|8, 9|10 11")),
        (&["行", "好"], None),
        (&["<blank>"], None),
    ];
    let mut failed = Vec::new();
    for (pieces, want) in cases {
        let ids: Vec<u16> = pieces
            .iter()
            .map(|piece| tokens.id(piece).unwrap() as u16)
            .collect();
        let said = lexicon.pronounce(&tokens, &ids).map(|said| {
            let numbers = |sounds: &&[u16]| {
                let sounds: Vec<String> = sounds.iter().map(u16::to_string).collect();
                sounds.join(" ")
            };
            let words = said.iter().map(|pronunciations| {
                let texts: Vec<String> = pronunciations.iter().map(numbers).collect();
                texts.join("|")
            });
            words.collect::<Vec<_>>().join(", ")
        });
        if said.as_deref() != want {
            failed.push(format!("{pieces:?}: {said:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn errors_name_the_line() {
    let tokens = Tokens::parse(TOKENS).unwrap();
    let cases = [
        ("t", SOUNDS, "lexicon.txt.gz: line 1: there is no tab"),
        (
            "t\tt\nt\tk",
            SOUNDS,
            "lexicon.txt.gz: line 2: `t` is there twice",
        ),
        (
            "s\tt",
            SOUNDS,
            "lexicon.txt.gz: line 1: `s` is no token, and no word",
        ),
        (
            "t\tt\n▁the▁\tð ʌ",
            SOUNDS,
            "lexicon.txt.gz: line 2: `ʌ` is not in sounds.txt",
        ),
        (
            "▁the▁\tt\n▁a▁\tə\n▁the▁\tð ə",
            SOUNDS,
            "the word `the` is there twice",
        ),
        ("", "", "sounds.txt: there are no sounds"),
        ("", "a\nb\na", "sounds.txt: line 3: `a` is there twice"),
    ];
    let mut failed = Vec::new();
    for (lexicon, sounds, want) in cases {
        match Lexicon::parse(lexicon, sounds, &tokens) {
            Err(error)
                if error.kind() == ModelErrorKind::Format && error.to_string().contains(want) => {}
            Err(error) => failed.push(format!("{want}: {error}")),
            Ok(_) => failed.push(format!("{want}: read")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
