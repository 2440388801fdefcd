//! The options that say where a server is and who asks, which recognitions and requests have in common.

use std::time::Duration;

use hyper::header::HeaderMap;

use crate::config;
use crate::error::{Error, ErrorKind};
use crate::net::{Endpoint, Proxy, Roots, Url, Way};
use crate::settings::Settings;

/// The options of every builder that has a `target`.
macro_rules! target_options {
    () => {
        /// The API key. If not set it is that of [`Settings`](crate::Settings). A server of one's own may need none; the hosted
        /// service does.
        pub fn api_key(mut self, key: impl Into<String>) -> Self {
            self.target.api_key = Some(key.into());
            self
        }

        /// The workspace of the hosted service.
        pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
            self.target.workspace = Some(workspace.into());
            self
        }

        /// Another header of the handshake or request. One that this library sets itself, such as `Authorization`, is replaced.
        pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.target.headers.push((name.into(), value.into()));
            self
        }

        /// The HTTP proxy to go through, such as `http://proxy:3128`; empty for none. If not set, `HTTP_PROXY`, `HTTPS_PROXY`,
        /// `ALL_PROXY` and `NO_PROXY` say which, and loopback addresses have none.
        pub fn proxy(mut self, url: impl Into<String>) -> Self {
            self.target.proxy = Some(url.into());
            self
        }

        /// Certificates in PEM form to trust, beside those that this machine trusts: those of a server of one's own.
        pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
            self.target.root_certificates.push(pem.into());
            self
        }

        /// How long a connection may take, handshake included, each time it is tried. 10 s if not set.
        pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.target.connect_timeout = timeout;
            self
        }
    };
}
pub(crate) use target_options;

#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) endpoint: Option<String>,
    pub(crate) api_key: Option<String>,
    pub(crate) workspace: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) proxy: Option<String>,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    pub(crate) connect_timeout: Duration,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            endpoint: None,
            api_key: None,
            workspace: None,
            headers: Vec::new(),
            proxy: None,
            root_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// The key is no reading matter for logs.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("endpoint", &self.endpoint)
            .field("workspace", &self.workspace)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// The way to the server, and the headers: from the options, else from what the environment says, else to `hosted`.
    pub(crate) fn resolve(
        &self,
        settings: &Settings,
        from_env: Option<&str>,
        hosted: &str,
        url: impl FnOnce(&str) -> Result<Url, Error>,
    ) -> Result<(Way, HeaderMap), Error> {
        let set = self.endpoint.as_deref().or(from_env);
        let endpoint = endpoint(set.unwrap_or(hosted), url)?;
        let is_embedded = !matches!(endpoint, Endpoint::Url(_));
        let api_key = self.api_key.as_deref().or(settings.api_key.as_deref());
        let api_key = api_key.filter(|key| !key.trim().is_empty() && !is_embedded);
        if api_key.is_none() && set.is_none() {
            let message = "there is no API key; set the option api_key or DASHSCOPE_API_KEY, or \
                           set an endpoint that needs none";
            return Err(Error::new(ErrorKind::Authentication, message));
        }
        let mut roots = Roots::default();
        for pem in &self.root_certificates {
            roots.add_pem(pem)?;
        }
        let way = Way {
            endpoint,
            proxy: match &self.proxy {
                None => Proxy::Environment,
                Some(proxy) => Proxy::parse(proxy)?,
            },
            roots,
            connect_timeout: self.connect_timeout,
        };
        let headers = config::headers(api_key, self.workspace.as_deref(), &self.headers)?;
        Ok((way, headers))
    }
}

fn endpoint(text: &str, url: impl FnOnce(&str) -> Result<Url, Error>) -> Result<Endpoint, Error> {
    #[cfg(feature = "embedded")]
    if text.trim() == "embedded" {
        return Ok(Endpoint::Embedded);
    }
    url(text).map(Endpoint::Url)
}
