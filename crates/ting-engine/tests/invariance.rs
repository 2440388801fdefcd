//! The events of a task depend on its samples and options alone.

mod common;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use common::{finals, model, options, pcm, run, silence, speech};
use ting_engine::{Engine, EngineErrorKind, EngineOptions, Event, Format, Recognizer, TaskOptions};

fn two_sentences() -> Vec<i16> {
    [
        silence(400),
        speech("hello_en.wav"),
        silence(1700),
        speech("hello_zh.wav"),
        silence(600),
    ]
    .concat()
}

#[test]
fn cuts_change_nothing() {
    let model = model();
    let bytes = pcm(&two_sentences());
    let whole = run(&model, &options(), &bytes, &[bytes.len()]);
    assert_eq!(finals(&whole).len(), 2, "{whole:#?}");
    let cuts: [&[usize]; 6] = [&[1], &[7], &[333, 1, 4000], &[3200], &[12_800], &[65_536]];
    let differing: Vec<_> = cuts
        .iter()
        .filter(|cuts| run(&model, &options(), &bytes, cuts) != whole)
        .collect();
    assert!(
        differing.is_empty(),
        "cuts that changed events: {differing:?}"
    );
}

#[test]
fn partials_do_not_wait_for_the_detector() {
    // A segment begins 500 ms before its first frame of speech; a chunk is 180 ms of it, and a frame's window 25 ms.
    const LEAD_MS: u64 = 500;
    const CHUNK_MS: u64 = 180;
    const WINDOW_MS: u64 = 25;
    let mut recognizer = Recognizer::new(model(), options()).unwrap();
    let mut sound = silence(800);
    sound.extend(speech("hello_en.wav"));
    let (mut partials, mut open_ms) = (0, None);
    for (i, frame) in pcm(&sound).chunks(320).enumerate() {
        let mut events = Vec::new();
        recognizer.push(frame, &mut events);
        let heard_ms = 10 * (i as u64 + 1);
        for event in events {
            let Event::Partial { sentence } = event else {
                continue;
            };
            let start_ms = *open_ms.get_or_insert(sentence.begin_ms - LEAD_MS);
            let late_ms = (heard_ms - start_ms) % CHUNK_MS;
            assert!(late_ms <= WINDOW_MS + 10, "{late_ms} ms late at {heard_ms}");
            partials += 1;
        }
    }
    assert!(partials > 10, "{partials}");
}

#[test]
fn results_are_well_formed() {
    let model = model();
    let bytes = pcm(&two_sentences());
    let events = run(&model, &options(), &bytes, &[3200]);
    let audio_ms = bytes.len() as u64 / 32;
    let (mut id, mut first, mut partials) = (1, true, 0);
    for event in &events {
        let (sentence, is_final) = match event {
            Event::Partial { sentence } => (sentence, false),
            Event::Final {
                sentence,
                audio_ms: so_far,
            } => {
                assert!(
                    *so_far >= sentence.end_ms && *so_far <= audio_ms,
                    "{event:?}"
                );
                (sentence, true)
            }
            Event::Finished { audio_ms: all } => {
                assert_eq!(*all, audio_ms);
                continue;
            }
            Event::Failed(error) => panic!("{error}"),
        };
        assert_eq!(sentence.id, id);
        assert_eq!(sentence.first, first, "{sentence:?}");
        assert!(sentence.begin_ms <= sentence.end_ms);
        let mut at = sentence.begin_ms;
        for word in &sentence.words {
            assert!(
                at <= word.begin_ms && word.begin_ms <= word.end_ms,
                "{sentence:#?}"
            );
            at = word.end_ms;
        }
        assert!(at <= sentence.end_ms, "{sentence:#?}");
        let joined: String = sentence
            .words
            .iter()
            .map(|w| w.text.clone() + &w.punctuation)
            .collect();
        assert_eq!(joined, sentence.text.replace(' ', ""));
        first = is_final;
        id += u32::from(is_final);
        partials += u32::from(!is_final);
    }
    assert!(matches!(events.last(), Some(Event::Finished { .. })));
    assert!(
        partials > 20,
        "a partial at least every 200 ms of speech, not {partials} in all"
    );
}

