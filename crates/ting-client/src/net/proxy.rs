//! HTTP proxies: which one, if any, and the tunnel through it.

use hyper::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Url, bracketed, is_transient, tcp};
use crate::error::{Error, ErrorKind};

/// Bytes that the head of a proxy's answer may have.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Which proxy to go through.
#[derive(Clone, Debug, Default)]
pub(crate) enum Proxy {
    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    None,
    Url(ProxyUrl),
}

/// An `http://` proxy.
#[derive(Clone, PartialEq)]
pub(crate) struct ProxyUrl {
    host: String,
    port: u16,
    /// `user:password`.
    user: Option<String>,
}

/// The password is no reading matter for logs.
impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}:{}", bracketed(&self.host), self.port)
    }
}

impl Proxy {
    /// Reads the option `proxy`; an empty text is no proxy.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        match text.trim() {
            "" => Ok(Self::None),
            text => Ok(Self::Url(ProxyUrl::parse("proxy", text)?)),
        }
    }

    /// The proxy for `url`.
    pub(super) fn of(&self, url: &Url) -> Result<Option<ProxyUrl>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Url(proxy) => Ok(Some(proxy.clone())),
            Self::Environment => from_environment(url, |name| std::env::var(name).ok()),
        }
    }
}

/// Lower case comes first, as in curl. Loopback addresses are never sent to a proxy, which would take them for its own.
fn from_environment(
    url: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<ProxyUrl>, Error> {
    let set = |name: &str| {
        let value = variable(&name.to_lowercase()).filter(|value| !value.trim().is_empty());
        value.or_else(|| variable(name).filter(|value| !value.trim().is_empty()))
    };
    let scheme = if url.tls { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let Some((name, proxy)) = [scheme, "ALL_PROXY"]
        .into_iter()
        .find_map(|name| Some((name, set(name)?)))
    else {
        return Ok(None);
    };
    if is_loopback(&url.host) || set("NO_PROXY").is_some_and(|list| is_listed(&list, url)) {
        return Ok(None);
    }
    ProxyUrl::parse(name, proxy.trim()).map(Some)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether `NO_PROXY` names the host: itself, a domain it is in, or `*`; with a port only for that port.
fn is_listed(list: &str, url: &Url) -> bool {
    let host = url.host.to_ascii_lowercase();
    list.split(',').map(str::trim).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        let (name, port) = match entry.rsplit_once(':') {
            // More colons are an IPv6 address.
            Some((name, port)) if !name.contains(':') => (name.to_owned(), port.parse().ok()),
            _ => (entry, None),
        };
        let name = name.trim_start_matches("*.").trim_start_matches('.');
        let named = name == "*"
            || (!name.is_empty()
                && (host == name
                    || host
                        .strip_suffix(name)
                        .is_some_and(|rest| rest.ends_with('.'))));
        named && port.is_none_or(|port: u16| port == url.port)
    })
}

impl ProxyUrl {
    fn parse(field: &str, text: &str) -> Result<Self, Error> {
        let allowed = "the URL of an HTTP proxy, such as http://proxy:3128";
        // The URL may hold a password, and does not go into a message.
        let wrong = || Error::invalid(field, "something else", allowed);
        let with_scheme = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let uri: Uri = with_scheme.parse().map_err(|_| wrong())?;
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong());
        }
        let user = uri
            .authority()
            .and_then(|authority| authority.as_str().rsplit_once('@'))
            .map(|(user, _)| percent_decoded(user));
        Ok(Self {
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(80),
            user,
        })
    }

    /// Connects to the proxy and has it connect to `url`.
    pub(super) async fn tunnel(&self, url: &Url) -> Result<TcpStream, Error> {
        let name = format!("{self:?}");
        let mut stream = tcp(&self.host, self.port, &format!("the proxy {name}")).await?;
        let target = format!("{}:{}", bracketed(&url.host), url.port);
        let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(user) = &self.user {
            let user = data_encoding::BASE64.encode(user.as_bytes());
            head += &format!("Proxy-Authorization: Basic {user}\r\n");
        }
        head += "\r\n";
        let failed = |error: std::io::Error| {
            let message = format!("the proxy {name} broke off: {error}");
            let failed = Error::new(ErrorKind::Connect, message);
            match is_transient(&error) {
                true => failed.transient(),
                false => failed,
            }
        };
        stream.write_all(head.as_bytes()).await.map_err(failed)?;
        // Byte by byte, so that nothing is taken that belongs to what comes through the tunnel.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.map_err(failed)?);
            if answer.len() > MAX_HEAD_BYTES {
                let message = format!("the proxy {name} does not speak HTTP");
                return Err(Error::new(ErrorKind::Connect, message));
            }
        }
        let answer = String::from_utf8_lossy(&answer);
        let line = answer.lines().next().unwrap_or_default();
        let status: Option<u16> = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        match status {
            Some(200..=299) => Ok(stream),
            _ => {
                let message = format!("the proxy {name} does not connect to {target}: {line}");
                let refused = Error::new(ErrorKind::Connect, message);
                let refused = match status {
                    Some(status) => refused.with_status(status),
                    None => refused,
                };
                match status {
                    // The server behind it may only be starting.
                    Some(502..=504) => Err(refused.transient()),
                    _ => Err(refused),
                }
            }
        }
    }
}

