use async_trait::async_trait;

use super::IdentityProvider;
use crate::{ConfigError, ErrorKind, ProviderError, Token};

/// Asks several providers in turn until one has a token.
///
/// Every request starts again at the first one, so a preferred source is
/// taken up again as soon as it works. The manager's time limit covers the
/// whole chain.
#[derive(Debug)]
pub struct ProviderChain(Vec<Box<dyn IdentityProvider>>);

impl ProviderChain {
    /// A chain that asks `first`, then those added with [`or`](Self::or).
    pub fn new(first: impl IdentityProvider) -> Self {
        Self(vec![Box::new(first)])
    }

    /// A chain of the providers of a list, in its order.
    ///
    /// # Errors
    /// [`ConfigError`] when the list is empty.
    pub fn from_list(providers: Vec<Box<dyn IdentityProvider>>) -> Result<Self, ConfigError> {
        if providers.is_empty() {
            return Err(ConfigError::missing("providers", "at least one provider"));
        }
        Ok(Self(providers))
    }

    /// Asks `next` when all before it have failed.
    #[must_use]
    pub fn or(mut self, next: impl IdentityProvider) -> Self {
        self.0.push(Box::new(next));
        self
    }
}

#[async_trait]
impl IdentityProvider for ProviderChain {
    /// # Errors
    /// When all fail: the error of the one that is most worth asking again (a
    /// transient one before a fatal one, the first of these).
    async fn request_token(&self) -> Result<Token, ProviderError> {
        let mut worth: Option<ProviderError> = None;
        for provider in &self.0 {
            match provider.request_token().await {
                Ok(token) => return Ok(token),
                Err(error) => match &worth {
                    Some(kept) if kept.is_transient() || !error.is_transient() => {}
                    _ => worth = Some(error),
                },
            }
        }
        Err(worth.unwrap_or_else(|| ErrorKind::Other.into()))
    }
}
