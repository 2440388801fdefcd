//! What can be set about a server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ting_store::Store;

/// How a server listens, whom it serves, and how long it waits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The API keys that are let in. Empty lets everyone in, with any key or none.
    pub api_keys: Vec<String>,
    /// Where hotword lists are kept. Without one, requests about them answer an error.
    pub store: Option<Arc<Store>>,
    /// Whether a task fails whose hotword list is not there or cannot be read. Otherwise it goes on without, and the log says so.
    pub strict_vocabulary: bool,
    /// How long to wait for what.
    pub timeouts: Timeouts,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            api_keys: Vec::new(),
            store: None,
            strict_vocabulary: false,
            timeouts: Timeouts::default(),
        }
    }
}

/// How long a server waits. The defaults are the hosted service's where it says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeouts {
    /// A running task that gets no audio bytes for this long fails. 25 s: the Python SDK ends a task by itself after
    /// 23 s without audio, and must be the faster one.
    pub idle_audio: Duration,
    /// A running task without `heartbeat` that gets digital silence only for this long fails. 60 s, by the public page.
    pub silent_audio: Duration,
    /// A socket without a running task closes after this. 60 s, by the public page.
    pub idle_socket: Duration,
    /// The server pings this often, so that middleboxes see traffic. 20 s: many close after 60 s without any.
    pub ping: Duration,
    /// A client of which nothing at all is heard for this long, not even a pong, is gone. 90 s: the Python SDK was seen
    /// to answer pings up to 23 s late, and nobody may be dropped for a missing pong under 60 s.
    pub peer_lost: Duration,
    /// A client that takes no bytes for this long is gone. 60 s.
    pub write_stall: Duration,
    /// After a close frame, how long to go on reading and ignoring. Closing a TCP connection with unread bytes resets
    /// it, and the reset may overtake the `task-failed`. 5 s.
    pub close_linger: Duration,
    /// The body of an HTTP request may take this long to come. 30 s: it is a megabyte at most.
    pub http_body: Duration,
    /// A task that waits for its hotword lists for this long does without. 10 s: twice what a busy data file may take.
    pub vocabulary: Duration,
    /// On shutdown, how long tasks whose `finish-task` came may take to finish. 10 s.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            idle_audio: Duration::from_secs(25),
            silent_audio: Duration::from_secs(60),
            idle_socket: Duration::from_secs(60),
            ping: Duration::from_secs(20),
            peer_lost: Duration::from_secs(90),
            write_stall: Duration::from_secs(60),
            close_linger: Duration::from_secs(5),
            http_body: Duration::from_secs(30),
            vocabulary: Duration::from_secs(10),
            drain: Duration::from_secs(10),
        }
    }
}
