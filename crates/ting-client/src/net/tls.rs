//! TLS, with the certificates that this machine trusts and those the program adds.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Url, is_transient};
use crate::error::{Error, ErrorKind};

/// Certificates that are trusted beside those of this machine.
#[derive(Clone, Default)]
pub(crate) struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Adds the certificates of a PEM file's contents.
    ///
    /// # Errors
    /// `InvalidParameter` for what holds none.
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<(), Error> {
        let wrong = |why: String| {
            let message = format!("root_certificates {why}; it must be certificates in PEM form");
            Error::new(ErrorKind::InvalidParameter, message)
        };
        let before = self.0.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.0
                .push(certificate.map_err(|error| wrong(format!("cannot be read ({error})")))?);
        }
        match self.0.len() == before {
            true => Err(wrong("has no certificate in it".to_owned())),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.0.len())
    }
}

/// Makes the stream to `url` a TLS stream.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    url: &Url,
    roots: &Roots,
) -> Result<TlsStream<S>, Error> {
    let name = ServerName::try_from(url.host.clone())
        .map_err(|_| Error::invalid("endpoint", &url.shown, "a URL with a host name or address"))?;
    let connector = TlsConnector::from(config(roots)?);
    connector.connect(name, stream).await.map_err(|error| {
        let message = format!("no TLS with {}: {error}", url.shown);
        let failed = Error::new(ErrorKind::Connect, message);
        match is_transient(&error) {
            true => failed.transient(),
            false => failed,
        }
    })
}

fn config(roots: &Roots) -> Result<Arc<ClientConfig>, Error> {
    let mut store = RootCertStore::clone(native());
    for root in &roots.0 {
        store.add(root.clone()).map_err(|error| {
            let message = format!("root_certificates has one that is of no use: {error}");
            Error::new(ErrorKind::InvalidParameter, message)
        })?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Connect, format!("no TLS: {error}")))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What this machine trusts, read once: it is a hundred files or more.
fn native() -> &'static RootCertStore {
    static NATIVE: OnceLock<RootCertStore> = OnceLock::new();
    NATIVE.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "cannot read some of the trusted certificates");
        }
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            tracing::warn!("this machine trusts no certificates; TLS will fail");
        }
        store
    })
}
