use std::sync::Arc;

use super::TokenManager;
use crate::driver::Driver;
use crate::machine::Machine;
use crate::shared::Shared;
use crate::{
    Clock, ConfigError, ExponentialBackoff, IdentityProvider, Moment, Observer, RefreshPolicy,
    RetryPolicy, Runtime,
};

/// Builds a [`TokenManager`]; everything but the provider has a default.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built or spawned"]
pub struct TokenManagerBuilder {
    provider: Arc<dyn IdentityProvider>,
    refresh: RefreshPolicy,
    retry: Arc<dyn RetryPolicy>,
    observers: Vec<Box<dyn Observer>>,
    seed: Option<u64>,
}

impl TokenManagerBuilder {
    pub(super) fn new(provider: Arc<dyn IdentityProvider>) -> Self {
        Self {
            provider,
            refresh: RefreshPolicy::default(),
            retry: Arc::new(ExponentialBackoff::default()),
            observers: Vec::new(),
            seed: None,
        }
    }

    /// When tokens are renewed. Default: [`RefreshPolicy::default`].
    pub fn refresh_policy(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = policy;
        self
    }

    /// What follows a failed attempt. Default: [`ExponentialBackoff::default`].
    pub fn retry_policy(mut self, policy: impl RetryPolicy) -> Self {
        self.retry = Arc::new(policy);
        self
    }

    /// Takes the refresh and the retry settings from `config`, in place of
    /// what was set before. Its [`reauth`](crate::Config::reauth) settings are
    /// for the client adapter.
    #[cfg(feature = "serde")]
    pub fn config(self, config: &crate::Config) -> Self {
        self.refresh_policy(config.refresh())
            .retry_policy(config.retry())
    }

    /// Adds an observer of the manager's [events](crate::Event) and of those
    /// of the connections that use its credentials.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Fixes all random choices (jitter), for a test that replays them.
    /// Default: a random seed.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Builds the manager and the [`Driver`] that runs it, without spawning
    /// anything.
    ///
    /// Client adapters need a runtime of their own for the credentials of a
    /// manager that was built this way.
    pub fn build<C: Clock + Clone>(self, clock: &C) -> (TokenManager, Driver) {
        self.assemble(Arc::new(clock.clone()), None)
    }

    /// Builds the manager and runs it on `runtime`.
    ///
    /// # Errors
    /// The error of [`Spawner::spawn`](crate::Spawner::spawn) when `runtime` can't
    /// run the manager: tokio's when this is called outside a tokio runtime.
    pub fn spawn(self, runtime: impl Runtime) -> Result<TokenManager, ConfigError> {
        let runtime: Arc<dyn Runtime> = Arc::new(runtime);
        let clock: Arc<dyn Clock> = Arc::<dyn Runtime>::clone(&runtime);
        let (manager, driver) = self.assemble(clock, Some(Arc::clone(&runtime)));
        runtime.spawn(Box::pin(driver))?;
        Ok(manager)
    }

    fn assemble(
        self,
        clock: Arc<dyn Clock>,
        runtime: Option<Arc<dyn Runtime>>,
    ) -> (TokenManager, Driver) {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let machine = Machine::new(self.refresh, self.retry, seed, Moment::now(&*clock));
        let shared = Arc::new(Shared::new(clock, runtime, self.observers));
        let driver = Driver::new(Arc::clone(&shared), self.provider, machine);
        (TokenManager::new(shared), driver)
    }
}
