//! One way to a server for WebSockets and for HTTP: [`connect`] gives a stream of bytes, whatever is below.

mod proxy;
mod tls;

use std::io;
use std::time::Duration;

use hyper::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::error::{Error, ErrorKind};

pub(crate) use proxy::Proxy;
pub(crate) use tls::Roots;

/// A stream of bytes in both directions.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection to a server, or to the one inside the program.
pub(crate) type Stream = Box<dyn Io>;

/// Where a server is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Endpoint {
    /// Inside the program.
    #[cfg(feature = "embedded")]
    Embedded,
    Url(Url),
}

/// The parts of a `ws`, `wss`, `http` or `https` URL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Url {
    /// What messages show: without what may be secret, a password or a query.
    pub(crate) shown: String,
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The path, with the query.
    pub(crate) path: String,
}

/// How to get to a server.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) endpoint: Endpoint,
    pub(crate) proxy: Proxy,
    pub(crate) roots: Roots,
    pub(crate) connect_timeout: Duration,
}

impl Url {
    /// Reads the option called `field`, whose URL must have the scheme `plain`, or `plain` and an s.
    pub(crate) fn parse(field: &str, text: &str, plain: &str) -> Result<Self, Error> {
        let allowed = match cfg!(feature = "embedded") {
            true => format!("a URL with {plain}:// or {plain}s:// and a host, or \"embedded\""),
            false => format!(
                "a URL with {plain}:// or {plain}s:// and a host (\"embedded\" needs the feature of that name)"
            ),
        };
        let wrong = || Error::invalid(field, text, &allowed);
        let uri: Uri = text.trim().parse().map_err(|_| wrong())?;
        let tls = match uri.scheme_str() {
            Some(scheme) if scheme == plain => false,
            Some(scheme) if scheme.strip_suffix('s') == Some(plain) => true,
            _ => return Err(wrong()),
        };
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut url = Self {
            shown: String::new(),
            tls,
            // Brackets are how a URL writes an IPv6 address, and no part of it.
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            path: path.to_owned(),
        };
        let s = if tls { "s" } else { "" };
        url.shown = format!("{plain}{s}://{}{}", url.authority(), uri.path());
        Ok(url)
    }

    /// The value of the header `Host`.
    pub(crate) fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        match self.port == usual {
            true => bracketed(&self.host),
            false => format!("{}:{}", bracketed(&self.host), self.port),
        }
    }
}

/// The host as it is before a port.
pub(crate) fn bracketed(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    }
}

/// Connects, with TLS and through a proxy where they are due.
///
/// # Errors
/// `Connect`; transient where another try may succeed.
pub(crate) async fn connect(way: &Way) -> Result<Stream, Error> {
    match &way.endpoint {
        #[cfg(feature = "embedded")]
        Endpoint::Embedded => embedded().await,
        Endpoint::Url(url) => match timeout(way.connect_timeout, open(way, url)).await {
            Ok(connected) => connected,
            Err(_) => {
                let (url, patience) = (&url.shown, way.connect_timeout);
                let message = format!("no connection to {url} within {patience:?}");
                Err(Error::new(ErrorKind::Connect, message).transient())
            }
        },
    }
}

/// A connection to the server inside the program. The first one loads a model, which is no matter of the network and its
/// timeouts: it is done, or it fails.
#[cfg(feature = "embedded")]
async fn embedded() -> Result<Stream, Error> {
    match ting_embedded::connect().await {
        Ok(pipe) => Ok(Box::new(pipe)),
        Err(error) => {
            let message = format!("the recogniser inside the program: {error}");
            Err(Error::new(ErrorKind::Connect, message))
        }
    }
}

impl Endpoint {
    /// What a message calls it.
    pub(crate) fn name(&self) -> &str {
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded => "embedded",
            Self::Url(url) => &url.shown,
        }
    }
}

async fn open(way: &Way, url: &Url) -> Result<Stream, Error> {
    let stream = match way.proxy.of(url)? {
        None => tcp(&url.host, url.port, &url.shown).await?,
        Some(proxy) => proxy.tunnel(url).await?,
    };
    match url.tls {
        false => Ok(Box::new(stream)),
        true => Ok(Box::new(tls::handshake(stream, url, &way.roots).await?)),
    }
}

/// A TCP connection; `what` is what a message calls the other side.
pub(crate) async fn tcp(host: &str, port: u16, what: &str) -> Result<TcpStream, Error> {
    let stream = TcpStream::connect((host, port)).await.map_err(|error| {
        let message = format!("cannot connect to {what}: {error}");
        let failed = Error::new(ErrorKind::Connect, message);
        match is_transient(&error) {
            true => failed.transient(),
            false => failed,
        }
    })?;
    // Small frames must leave at once, not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    Ok(stream)
}

/// Whether what failed may work a little later.
pub(crate) fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, TimedOut,
        UnexpectedEof,
    };
    matches!(
        error.kind(),
        BrokenPipe
            | ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | Interrupted
            | TimedOut
            | UnexpectedEof
    )
}
