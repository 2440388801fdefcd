//! Audio that is there from the beginning, given to a task as fast as it can be sent.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind};
use crate::task::{Task, dropped};

/// Bytes of a frame of a file, as the official SDK has them.
const FILE_FRAME_BYTES: usize = 12_800;
/// Bytes of a file that are read at once.
const FILE_READ_BYTES: usize = 20 * FILE_FRAME_BYTES;
/// Bytes of a file that wait to be sent; the rest stays in the file.
const FILE_QUEUE_BYTES: usize = 2 * FILE_READ_BYTES;

/// Audio that is there from the beginning.
pub(crate) enum Source {
    File(PathBuf),
    Bytes(Bytes),
}

/// A source that is there.
pub(crate) enum Opened {
    File(std::fs::File, PathBuf),
    Bytes(Bytes),
}

/// Finds out whether the source is there.
///
/// # Errors
/// `Input`.
pub(crate) async fn open(source: Source, handle: &Handle) -> Result<Opened, Error> {
    match source {
        Source::Bytes(audio) if audio.is_empty() => Err(Error::new(
            ErrorKind::Input,
            "the audio is empty (zero bytes long)",
        )),
        Source::Bytes(audio) => Ok(Opened::Bytes(audio)),
        Source::File(path) => {
            let opening = handle.spawn_blocking(move || open_file(path));
            opening.await.map_err(|_| dropped())?
        }
    }
}

pub(crate) fn open_file(path: PathBuf) -> Result<Opened, Error> {
    let failed = |why: String| {
        let message = format!("cannot read the audio file {}: {why}", path.display());
        Error::new(ErrorKind::Input, message)
    };
    let file = std::fs::File::open(&path).map_err(|error| failed(error.to_string()))?;
    let about = file.metadata().map_err(|error| failed(error.to_string()))?;
    if about.is_dir() {
        return Err(failed("it is a folder".to_owned()));
    }
    if about.is_file() && about.len() == 0 {
        return Err(failed("it is empty (zero bytes long)".to_owned()));
    }
    Ok(Opened::File(file, path))
}

/// Gives the audio to the task as fast as it can be sent, and then the end.
pub(crate) async fn feed(task: Arc<Task>, source: Opened) -> Result<(), Error> {
    let fed = match source {
        Opened::Bytes(audio) => push(&task, audio).await,
        Opened::File(file, path) => feed_file(&task, file, &path).await,
    };
    match fed {
        Ok(()) => {
            task.outgoing.finish();
            Ok(())
        }
        Err(error) => {
            // The audio is not whole, and so its text would not be. A task that has ended already does not mind.
            task.end(Err(error.clone()));
            task.cancel();
            Err(error)
        }
    }
}

async fn feed_file(task: &Task, file: std::fs::File, path: &Path) -> Result<(), Error> {
    let failed = |why: &dyn fmt::Display| {
        let message = format!("cannot read the audio file {}: {why}", path.display());
        Error::new(ErrorKind::Input, message)
    };
    let mut file = tokio::fs::File::from_std(file);
    let mut is_empty = true;
    loop {
        let mut piece = Vec::with_capacity(FILE_READ_BYTES);
        let mut read = (&mut file).take(FILE_READ_BYTES as u64);
        let count = read
            .read_to_end(&mut piece)
            .await
            .map_err(|error| failed(&error))?;
        if count == 0 {
            break;
        }
        is_empty = false;
        push(task, Bytes::from(piece)).await?;
    }
    match is_empty {
        true => Err(failed(&"it is empty (zero bytes long)")),
        false => Ok(()),
    }
}

async fn push(task: &Task, mut audio: Bytes) -> Result<(), Error> {
    while !audio.is_empty() {
        let frame = audio.split_to(audio.len().min(FILE_FRAME_BYTES));
        task.outgoing.push_wait(frame, FILE_QUEUE_BYTES).await?;
    }
    Ok(())
}
