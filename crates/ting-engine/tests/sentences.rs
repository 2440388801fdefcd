//! Where sentences end, on audio built from speech and silence of known lengths.

mod common;

use common::{finals, model, options, pcm, phrase, run, silence, spoken, spoken_opus};
use ting_engine::{
    Event, Format, Recognizer, SEMANTIC_SILENCE_MS, Sentence, TaskOptions, segments,
    speech_probabilities,
};

/// How far the detector's idea of where speech begins or ends may be from the samples', in ms.
const NEAR_MS: u64 = 250;

/// `ms` of speech without a pause.
fn speech_of(ms: usize) -> Vec<i16> {
    phrase().into_iter().cycle().take(16 * ms).collect()
}

fn probabilities(samples: &[i16]) -> Vec<f32> {
    let samples: Vec<f32> = samples.iter().map(|x| f32::from(*x) / 32768.0).collect();
    speech_probabilities(&model(), &samples)
}

/// The silence that ends a sentence of `spoken_ms`, as docs/wire.md has it.
fn documented_silence(options: &TaskOptions, spoken_ms: u64) -> u64 {
    let most = f64::from(options.max_sentence_silence_ms);
    if !options.multi_threshold {
        return most as u64;
    }
    let grown = ((spoken_ms as f64 - 5000.0) / 10_000.0).clamp(0.0, 1.0);
    (most - (most - 200.0) * grown) as u64
}

