use std::fmt;

use redis_authx::ConfigError;
use zeroize::Zeroizing;

/// A text that is never shown and is wiped from memory.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Refuses what can only be a mistake: nothing at all, or the line break
    /// at the end of the file it was read from.
    pub(crate) fn check(&self, field: &'static str) -> Result<(), ConfigError> {
        let text = self.expose();
        let found = if text.trim().is_empty() {
            "blank"
        } else if text.starts_with(['\r', '\n']) || text.ends_with(['\r', '\n']) {
            "a text with a line break at its beginning or end"
        } else {
            return Ok(());
        };
        Err(ConfigError::invalid(
            field,
            found,
            "the secret's value, and nothing around it",
        ))
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
