mod error;

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::future::{Either, select};

use super::IdentityProvider;
use crate::{ConfigError, ErrorKind, ProviderError, Token, TokenRequest};
pub use error::ChainError;

/// Asks several providers in turn until one has a token.
///
/// The chain goes on only past a provider that isn't there. What ends it:
///
/// | outcome of a provider | the chain |
/// |---|---|
/// | a token | returns it |
/// | [`NotConfigured`](ErrorKind::NotConfigured): not set up on this machine | asks the next |
/// | [`Unavailable`](ErrorKind::Unavailable), [`Timeout`](ErrorKind::Timeout): out of reach | asks the next |
/// | no answer within its share of the time | drops that request, as a `Timeout`, and asks the next |
/// | any other error: the provider is set up and fails | returns an error of that kind and asks no other |
///
/// Each provider gets an equal share of the time that is left: the request's
/// [`time_left`](TokenRequest::time_left) divided by the number of providers
/// still to be asked, itself included. Its [`TokenRequest`] has that earlier
/// deadline. One that answers sooner leaves the rest to the others. Where the
/// providers are slow, set a longer
/// [`request_timeout`](crate::RefreshPolicyBuilder::request_timeout): it covers
/// the whole chain.
///
/// Every request starts again at the first one, so a preferred source is
/// used again as soon as it works; [`remembering`](Self::sticky) makes
/// the chain stay with what worked.
///
/// ```
/// use redis_authx::{ProviderChain, ProviderError, Token, provider_fn};
///
/// let broker = provider_fn(|| async { Err(ProviderError::unavailable("connection refused")) });
/// let spare = provider_fn(|| async { Ok(Token::new("app", "password")) });
/// let chain = ProviderChain::new(broker).named("broker").or(spare).named("spare");
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

    /// Asks `next` when none before it is there.
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
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        if let Some(last) = self.links.last_mut() {
            last.name = Some(name.into());
        }
        self
    }

    /// Stays with the provider that had a token, for providers that log in as
    /// different users: a chain that changes over and back with each hiccup
    /// would change the user under every connection.
    ///
    /// It is asked first and has all of the request's time. When it fails and
    /// [asking again](ProviderError::is_transient) may help, or when it does not
    /// answer in time, that is the chain's error and no other is asked. When
    /// asking again can't help, all others are asked, in their order, as if
    /// there had been no token yet.
    #[must_use]
    pub fn sticky(mut self) -> Self {
        self.remembers = true;
        self
    }

    /// Asks one provider, which has to answer by the request's deadline.
    async fn ask(
        &self,
        index: usize,
        request: &TokenRequest<'_>,
        failed: &mut ChainError,
    ) -> Option<Token> {
        let link = self.links.get(index)?;
        match link.answer(request).await {
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

impl Link {
    async fn answer(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let mut answer = self.provider.request_token(request);
        loop {
            let limit = request.clock().sleep_until(request.deadline());
            match select(answer, limit).await {
                Either::Left((answer, _)) => return answer,
                Either::Right(_) if request.time_left().is_zero() => {
                    return Err(ProviderError::timeout(
                        "no answer within this provider's share of the time",
                    ));
                }
                // The timer completed early, as timers may.
                Either::Right((_, pending)) => answer = pending,
            }
        }
    }
}

/// The request for a provider that has `links` to share the time with, itself
/// included.
fn share<'a>(request: &TokenRequest<'a>, links: usize) -> TokenRequest<'a> {
    let links = u32::try_from(links).unwrap_or(u32::MAX).max(1);
    let wait = request.time_left() / links;
    request.with_deadline(request.clock().now() + wait)
}

/// Whether a provider that failed like this isn't there.
const fn is_absent(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotConfigured | ErrorKind::Timeout | ErrorKind::Unavailable
    )
}

#[async_trait]
impl IdentityProvider for ProviderChain {
    /// # Errors
    /// When a provider that is set up fails: of the [kind](ErrorKind) of its
    /// error. When none is there: of the kind of the first error that
    /// [asking again](ErrorKind::is_transient) may help against, else of the
    /// first. The `Retry-After` is that error's too. The source is a
    /// [`ChainError`], which holds the error of each provider that was asked.
    ///
    /// # Cancel safety
    /// That of the provider that is being asked.
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let mut failed = ChainError::default();
        let worked = self.worked.load(Ordering::Relaxed);
        let remembered = self.remembers && worked < self.links.len();
        if remembered {
            if let Some(token) = self.ask(worked, request, &mut failed).await {
                return Ok(token);
            }
            if failed.last().is_some_and(ProviderError::is_transient) {
                return Err(failed.ended());
            }
        }
        let mut left = self.links.len() - usize::from(remembered);
        for index in 0..self.links.len() {
            if remembered && index == worked {
                continue;
            }
            let request = share(request, left);
            left -= 1;
            if let Some(token) = self.ask(index, &request, &mut failed).await {
                return Ok(token);
            }
            if failed.last().is_some_and(|error| !is_absent(error.kind())) {
                return Err(failed.ended());
            }
        }
        Err(failed.exhausted())
    }
}
