//! What recognises: the program itself, or a server.

use ting_client::{Recognition, RecognitionBuilder};
use ting_protocol::INFERENCE_PATH;

use super::ListenArgs;
use crate::error::{CliError, CliErrorKind};

/// The model that is asked for; a server of ours has one under this name.
pub(crate) const MODEL: &str = "fun-asr-realtime";

/// The endpoint inside the program.
const EMBEDDED: &str = "embedded";

/// Where the HTTP requests of a server are.
const HTTP_PATH: &str = "/api/v1";

/// Where to recognise.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// `None` is the program itself.
    url: Option<String>,
    key: Option<String>,
}

impl Server {
    /// What the command line says.
    pub(crate) fn of(args: &ListenArgs) -> Self {
        Self {
            url: args.url.as_deref().map(with_path),
            key: args.url.as_ref().and(args.key()),
        }
    }

    /// Whether the program itself recognises.
    pub(crate) fn is_embedded(&self) -> bool {
        self.url.is_none()
    }

    /// The key to send, if there is one.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The endpoint of HTTP requests.
    pub(crate) fn http_endpoint(&self) -> String {
        self.url.as_deref().map_or(EMBEDDED.to_owned(), http_of)
    }

    /// A recognition with the parameters of the command line.
    pub(crate) fn builder(&self, args: &ListenArgs) -> RecognitionBuilder {
        let endpoint = self.url.as_deref().unwrap_or(EMBEDDED);
        let mut builder = Recognition::builder(MODEL)
            .endpoint(endpoint)
            .heartbeat(!args.no_heartbeat)
            // A source that gives nothing for a while is helped out with silence, see `feed`.
            .silence_timeout(None);
        if let Some(key) = self.key() {
            builder = builder.api_key(key);
        }
        if !args.language.is_empty() {
            builder = builder.language_hints(args.language.iter().map(|language| language.code()));
        }
        if let Some(silence) = args.max_sentence_silence {
            builder = builder.max_sentence_silence(silence);
        }
        if args.semantic {
            builder = builder.semantic_punctuation_enabled(true);
        }
        builder
    }
}

/// A failure of the client, as the user is told it.
pub(crate) fn failed(error: &ting_client::Error) -> CliError {
    use ting_client::ErrorKind;
    let kind = match error.kind() {
        ErrorKind::InvalidParameter => CliErrorKind::Input,
        ErrorKind::TaskFailed => CliErrorKind::Recognition,
        _ => CliErrorKind::Network,
    };
    CliError::new(kind, error.to_string())
}

/// The URL of a server's recognition, for one that names only the server.
fn with_path(url: &str) -> String {
    let url = url.trim();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.split_once('/') {
        None => format!("{url}{INFERENCE_PATH}"),
        Some((_, "")) => format!("{}{INFERENCE_PATH}", url.trim_end_matches('/')),
        Some(_) => url.to_owned(),
    }
}

/// Where the HTTP requests go of a server whose recognition is at `url`.
fn http_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("ws", url));
    let scheme = if scheme == "wss" { "https" } else { "http" };
    let rest = rest
        .split(['?', '#'])
        .next()
        .unwrap_or(rest)
        .trim_end_matches('/');
    let base = rest.strip_suffix(INFERENCE_PATH).unwrap_or_else(|| {
        // Another path, such as a proxy's: only the host is sure.
        rest.split('/').next().unwrap_or(rest)
    });
    format!("{scheme}://{base}{HTTP_PATH}")
}

#[cfg(test)]
mod tests {
    use super::{http_of, with_path};

    #[test]
    fn urls_of_servers() {
        let cases = [
            (
                "ws://a:1",
                "ws://a:1/api-ws/v1/inference",
                "http://a:1/api/v1",
            ),
            ("ws://a/", "ws://a/api-ws/v1/inference", "http://a/api/v1"),
            (
                "wss://a/x/api-ws/v1/inference/",
                "wss://a/x/api-ws/v1/inference/",
                "https://a/x/api/v1",
            ),
            (
                "ws://[::1]:8/y?z=/",
                "ws://[::1]:8/y?z=/",
                "http://[::1]:8/api/v1",
            ),
        ];
        for (given, websocket, http) in cases {
            assert_eq!(with_path(given), websocket);
            assert_eq!(http_of(&with_path(given)), http, "{given}");
        }
    }
}
