//! Which server a connection is to.

#[cfg(feature = "cluster")]
use std::sync::Arc;
#[cfg(feature = "cluster")]
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "cluster")]
use super::redis;
use super::redis::aio::MultiplexedConnection;
use super::redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisResult};
use redis_authx::Token;

pub(crate) enum Server {
    /// The one at this address.
    At(ConnectionInfo),
    /// A node of a cluster, to which redis-rs reconnects by itself; with
    /// whether its connection may read from a replica.
    #[cfg(feature = "cluster")]
    Node(ConnectionInfo, Arc<AtomicBool>),
}

impl Server {
    pub(crate) fn db(&self) -> i64 {
        match self {
            Self::At(info) => info.redis_settings().db(),
            #[cfg(feature = "cluster")]
            Self::Node(info, _) => info.redis_settings().db(),
        }
    }

    /// Whether somebody else replaces a connection that a command found lost.
    pub(crate) const fn is_cared_for(&self) -> bool {
        match self {
            Self::At(_) => false,
            #[cfg(feature = "cluster")]
            Self::Node(..) => true,
        }
    }

    pub(crate) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
        token: &Token,
    ) -> RedisResult<MultiplexedConnection> {
        match self {
            Self::At(info) => open(info, config, token).await,
            #[cfg(feature = "cluster")]
            Self::Node(info, read_only) => {
                let mut connection = open(info, config, token).await?;
                if read_only.load(Ordering::Acquire) {
                    let command = redis::cmd("READONLY");
                    command.exec_async(&mut connection).await?;
                }
                Ok(connection)
            }
        }
    }
}

/// Opens a connection that logs in with `token`.
async fn open(
    info: &ConnectionInfo,
    config: &AsyncConnectionConfig,
    token: &Token,
) -> RedisResult<MultiplexedConnection> {
    let settings = info.redis_settings().clone();
    let settings = settings
        .set_username(token.username())
        .set_password(token.password());
    Client::open(info.clone().set_redis_settings(settings))?
        .get_multiplexed_async_connection_with_config(config)
        .await
}
