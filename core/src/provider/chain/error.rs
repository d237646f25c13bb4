use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::error::write_sources;
use crate::{ErrorKind, ProviderError};

/// The errors of the providers that a [`ProviderChain`](crate::ProviderChain)
/// asked: the source of its [`ProviderError`].
///
/// Its `Display` shows all of them, since a list has no single
/// [`source`](Error::source).
#[derive(Clone, Debug, Default)]
pub struct ChainError(Vec<(Cow<'static, str>, ProviderError)>);

impl ChainError {
    /// The providers that were asked, in that order, by
    /// [name](crate::ProviderChain::named), with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &ProviderError)> {
        self.0.iter().map(|(name, error)| (&**name, error))
    }

    pub(super) fn push(&mut self, name: Cow<'static, str>, error: ProviderError) {
        self.0.push((name, error));
    }

    pub(super) fn last(&self) -> Option<&ProviderError> {
        self.0.last().map(|(_, error)| error)
    }

    /// The error of a chain that its last failure has ended.
    pub(super) fn ended(self) -> ProviderError {
        let decisive = self.last().cloned();
        self.like(decisive)
    }

    /// The error of a chain of which no provider is there.
    pub(super) fn exhausted(self) -> ProviderError {
        let errors = || self.0.iter().map(|(_, error)| error);
        let decisive = errors()
            .find(|error| error.is_transient())
            .or_else(|| errors().next())
            .cloned();
        self.like(decisive)
    }

    fn like(self, decisive: Option<ProviderError>) -> ProviderError {
        let kind = decisive
            .as_ref()
            .map_or(ErrorKind::Other, ProviderError::kind);
        let wait = decisive.as_ref().and_then(ProviderError::retry_after);
        let error = ProviderError::new(kind).with_source(self);
        match wait {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the chain has no token")?;
        for (index, (name, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{name}: {error}")?;
            write_sources(f, error)?;
        }
        Ok(())
    }
}

impl Error for ChainError {}
