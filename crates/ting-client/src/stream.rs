//! The results of a task as a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;

use crate::error::Error;
use crate::inbox::Received;
use crate::result::RecognitionResult;
use crate::task::Task;

/// The results of a task, each a sentence so far. After the last one, or after an error, there are no more.
///
/// What is not taken waits; see [`RecognitionCallback`](crate::RecognitionCallback) for what is left out then. Dropping the
/// stream drops its results, and not the task.
#[must_use = "the results are lost when this is dropped"]
pub struct ResultStream {
    task: Arc<Task>,
    ended: bool,
}

impl ResultStream {
    pub(crate) fn new(task: Arc<Task>) -> Self {
        Self { task, ended: false }
    }

    /// The next result, without an extension trait.
    pub async fn next(&mut self) -> Option<Result<RecognitionResult, Error>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// The id of the task.
    pub fn request_id(&self) -> &str {
        &self.task.request_id
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<RecognitionResult, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.task
            .inbox
            .poll(context)
            .map(|received| self.of(received))
    }

    /// The next result; waits on this thread.
    pub(crate) fn take(&mut self) -> Option<Result<RecognitionResult, Error>> {
        match self.ended {
            true => None,
            false => self.of(self.task.inbox.take()),
        }
    }

    /// The next result, if it comes in that time; waits on this thread.
    pub(crate) fn take_within(
        &mut self,
        patience: Duration,
    ) -> Option<Option<Result<RecognitionResult, Error>>> {
        match self.ended {
            true => Some(None),
            false => {
                let received = self.task.inbox.take_within(patience)?;
                Some(self.of(received))
            }
        }
    }

    fn of(&mut self, received: Received) -> Option<Result<RecognitionResult, Error>> {
        match received {
            Received::Result(result) => Some(Ok(result)),
            Received::End(ending) => {
                self.ended = true;
                ending.err().map(Err)
            }
        }
    }
}

impl Drop for ResultStream {
    fn drop(&mut self) {
        self.task.inbox.desert();
    }
}

impl Stream for ResultStream {
    type Item = Result<RecognitionResult, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl std::fmt::Debug for ResultStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResultStream")
            .field("request_id", &self.task.request_id)
            .field("ended", &self.ended)
            .finish()
    }
}
