//! The SDK against servers that keep the protocol, and against servers that do not.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod ending;
mod life_cycle;
mod queues;
mod recorder;
mod requests;
mod script;
mod starts;
mod ways;
mod wrong_servers;
