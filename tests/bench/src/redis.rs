//! Connections of redis-rs: ours, against the same client with a static
//! password.

pub(crate) mod heap;
pub(crate) mod server;
pub(crate) mod stagger;
pub(crate) mod throughput;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo};
use redis_authx::{RefreshPolicy, TokenManager};
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_tokio::Tokio;

use crate::support::{Instantly, user_and_password};
use server::Server;

/// No time limit of redis-rs, which would cut off a stall of the machine.
pub(crate) fn unlimited() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(None)
}

/// What a program without tokens has.
async fn plain(server: &Server) -> MultiplexedConnection {
    let (user, password) = user_and_password();
    let info = server.url().into_connection_info().expect("a URL");
    let settings = info.redis_settings().clone();
    let settings = settings.set_username(user).set_password(password);
    let client = Client::open(info.set_redis_settings(settings)).expect("a client");
    let config = unlimited();
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    opened.await.expect("a connection")
}

/// A manager whose tokens are replaced when `ratio` of `lifetime` is over, and
/// a client with them.
fn ours(server: &Server, lifetime: Duration, ratio: f64) -> (TokenManager, AuthClient) {
    let refresh = RefreshPolicy::builder()
        .expiration_refresh_ratio(ratio)
        .refresh_jitter(0.0)
        .build()
        .expect("a policy");
    let manager = TokenManager::builder(Instantly::new(lifetime))
        .refresh_policy(refresh)
        .spawn(Tokio)
        .expect("a manager");
    let client = AuthClient::open(server.url(), manager.credentials()).expect("a client");
    (manager, client)
}

async fn connect(client: &AuthClient) -> AuthConnection {
    let opened = client.multiplexed_with_config(unlimited()).await;
    opened.expect("a connection")
}
