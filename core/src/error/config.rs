use std::borrow::Cow;
use std::fmt;

/// A setting that can't work, found when something is built.
///
/// Names the field, what was found in it and what is allowed. Never holds a
/// secret: for a secret field [`found`](Self::found) says only what is wrong
/// with it ("empty", say).
///
/// ```
/// use redis_authx::ConfigError;
///
/// let error = ConfigError::invalid("ratio", 1.5, "a number from 0 to 1");
/// assert_eq!(error.to_string(), "`ratio` is 1.5, allowed is a number from 0 to 1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    field: Cow<'static, str>,
    found: Option<String>,
    allowed: Cow<'static, str>,
}

impl ConfigError {
    /// `field` holds `found`, where only `allowed` works.
    pub fn invalid(
        field: impl Into<Cow<'static, str>>,
        found: impl fmt::Display,
        allowed: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            found: Some(found.to_string()),
            allowed: allowed.into(),
        }
    }

    /// `field` was not set; `allowed` says what to set it to.
    pub fn missing(
        field: impl Into<Cow<'static, str>>,
        allowed: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            found: None,
            allowed: allowed.into(),
        }
    }

    /// The same error, of a field that is known by a longer name outside.
    #[cfg(feature = "serde")]
    pub(crate) fn renamed(self, field: String) -> Self {
        Self {
            field: field.into(),
            ..self
        }
    }

    /// The setting's name, as it is written in code and in configuration files.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What was found in it; `None` when it was not set at all.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// What is allowed there.
    #[must_use]
    pub fn allowed(&self) -> &str {
        &self.allowed
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            found,
            allowed,
        } = self;
        match found {
            Some(found) => write!(f, "`{field}` is {found}, allowed is {allowed}"),
            None => write!(f, "`{field}` is not set, needed is {allowed}"),
        }
    }
}

impl std::error::Error for ConfigError {}
