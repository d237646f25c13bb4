//! redis-rs with its built-in, and with this project.

mod built_in;
mod connection;
mod ours;

use std::sync::Arc;

use redis::{AsyncConnectionConfig, RedisResult};
use redis_authx::IdentityProvider;
use redis_authx_emulator::Emulator;

use super::plan::Plan;
use super::situation::Side;
pub(crate) use built_in::BuiltIn;
pub(crate) use connection::Connection;
pub(crate) use ours::{Ours, start_manager};

/// Either side, as a program would set it up.
#[derive(Debug)]
pub(crate) enum Contestant {
    BuiltIn(Box<BuiltIn>),
    Ours(Ours),
}

impl Contestant {
    /// Signs in at `emulator` and logs in to the Redis at `url`. Inside a
    /// runtime.
    pub(crate) fn start(side: Side, emulator: &Emulator, url: &str, plan: Plan) -> Self {
        let identity = emulator.client_secret_identity().expect("an identity");
        Self::with(side, Arc::new(identity), url, plan)
    }

    /// With the tokens of `identity`.
    pub(crate) fn with(
        side: Side,
        identity: Arc<dyn IdentityProvider>,
        url: &str,
        plan: Plan,
    ) -> Self {
        match side {
            Side::BuiltIn => Self::BuiltIn(Box::new(BuiltIn::start(identity, url, plan))),
            Side::Ours => Self::Ours(Ours::start(identity, url, plan)),
        }
    }

    /// redis-rs's `MultiplexedConnection`, and what stands in its place.
    pub(crate) async fn multiplexed(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<Connection> {
        match self {
            Self::BuiltIn(one) => one.multiplexed(config).await.map(Connection::Multiplexed),
            Self::Ours(one) => one.multiplexed(config).await.map(Connection::Ours),
        }
    }

    /// redis-rs's `ConnectionManager` with its default settings, and what stands
    /// in its place.
    pub(crate) async fn manager(&self) -> RedisResult<Connection> {
        match self {
            Self::BuiltIn(one) => one.manager().await.map(Connection::Manager),
            Self::Ours(one) => one.manager().await.map(Connection::Ours),
        }
    }
}