#[test]
fn sentences_end_as_calculated() {
    const BEFORE_MS: usize = 300;
    const AFTER_MS: usize = 1500;
    let mut failed = Vec::new();
    let mut ran = 0;
    for spoken_ms in [2000usize, 7500, 10_200] {
        for max_sentence_silence_ms in [200, 500, 800, 1300, 3000, 6000] {
            for multi_threshold in [false, true] {
                let options = TaskOptions {
                    max_sentence_silence_ms,
                    multi_threshold,
                    ..options()
                };
                let limit = documented_silence(&options, spoken_ms as u64);
                for (gap_ms, want) in [
                    (limit.saturating_sub(NEAR_MS).max(20), 1),
                    (limit + NEAR_MS, 2),
                ] {
                    let gap = silence(gap_ms as usize);
                    let speech = speech_of(spoken_ms);
                    let parts = [
                        silence(BEFORE_MS),
                        speech.clone(),
                        gap,
                        phrase(),
                        silence(AFTER_MS),
                    ];
                    let ends: Vec<u64> = [1, 3]
                        .map(|part| parts[..=part].iter().map(Vec::len).sum::<usize>() as u64 / 16)
                        .into();
                    let got = segments(&probabilities(&parts.concat()), &options);
                    let at = |segment: &std::ops::Range<u64>, want: u64| {
                        segment.end.abs_diff(want) <= NEAR_MS
                    };
                    let right = got.len() == want
                        && got.last().is_some_and(|last| at(last, ends[1]))
                        && (want == 1 || at(&got[0], ends[0]));
                    ran += 1;
                    if !right {
                        failed.push(format!(
                            "{spoken_ms} ms of speech, silence {max_sentence_silence_ms} (multi {multi_threshold}: {limit}), \
                             gap {gap_ms}: {got:?}, want {want} with ends of {ends:?}"
                        ));
                    }
                }
            }
        }
    }
    assert_eq!(ran, 72);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn silence_ends_a_sentence_to_the_frame() {
    let mut failed = Vec::new();
    for gap_ms in [400, 900, 1500, 3100, 5800] {
        let audio = [
            silence(300),
            phrase(),
            silence(gap_ms),
            phrase(),
            silence(300),
        ]
        .concat();
        let probabilities = probabilities(&audio);
        let with = |max_sentence_silence_ms: u64| {
            let max_sentence_silence_ms = max_sentence_silence_ms as u32;
            let options = TaskOptions {
                max_sentence_silence_ms,
                ..options()
            };
            segments(&probabilities, &options)
        };
        let [first, second] = &with(200)[..] else {
            panic!("{:?}", with(200))
        };
        // What the detector hears of the gap.
        let heard = second.start - first.end;
        assert!(
            heard.abs_diff(gap_ms as u64) <= 2 * NEAR_MS,
            "{heard} of {gap_ms}"
        );
        for (limit, want) in [
            (heard - 10, 2),
            (heard, 2),
            (heard + 1, 1),
            (heard + 10, 1),
            (200, 2),
            (6000, 1),
        ] {
            let got = with(limit);
            let ends_right = got.last()
                == Some(&(if want == 2 { second.start } else { first.start }..second.end));
            if got.len() != want || !ends_right {
                failed.push(format!(
                    "gap {gap_ms}, heard {heard}, limit {limit}: {got:?}"
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_recogniser_ends_sentences_where_the_segments_end() {
    let model = model();
    let audio = [
        silence(300),
        speech_of(7500),
        silence(900),
        phrase(),
        silence(2500),
        phrase(),
        silence(400),
    ]
    .concat();
    let probabilities = probabilities(&audio);
    let mut failed = Vec::new();
    for (max_sentence_silence_ms, multi_threshold, want) in [
        (200, false, 3),
        (1300, false, 2),
        // 1300 ms shrink to about a second after 7.5 s of speech: 900 ms are not enough, 750 would be.
        (1300, true, 2),
        (1000, true, 3),
        (6000, false, 1),
    ] {
        let options = TaskOptions {
            max_sentence_silence_ms,
            multi_threshold,
            ..options()
        };
        let events = run(&model, &options, &pcm(&audio), &[3200]);
        let got: Vec<u64> = finals(&events).iter().map(|s| s.end_ms).collect();
        let segments = segments(&probabilities, &options);
        let ends: Vec<u64> = segments.iter().map(|segment| segment.end).collect();
        // The last word may reach a little beyond the detector's last frame.
        let near = got.len() == ends.len()
            && got
                .iter()
                .zip(&ends)
                .all(|(got, end)| got.abs_diff(*end) <= NEAR_MS);
        if ends.len() != want || !near {
            failed.push(format!(
                "{max_sentence_silence_ms}, {multi_threshold}: {got:?}, segments end at {ends:?}, want {want}"
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Six English sentences, `gap_ms` apart.
fn sentences(gap_ms: usize) -> Vec<i16> {
    let names = ["06", "07", "08", "09", "10", "11"];
    let mut audio = silence(300);
    for name in names {
        audio.extend(spoken(&format!("en-spoken-{name}")));
        audio.extend(silence(gap_ms));
    }
    audio.extend(silence(400));
    audio
}

fn semantic() -> TaskOptions {
    TaskOptions {
        semantic: true,
        ..options()
    }
}

fn all_words(sentences: &[&Sentence]) -> usize {
    sentences.iter().map(|sentence| sentence.words.len()).sum()
}

#[test]
fn meaning_ends_sentences_in_running_speech() {
    let model = model();
    let audio = pcm(&sentences(300));
    let by_silence = run(&model, &options(), &audio, &[3200]);
    let events = run(&model, &semantic(), &audio, &[3200]);
    let got = finals(&events);
    // A pause of 300 ms ends nothing by itself; that there are more says that marks did.
    assert_eq!(finals(&by_silence).len(), 1);
    assert!(got.len() >= 3, "{got:#?}");
    let (words, whole) = (all_words(&got), all_words(&finals(&by_silence)));
    assert!(
        words * 10 >= whole * 8 && words * 10 <= whole * 12,
        "{words} of {whole} words"
    );
    for pair in got.windows(2) {
        assert!(pair[0].end_ms <= pair[1].begin_ms, "{pair:#?}");
        assert!(
            pair[1].begin_ms - pair[0].end_ms < 1000,
            "nothing is lost between: {pair:#?}"
        );
        assert_eq!(pair[1].id, pair[0].id + 1);
    }
    for sentence in &got {
        if let (Some(first), Some(last)) = (sentence.words.first(), sentence.words.last()) {
            assert!(sentence.begin_ms <= first.begin_ms && last.end_ms <= sentence.end_ms);
        }
    }
    // The first ends long before the audio does: once the words after it have told that it ended.
    let early = events.iter().find_map(|event| match event {
        Event::Final { sentence, audio_ms } => Some(audio_ms - sentence.end_ms),
        _ => None,
    });
    assert!(early.is_some_and(|wait| wait < 4_000), "{early:?}");
}

#[test]
fn two_seconds_of_silence_end_a_sentence_whatever_it_means() {
    let model = model();
    let limit = u64::from(SEMANTIC_SILENCE_MS);
    for (gap_ms, ends) in [(limit - NEAR_MS, false), (limit + NEAR_MS, true)] {
        let before = [silence(300), phrase()].concat();
        let next_ms = before.len() as u64 / 16 + gap_ms;
        let audio = [before, silence(gap_ms as usize), phrase(), silence(300)].concat();
        let events = run(&model, &semantic(), &pcm(&audio), &[3200]);
        let in_the_gap = events
            .iter()
            .filter(|event| matches!(event, Event::Final { audio_ms, .. } if *audio_ms <= next_ms))
            .count();
        assert_eq!(
            in_the_gap,
            usize::from(ends),
            "gap of {gap_ms} ms: {events:#?}"
        );
    }
}

#[test]
fn meaning_knows_no_other_silence() {
    let model = model();
    let audio = pcm(&sentences(500));
    let want = run(&model, &semantic(), &audio, &[audio.len()]);
    for (max_sentence_silence_ms, multi_threshold) in [(200, false), (6000, true)] {
        let options = TaskOptions {
            max_sentence_silence_ms,
            multi_threshold,
            ..semantic()
        };
        assert!(run(&model, &options, &audio, &[audio.len()]) == want);
    }
}

#[test]
fn pace_changes_nothing() {
    let model = model();
    // Longer than a segment may be, with pauses of several lengths.
    let [one, two, three] = ["06", "07", "10"].map(|name| spoken(&format!("en-spoken-{name}")));
    let audio = [
        sentences(300),
        silence(100),
        one,
        silence(1500),
        two,
        silence(700),
        three,
        silence(250),
    ];
    let audio = pcm(&audio.concat());
    let mut failed = Vec::new();
    for (name, options) in [
        (
            "silence of 200 ms",
            TaskOptions {
                max_sentence_silence_ms: 200,
                ..options()
            },
        ),
        (
            "multi_threshold",
            TaskOptions {
                multi_threshold: true,
                ..options()
            },
        ),
        ("semantic", semantic()),
    ] {
        let burst = run(&model, &options, &audio, &[audio.len()]);
        // 100 ms at a time, as in real time; what a file sender sends; and any.
        for cuts in [&[3200][..], &[12_800], &[333, 1, 4001]] {
            if run(&model, &options, &audio, cuts) != burst {
                failed.push(format!("{name}, {cuts:?}"));
            }
        }
        assert!(finals(&burst).len() > 2, "{name}");
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn fixed_words_stay() {
    let model = model();
    let audio = pcm(&sentences(300));
    for options in [options(), semantic()] {
        let mut fixed: Vec<(String, String)> = Vec::new();
        let mut most = 0;
        for event in run(&model, &options, &audio, &[3200]) {
            match event {
                Event::Partial { sentence } => {
                    assert!(
                        sentence.fixed >= fixed.len() && sentence.fixed <= sentence.words.len()
                    );
                    let words = sentence.words.iter().take(sentence.fixed);
                    let now: Vec<_> = words
                        .map(|word| (word.text.clone(), word.punctuation.clone()))
                        .collect();
                    assert!(now.starts_with(&fixed), "{fixed:?}\n{now:?}");
                    let stash = sentence.stash();
                    assert!(
                        sentence.text.ends_with(&stash),
                        "{} / {stash}",
                        sentence.text
                    );
                    most = most.max(now.len());
                    fixed = now;
                }
                Event::Final { sentence, .. } => {
                    assert_eq!(sentence.fixed, sentence.words.len());
                    fixed.clear();
                }
                _ => {}
            }
        }
        assert!(most >= 4, "{most} words were fixed at most");
    }
}

#[test]
fn silence_is_judged_on_samples() {
    struct Case {
        name: &'static str,
        format: Format,
        bytes: Vec<u8>,
        /// From and to, in ms.
        want: (u64, u64),
    }
    let case = |name, samples: Vec<i16>, want| Case {
        name,
        format: Format::Pcm,
        bytes: pcm(&samples),
        want,
    };
    let dither: Vec<i16> = (0..16_000).map(|i| [0, 1, -1, 3, -8][i % 5]).collect();
    let faint: Vec<i16> = (0..16_000).map(|i| [0, 9, -9][i % 3]).collect();
    let cases = [
        case("nothing", vec![], (0, 0)),
        case("zeros", silence(1234), (1234, 1234)),
        case("dither and the noise of a codec", dither, (1000, 1000)),
        case("faint noise", faint, (0, 1)),
        case(
            "speech, then silence",
            [phrase(), silence(700)].concat(),
            (700, 701),
        ),
        case(
            "silence, then speech",
            [silence(700), phrase()].concat(),
            (0, 1),
        ),
        Case {
            name: "Opus, whose recording ends with 250 ms of silence",
            format: Format::Opus,
            bytes: spoken_opus("en-spoken-06"),
            want: (80, 300),
        },
    ];
    let model = model();
    let mut failed = Vec::new();
    for case in cases {
        let options = TaskOptions::new(case.format, 16_000);
        let mut recognizer = Recognizer::new(std::sync::Arc::clone(&model), options).unwrap();
        recognizer.push(&case.bytes, &mut Vec::new());
        let got = recognizer.silence_ms();
        if !(case.want.0..=case.want.1).contains(&got) {
            failed.push(format!("{}: {got} ms, want {:?}", case.name, case.want));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
