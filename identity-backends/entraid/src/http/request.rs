use std::fmt;

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