#[test]
fn sessions_do_not_disturb_each_other() {
    let model = model();
    let inputs = [
        pcm(&two_sentences()),
        pcm(&[speech("hello_zh.wav"), silence(300)].concat()),
        pcm(&speech("hello_en.wav")),
    ];
    let alone: Vec<Vec<Event>> = inputs
        .iter()
        .map(|bytes| run(&model, &options(), bytes, &[bytes.len()]))
        .collect();
    let engine = Engine::start(
        Arc::clone(&model),
        EngineOptions {
            threads: 2,
            max_sessions: Some(16),
        },
    )
    .unwrap();
    let mut open = Vec::new();
    for turn in 0..4 {
        for (i, bytes) in inputs.iter().enumerate() {
            let (send, receive) = mpsc::channel();
            let session = engine
                .open(options(), move |event| {
                    let _ = send.send(event);
                })
                .unwrap();
            for part in bytes.chunks(1000 + 777 * turn) {
                session.push(part.to_vec());
            }
            session.finish();
            open.push((i, session, receive));
        }
    }
    for (i, session, receive) in open {
        let mut events = Vec::new();
        while !matches!(
            events.last(),
            Some(Event::Finished { .. } | Event::Failed(_))
        ) {
            events.push(receive.recv_timeout(Duration::from_secs(120)).unwrap());
        }
        assert_eq!(events, alone[i], "input {i}");
        assert_eq!(session.queued_bytes(), 0);
    }
    assert_eq!(engine.sessions(), 0, "closed sessions leave nothing behind");
}

#[test]
fn refuses_more_sessions_than_admitted() {
    let engine = Engine::start(
        model(),
        EngineOptions {
            threads: 1,
            max_sessions: Some(1),
        },
    )
    .unwrap();
    let first = engine.open(options(), |_| {}).unwrap();
    let error = engine.open(options(), |_| {}).unwrap_err();
    assert_eq!(error.kind(), EngineErrorKind::Busy);
    drop(first);
    assert!(engine.open(options(), |_| {}).is_ok());
}

#[test]
fn a_dropped_session_is_cancelled() {
    let engine = Engine::start(
        model(),
        EngineOptions {
            threads: 1,
            max_sessions: Some(4),
        },
    )
    .unwrap();
    let (send, receive) = mpsc::channel::<Event>();
    let session = engine
        .open(options(), move |event| send.send(event).unwrap())
        .unwrap();
    session.push(pcm(&speech("hello_en.wav")));
    drop(session);
    // The engine lets go of the sink, and so of the channel, without a last event.
    let ended = loop {
        match receive.recv_timeout(Duration::from_secs(60)) {
            Ok(Event::Finished { .. } | Event::Failed(_)) => break false,
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break true,
            Err(mpsc::RecvTimeoutError::Timeout) => break false,
        }
    };
    assert!(ended);
}

#[test]
fn bad_options_name_the_field_and_its_range() {
    struct Case {
        options: TaskOptions,
        says: [&'static str; 2],
    }
    let base = options();
    let cases = [
        Case {
            options: TaskOptions {
                max_sentence_silence_ms: 199,
                ..base.clone()
            },
            says: ["max_sentence_silence", "200 to 6000"],
        },
        Case {
            options: TaskOptions {
                max_sentence_silence_ms: 6001,
                ..base.clone()
            },
            says: ["max_sentence_silence", "200 to 6000"],
        },
        Case {
            options: TaskOptions {
                speech_noise_threshold: 1.1,
                ..base.clone()
            },
            says: ["speech_noise_threshold", "-1.0 to 1.0"],
        },
        Case {
            options: TaskOptions {
                speech_noise_threshold: f32::NAN,
                ..base.clone()
            },
            says: ["speech_noise_threshold", "-1.0 to 1.0"],
        },
        Case {
            options: TaskOptions {
                sample_rate: 1000,
                ..base.clone()
            },
            says: ["sample_rate", "8000 to 192000"],
        },
    ];
    let model = model();
    let mut failed = Vec::new();
    for case in cases {
        let error =
            ting_engine::Recognizer::new(Arc::clone(&model), case.options.clone()).unwrap_err();
        let message = error.to_string();
        if error.kind() != EngineErrorKind::InvalidOption
            || !case.says.iter().all(|s| message.contains(s))
        {
            failed.push(message);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn damaged_audio_keeps_what_was_said_before() {
    let model = model();
    // A WAV header, speech, and no end; then the same with the speech's format tag unknown.
    let speech = pcm(&[speech("hello_en.wav"), silence(2000)].concat());
    let mut wav = wav_header(1);
    wav.extend_from_slice(&speech);
    let good = run(
        &model,
        &TaskOptions::new(Format::Wav, 16_000),
        &wav,
        &[4096],
    );
    assert_eq!(finals(&good).len(), 1);
    let mut unknown = wav_header(0x55);
    unknown.extend_from_slice(&speech);
    let bad = run(
        &model,
        &TaskOptions::new(Format::Wav, 16_000),
        &unknown,
        &[4096],
    );
    let [Event::Failed(error)] = bad.as_slice() else {
        panic!("{bad:?}")
    };
    assert_eq!(error.kind(), EngineErrorKind::Audio);
}

/// A mono 16-bit 16 kHz header of unknown length.
fn wav_header(tag: u16) -> Vec<u8> {
    let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0".to_vec();
    for field in [tag, 1] {
        header.extend(field.to_le_bytes());
    }
    for field in [16_000u32, 32_000] {
        header.extend(field.to_le_bytes());
    }
    header.extend([2, 0, 16, 0]);
    header.extend(b"data\xff\xff\xff\xff");
    header
}
