//! HTTP requests, over the same connections as WebSockets.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper::http::response::Parts;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::error::{Error, ErrorKind};
use crate::frame::shown;
use crate::net::{self, Endpoint, Way};

/// How often a request is tried whose connection fails, as the official SDK does.
const TRIES: u32 = 3;
/// The first pause before another try; the second one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest answer. A list of 500 words has less than 100 KB.
const MAX_BODY_BYTES: usize = 16 << 20;

/// A server that answers HTTP requests.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) way: Way,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
}

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Behind the base URL, such as `/tasks/1`.
    pub(crate) path: String,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: Option<Value>,
    /// Whether doing it twice is the same as doing it once, so that it may be sent again when its answer is lost.
    pub(crate) is_repeatable: bool,
}

/// An answer with a status that is a success.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) body: Value,
}

impl Reply {
    /// The server's id of the request.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.body.get("request_id")?.as_str().map(str::to_owned)
    }

    pub(crate) fn output(&self) -> &Value {
        self.body.get("output").unwrap_or(&Value::Null)
    }
}

impl Http {
    /// Asks, and asks again when the connection fails.
    ///
    /// # Errors
    /// `Connect` and `ConnectionLost` without an answer, `Authentication` and `Request` for one that is no success,
    /// `Protocol` for one that is no JSON.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Reply, Error> {
        let mut pause = FIRST_PAUSE;
        for tries_left in (0..TRIES).rev() {
            let error = match self.ask_once(&ask).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let may_repeat = error.kind() == ErrorKind::Connect || ask.is_repeatable;
            if tries_left == 0 || !error.is_transient() || error.status().is_some() || !may_repeat {
                return Err(error);
            }
            tracing::info!(%error, ?pause, "a request failed, trying again");
            sleep(pause).await;
            pause *= 2;
        }
        // The loop runs once at least and returns.
        Err(Error::new(ErrorKind::Connect, "no connection was tried"))
    }

    async fn ask_once(&self, ask: &Ask) -> Result<Reply, Error> {
        let stream = net::connect(&self.way).await?;
        let request = self.request(ask)?;
        let (parts, body) = self.exchange(stream, request).await?;
        self.reply(parts.status, &body)
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn exchange(
        &self,
        stream: net::Stream,
        request: Request<Full<Bytes>>,
    ) -> Result<(Parts, Bytes), Error> {
        match timeout(self.timeout, self.exchange_at_leisure(stream, request)).await {
            Ok(answer) => answer,
            Err(_) => {
                let message = format!(
                    "{} did not answer within {:?}",
                    self.way.endpoint.name(),
                    self.timeout
                );
                Err(Error::new(ErrorKind::ConnectionLost, message).transient())
            }
        }
    }

    async fn exchange_at_leisure(
        &self,
        stream: net::Stream,
        request: Request<Full<Bytes>>,
    ) -> Result<(Parts, Bytes), Error> {
        let name = self.way.endpoint.name();
        let lost = |error: hyper::Error| {
            let message = format!("the connection to {name} was lost before the answer: {error}");
            Error::new(ErrorKind::ConnectionLost, message).transient()
        };
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        let answering = async {
            let response = sender.send_request(request).await.map_err(lost)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
            let body = body.map_err(|error| {
                let message = format!("the answer of {name} cannot be read: {error}");
                Error::new(ErrorKind::ConnectionLost, message).transient()
            })?;
            Ok((parts, body.to_bytes()))
        };
        // The connection moves the bytes; it ends when its sender is dropped.
        let moving = async {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended badly");
            }
            std::future::pending().await
        };
        tokio::select! {
            answer = answering => answer,
            never = moving => never,
        }
    }

    fn reply(&self, status: StatusCode, body: &[u8]) -> Result<Reply, Error> {
        if !status.is_success() {
            return Err(refusal_of(ErrorKind::Request, status, body));
        }
        match serde_json::from_slice(body) {
            Ok(body) => Ok(Reply { body }),
            Err(error) => {
                let text = shown(&String::from_utf8_lossy(body));
                let name = self.way.endpoint.name();
                let message = format!("the answer of {name} is no JSON ({error}): {text}");
                Err(Error::new(ErrorKind::Protocol, message).with_status(status.as_u16()))
            }
        }
    }

    /// The value of the header `Host`, and the path of the base URL.
    pub(crate) fn base(&self) -> (String, &str) {
        let (authority, base) = match &self.way.endpoint {
            #[cfg(feature = "embedded")]
            Endpoint::Embedded => ("embedded".to_owned(), "/api/v1"),
            Endpoint::Url(url) => (url.authority(), url.path.as_str()),
        };
        (authority, base.trim_end_matches('/'))
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, Error> {
        let (authority, base) = self.base();
        let body = ask.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(format!("{base}{}", ask.path))
            .header("Host", authority)
            .header("Accept", "application/json; charset=utf-8");
        if ask.body.is_some() {
            request = request.header("Content-Type", "application/json; charset=utf-8");
        }
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Full::new(Bytes::from(body))).map_err(|_| {
            let allowed = "a URL or an id without odd characters";
            Error::invalid("the path", &ask.path, allowed)
        })?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}

/// The error of a handshake that was answered with `status`.
pub(crate) fn refusal(status: StatusCode, body: &[u8]) -> Error {
    refusal_of(ErrorKind::Handshake, status, body)
}

/// The error of an answer with `status`, with what its body says.
fn refusal_of(kind: ErrorKind, status: StatusCode, body: &[u8]) -> Error {
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Authentication,
        _ => kind,
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| {
        let text = body.get(name)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let message = field("message").unwrap_or_else(|| match status {
        StatusCode::UNAUTHORIZED => {
            "the server does not accept the API key (HTTP 401 Unauthorized)".to_owned()
        }
        StatusCode::NOT_FOUND => {
            "the server has nothing at this path (HTTP 404 Not Found); check the endpoint"
                .to_owned()
        }
        status => format!("the server answered with HTTP {status}"),
    });
    let error = Error::new(kind, message)
        .with_code(field("code"))
        .with_request_id(field("request_id"))
        .with_status(status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS => error.transient(),
        status if status.is_server_error() => error.transient(),
        _ => error,
    }
}
