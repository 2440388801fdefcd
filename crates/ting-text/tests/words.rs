//! What becomes of the words themselves: their times and marks, and the words that are filtered.

mod common;

use common::{WORD_MS, words};
use ting_text::{Options, Word, WordFilter, join, rewrite};

fn rewritten(text: &str, disfluency_removal: bool, filter: &WordFilter) -> Vec<Word> {
    let mut words = words(text);
    rewrite(
        &mut words,
        &Options {
            inverse_text_normalization: true,
            disfluency_removal,
            filter,
        },
    );
    words
}

/// Each word as its text, first and last spoken word, and mark: `25 2-4`, `。` after the mark.
fn shown(words: &[Word]) -> String {
    let shown: Vec<String> = words
        .iter()
        .map(|word| {
            format!(
                "{}{}@{}-{}",
                word.text,
                word.punctuation,
                word.begin_ms / WORD_MS,
                word.end_ms / WORD_MS
            )
        })
        .collect();
    shown.join(" ")
}

#[test]
fn merged_words_keep_their_times_and_mark() {
    let cases = [
        ("他二十五。", "他@0-1 25。@1-4"),
        ("二零二五年三月", "2025@0-4 年@4-5 3@5-6 月@6-7"),
        ("百分之二十到三十。", "20%@0-5 到@5-6 30%。@6-8"),
        ("三加五等于八，好", "3+5=8，@0-6 好@6-7"),
        ("two plus two", "2@0-1 +@1-2 2@2-3"),
        ("three thirty p m。ok", "3:30@0-2 p.m..@2-4 OK@4-5"),
        (
            "march third twenty twenty five",
            "March@0-1 3rd,@1-2 2025@2-5",
        ),
        ("three million dollars", "$3@0-1 million@1-3"),
        ("i b m", "IBM@0-3"),
        // A mark between them keeps numbers apart.
        ("二十，五", "20，@0-2 五@2-3"),
    ];
    let filter = WordFilter::default();
    let mut failed = Vec::new();
    for (text, expected) in cases {
        let got = shown(&rewritten(text, false, &filter));
        if got != expected {
            failed.push(format!("{text}: got {got}, want {expected}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn marks_of_removed_words_move() {
    let cases = [
        ("嗯，我，呃，想。", "我，@1-2 想。@3-4"),
        ("我想嗯。", "我@0-1 想。@1-2"),
        ("我，我想", "我@1-2 想@2-3"),
        ("um i see", "I@1-2 see@2-3"),
    ];
    let filter = WordFilter::default();
    let mut failed = Vec::new();
    for (text, expected) in cases {
        let got = shown(&rewritten(text, true, &filter));
        if got != expected {
            failed.push(format!("{text}: got {got}, want {expected}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_filler_may_be_followed_by_a_pause_instead_of_a_mark() {
    let filter = WordFilter::default();
    let options = Options {
        inverse_text_normalization: true,
        disfluency_removal: true,
        filter: &filter,
    };
    for (pause_ms, expected) in [(300, "我想"), (299, "啊我想")] {
        let mut words = words("啊我想");
        for word in &mut words[1..] {
            word.begin_ms += pause_ms;
            word.end_ms += pause_ms;
        }
        rewrite(&mut words, &options);
        assert_eq!(join(&words), expected, "{pause_ms} ms");
    }
}

#[test]
fn listed_words_are_hidden_or_left_out() {
    struct Case {
        masked: &'static [&'static str],
        removed: &'static [&'static str],
        spoken: &'static str,
        text: &'static str,
        words: &'static str,
    }
    let cases = [
        Case {
            masked: &["测试"],
            removed: &["开始"],
            spoken: "现在开始测试，好。",
            text: "现在**，好。",
            words: "现@0-1 在@1-2 **，@4-6 好。@6-7",
        },
        Case {
            masked: &["测试"],
            removed: &[],
            spoken: "测试测试",
            text: "****",
            words: "****@0-4",
        },
        Case {
            // No match across a mark.
            masked: &["测试"],
            removed: &[],
            spoken: "测，试",
            text: "测，试",
            words: "测，@0-1 试@1-2",
        },
        Case {
            // In any case, and as whole words only.
            masked: &["Ass", "HELL"],
            removed: &[],
            spoken: "ass class hello hell",
            text: "*** class hello ****",
            words: "***@0-1 class@1-2 hello@2-3 ****@3-4",
        },
        Case {
            masked: &["hello world"],
            removed: &[],
            spoken: "say hello world now",
            text: "Say ***** ***** now",
            words: "Say@0-1 *****@1-2 *****@2-3 now@3-4",
        },
        Case {
            // The next word begins the sentence.
            masked: &[],
            removed: &["well"],
            spoken: "well，i see。well。",
            text: "I see.",
            words: "I@1-2 see.@2-3",
        },
        Case {
            // The longest match counts; what is in both lists is left out.
            masked: &["北京", "北京大学"],
            removed: &["北京"],
            spoken: "北京北京大学",
            text: "****",
            words: "****@2-6",
        },
        Case {
            // The text as it is written.
            masked: &["25", "二十"],
            removed: &[],
            spoken: "有二十五个",
            text: "有**个",
            words: "有@0-1 **@1-4 个@4-5",
        },
        Case {
            // Part of what is one word in writing.
            masked: &["ai 技"],
            removed: &[],
            spoken: "我学 ai 技术",
            text: "我学** *术",
            words: "我@0-1 学@1-2 **@2-3 *@3-4 术@4-5",
        },
        Case {
            masked: &[],
            removed: &["你好", "ok"],
            spoken: "你好。ok？",
            text: "",
            words: "",
        },
        Case {
            masked: &["", "  "],
            removed: &[],
            spoken: "好",
            text: "好",
            words: "好@0-1",
        },
    ];
    let mut failed = Vec::new();
    for case in cases {
        let filter = WordFilter::new(case.masked, case.removed);
        let mut words = rewritten(case.spoken, false, &filter);
        let got = (join(&words), shown(&words));
        if (got.0.as_str(), got.1.as_str()) != (case.text, case.words) {
            failed.push(format!("{}: {got:?}", case.spoken));
        }
        let once = words.clone();
        rewrite(
            &mut words,
            &Options {
                inverse_text_normalization: true,
                disfluency_removal: false,
                filter: &filter,
            },
        );
        if words != once {
            failed.push(format!("{}: a second pass changes it", case.spoken));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
