//! The wire, over real sockets, with a scripted recogniser behind it.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod customization;
mod errors;
mod garbage;
mod gone;
mod handshake;
mod http;
mod in_process;
mod life_cycle;
mod scripted;
mod stopping;
mod task_vocabulary;
mod timeouts;
