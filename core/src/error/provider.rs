use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::write_error;

type Source = Arc<dyn Error + Send + Sync>;

/// Why a token request failed, and who can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token had expired on arrival. Resolves itself, or once this machine's
    /// clock is corrected.
    Expired,
    /// The reply could not be read, or lacked what Redis needs. Its sender has to
    /// fix it; the request is retried all the same, since a proxy may have cut
    /// the reply.
    InvalidResponse,
    /// The request itself was wrong: unknown tenant, client or scope. An operator
    /// has to fix it.
    Misconfigured,
    /// This source of tokens is not set up on this machine: its settings, its
    /// program or its service are not there. A
    /// [`ProviderChain`](crate::ProviderChain) goes on to the next provider.
    NotConfigured,
    /// Anything else.
    Other,
    /// The identity service refused the credentials: wrong or expired secret. An
    /// operator has to fix it.
    Rejected,
    /// The identity service is throttling requests.
    Throttled,
    /// No answer within the time limit.
    Timeout,
    /// The identity service could not be reached, or answered that it is down.
    Unavailable,
}

impl ErrorKind {
    /// Whether another attempt may succeed without a person's help: all but
    /// [`Misconfigured`](Self::Misconfigured),
    /// [`NotConfigured`](Self::NotConfigured) and [`Rejected`](Self::Rejected).
    #[must_use]
    pub const fn is_transient(self) -> bool {
        !matches!(
            self,
            Self::Misconfigured | Self::NotConfigured | Self::Rejected
        )
    }

    /// The kind as one stable word, for metrics and log fields.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::InvalidResponse => "invalid_response",
            Self::Misconfigured => "misconfigured",
            Self::NotConfigured => "not_configured",
            Self::Other => "other",
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A failed token request.
///
/// Cheap to clone: every reader of an outage gets the same one.
///
/// ```
/// use redis_authx::{ErrorKind, ProviderError};
///
/// let error = ProviderError::unavailable("connection refused");
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// assert!(error.is_transient());
/// ```
#[derive(Clone, Debug)]
pub struct ProviderError {
    kind: ErrorKind,
    retry_after: Option<Duration>,
    source: Option<Source>,
}

impl ProviderError {
    /// Creates an error of `kind` without a source.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
            source: None,
        }
    }

    /// Attaches the underlying error.
    ///
    /// It is shown to people: it must not hold a token, a secret or a response
    /// body.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Attaches the time that the identity service asked to wait, its
    /// `Retry-After`. It lengthens the wait before the next attempt and never
    /// shortens it; at most one hour counts.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The reply could not be used: [`ErrorKind::InvalidResponse`].
    pub fn invalid_response(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::InvalidResponse).with_source(source)
    }

    /// The request was wrong: [`ErrorKind::Misconfigured`].
    pub fn misconfigured(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Misconfigured).with_source(source)
    }

    /// The source is not set up on this machine: [`ErrorKind::NotConfigured`].
    pub fn not_configured(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::NotConfigured).with_source(source)
    }

    /// Anything else: [`ErrorKind::Other`].
    pub fn other(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Other).with_source(source)
    }

    /// The credentials were refused: [`ErrorKind::Rejected`].
    pub fn rejected(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Rejected).with_source(source)
    }

    /// Too many requests: [`ErrorKind::Throttled`].
    pub fn throttled(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Throttled).with_source(source)
    }

    /// No answer in time: [`ErrorKind::Timeout`].
    pub fn timeout(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Timeout).with_source(source)
    }

    /// Not reachable, or down: [`ErrorKind::Unavailable`].
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Unavailable).with_source(source)
    }

    /// Why the request failed.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether another attempt may succeed without a person's help. After an error
    /// that is not transient, attempts slow down to one per [`fatal_cool_down`](crate::RefreshPolicyBuilder::fatal_cool_down).
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }

    /// How long the identity service asked to wait, if it did.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl From<ErrorKind> for ProviderError {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.kind {
            ErrorKind::Expired => "the token had expired on arrival",
            ErrorKind::InvalidResponse => "the identity service's reply could not be used",
            ErrorKind::Misconfigured => "the token request is misconfigured",
            ErrorKind::NotConfigured => "this source of tokens is not set up on this machine",
            ErrorKind::Other => "the token request failed",
            ErrorKind::Rejected => "the identity service rejected the credentials",
            ErrorKind::Throttled => "the identity service is throttling requests",
            ErrorKind::Timeout => "the identity service did not answer in time",
            ErrorKind::Unavailable => "the identity service is unavailable",
        };
        write_error(f, self, text)
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
