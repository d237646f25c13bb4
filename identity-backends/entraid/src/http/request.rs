use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

/// The method of an [`HttpRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

impl HttpMethod {
    /// As it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Headers whose values are no secret; all others are redacted in `Debug`.
const OPEN_HEADERS: [&str; 4] = ["accept", "content-type", "host", "user-agent"];

/// A request to an identity service.
///
/// Holds secrets: its body and all but a few well-known headers are redacted
/// in `Debug`, and both are wiped from memory when it is dropped.
#[derive(Clone)]
pub struct HttpRequest {
    method: HttpMethod,
    url: String,
    headers: Vec<(String, Zeroizing<String>)>,
    body: Zeroizing<Vec<u8>>,
    proxy_allowed: bool,
    time_limit: Option<Duration>,
}

impl HttpRequest {
    /// A request with no headers and an empty body. `url` is absolute and
    /// holds no secret.
    pub fn new(method: HttpMethod, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Zeroizing::default(),
            proxy_allowed: true,
            time_limit: None,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers
            .push((name.into(), Zeroizing::new(value.into())));
        self
    }

    /// Sets the body. `Content-Length` is the client's to add.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Zeroizing::new(body.into());
        self
    }

    /// Says that no proxy may see this request: it is for a host that only this
    /// machine can reach, and may hold a secret in clear text.
    #[must_use]
    pub const fn without_proxy(mut self) -> Self {
        self.proxy_allowed = false;
        self
    }

    /// Says how long the answer is worth waiting for.
    #[must_use]
    pub const fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> HttpMethod {
        self.method
    }

    /// The absolute URL, `https`, or `http` to this machine.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers as name and value, in the order they were added.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The body: a secret. Empty for a request without one.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether a proxy may see it. A client that can't tell one request from
    /// another must be set up not to use one for this host.
    #[must_use]
    pub const fn allows_proxy(&self) -> bool {
        self.proxy_allowed
    }

    /// How long to wait for the whole answer, if the client's own limit is not
    /// shorter.
    #[must_use]
    pub const fn time_limit(&self) -> Option<Duration> {
        self.time_limit
    }

    /// Whether a header's value may be a secret.
    pub(crate) fn has_secret_header(&self) -> bool {
        self.headers.iter().any(|(name, _)| !is_open(name))
    }
}

fn is_open(name: &str) -> bool {
    OPEN_HEADERS
        .iter()
        .any(|open| name.eq_ignore_ascii_case(open))
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self
            .headers()
            .map(|(name, value)| (name, if is_open(name) { value } else { "[redacted]" }))
            .collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &headers)
            .field("body", &"[redacted]")
            .finish()
    }
}
