//! The wire, over real sockets, with a scripted recogniser behind it.

mod client;
mod garbage;
mod gone;
mod handshake;
mod life_cycle;
mod scripted;
mod stopping;
mod timeouts;
