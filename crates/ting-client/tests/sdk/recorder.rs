//! A callback that writes down what it gets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ting_client::{Error, RecognitionCallback, RecognitionResult};

/// What a callback got, in order, and its error.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    lines: Arc<Mutex<Vec<String>>>,
    error: Arc<Mutex<Option<Error>>>,
}

impl Recorder {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn error(&self) -> Option<Error> {
        self.error.lock().unwrap().clone()
    }

    pub(crate) fn add(&self, line: impl Into<String>) {
        self.lines.lock().unwrap().push(line.into());
    }

    /// Waits until there is a line `line`.
    pub(crate) fn wait_for(&self, line: &str) {
        for _ in 0..2_000 {
            if self.lines().iter().any(|got| got == line) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{line:?} did not come: {:?}", self.lines());
    }
}

/// How a result is written down.
pub(crate) fn line(result: &RecognitionResult) -> String {
    let kind = if result.is_sentence_end() {
        "final"
    } else {
        "partial"
    };
    let text = result
        .sentence()
        .map_or("none", |sentence| sentence.text.as_str());
    format!("{kind} {text}")
}

impl RecognitionCallback for Recorder {
    fn on_open(&mut self) {
        self.add("open");
    }

    fn on_event(&mut self, result: &RecognitionResult) {
        self.add(line(result));
    }

    fn on_complete(&mut self) {
        self.add("complete");
    }

    fn on_error(&mut self, error: &Error) {
        self.add(format!("error {:?}", error.kind()));
        *self.error.lock().unwrap() = Some(error.clone());
    }

    fn on_close(&mut self) {
        self.add("close");
    }
}
