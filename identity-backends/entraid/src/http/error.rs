use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What kept an answer from coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The host could not be found or reached, or the connection broke.
    Connect,
    /// Anything else.
    Other,
    /// It took longer than the client allows.
    Timeout,
    /// No TLS connection came about: most often a certificate that is not
    /// trusted.
    Tls,
    /// The answer is longer than the client allows.
    TooLarge,
}

/// No answer to an HTTP request, and why.
#[derive(Clone, Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    source: Arc<dyn Error + Send + Sync>,
}

impl HttpError {
    /// `source` is shown to people: it must hold nothing of the request's or
    /// the response's body or headers.
    pub fn new(kind: HttpErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Arc::from(source.into()),
        }
    }

    /// The same, with what to do about it between this and the cause.
    pub(crate) fn with_advice(self, text: &'static str) -> Self {
        let cause = self.source;
        Self {
            kind: self.kind,
            source: Arc::new(Advice { text, cause }),
        }
    }

    /// What kept the answer from coming.
    #[must_use]
    pub const fn kind(&self) -> HttpErrorKind {
        self.kind
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            HttpErrorKind::Connect => "the connection failed",
            HttpErrorKind::Other => "the HTTP request failed",
            HttpErrorKind::Timeout => "the HTTP request took too long",
            HttpErrorKind::Tls => "the TLS handshake failed",
            HttpErrorKind::TooLarge => "the HTTP response is too large",
        })
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

#[derive(Debug)]
struct Advice {
    text: &'static str,
    cause: Arc<dyn Error + Send + Sync>,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl Error for Advice {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}
