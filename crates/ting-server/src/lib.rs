//! The server: task state machine, hotword lists over HTTP, timeouts, limits.
//!
//! [`Server::bind`] takes the options and a [`Recogniser`], [`Server::serve`] answers until its shutdown future ends.
//! One connection is one tokio task: it reads the socket, keeps the state of the wire's task (`connection.rs`), and
//! writes what the recogniser left in the connection's outbox (`outbox.rs`).
//!
//! # Architecture invariants
//! - Every `run-task` ends in exactly one of `task-finished` or `task-failed`, unless its client is gone. The outbox
//!   decides which, under one lock, whoever comes first.
//! - Reading a socket never waits for recognition, except when a task has as many bytes queued as it may have.
//! - Recognition never waits for a slow reader: the sink only puts an event into a queue.
//! - Memory per connection is bounded: one message ([`MAX_MESSAGE_BYTES`]), the session's queue, and the outbox, whose
//!   bound is told in its own module.
//! - What is kept is read and written on threads of its own, never on those that serve sockets.
//! - Knows nothing of tensors; of audio only the names of the formats.

mod auth;
mod connection;
mod customization;
mod engine;
mod http;
mod options;
mod outbox;
mod pipe;
mod recogniser;
mod server;
mod task;
mod vocabularies;
mod writer;

pub use connection::MAX_MESSAGE_BYTES;
pub use options::{ServerOptions, Timeout, Timeouts};
pub use pipe::{InProcess, Pipe};
pub use recogniser::{Recogniser, RecogniserSession, Sink};
pub use server::{Server, ServerError, ServerErrorKind};
