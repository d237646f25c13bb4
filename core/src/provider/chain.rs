mod error;

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::IdentityProvider;
use crate::{ConfigError, ProviderError, Token, TokenRequest};
pub use error::ChainError;

/// Asks several providers in turn until one has a token.
///
/// Every request starts again at the first one, so a preferred source is
/// taken up again as soon as it works; [`remembering`](Self::remembering) makes
/// it stay with what worked. The manager's time limit covers the whole chain.
///
/// ```
/// use redis_authx::{ProviderChain, ProviderError, Token, provider_fn};
///
/// let broker = provider_fn(|| async { Err(ProviderError::unavailable("connection refused")) });
/// let spare = provider_fn(|| async { Ok(Token::new("app", "password")) });
/// let chain = ProviderChain::new(broker).called("broker").or(spare).called("spare");
/// ```
#[derive(Debug)]
pub struct ProviderChain {
    links: Vec<Link>,
    remembers: bool,
    /// The link that had the last token; past the end when none had one.
    worked: AtomicUsize,
}

#[derive(Debug)]
struct Link {
    name: Option<Cow<'static, str>>,
    provider: Box<dyn IdentityProvider>,
}

impl ProviderChain {
    /// A chain that asks `first`, then those added with [`or`](Self::or).
    pub fn new(first: impl IdentityProvider) -> Self {
        Self::of(vec![Box::new(first)])
    }

    /// A chain of the providers of a list, in its order.
    ///
    /// # Errors
    /// [`ConfigError`] when the list is empty.
    pub fn from_list(providers: Vec<Box<dyn IdentityProvider>>) -> Result<Self, ConfigError> {
        if providers.is_empty() {
            return Err(ConfigError::missing("providers", "at least one provider"));
        }
        Ok(Self::of(providers))
    }

    fn of(providers: Vec<Box<dyn IdentityProvider>>) -> Self {
        let link = |provider| Link {
            name: None,
            provider,
        };
        Self {
            links: providers.into_iter().map(link).collect(),
            remembers: false,
            worked: AtomicUsize::new(usize::MAX),
        }
    }

    /// Asks `next` when all before it have failed.
    #[must_use]
    pub fn or(mut self, next: impl IdentityProvider) -> Self {
        self.links.push(Link {
            name: None,
            provider: Box::new(next),
        });
        self
    }

    /// What the provider that was added last is called in errors. Default:
    /// `provider 1` and so on.
    #[must_use]
    pub fn called(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        if let Some(last) = self.links.last_mut() {
            last.name = Some(name.into());
        }
        self
    }

    /// Stays with the provider that had a token, for providers that log in as
    /// different users: a chain that changes over and back with each hiccup
    /// would change the user under every connection.
    ///
    /// When it fails and [asking again](ProviderError::is_transient) may help,
    /// that is the chain's error and no other is asked. When asking again can't
    /// help, all are asked, in their order.
    #[must_use]
    pub fn remembering(mut self) -> Self {
        self.remembers = true;
        self
    }

    async fn ask(
        &self,
        index: usize,
        request: &TokenRequest<'_>,
        failed: &mut ChainError,
    ) -> Option<Token> {
        let link = self.links.get(index)?;
        match link.provider.request_token(request).await {
            Ok(token) => {
                self.worked.store(index, Ordering::Relaxed);
                Some(token)
            }
            Err(error) => {
                let name = link.name.clone();
                let name = name.unwrap_or_else(|| format!("provider {}", index + 1).into());
                failed.push(name, error);
                None
            }
        }
    }
}

#[async_trait]
impl IdentityProvider for ProviderChain {
    /// # Errors
    /// When all fail: of the [kind](crate::ErrorKind) of the one that is most
    /// worth asking again (a transient one before a fatal one, the first of
    /// these). Its source is a [`ChainError`], which says what each one said.
    ///
    /// # Cancel safety
    /// That of the provider that is being asked.
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let mut failed = ChainError::default();
        let worked = self.worked.load(Ordering::Relaxed);
        let first = worked < self.links.len() && self.remembers;
        if first {
            if let Some(token) = self.ask(worked, request, &mut failed).await {
                return Ok(token);
            }
            if failed.is_transient() {
                return Err(failed.into());
            }
        }
        for index in 0..self.links.len() {
            if first && index == worked {
                continue;
            }
            if let Some(token) = self.ask(index, request, &mut failed).await {
                return Ok(token);
            }
        }
        Err(failed.into())
    }
}
