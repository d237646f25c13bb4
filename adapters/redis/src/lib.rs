//! Connections of [redis-rs](https://docs.rs/redis) that stay logged in while
//! their tokens change.
//!
//! ```no_run
//! use redis::AsyncCommands;
//! use redis_authx::TokenManager;
//! use redis_authx_redis::AuthClient;
//! # use redis_authx::{StaticToken, Token};
//! # async fn example(runtime: impl redis_authx::Runtime) -> Result<(), Box<dyn std::error::Error>> {
//! # let identity = StaticToken::new(Token::new("app", "s3cret"));
//!
//! let manager = TokenManager::builder(identity).spawn(runtime)?;
//! let client = AuthClient::open("rediss://name.region.redis.azure.net:10000", manager.credentials())?;
//! let mut connection = client.multiplexed().await?; // clone it, share it, keep it for months
//! let _: () = connection.set("key", 42).await?;
//! # Ok(()) }
//! ```
//!
//! # What a connection does by itself
//!
//! | what happens | what the connection does | what a command sees |
//! |---|---|---|
//! | a new token | sends `AUTH` once, in place; the connections of a client are spread over the first quarter of the time left | nothing |
//! | `AUTH` is slow, refused or fails | tries again with backoff, a refused one after asking for a fresh token; replaces the connection when three quarters of the time left have passed | nothing, unless the server stalls |
//! | a raw `MULTI` is open | waits for `EXEC` or `DISCARD`, at most as long | nothing |
//! | a command blocks it, like `BLPOP` | opens another in time; the blocked command stays with the old one | that one: a dropped connection when the old token expires |
//! | it [subscribes](AuthPubSub), over RESP2, where `AUTH` can't be sent | opens another in time, which takes over with no message lost and none doubled | nothing |
//! | the connection is lost, or the server answers `NOAUTH` | opens another with the newest token, for as long as it takes | those under way fail; later ones [wait](AuthClient::manager) or [fail at once](AuthClient::multiplexed) |
//! | the token expired during an outage of the identity service | logs in as soon as there is a token | an error that says why there is none |
//!
//! Commands are never sent twice: whether one that failed was executed is for
//! the application to know. Only to a [cluster](manual::cluster) redis-rs sends
//! them again, unless told not to.
//!
//! # Kinds of connection
//!
//! | kind | opened by | in the place of redis-rs's | feature |
//! |---|---|---|---|
//! | one to share, that fails fast | [`AuthClient::multiplexed`] | `MultiplexedConnection` | |
//! | one to share, that waits | [`AuthClient::manager`] | `ConnectionManager` | |
//! | to every node of a [cluster](manual::cluster) | [`AuthClient::cluster`] | `ClusterConnection` | `cluster` |
//! | to [receive messages](manual::pubsub) | [`AuthClient::pubsub`] | `PubSub`, and pushes of RESP3 | |
//! | the same without an async runtime | [`AuthClient::sync_pubsub`] | `PubSub` of sync connections | `sync` |
//! | to the master or a replica that [sentinels](manual::sentinel) name | [`AuthClient::sentinel`] | `SentinelClient` | `sentinel` |
//!
//! # Two ways to use it
//!
//! [`AuthClient`] is for new code and gives all of the above. An existing
//! program can hand [`redis_provider`](RedisCredentials::redis_provider) to
//! redis-rs's own hook with one line; what that hook can't give is listed
//! [there](RedisProvider).
//!
//! ```
//! use redis::AsyncConnectionConfig;
//! use redis_authx_redis::RedisCredentials;
//! # use redis_authx::testing::ManualClock;
//! # use redis_authx::{StaticToken, Token, TokenManager};
//! # let identity = StaticToken::new(Token::new("app", "s3cret"));
//! # let (manager, _driver) = TokenManager::builder(identity).build(&ManualClock::new())?;
//!
//! let config = AsyncConnectionConfig::new()
//!     .set_credentials_provider(manager.credentials().redis_provider());
//! # Ok::<(), redis_authx::ConfigError>(())
//! ```
//!
//! # For every kind of program
//!
//! | in the place of redis-rs's | there is | feature |
//! |---|---|---|
//! | `MultiplexedConnection`, `ConnectionManager` | [`AuthClient::multiplexed`], [`AuthClient::manager`] | |
//! | `Connection`, without an async runtime | `AuthClient::connection` | `sync` |
//! | `PubSub` | [`AuthClient::pubsub`](manual::pubsub), the same over RESP2 and RESP3 | |
//! | a client as the manager of a pool | [`AuthClient`] as the manager of it; `PoolManager` for other kinds | `r2d2`, `bb8`, `deadpool` |
//! | `ClusterConnection` | `AuthClient::cluster` | `cluster` |
//! | `SentinelClient` | `AuthClient::sentinel` | `sentinel` |
//!
//! Each has a page in the [manual].
//!
//! # Raw transactions
//!
//! `pipe().atomic()` is the way to write transactions on a connection that is
//! shared: it is sent in one piece. `MULTI` sent as a command of its own works
//! as long as only one clone of the connection is in use, as with redis-rs
//! itself, and no `AUTH` gets into it. A `MULTI` waits for an `AUTH` that is
//! under way.
//!
//! # What a replacement does not take over
//!
//! The new connection is logged in and has the database of the target's URL.
//! All else that the server knew of the old one is gone: an open `MULTI`, its
//! `WATCH`es, a `SELECT`ed database, subscriptions, `CLIENT` settings. Of a raw
//! transaction that this happens to, the commands that follow are executed one
//! by one and `EXEC` fails; an `EXEC` whose `WATCH` is gone succeeds unchecked.
//! Where that matters, a script (`EVAL`) is safe.

#![allow(
    clippy::duplicate_mod,
    reason = "the same source, compiled for each version of redis-rs"
)]

#[cfg(feature = "cluster")]
mod asking;
mod backlog;
#[cfg(feature = "sync")]
mod block_on;
mod blocking;
mod effect;
mod gate;
#[cfg(feature = "redis-1")]
pub mod manual;
mod outcome;
#[cfg(feature = "sync")]
mod packed;
#[cfg(feature = "redis-1")]
mod redis_1;
#[cfg(feature = "redis-2")]
pub mod redis_2;
mod subscriptions;
mod transaction;

#[cfg(feature = "redis-1")]
pub use redis_1::*;
