//! redis-rs's connection.

use redis_authx::{ConnectionStatus, Runtime};

use super::adapter::{AuthClient, AuthConnection};
use super::redis::{AsyncCommands, AsyncConnectionConfig, cmd, pipe};
use crate::connection::{Connection, Kind, Raw};
use crate::site::{PATIENCE, Site};

fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE))
}

impl Connection for AuthConnection {
    const FOR_A_REPLACEMENT: u64 = 1;

    async fn open<R: Runtime + Clone>(site: &Site<R>, kind: Kind) -> Self {
        let query = match kind {
            Kind::Resp3 => "?protocol=resp3",
            Kind::Usual | Kind::Waiting | Kind::Hasty => "",
        };
        let client = AuthClient::builder(site.url(query), site.manager.credentials())
            .reauth_policy(kind.policy())
            .build()
            .unwrap();
        let opened = match kind {
            Kind::Usual | Kind::Resp3 | Kind::Hasty => {
                client.multiplexed_with_config(patient()).await
            }
            Kind::Waiting => client.manager_with_config(patient()).await,
        };
        opened.unwrap()
    }

    fn statuses(&self) -> Vec<ConnectionStatus> {
        vec![self.status()]
    }

    async fn incr(&self, key: &str) -> Result<u64, String> {
        let counted = AsyncCommands::incr(&mut self.clone(), key, 1).await;
        counted.map_err(|error| error.to_string())
    }

    async fn get(&self, key: &str) -> u64 {
        AsyncCommands::get(&mut self.clone(), key).await.unwrap()
    }

    async fn incr_twice(&self, key: &str) -> (u64, u64) {
        let mut pipeline = pipe();
        pipeline.atomic().incr(key, 1).incr(key, 1);
        pipeline.query_async(&mut self.clone()).await.unwrap()
    }

    async fn close(self) {
        drop(self);
    }
}

impl Raw for AuthConnection {
    async fn multi(&self) {
        () = cmd("MULTI").query_async(&mut self.clone()).await.unwrap();
    }

    async fn queue_incr(&self, key: &str) -> String {
        let incr = AsyncCommands::incr(&mut self.clone(), key, 1).await;
        incr.unwrap()
    }

    async fn exec(&self) -> Vec<u64> {
        cmd("EXEC").query_async(&mut self.clone()).await.unwrap()
    }
}
