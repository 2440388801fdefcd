//! The SDK against servers that keep the protocol, and against servers that do not.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod life_cycle;
mod recorder;
mod script;
mod wrong_servers;
