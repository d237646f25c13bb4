//! This project, on redis-rs 1.8.

use std::sync::Arc;
use std::time::Duration;

use redis::{AsyncConnectionConfig, RedisResult};
use redis_authx::{IdentityProvider, RefreshPolicy, TokenManager};
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_tokio::Tokio;

use crate::compare::plan::Plan;

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
        let refresh = RefreshPolicy::builder()
            .expiration_refresh_ratio(after.as_secs_f64() / plan.lifetime.as_secs_f64())
            .refresh_jitter(0.0)
            .min_interval(Duration::from_secs(1).min(after / 2))
            .build();
        builder = builder.refresh_policy(refresh.expect("a policy"));
    }
    builder.spawn(Tokio).expect("a manager")
}
