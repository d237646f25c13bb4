//! Which server a connection is to.

use std::sync::Arc;
#[cfg(feature = "cluster")]
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "cluster")]
use super::redis;
use super::redis::aio::MultiplexedConnection;
use super::redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisResult};
use redis_authx::Token;

use super::super::outcome::{self, Replies};
#[cfg(feature = "sentinel")]
use super::super::sentinel::Lookup;
use super::super::target;
use crate::outcome::Outcome;

pub(crate) enum Server {
    /// The one at this address.
    At(Arc<ConnectionInfo>),
    /// A node of a cluster, to which redis-rs reconnects by itself; with
    /// whether its connection may read from a replica.
    #[cfg(feature = "cluster")]
    Node(Box<ConnectionInfo>, Arc<AtomicBool>),
    /// The one that sentinels name at the time.
    #[cfg(feature = "sentinel")]
    Watched(Box<Lookup>),
}

impl Server {
    pub(crate) fn db(&self) -> i64 {
        match self {
            Self::At(info) => info.redis_settings().db(),
            #[cfg(feature = "cluster")]
            Self::Node(info, _) => info.redis_settings().db(),
            #[cfg(feature = "sentinel")]
            Self::Watched(lookup) => lookup.db(),
        }
    }

    /// Whether somebody else replaces a connection that a command found lost.
    pub(crate) const fn is_cared_for(&self) -> bool {
        match self {
            Self::At(_) => false,
            #[cfg(feature = "cluster")]
            Self::Node(..) => true,
            #[cfg(feature = "sentinel")]
            Self::Watched(_) => false,
        }
    }

    /// How a request to it ended. Of one that has become another's replica the
    /// connection is of no more use.
    pub(crate) fn outcome(&self, result: &RedisResult<impl Replies>) -> Outcome {
        match self {
            #[cfg(feature = "sentinel")]
            Self::Watched(lookup) if outcome::is_demoted(result, lookup.is_of_master()) => {
                Outcome::Lost
            }
            _ => outcome::of(result),
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
            #[cfg(feature = "sentinel")]
            Self::Watched(lookup) => lookup.connect(config, token).await,
        }
    }
}

/// Opens a connection that logs in with `token`.
pub(crate) async fn open(
    info: &ConnectionInfo,
    config: &AsyncConnectionConfig,
    token: &Token,
) -> RedisResult<MultiplexedConnection> {
    Client::open(target::with_credentials(info, token))?
        .get_multiplexed_async_connection_with_config(config)
        .await
}
