//! From the source to the recogniser.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ting_client::Recognition;
use tokio::sync::{mpsc, watch};

use super::source::{Heard, Source};
use crate::error::CliError;

/// After so long without any sound a little silence is sent: a server ends a task that gets nothing for 23 s.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Silence of this length is sent, in ms.
const SILENCE_MS: u64 = 100;

/// A microphone that gives nothing but zeros for so long is muted or forbidden, in ms. A room is never as quiet.
const MUTED_MS: u64 = 5000;

/// Sends what is heard.
pub(crate) struct Feed<'a> {
    pub(crate) recognition: &'a Recognition,
    pub(crate) source: &'a mut Source,
    /// Becomes true when no more is to be heard.
    pub(crate) stop: watch::Receiver<bool>,
    /// Where what the user should know goes.
    pub(crate) notes: mpsc::UnboundedSender<String>,
    /// Samples sent so far.
    pub(crate) sent: Arc<AtomicU64>,
    /// Whether zeros are worth a note.
    pub(crate) is_microphone: bool,
}

impl Feed<'_> {
    /// Sends until the source ends or is told to stop, says in `end` what it failed with, if it did, and then has the
    /// recognition finish. A failed recognition is told elsewhere.
    pub(crate) async fn run(mut self, end: &OnceCell<CliError>) {
        if let Err(error) = self.send_all().await {
            // The only place where it is set.
            let _ = end.set(error);
        }
        // Fails when the task has ended by itself, as its results say.
        let _ = self.recognition.stop().await;
    }

    async fn send_all(&mut self) -> Result<(), CliError> {
        let mut silent_samples = Some(0);
        let mut told_of_loss = false;
        loop {
            let heard = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => break,
                heard = self.source.heard.recv() => heard,
                () = tokio::time::sleep(KEEP_ALIVE) => {
                    let samples = u64::from(self.source.sample_rate) * SILENCE_MS / 1000;
                    Some(Heard::Samples(vec![0; samples as usize * 2]))
                }
            };
            match heard {
                Some(Heard::Samples(bytes)) => {
                    self.look_for_sound(&bytes, &mut silent_samples);
                    if !told_of_loss && self.source.lost.samples() > 0 {
                        told_of_loss = true;
                        self.note(
                            "sound is being lost: it cannot be sent as fast as it comes".to_owned(),
                        );
                    }
                    if !self.send(bytes).await {
                        return Ok(());
                    }
                }
                Some(Heard::Note(note)) => self.note(note),
                Some(Heard::End(end)) => return end,
                None => return Ok(()),
            }
        }
        // What was said before the user stopped is in the queue. Nothing more gets in, or a source that is faster than the recogniser
        // would keep it full for ever.
        self.source.heard.close();
        while let Ok(Heard::Samples(bytes)) = self.source.heard.try_recv() {
            if !self.send(bytes).await {
                break;
            }
        }
        Ok(())
    }

    /// Whether it goes on: not after the task has ended.
    async fn send(&self, bytes: Vec<u8>) -> bool {
        let samples = bytes.len() as u64 / 2;
        self.sent.fetch_add(samples, Ordering::Relaxed);
        self.recognition.send_audio_frame_wait(bytes).await.is_ok()
    }

    fn note(&self, note: String) {
        // Fails when the program is about to end.
        let _ = self.notes.send(note);
    }

    /// Tells once of a microphone without any sound. `silent` counts samples until there was some.
    fn look_for_sound(&self, bytes: &[u8], silent: &mut Option<u64>) {
        let Some(samples) = silent else {
            return;
        };
        if !self.is_microphone || bytes.iter().any(|byte| *byte != 0) {
            *silent = None;
            return;
        }
        *samples += bytes.len() as u64 / 2;
        if *samples * 1000 / u64::from(self.source.sample_rate) >= MUTED_MS {
            *silent = None;
            self.note(
                "the microphone gives nothing but zeros: it may be muted, or this program not allowed to use it"
                    .to_owned(),
            );
        }
    }
}
