//! This project, on redis-rs 1.8.

use std::sync::Arc;

use redis::{AsyncConnectionConfig, RedisResult};
use redis_authx::{IdentityProvider, TokenManager};
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_tokio::Tokio;

use crate::compare::plan::Plan;
use crate::support::refresh_after;

/// A manager and a client with its tokens.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) manager: TokenManager,
    pub(crate) client: AuthClient,
}

impl Ours {
    pub(super) fn start(identity: Arc<dyn IdentityProvider>, url: &str, plan: Plan) -> Self {
        let manager = start_manager(identity, plan);
        let client = AuthClient::open(url, manager.credentials()).expect("a client");
        Self { manager, client }
    }

    pub(crate) async fn multiplexed(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<AuthConnection> {
        self.client.multiplexed_with_config(config).await
    }

    pub(crate) async fn manager(&self) -> RedisResult<AuthConnection> {
        self.client.manager().await
    }
}

/// With its defaults, but for when tokens are renewed.
pub(crate) fn start_manager(identity: Arc<dyn IdentityProvider>, plan: Plan) -> TokenManager {
    let mut builder = TokenManager::builder(identity);
    if let Some(after) = plan.renewed_after {
        builder = builder.refresh_policy(refresh_after(after, plan.lifetime));
    }
    builder.spawn(Tokio).expect("a manager")
}
