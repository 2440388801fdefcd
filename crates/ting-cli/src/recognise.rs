//! The way from bytes to events without a server: what `transcribe`, `eval` and `bench rtf` share.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use ting_engine::{Event, Recognizer, TaskOptions};

use crate::error::{CliError, CliErrorKind};

/// Bytes given to the recogniser at once. Its results do not depend on it; a pipe's usual capacity.
const PIECE: usize = 64 * 1024;

/// A loaded model, cheap to clone.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) shared: Arc<ting_models::Model>,
    /// For humans: where the model is from.
    pub(crate) name: String,
}

impl Model {
    /// The model of the folder `dir`, or without one the model inside the binary.
    pub(crate) fn load(dir: Option<&Path>) -> Result<Self, CliError> {
        let (loaded, name) = match dir {
            Some(dir) => (
                ting_models::Model::from_dir(dir),
                format!("{}", dir.display()),
            ),
            None => (ting_models::Model::embedded(), "embedded (tiny)".to_owned()),
        };
        let shared = loaded.map_err(|error| {
            CliError::new(
                CliErrorKind::Model,
                format!("cannot load the model {name}: {error}"),
            )
        })?;
        Ok(Self { shared, name })
    }
}

/// Recognises all of `source` as one task, on this thread. Returns the audio consumed, in ms.
///
/// `on_event` gets the task's partials and finals, but not its end. An error of it ends the task.
///
/// # Errors
/// `Input` when the source cannot be read, `Recognition` when the task fails; what was recognised before came as events.
pub(crate) fn recognise(
    model: &Model,
    options: TaskOptions,
    source: &mut dyn Read,
    on_event: &mut dyn FnMut(Event) -> Result<(), CliError>,
) -> Result<u64, CliError> {
    // A bug that one recording wakes must not take the results of the others with it. Nothing that was in use survives.
    catch_unwind(AssertUnwindSafe(|| run(model, options, source, on_event))).unwrap_or_else(|_| {
        Err(failed(
            "the recogniser crashed on this audio; please report it with the message above",
        ))
    })
}

fn failed(message: &str) -> CliError {
    CliError::new(CliErrorKind::Recognition, message)
}

fn run(
    model: &Model,
    options: TaskOptions,
    source: &mut dyn Read,
    on_event: &mut dyn FnMut(Event) -> Result<(), CliError>,
) -> Result<u64, CliError> {
    let mut recognizer = Recognizer::new(Arc::clone(&model.shared), options)
        .map_err(|error| failed(error.message()))?;
    let mut piece = vec![0; PIECE];
    let mut events = Vec::new();
    loop {
        let length = match source.read(&mut piece) {
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CliError::input(format!("cannot be read: {error}"))),
        };
        match length {
            0 => recognizer.finish(&mut events),
            _ => recognizer.push(&piece[..length], &mut events),
        }
        for event in events.drain(..) {
            match event {
                Event::Finished { audio_ms } => return Ok(audio_ms),
                Event::Failed(error) => return Err(failed(error.message())),
                event => on_event(event)?,
            }
        }
        if length == 0 {
            return Err(failed(
                "the recogniser ended without a result; please report this",
            ));
        }
    }
}
