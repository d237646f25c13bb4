//! A pool whose clients come and go.

use std::sync::Arc;

use fred::clients::{Client, DynamicPool};
use fred::error::Error;
use fred::types::config::PoolScale;
use fred::types::stats::PoolStats;
use redis_authx::async_trait;

use super::builder::{AuthBuilder, prepare};
use super::error;
use super::renewal::Renewal;

impl AuthBuilder {
    /// A pool that grows and shrinks, as its `DynamicPoolConfig` in fred's
    /// builder says, not yet connected. Clients that are added later are
    /// renewed as well. Feature `dynamic-pool`.
    ///
    /// # Errors
    /// See [the type](Self#errors); a least size of 0 as well.
    pub fn build_dynamic_pool(&self) -> Result<DynamicPool, Error> {
        let renewal = self.renewal()?;
        let mut builder = prepare(&self.builder, &renewal, None)?;
        builder.with_pool_config(|config| {
            config.scale = Arc::new(Attaching {
                scale: Arc::clone(&config.scale),
                renewal: renewal.clone(),
            });
        });
        let pool = builder.build_dynamic_pool()?;
        for client in pool.clients() {
            renewal
                .attach(&client)
                .map_err(|error| error::config(&error))?;
        }
        Ok(pool)
    }
}

/// The application's own, which is told everything.
#[derive(Debug)]
struct Attaching {
    scale: Arc<dyn PoolScale>,
    renewal: Renewal,
}

#[async_trait]
impl PoolScale for Attaching {
    fn scale(&self, usage: PoolStats) -> i64 {
        self.scale.scale(usage)
    }

    async fn on_added(&self, clients: Vec<Client>) {
        for client in &clients {
            if let Err(error) = self.renewal.attach(client) {
                self.scale.on_failure(error::config(&error)).await;
            }
        }
        self.scale.on_added(clients).await;
    }

    async fn on_removed(&self, clients: Vec<Client>) {
        self.scale.on_removed(clients).await;
    }

    async fn on_failure(&self, error: Error) {
        self.scale.on_failure(error).await;
    }
}
