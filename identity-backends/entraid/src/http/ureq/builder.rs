use std::time::Duration;

use redis_authx::ConfigError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::UreqClient;

pub(in crate::http) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub(in crate::http) const TIMEOUT: Duration = Duration::from_secs(10);
pub(in crate::http) const USER_AGENT: &str =
    concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Builds a [`UreqClient`].
#[derive(Clone, Debug)]
#[must_use]
pub struct UreqClientBuilder {
    connect_timeout: Duration,
    timeout: Duration,
    root_pems: Vec<Vec<u8>>,
}

impl UreqClientBuilder {
    pub(super) const fn new() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            root_pems: Vec::new(),
        }
    }

    /// Time limit for reaching the server: TCP, the proxy and the TLS
    /// handshake. Default: 5 s.
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Time limit for the whole request, from the name lookup to the last byte
    /// of the answer. Default: 10 s. The token manager has a limit of its own
    /// for each attempt; the shorter of the two counts.
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Trusts the certificates of this PEM text, one or more, **instead of**
    /// the built-in roots. May be called again to trust further ones. For an
    /// authority of one's own: a test server, a proxy that opens TLS.
    pub fn root_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_pems.push(pem.into());
        self
    }

    /// Builds the client. Reads the proxy variables of the environment.
    ///
    /// # Errors
    /// When a time limit is zero, or a PEM text holds no certificate or one
    /// that can't be read.
    pub fn build(self) -> Result<UreqClient, ConfigError> {
        for (field, limit) in [
            ("connect_timeout", self.connect_timeout),
            ("timeout", self.timeout),
        ] {
            if limit.is_zero() {
                return Err(ConfigError::invalid(field, "0 s", "a duration above zero"));
            }
        }
        let mut roots = Vec::new();
        for pem in &self.root_pems {
            roots.extend(certificates(pem)?);
        }
        Ok(self.with_roots(roots))
    }

    /// For a builder that was not touched, where nothing can be wrong.
    pub(super) fn finish(self) -> UreqClient {
        self.with_roots(Vec::new())
    }

    fn with_roots(self, roots: Vec<Certificate<'static>>) -> UreqClient {
        let trusted: RootCerts = if roots.is_empty() {
            RootCerts::WebPki
        } else {
            roots.into()
        };
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_idle_connections(0)
                .timeout_connect(Some(self.connect_timeout))
                .timeout_global(Some(self.timeout))
                .tls_config(TlsConfig::builder().root_certs(trusted.clone()).build())
                .user_agent(USER_AGENT)
        };
        UreqClient {
            proxied: config().build(),
            direct: config().proxy(None).build(),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, ConfigError> {
    // Not shown: whoever mixes the files up would print a private key.
    let wrong = |found: &'static str| {
        ConfigError::invalid(
            "root_certificate_pem",
            found,
            "one or more X.509 certificates between `BEGIN CERTIFICATE` and `END CERTIFICATE`",
        )
    };
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(wrong("not well-formed PEM")),
        }
    }
    if found.is_empty() {
        return Err(wrong("a text without a certificate"));
    }
    // ureq skips what it can't read, and would then trust nobody.
    for certificate in &found {
        RootCertStore::empty()
            .add(CertificateDer::from(certificate.der()))
            .map_err(|_| wrong("a certificate that can't be read"))?;
    }
    Ok(found)
}
