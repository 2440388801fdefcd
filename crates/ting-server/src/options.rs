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
    /// A running task without `heartbeat` whose audio ends with this much digital silence fails, this long after its
    /// start at the earliest. 60 s, by the public page.
    pub silent_audio: Duration,
    /// A running task with `heartbeat` that has no result for this long gets a heartbeat result. 10 s: some clients give up
    /// after 30 s without any.
    pub heartbeat: Duration,
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
            heartbeat: Duration::from_secs(10),
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

/// One of the [`Timeouts`], by the name that `ting serve --timeout` has for it.
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    /// Such as `silent-audio`.
    pub name: &'static str,
    /// What is waited for and what happens then, as half a sentence.
    pub about: &'static str,
    field: fn(&mut Timeouts) -> &mut Duration,
}

impl Timeout {
    /// The shortest that makes sense: network and scheduler take tens of milliseconds by themselves.
    pub const SHORTEST: Duration = Duration::from_millis(50);
    /// The longest: a day is as good as never.
    pub const LONGEST: Duration = Duration::from_secs(86_400);

    /// Every timeout.
    pub const ALL: [Self; 9] = [
        Self {
            name: "idle-audio",
            about: "a running task gets no audio: it fails with CLIENT_ERROR",
            field: |timeouts| &mut timeouts.idle_audio,
        },
        Self {
            name: "silent-audio",
            about: "a task without heartbeat gets silent audio only: it fails with ResponseTimeout",
            field: |timeouts| &mut timeouts.silent_audio,
        },
        Self {
            name: "heartbeat",
            about: "a task with heartbeat has no result: it gets a heartbeat result",
            field: |timeouts| &mut timeouts.heartbeat,
        },
        Self {
            name: "idle-socket",
            about: "a socket has no task: it is closed",
            field: |timeouts| &mut timeouts.idle_socket,
        },
        Self {
            name: "ping",
            about: "between two pings of the server",
            field: |timeouts| &mut timeouts.ping,
        },
        Self {
            name: "peer-lost",
            about: "nothing comes from a client, not even a pong: it is dropped",
            field: |timeouts| &mut timeouts.peer_lost,
        },
        Self {
            name: "write-stall",
            about: "a client takes no bytes: it is dropped",
            field: |timeouts| &mut timeouts.write_stall,
        },
        Self {
            name: "close",
            about: "a client does not close after the server did: it is dropped",
            field: |timeouts| &mut timeouts.close_linger,
        },
        Self {
            name: "drain",
            about: "the server stops or a task fails: what is open may still be recognised",
            field: |timeouts| &mut timeouts.drain,
        },
    ];

    /// The timeout called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|timeout| timeout.name == name)
    }

    /// Its place in `timeouts`.
    pub fn of(self, timeouts: &mut Timeouts) -> &mut Duration {
        (self.field)(timeouts)
    }
}
