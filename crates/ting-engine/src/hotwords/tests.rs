//! Lists of hotwords in the beam, on made-up rows.

use std::sync::Arc;

use ting_models::{Readings, Tokens};

use super::{Graph, GraphOptions};
use crate::api::{Hotword, Language};
use crate::beam::{Beam, BeamOptions};
use crate::posteriors::{Frame, Look};
use crate::words::{TimedToken, join};

const LIST: [&str; 14] = [
    "<blank>", "▁an", "n", "a", "▁", "'", "s", "▁bo", "b", "甲", "乙", "丙", "价", "。",
];

fn tokens() -> Tokens {
    let lines: Vec<String> = LIST
        .iter()
        .map(|token| match token.chars().next() {
            Some('<' | '。') => (*token).to_owned(),
            Some('甲' | '乙' | '丙' | '价') => format!("{token}\tzh"),
            _ => format!("{token}\ten"),
        })
        .collect();
    Tokens::parse(&lines.join("\n")).unwrap()
}

fn readings(tokens: &Tokens) -> Readings {
    Readings::parse("甲\tjia3\n乙\tyi3\n丙\tbing3\n价\tjia4\n", tokens).unwrap()
}

fn hotword(text: &str, weight: u8) -> Hotword {
    Hotword {
        text: text.to_owned(),
        weight,
        language: None,
    }
}

/// A row of log probabilities: `said` as (token, P) pairs, the rest of the probability on the blank.
fn row(tokens: &Tokens, said: &[(&str, f32)]) -> Vec<f32> {
    let mut row = vec![1e-7; tokens.len()];
    for (token, p) in said {
        row[tokens.id(token).unwrap()] = *p;
    }
    row[0] = 1.0 - row[1..].iter().sum::<f32>();
    row.iter().map(|p: &f32| p.ln()).collect()
}

/// What a beam of two writes for `rows` with the hotwords `list`.
fn write(rows: &[&[(&str, f32)]], list: &[(&str, u8)]) -> String {
    write_with(rows, list, 0.0)
}

/// The same with this bonus for each token.
fn write_with(rows: &[&[(&str, f32)]], list: &[(&str, u8)], token_bonus: f32) -> String {
    let tokens = tokens();
    let readings = readings(&tokens);
    let list: Vec<Hotword> = list
        .iter()
        .map(|(text, weight)| hotword(text, *weight))
        .collect();
    let options = GraphOptions {
        tokens: &tokens,
        readings: Some(&readings),
        names: None,
        allowed: None,
    };
    let graph = Arc::new(Graph::new(options, &list, &[]));
    assert_eq!(graph.ineffective, []);
    let options = BeamOptions {
        width: 2,
        lm_weight: 0.0,
        token_bonus,
    };
    let mut beam = Beam::new(options, None, Arc::clone(&graph));
    for said in rows {
        let look = Look {
            blank: 0,
            allowed: None,
            hot: &graph.sounds,
            readings: Some(&readings),
        };
        beam.advance(&Frame::new(&row(&tokens, said), look), None);
    }
    let symbols = beam.best();
    let timed: Vec<TimedToken<'_>> = symbols
        .iter()
        .map(|symbol| TimedToken {
            token: symbol.token,
            spelling: symbol.spelling.as_deref(),
            begin_ms: 0,
            end_ms: 0,
        })
        .collect();
    let mut words = join(&tokens, &timed);
    let filter = ting_text::WordFilter::default();
    let options = ting_text::Options {
        inverse_text_normalization: true,
        disfluency_removal: false,
        filter: &filter,
    };
    ting_text::rewrite(&mut words, &options);
    ting_text::join(&words)
}

