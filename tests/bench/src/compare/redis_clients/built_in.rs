//! The built-in of redis-rs 1.8: feature `entra-id`.

use std::fmt;
use std::sync::Arc;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, EntraIdCredentialsProvider, RedisResult, RetryConfig};
use redis_authx::IdentityProvider;

use crate::compare::credential::Credential;
use crate::compare::plan::Plan;

/// A provider that was started with its default retries, and a client.
pub(crate) struct BuiltIn {
    pub(crate) provider: EntraIdCredentialsProvider,
    pub(crate) client: Client,
}

impl BuiltIn {
    pub(super) fn start(identity: Arc<dyn IdentityProvider>, url: &str, plan: Plan) -> Self {
        let credential = Arc::new(Credential::new(identity, plan.renewed_after));
        let scopes = vec!["https://redis.azure.com/.default".to_owned()];
        let made = EntraIdCredentialsProvider::new_with_credential(credential, scopes);
        let mut provider = made.expect("a provider");
        provider.start(RetryConfig::default());
        let client = Client::open(url).expect("a client");
        Self { provider, client }
    }

    pub(crate) async fn multiplexed(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        let config = config.set_credentials_provider(self.provider.clone());
        let opened = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        opened.await
    }

    pub(crate) async fn manager(&self) -> RedisResult<ConnectionManager> {
        let config = ConnectionManagerConfig::new().set_credentials_provider(self.provider.clone());
        ConnectionManager::new_with_config(self.client.clone(), config).await
    }
}

impl fmt::Debug for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuiltIn").finish_non_exhaustive()
    }
}
