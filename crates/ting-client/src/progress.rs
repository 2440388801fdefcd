//! How far a task has come.

use ting_protocol::Usage;

use crate::frame::ResultFrame;

/// How far a task has come, also after it ended or broke off.
///
/// What was sent and is beyond `recognised_ms` has no final yet. After a lost connection, audio from there on may be sent
/// again in another task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of audio given to the connection.
    pub bytes_sent: u64,
    /// The end of the last final, in ms from the task's first sample.
    pub recognised_ms: u64,
    /// The end of the last word of any result, in ms from the task's first sample.
    pub heard_ms: u64,
    /// Seconds of audio that the server has counted so far.
    pub billed_seconds: u64,
}

impl Progress {
    /// Takes note of a result.
    pub(crate) fn heard(&mut self, result: &ResultFrame) {
        let sentence = &result.sentence;
        if let Some(end) = sentence.end_time.filter(|_| result.is_final) {
            self.recognised_ms = self.recognised_ms.max(end);
        }
        let words = sentence.words.iter().filter_map(|word| word.end_time);
        let heard = words.chain(sentence.end_time).max().unwrap_or(0);
        self.heard_ms = self.heard_ms.max(heard);
        if let Some(Usage { duration }) = result.usage {
            self.billed_seconds = self.billed_seconds.max(duration);
        }
    }
}