#[test]
fn words_of_the_list_win_where_they_may_have_been_said() {
    struct Case {
        name: &'static str,
        rows: &'static [&'static [(&'static str, f32)]],
        list: &'static [(&'static str, u8)],
        want: &'static str,
    }
    // One frame between the tokens is surely blank.
    const SILENCE: &[(&str, f32)] = &[];
    let cases = [
        Case {
            name: "without a list the likely wins",
            rows: &[&[("乙", 0.9), ("丙", 0.02)], SILENCE, &[("甲", 0.9)]],
            list: &[],
            want: "乙甲",
        },
        Case {
            name: "a list makes the unlikely win",
            rows: &[&[("乙", 0.9), ("丙", 0.02)], SILENCE, &[("甲", 0.9)]],
            list: &[("丙甲", 50)],
            want: "丙甲",
        },
        Case {
            name: "the beginning of a word gains nothing",
            rows: &[&[("乙", 0.9), ("丙", 0.05)], SILENCE, &[("乙", 0.9)]],
            list: &[("丙甲", 5)],
            want: "乙乙",
        },
        Case {
            name: "nor does its end",
            rows: &[&[("乙", 0.9), ("甲", 0.05)], SILENCE, &[("丙", 0.9)]],
            list: &[("乙甲", 5), ("甲乙", 5)],
            want: "乙丙",
        },
        Case {
            name: "what is hardly there is not written",
            rows: &[&[("乙", 0.9)], SILENCE, &[("甲", 0.9)]],
            list: &[("丙丙", 3)],
            want: "乙甲",
        },
        Case {
            name: "the longer of two that begin alike",
            rows: &[
                &[("乙", 0.6), ("丙", 0.2)],
                SILENCE,
                &[("甲", 0.9)],
                SILENCE,
                &[("甲", 0.5), ("乙", 0.2)],
            ],
            list: &[("丙甲", 5), ("丙甲乙", 5)],
            want: "丙甲乙",
        },
        Case {
            name: "the shorter if only it was said",
            rows: &[
                &[("乙", 0.6), ("丙", 0.2)],
                SILENCE,
                &[("甲", 0.9)],
                SILENCE,
                &[("丙", 0.9)],
            ],
            list: &[("丙甲", 3), ("丙甲乙", 3)],
            want: "丙甲丙",
        },
        Case {
            name: "a word inside the failed beginning of another",
            rows: &[
                &[("乙", 0.9)],
                SILENCE,
                &[("甲", 0.6), ("乙", 0.2)],
                SILENCE,
                &[("丙", 0.9)],
                SILENCE,
                &[("丙", 0.9)],
            ],
            list: &[("乙乙丙甲", 4), ("乙丙", 4)],
            want: "乙乙丙丙",
        },
        Case {
            name: "two words in a row",
            rows: &[
                &[("乙", 0.6), ("丙", 0.2)],
                &[("甲", 0.9)],
                SILENCE,
                &[("乙", 0.6), ("丙", 0.2)],
                &[("甲", 0.9)],
            ],
            list: &[("丙甲", 4)],
            want: "丙甲丙甲",
        },
        Case {
            name: "a repeated token needs a blank between",
            rows: &[&[("丙", 0.6), ("乙", 0.3)], &[("丙", 0.6), ("乙", 0.3)]],
            list: &[("丙丙", 3)],
            want: "丙",
        },
        Case {
            name: "and is found with one",
            rows: &[
                &[("乙", 0.6), ("丙", 0.3)],
                SILENCE,
                &[("乙", 0.6), ("丙", 0.3)],
            ],
            list: &[("丙丙", 3)],
            want: "丙丙",
        },
        Case {
            name: "the word before may end in the token the next begins with",
            rows: &[
                &[("丙", 0.9)],
                SILENCE,
                &[("丙", 0.4), ("乙", 0.5)],
                &[("甲", 0.9)],
            ],
            list: &[("丙甲", 4)],
            want: "丙丙甲",
        },
        Case {
            name: "a character is found by its sound, in another tone too",
            rows: &[&[("乙", 0.9)], SILENCE, &[("价", 0.9)]],
            list: &[("乙甲", 5)],
            want: "乙甲",
        },
        Case {
            name: "letters are written as the list has them",
            rows: &[&[("▁an", 0.7)], &[("n", 0.2), ("a", 0.7)], &[("。", 0.8)]],
            list: &[("ANN", 4)],
            want: "ANN.",
        },
        Case {
            name: "any tokens that spell it will do",
            rows: &[
                &[("▁", 0.9)],
                &[("b", 0.9)],
                &[("▁an", 0.6), ("a", 0.2)],
                &[("n", 0.9)],
            ],
            list: &[("Ban", 3)],
            want: "Ban",
        },
        Case {
            name: "a word of letters is whole",
            rows: &[&[("▁an", 0.9)], &[("a", 0.95)]],
            list: &[("An", 1)],
            want: "Ana",
        },
        Case {
            name: "but may have an 's",
            rows: &[&[("▁an", 0.9)], &[("'", 0.9)], &[("s", 0.9)]],
            list: &[("AN", 4)],
            want: "AN's",
        },
    ];
    let mut failed = Vec::new();
    for case in cases {
        let got = write(case.rows, case.list);
        if got != case.want {
            failed.push(format!("{}: got {got:?}, want {:?}", case.name, case.want));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The least weight that makes 丙甲 win against 乙甲 by a search with `token_bonus`, for rising odds (natural log) against it.
fn least_weights(token_bonus: f32) -> Vec<Option<u8>> {
    let least = |odds: f32| {
        [1, 2, 3, 4, 5, 50].into_iter().find(|weight| {
            let rows: [&[(&str, f32)]; 2] = [
                &[("乙", 0.49), ("丙", 0.49 * (-odds).exp())],
                &[("甲", 0.9)],
            ];
            write_with(&rows, &[("丙甲", *weight)], token_bonus) == "丙甲"
        })
    };
    (0..22).map(|i| least(0.2 * i as f32)).collect()
}

#[test]
fn a_greater_bonus_for_tokens_is_the_hotwords_too() {
    // Without a language model the bonus alone stands against the gain, which is less: only the greatest weights win.
    let weights = least_weights(2.8);
    assert_eq!(least_weights(4.0), weights);
    assert_ne!(least_weights(2.0), weights);
}

#[test]
fn more_weight_wins_more() {
    let weights = least_weights(0.0);
    let mut seen: Vec<Option<u8>> = weights.clone();
    seen.dedup();
    assert_eq!(seen, [1, 2, 3, 4, 5, 50].map(Some), "{weights:?}");
}

#[test]
fn what_cannot_be_written_is_named() {
    let tokens = tokens();
    let chinese: Vec<bool> = (0..tokens.len())
        .map(|token| token == 0 || tokens.is_cjk(token))
        .collect();
    type Case<'a> = (&'a str, Option<&'a [bool]>, Option<&'a str>);
    let cases: [Case<'_>; 9] = [
        ("甲乙", None, None),
        ("甲、乙！", None, None),
        ("Ann甲", None, None),
        ("Änn", None, None),
        ("甲龘", None, Some("the model cannot write 龘")),
        ("bq", None, Some("the model cannot write q")),
        ("？…", None, Some("it has nothing that is spoken")),
        ("甲", Some(&chinese), None),
        (
            "ann",
            Some(&chinese),
            Some("its language is not among the languages of the task"),
        ),
    ];
    let mut failed = Vec::new();
    for (text, allowed, want) in cases {
        let options = GraphOptions {
            tokens: &tokens,
            readings: None,
            names: None,
            allowed,
        };
        let graph = Graph::new(options, &[hotword(text, 4)], &[]);
        let got: Vec<(&str, &str)> = graph
            .ineffective
            .iter()
            .map(|word| (word.text.as_str(), word.reason.as_str()))
            .collect();
        if got
            != want
                .map(|reason| (text, reason))
                .into_iter()
                .collect::<Vec<_>>()
        {
            failed.push(format!("{text}: got {got:?}, want {want:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn sound_counts_for_chinese_only() {
    let tokens = tokens();
    let readings = readings(&tokens);
    let sounds = |language| {
        let word = Hotword {
            language,
            ..hotword("甲", 4)
        };
        let options = GraphOptions {
            tokens: &tokens,
            readings: Some(&readings),
            names: None,
            allowed: None,
        };
        Graph::new(options, &[word], &[]).words[0].spelling.arcs[0]
            .target
            .sound
    };
    let got = [
        None,
        Some(Language::Chinese),
        Some(Language::English),
        Some(Language::Japanese),
    ]
    .map(sounds);
    assert_eq!(got, [true, true, true, false]);
}