/// User names and passwords are written with `%40` for `@` and the like.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{from_environment, percent_decoded};
    use crate::net::Url;

    #[test]
    fn the_environment_says_which_proxy() {
        let plain = "ws://ting.example.com/api-ws/v1/inference";
        let secure = "wss://ting.example.com/api-ws/v1/inference";
        let (http, https) = (("HTTP_PROXY", "http://p:1"), ("HTTPS_PROXY", "q:2"));
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
        let cases: &[Case] = &[
            (plain, &[], None),
            (plain, &[http], Some("http://p:1")),
            (plain, &[https], None),
            (secure, &[http, https], Some("http://q:2")),
            (secure, &[("ALL_PROXY", "http://a")], Some("http://a:80")),
            (
                plain,
                &[http, ("http_proxy", "http://l:3")],
                Some("http://l:3"),
            ),
            (plain, &[http, ("http_proxy", "")], Some("http://p:1")),
            (plain, &[http, ("NO_PROXY", "*")], None),
            (plain, &[http, ("NO_PROXY", "a.b, example.com")], None),
            (plain, &[http, ("NO_PROXY", ".example.com")], None),
            (plain, &[http, ("NO_PROXY", "*.example.com")], None),
            (
                plain,
                &[http, ("NO_PROXY", "ample.com")],
                Some("http://p:1"),
            ),
            (plain, &[http, ("NO_PROXY", "example.com:80")], None),
            (
                plain,
                &[http, ("NO_PROXY", "example.com:81")],
                Some("http://p:1"),
            ),
            ("ws://127.0.0.1:8000/", &[http], None),
            ("ws://[::1]:8000/", &[http], None),
            ("ws://localhost/", &[http], None),
        ];
        for (url, variables, want) in cases {
            let url = Url::parse("endpoint", url, "ws").unwrap();
            let got = from_environment(&url, |name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            let got = got.unwrap().map(|proxy| format!("{proxy:?}"));
            assert_eq!(got.as_deref(), *want, "{url:?} {variables:?}");
        }
    }

    #[test]
    fn a_proxy_that_is_none_is_refused_without_its_password() {
        let url = Url::parse("endpoint", "wss://host/", "ws").unwrap();
        let variable =
            |name: &str| (name == "HTTPS_PROXY").then(|| "socks5://u:secret@p".to_owned());
        let error = from_environment(&url, variable).unwrap_err().to_string();
        assert!(
            error.contains("HTTPS_PROXY") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn percent_signs_are_read() {
        assert_eq!(percent_decoded("a%40b:%e5%90%ac%"), "a@b:听%");
    }
}
