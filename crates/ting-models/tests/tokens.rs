//! `tokens.txt`.

use ting_models::{Languages, Tokens};

#[test]
fn tokens_know_what_they_are() {
    let list = "<blank>\n，\n▁the\ten\ning\ten\n愛\tja,zh\nー\tja\n国\tzh, ja\n们\tzh\n？\n'\n";
    let tokens = Tokens::parse(list).unwrap();
    // piece, text, cjk, punctuation, starts a word, in zh, in en, in ja
    let cases = [
        ("<blank>", "", false, false, false, true, true, true),
        ("，", "，", false, true, false, true, true, true),
        ("▁the", "the", false, false, true, false, true, false),
        ("ing", "ing", false, false, false, false, true, false),
        ("愛", "愛", true, false, true, true, false, true),
        ("ー", "ー", true, false, true, false, false, true),
        ("国", "国", true, false, true, true, false, true),
        ("们", "们", true, false, true, true, false, false),
        ("？", "？", false, true, false, true, true, true),
        ("'", "'", false, false, false, true, true, true),
    ];
    assert_eq!(tokens.len(), cases.len());
    let masks =
        [Languages::CHINESE, Languages::ENGLISH, Languages::JAPANESE].map(|l| tokens.mask(l));
    let mut failures = Vec::new();
    for (id, case) in cases.into_iter().enumerate() {
        let found = (
            tokens.piece(id),
            tokens.text(id),
            tokens.is_cjk(id),
            tokens.is_punctuation(id),
            tokens.starts_word(id),
            masks[0][id],
            masks[1][id],
            masks[2][id],
        );
        if found != case || tokens.id(case.0) != Some(id) {
            failures.push(format!("{found:?}, not {case:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(tokens.mask(Languages::ALL).iter().all(|used| *used));
    let either = tokens.mask(Languages::CHINESE | Languages::ENGLISH);
    assert_eq!(
        either.iter().filter(|used| !**used).count(),
        1,
        "only the long vowel mark is neither"
    );
    assert_eq!(
        (tokens.text(99), tokens.piece(99), tokens.id("no")),
        ("", "", None)
    );
}

#[test]
fn wrong_lists_name_the_line() {
    let many: String = (0..65_536).map(|i| format!("t{i}\n")).collect();
    let cases = [
        ("", "no tokens"),
        ("<blank>\n\na\n", "line 2"),
        ("<blank>\na\nb\na\n", "line 4: `a` is already token 1"),
        ("<blank>\na\tfr\n", "line 2: unknown language `fr`"),
        (many.as_str(), "more than 65535"),
    ];
    let mut failures = Vec::new();
    for (list, part) in cases {
        match Tokens::parse(list) {
            Err(error) if error.to_string().contains(part) => {}
            other => failures.push(format!("{part}: {:?}", other.map(|t| t.len()))),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
