//! What the server needs of a recogniser.

use ting_engine::{EngineError, Event, IneffectiveHotword, TaskOptions};

/// Where a session puts its events. It never blocks, and may be called on any thread.
pub type Sink = Box<dyn Fn(Event) + Send + Sync>;

/// Opens sessions. The product's is `ting_engine::Engine`; tests of the wire use scripted ones.
pub trait Recogniser: Send + Sync + 'static {
    /// Opens a session, which reports through `sink`.
    ///
    /// The last event is exactly one `Finished` or `Failed`. A sink that is dropped before it counts as failed.
    ///
    /// # Errors
    /// `Busy` when there is no capacity, `InvalidOption` for options that cannot be served.
    fn open(
        &self,
        options: TaskOptions,
        sink: Sink,
    ) -> Result<Box<dyn RecogniserSession>, EngineError>;
}

/// The recognition of one task. Dropping it cancels what is left to do.
pub trait RecogniserSession: Send {
    /// Gives the task more bytes. Never waits, and never refuses.
    fn push(&self, bytes: Vec<u8>);

    /// Whether the session wants more bytes now. While it does not, the socket is not read.
    fn has_room(&self) -> bool;

    /// How much digital silence the audio given so far ends with, in ms of audio. None while some of it is not recognised yet.
    fn silence_ms(&self) -> Option<u64>;

    /// Replaces the task's context for the bytes that are pushed after it: what was said or written before, oldest first.
    fn set_context(&self, texts: Vec<String>);

    /// The hotwords that the recogniser can never write, and why.
    fn ineffective_hotwords(&self) -> &[IneffectiveHotword] {
        &[]
    }

    /// Says that all bytes were given.
    fn finish(&self);
}
