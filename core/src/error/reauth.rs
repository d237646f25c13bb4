use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::error::write_error;

/// Why a connection did not take a new token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReauthErrorKind {
    /// The connection is inside a transaction, of which `AUTH` would become a part, or
    /// replies are pending, of a command that blocks or of a slow server, behind which
    /// `AUTH` might not be answered.
    Busy,
    /// The connection is lost, or a new one can't be opened.
    Disconnected,
    /// Anything else.
    Other,
    /// The connection's replies no longer belong to its requests: the reply to `AUTH`
    /// was neither `OK` nor an error, or a command got a reply that it can't have.
    OutOfStep,
    /// The server refused the token: `WRONGPASS`.
    Refused,
    /// No answer within the time limit.
    Timeout,
    /// The connection can't re-authenticate in place, or not now. It is replaced, and
    /// no failure is reported.
    Unsupported,
}

impl ReauthErrorKind {
    /// The kind as one stable word, for metrics and log fields.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Disconnected => "disconnected",
            Self::Other => "other",
            Self::OutOfStep => "out_of_step",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Unsupported => "unsupported",
        }
    }
}

/// A failed re-authentication. Cheap to clone; holds no secret.
#[derive(Clone, Debug)]
pub struct ReauthError {
    kind: ReauthErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ReauthError {
    /// Creates an error of `kind` without a source.
    #[must_use]
    pub const fn new(kind: ReauthErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Attaches the client's error. It is shown to people: it must not hold a token.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The kind of failure.
    #[must_use]
    pub const fn kind(&self) -> ReauthErrorKind {
        self.kind
    }
}

impl fmt::Display for ReauthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.kind {
            ReauthErrorKind::Busy => {
                "the connection is inside a transaction, blocked by a command, or owes replies"
            }
            ReauthErrorKind::Disconnected => "the connection to the server is lost",
            ReauthErrorKind::Other => "re-authentication failed",
            ReauthErrorKind::OutOfStep => {
                "the connection's replies no longer belong to its requests"
            }
            ReauthErrorKind::Refused => "the server refused the token",
            ReauthErrorKind::Timeout => "the server did not answer AUTH in time",
            ReauthErrorKind::Unsupported => "the connection can't re-authenticate in place",
        };
        write_error(f, self, text)
    }
}

impl Error for ReauthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<ReauthErrorKind> for ReauthError {
    fn from(kind: ReauthErrorKind) -> Self {
        Self::new(kind)
    }
}
