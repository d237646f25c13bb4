use std::fmt;

/// What could be told from a credential's error: the source of a
/// [`ProviderError`](redis_authx::ProviderError).
///
/// Only numbers are kept of it; the texts are this crate's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialError {
    pub(crate) status: Option<u16>,
    pub(crate) codes: Vec<u32>,
    pub(crate) what: &'static str,
}

impl CredentialError {
    /// The HTTP status; `None` when there was none, or `azure_core` has lost it.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// The numbers of the `AADSTS` codes (Microsoft Learn, "Microsoft Entra
    /// authentication and authorization error codes"); at most eight.
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if let Some(status) = self.status {
            write!(f, ", HTTP {status}")?;
        }
        for code in &self.codes {
            write!(f, ", AADSTS{code}")?;
        }
        f.write_str("; `inspect_error` gets its whole text")
    }
}

impl std::error::Error for CredentialError {}
