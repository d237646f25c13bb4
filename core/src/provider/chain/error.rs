use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::error::write_sources;
use crate::{ErrorKind, ProviderError};

/// What each provider of a [`ProviderChain`](crate::ProviderChain) said: the
/// source of its [`ProviderError`].
///
/// Its `Display` says all of it, since a list has no single
/// [`source`](Error::source).
#[derive(Clone, Debug, Default)]
pub struct ChainError(Vec<(Cow<'static, str>, ProviderError)>);

impl ChainError {
    /// The providers that were asked, in that order, by
    /// [name](crate::ProviderChain::called), with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &ProviderError)> {
        self.0.iter().map(|(name, error)| (&**name, error))
    }

    pub(super) fn push(&mut self, name: Cow<'static, str>, error: ProviderError) {
        self.0.push((name, error));
    }

    pub(super) fn is_transient(&self) -> bool {
        self.0.iter().any(|(_, error)| error.is_transient())
    }
}

impl From<ChainError> for ProviderError {
    fn from(all: ChainError) -> Self {
        let errors = || all.0.iter().map(|(_, error)| error);
        let worth = errors()
            .find(|error| error.is_transient())
            .or_else(|| errors().next());
        let kind = worth.map_or(ErrorKind::Other, Self::kind);
        let wait = worth.and_then(Self::retry_after);
        let error = Self::new(kind).with_source(all);
        match wait {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no provider has a token")?;
        for (index, (name, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{name}: {error}")?;
            write_sources(f, error)?;
        }
        Ok(())
    }
}

impl Error for ChainError {}
