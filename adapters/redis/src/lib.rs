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
//! | a new token | sends `AUTH` once, in place and [alone](manual::server_versions); the connections of a client are spread over the first quarter of the time left | a pause of two round trips |
//! | `AUTH` is refused or fails | tries again with backoff, a refused one after asking for a fresh token; replaces the connection when three quarters of the time left have passed | nothing, unless the server stalls |
//! | `AUTH` gets no reply within 5 s, or it or a command gets a reply that can't be its own | treats the connection as out of step: closes it and opens another at once | those in flight fail, none gets another's reply; later ones wait for the replacement |
//! | a raw `MULTI` is open | waits for `EXEC` or `DISCARD`, at most as long | nothing |
//! | a command [blocks](manual::blocking) it, like `BLPOP` | sends no `AUTH` behind it; opens another in time, ends the command and sends it again there | nothing |
//! | it [subscribes](AuthPubSub), over RESP2, where `AUTH` can't be sent | opens another in time, which takes over with no message lost and none doubled | nothing |
//! | the connection is lost, or the server answers `NOAUTH` | opens another with the newest token, for as long as it takes | those under way fail; later ones [wait](AuthClient::manager) or [fail at once](AuthClient::multiplexed) |
//! | the token expired during an outage of the identity service | logs in as soon as there is a token | an error that says why there is none |
//!
//! Whether a command that failed was executed is for the application to know:
//! only two are ever sent again, a command that blocked and was ended without
//! effect, and a `MULTI` whose connection was replaced before its reply. To a
//! [cluster](manual::cluster), redis-rs sends others again, unless told not to.
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
//! # let (manager, _driver) = TokenManager::builder(identity).build(&ManualClock::new());
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
//! | `PubSub`, and pushes of RESP3 | [`AuthClient::pubsub`](manual::pubsub), the same over RESP2 and RESP3 | `pubsub` |
//! | `PubSub` of sync connections | [`AuthClient::sync_pubsub`] | `pubsub`, `sync` |
//! | a client as the manager of a pool | [`AuthClient`] as the manager of it; `PoolManager` for other kinds | `r2d2`, `bb8`, `deadpool` |
//! | `ClusterConnection` | [`AuthClient::cluster`](manual::cluster), logged in to every node | `cluster` |
//! | `SentinelClient` | [`AuthClient::sentinel`](manual::sentinel), which follows the master | `sentinel` |
//!
//! Each has a page in the [manual].
//!
//! # Raw transactions
//!
//! `pipe().atomic()` is the way to write transactions on a connection that is
//! shared: it is sent in one piece. `MULTI` and `WATCH` sent as commands of their
//! own work as long as only one clone of the connection is in use, as with
//! redis-rs itself, and no `AUTH` gets into a transaction. A `MULTI` waits for an
//! `AUTH` that is under way; a `WATCH` stands through one.
//!
//! Where the connection is replaced, or lost, nothing is executed that the
//! application takes for checked or for part of a whole:
//!
//! | replaced after | what follows |
//! |---|---|
//! | `WATCH` | the next `EXEC` or atomic pipeline is answered nil and executes nothing, as when a key has changed: a loop runs again. An `EXEC` in another pipeline fails with `EXECABORT`, and the pipeline is not sent |
//! | `MULTI` | commands fail, with [`is_connection_dropped`](redis::RedisError::is_connection_dropped), until `EXEC` (answered `EXECABORT`, or nil after a `WATCH`), `DISCARD`, a new `MULTI` or a new `WATCH`; after 30 s without any of these they are executed again |
//!
//! A transaction whose application was told that the connection is lost, by the
//! error of a command, is over without that.
//!
//! # What a replacement does not take over
//!
//! The new connection is logged in and has the database of the target's URL.
//! All else that the server knew of the old one is gone: an open `MULTI` and its
//! `WATCH`es (see above), a `SELECT`ed database, subscriptions, `CLIENT` settings,
//! and the writes that `WAIT` is about. Requests under way on the old connection
//! end there; it is closed after the last of them.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::duplicate_mod,
    reason = "the same source, compiled for each version of redis-rs"
)]

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
mod transaction;

#[cfg(feature = "redis-1")]
pub use redis_1::*;
