//! Keeps Redis connections logged in with short-lived tokens.
//!
//! Managed Redis services let an application log in with a token instead of a
//! password, and close the connection when the token expires. This crate asks
//! an [`IdentityProvider`] for tokens, renews them in time, survives its
//! outages, hands the newest one to every connection and has live connections
//! re-authenticated.
//!
//! It does none of the talking: no runtime, no HTTP, no Redis. Time and tasks
//! come from an adapter crate (`redis-authx-tokio`, `-smol`, `-async-std` or
//! `-threads`), tokens from an identity backend (`redis-authx-entraid`) or from
//! your own provider, and connections from a client adapter
//! (`redis-authx-redis`).
//!
//! ```text
//!   identity backend                 redis-authx                     client adapter
//!  ┌──────────────────┐   ┌──────────────────────────────────┐   ┌────────────────────┐
//!  │ IdentityProvider │◄──┤ Driver ◄─► Machine               │   │ connections        │
//!  │  request_token() ├──►│    │        when to ask, retry,   │   │  log in with       │
//!  └──────────────────┘   │    ▼        cool down, withdraw   │   │  Credentials::get  │
//!                         │ Credentials ─────────────────────┼──►│                    │
//!  runtime adapter        │    │                              │   │  AUTH again, each  │
//!  ┌──────────────────┐   │    ▼                              │   │  once a rotation,  │
//!  │ Clock, Spawner   ├──►│ Reauthenticator ─────────────────┼──►│  spread over time  │
//!  └──────────────────┘   └──────────────────────────────────┘   └────────────────────┘
//! ```
//!
//! # Example
//!
//! A provider of your own, and time in your own hand: no runtime, no waiting.
//!
//! ```
//! use redis_authx::testing::{ManualClock, hours, minutes};
//! use redis_authx::{
//!     IdentityProvider, ProviderError, Token, TokenManager, TokenRequest, async_trait,
//! };
//!
//! #[derive(Debug)]
//! struct Broker;
//!
//! #[async_trait]
//! impl IdentityProvider for Broker {
//!     async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
//!         Ok(Token::new("app", "s3cret").expires_in(hours(1)))
//!     }
//! }
//!
//! let time = ManualClock::new();
//! let (manager, driver) = TokenManager::builder(Broker).build(&time);
//! let mut run = time.run(driver);
//!
//! let token = manager.credentials().current()?;
//! assert_eq!((token.username(), token.generation()), ("app", 1));
//!
//! run.advance(minutes(46)); // past three quarters of its life
//! assert_eq!(manager.status().refreshes, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In an application, `spawn` takes the place of `build`:
//! `TokenManager::builder(identity).spawn(Tokio)?`.
//!
//! # What it promises
//!
//! 1. One request at a time, however many connections wait.
//! 2. A token is renewed after three quarters of its life, and three minutes
//!    before its end at the latest where that leaves half of its life; see
//!    [`RefreshPolicy`].
//! 3. Renewal comes a little earlier at random, so that a fleet is spread.
//! 4. A request that hangs is cut off, and is a failed attempt.
//! 5. Retries follow the [`RetryPolicy`]; a server's `Retry-After` is never
//!    undercut.
//! 6. An error never withdraws a valid token.
//! 7. An outage ends by itself, soon after the identity service is back: each wait
//!    is a share of what is left of the token, or of the downtime. See
//!    [`manual::outages`].
//! 8. No reply, however odd, makes a request loop. The same token again is no
//!    rotation.
//! 9. An expired token is not handed out.
//! 10. A token ends as soon as either clock says so, and a suspend is noticed at
//!     the next use. No clock extends a token's life.
//! 11. No duration or time that a server can send overflows or panics.
//! 12. After the end nothing is left: no task, no timer, no memory.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `jwt` | [`jwt`](https://docs.rs/redis-authx/latest/redis_authx/jwt/): the claims of an access token, and the user name among them |
//! | `metrics` | [`MetricsObserver`](https://docs.rs/redis-authx/latest/redis_authx/struct.MetricsObserver.html): events as metrics, through the `metrics` facade |
//! | `serde` | [`Config`](https://docs.rs/redis-authx/latest/redis_authx/struct.Config.html): all settings in one value that a file can hold |
//! | `test-util` | [`testing`](https://docs.rs/redis-authx/latest/redis_authx/testing/): manual clock, scripted provider, event log |
//! | `tracing` | every [`Event`] as a `tracing` event, and spans around requests and log-ins, with the fields in [these tables](manual::outages#watching-it) |
//!
//! None is on by default, and none changes behaviour.
//!
//! # Where to read on
//!
//! [`TokenManager`] and [`Credentials`] for applications; [`IdentityProvider`]
//! for a provider of your own; [`Clock`] and [`Spawner`] for another runtime;
//! `redis-authx-session` for another client; [`machine`] for how it is decided. The
//! [`manual`] explains the defaults and what happens in an outage.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod caught;
#[cfg(feature = "serde")]
mod config;
mod connection;
mod credentials;
mod driver;
mod error;
mod event;
#[cfg(feature = "jwt")]
pub mod jwt;
pub mod machine;
mod manager;
#[cfg(doc)]
pub mod manual;
#[cfg(feature = "metrics")]
mod metrics;
mod policy;
mod provider;
mod reauth;
mod runtime;
mod shared;
#[cfg(feature = "test-util")]
pub mod testing;
mod token;
mod trace;
mod watch;

pub use async_trait::async_trait;
pub use caught::Caught;
#[cfg(feature = "serde")]
pub use config::Config;
pub use connection::{ConnectionId, ConnectionStatus};
pub use credentials::{Connected, Credentials, Need, Refresh};
pub use driver::Driver;
pub use error::{ConfigError, ErrorKind, ProviderError, ReauthError, ReauthErrorKind, TokenError};
pub use event::{Event, Observer};
pub use manager::{ManagerState, ManagerStatus, TokenManager, TokenManagerBuilder};
#[cfg(feature = "metrics")]
pub use metrics::MetricsObserver;
pub use policy::{
    ExponentialBackoff, ExponentialBackoffBuilder, OnExhausted, RefreshPolicy,
    RefreshPolicyBuilder, RetryContext, RetryDecision, RetryPolicy,
};
pub use provider::{
    ChainError, FnProvider, IdentityProvider, ProviderChain, RequestReason, StaticToken,
    TokenRequest, provider_fn,
};
pub use reauth::{ReauthPolicy, ReauthPolicyBuilder};
pub use runtime::{Alarm, Clock, Moment, Runtime, Sleep, Spawner};
pub use token::{SessionRule, Token};
pub use trace::SpanGuard;
