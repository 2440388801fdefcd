//! Bounds: what waits to be sent, and what waits to be taken.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use ting_client::{
    AudioFormat, Error, ErrorKind, MAX_QUEUED_AUDIO_BYTES, RecognitionCallback, RecognitionResult,
};

use crate::life_cycle::builder;
use crate::recorder::{Recorder, line};
use crate::script::{Server, Step, final_, finished, partial, started};

#[test]
fn what_does_not_fit_is_refused_and_can_be_waited_for() {
    // The task starts late, so that audio has to wait.
    let most = MAX_QUEUED_AUDIO_BYTES;
    let script = vec![
        Step::Run,
        Step::Pause(2_000),
        started(),
        Step::Audio(most + 2),
        Step::Finish,
        finished(),
    ];
    let server = Server::start(vec![script]);
    let recognition = builder(&server).build_blocking().unwrap();
    let recorder = Recorder::default();
    recognition.start(recorder.clone()).unwrap();
    recognition.send_audio_frame(vec![1; 1]).unwrap();
    recognition.send_audio_frame(vec![]).unwrap();
    recognition.send_audio_frame(vec![2; most - 1]).unwrap();
    let error = recognition.send_audio_frame(vec![3; 2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueueFull);
    recognition.send_audio_frame_wait(vec![3; 2]).unwrap();
    recognition.stop().unwrap();
    assert_eq!(recorder.lines(), ["open", "complete", "close"]);
    let seen = server.wait_for(|seen| seen.closed);
    assert_eq!(seen.audio.len(), most + 2);
    assert_eq!(
        (seen.audio[0], seen.audio[1], seen.audio[most + 1]),
        (1, 2, 3)
    );
    // No frame is larger than servers take.
    assert!(seen.frames >= most / (64 * 1024));
}

#[test]
fn a_huge_file_stays_in_the_file_while_the_server_does_not_read() {
    // A named pipe tells how much was taken of it: its writer waits.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audio");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let script = vec![
        Step::Run,
        started(),
        Step::Audio(1),
        Step::Pause(1500),
        Step::Finish,
        finished(),
    ];
    let server = Server::start(vec![script]);
    let recognition = builder(&server).build_blocking().unwrap();
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 640;
    let (sender, written) = mpsc::channel();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut file = std::fs::File::create(path).unwrap();
            for number in 1..=PIECES {
                file.write_all(&[0; PIECE]).unwrap();
                sender.send(number * PIECE).unwrap();
            }
        }
    });
    let call = std::thread::spawn(move || recognition.call(path).map(|result| result.text()));
    // Until nothing more is taken: the server has stopped reading.
    let mut taken = written.recv_timeout(Duration::from_secs(60)).unwrap();
    while let Ok(bytes) = written.recv_timeout(Duration::from_millis(700)) {
        taken = bytes;
    }
    // What the buffers of two sockets and a pipe may hold beside the queue.
    assert!((1..20 << 20).contains(&taken), "{taken} bytes were taken");
    call.join().unwrap().unwrap();
    writer.join().unwrap();
    let seen = server.wait_for(|seen| seen.closed);
    assert_eq!(seen.audio.len(), PIECES * PIECE);
}

#[test]
fn a_slow_callback_holds_nothing_up_and_loses_no_final() {
    struct Slow(Recorder, Option<mpsc::Receiver<()>>);
    impl RecognitionCallback for Slow {
        fn on_event(&mut self, result: &RecognitionResult) {
            // Until the whole task has come.
            if let Some(go_on) = self.1.take() {
                go_on.recv().unwrap();
            }
            self.0.add(line(result));
        }
        fn on_close(&mut self) {
            self.0.on_close();
        }
    }
    let mut script = vec![Step::Run, started(), partial(1, "first")];
    for id in 1..=30 {
        script.extend((0..10).map(|_| partial(id, "old")));
        script.push(partial(id, "new"));
        script.push(final_(id, "end"));
    }
    script.extend([Step::Audio(2), finished(), Step::Silence]);
    let server = Server::start(vec![script]);
    let recognition = builder(&server).build_blocking().unwrap();
    let recorder = Recorder::default();
    let (go_on, wait) = mpsc::channel();
    recognition
        .start(Slow(recorder.clone(), Some(wait)))
        .unwrap();
    recognition.send_audio_frame(vec![0; 2]).unwrap();
    // The client closes at the end of the task, with the callback still in its first event.
    server.wait_for(|seen| seen.closed);
    assert_eq!(recorder.lines(), [""; 0]);
    go_on.send(()).unwrap();
    recorder.wait_for("close");
    let lines = recorder.lines();
    let count = |wanted: &str| lines.iter().filter(|line| *line == wanted).count();
    assert_eq!(count("final end"), 30);
    // Those that found no crowd are all there; of the others the final has taken their place.
    assert!(
        (50..100).contains(&(lines.len() - count("final end"))),
        "{}",
        lines.len()
    );
}

#[test]
fn a_stream_keeps_its_results_until_they_are_taken() {
    let mut script = vec![Step::Run, started(), Step::Audio(2)];
    script.extend((1..=200).map(|id| final_(id, "end")));
    script.extend([Step::Finish, finished()]);
    let server = Server::start(vec![script]);
    let recognition = builder(&server).build_blocking().unwrap();
    let results = recognition.start_stream().unwrap();
    recognition.send_audio_frame(vec![0; 2]).unwrap();
    recognition.stop().unwrap();
    assert_eq!(
        results
            .map(|result| result.unwrap().text())
            .filter(|text| text == "end")
            .count(),
        200
    );
}

#[test]
fn files_that_cannot_be_read() {
    let server = Server::start(vec![vec![Step::Run, started()]]);
    let recognition = builder(&server)
        .format(AudioFormat::Wav)
        .build_blocking()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.wav");
    std::fs::write(&empty, "").unwrap();
    let fails = |result: Result<RecognitionResult, Error>, what: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{error:?}");
        assert!(error.message().contains(what), "{error}");
    };
    fails(recognition.call(folder.path().join("none.wav")), "none.wav");
    fails(recognition.call(folder.path()), "folder");
    fails(recognition.call(&empty), "zero bytes");
    fails(recognition.call("/dev/null"), "zero bytes");
    fails(recognition.call_bytes(vec![]), "empty");
}
