//! Requests whose answers are left as they are, for SDKs in other languages, which have types of their own.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Request};

use crate::error::Error;
use crate::net;
use crate::runtime;
use crate::target::Target;
use crate::vocabulary;

/// A request to an HTTP server, or to the one inside the program.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// `GET` or `POST`, for example.
    pub method: String,
    /// The base URL, such as `http://127.0.0.1:8000/api/v1`, or `embedded`.
    pub endpoint: String,
    /// Behind the base URL, such as `/tasks/1`.
    pub path: String,
    /// The API key. If it is `None` it is that of [`Settings`](crate::Settings).
    pub api_key: Option<String>,
    /// All other headers.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// The answer to a [`RawRequest`], whatever its status is.
#[derive(Clone, Debug)]
pub struct RawResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers. Bytes that are no text are replaced.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl RawRequest {
    /// Sends it, and waits for the whole answer. It is sent once.
    ///
    /// # Errors
    /// `InvalidParameter` for a field that is wrong, `Connect` and `ConnectionLost` without an answer.
    pub async fn send(self) -> Result<RawResponse, Error> {
        let target = Target {
            endpoint: Some(self.endpoint),
            api_key: self.api_key,
            headers: self.headers,
            ..Target::default()
        };
        let http = vocabulary::http(&target, self.timeout)?;
        let (authority, base) = http.base();
        let body = Full::new(Bytes::from(self.body.unwrap_or_default()));
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(format!("{base}{}", self.path))
            .header("Host", authority)
            .body(body)
            .map_err(|_| {
                let allowed = "a URL or an id without odd characters";
                Error::invalid("the path", &self.path, allowed)
            })?;
        request.headers_mut().extend(http.headers.clone());
        if request.method() != Method::GET {
            // hyper leaves it out where it is 0, and some servers want it.
            let length = request.body().size_hint().lower();
            request.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        let stream = net::connect(&http.way).await?;
        let (parts, body) = http.exchange(stream, request).await?;
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        Ok(RawResponse {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body: body.to_vec(),
        })
    }

    /// Sends it in the background. The answer comes from the receiver.
    ///
    /// # Errors
    /// `Connect` when there can be no background.
    pub fn send_in_background(self) -> Result<Receiver<Result<RawResponse, Error>>, Error> {
        let (sender, receiver) = sync_channel(1);
        runtime::background()?.spawn(async move {
            // Nobody may be left to be told.
            let _ = sender.send(self.send().await);
        });
        Ok(receiver)
    }
}
