//! How the identity service said no.

pub(crate) mod codes;
mod diagnosis;
mod reply;
#[cfg(feature = "interactive")]
mod sign_in;

use std::fmt;

use redis_authx::{ErrorKind, ProviderError};

#[cfg(feature = "interactive")]
pub(crate) use reply::redirected;
pub(crate) use reply::{Answer, refusal};
#[cfg(feature = "interactive")]
pub use sign_in::SignInError;

/// What an `AADSTS` number means that comes without a reply; `None` for one
/// that this crate does not know.
pub(crate) fn kind_of_code(code: u32) -> Option<ErrorKind> {
    codes::lookup(code).map(|(kind, _)| kind)
}

/// What the identity service answered in place of a usable token: the source
/// of a [`ProviderError`].
///
/// Of the reply it keeps only what can't hold a secret: the status, the
/// OAuth 2.0 error word, the `AADSTS` numbers, and the two ids that Microsoft's
/// support asks for. The texts are this crate's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraError {
    status: u16,
    error: Option<String>,
    codes: Vec<u32>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
    advice: &'static str,
}

impl EntraError {
    /// The HTTP status; 302 for what a browser was redirected with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The error word of RFC 6749 §5.2, as `invalid_client`; `None` when the
    /// reply had none, or one that is not in lower-case letters and `_`. Of
    /// managed identities' endpoints also the words that they add to these, as
    /// `ManagedIdentityNotFound`.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The numbers of the `AADSTS` codes (Microsoft Learn, "Microsoft Entra
    /// authentication and authorization error codes"); at most eight.
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The reply's `trace_id`, if it is a GUID.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// The reply's `correlation_id`, if it is a GUID.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// A reply of status 200 that is of no use.
    pub(crate) fn unusable(kind: ErrorKind, advice: &'static str) -> ProviderError {
        Self::answered(200, kind, advice)
    }

    /// A reply of which no more is to be told than its status.
    pub(crate) fn answered(status: u16, kind: ErrorKind, advice: &'static str) -> ProviderError {
        ProviderError::new(kind).with_source(Self {
            status,
            error: None,
            codes: Vec::new(),
            trace_id: None,
            correlation_id: None,
            advice,
        })
    }
}

impl fmt::Display for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(word) = &self.error {
            write!(f, ", {word}")?;
        }
        for code in &self.codes {
            write!(f, ", AADSTS{code}")?;
        }
        write!(f, ": {}", self.advice)?;
        match (&self.trace_id, &self.correlation_id) {
            (None, None) => Ok(()),
            (Some(trace), None) => write!(f, " (trace id {trace})"),
            (None, Some(correlation)) => write!(f, " (correlation id {correlation})"),
            (Some(trace), Some(correlation)) => {
                write!(f, " (trace id {trace}, correlation id {correlation})")
            }
        }
    }
}

impl std::error::Error for EntraError {}
