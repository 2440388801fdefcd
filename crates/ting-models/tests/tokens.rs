//! `tokens.txt`.

use ting_models::{Languages, Readings, Tokens};

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

#[test]
fn readings_are_found_and_bad_files_refused() {
    let tokens = Tokens::parse("<blank>\n行\tzh\n形\tzh\n杭\tzh\nの\tja").unwrap();
    let text = "行\txing2 hang2\n形\txing2\n杭\thang2\n刑\txing2\n醒\txing3\n";
    let readings = Readings::parse(text, &tokens).unwrap();
    let of = |token: &str| -> Vec<u16> {
        let pairs = readings.of(tokens.id(token).unwrap());
        pairs.iter().map(|(_, syllable)| *syllable).collect()
    };
    assert_eq!(of("行").len(), 2);
    assert_eq!(of("形"), of("行")[..1]);
    assert_eq!(of("杭"), of("行")[1..]);
    assert_eq!(of("の"), [] as [u16; 0]);
    assert_eq!(
        (readings.syllables(), readings.toneless_syllables()),
        (2, 2)
    );
    // 刑 is no token, and sounds like 行; nothing sounds like 醒 with its tone.
    assert_eq!(readings.stand_in('刑'), tokens.id("行"));
    assert_eq!(readings.stand_in('醒'), None);
    assert_eq!(readings.of(tokens.len() + 7), []);
    let bad = [
        ("行 xing2\n", "line 1: there is no tab"),
        (
            "行\txing2\n形\t \n",
            "line 2: the character has no syllable",
        ),
        (
            "行\txing2\n行\thang2\n",
            "line 2: the character is there twice",
        ),
    ];
    let failed: Vec<_> = bad
        .iter()
        .filter(|(text, message)| {
            let error = Readings::parse(text, &tokens).map(|_| ());
            !error.is_err_and(|error| error.to_string().contains(message))
        })
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}
