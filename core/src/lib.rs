//! Keeps Redis connections logged in with short-lived tokens.

pub mod credentials;
pub mod driver;
pub mod error;
pub mod event;
pub mod machine;
pub mod manager;
pub mod policy;
pub mod provider;
pub mod reauth;
pub mod runtime;
mod shared;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod token;
#[cfg(feature = "tracing")]
mod trace;
mod watch;

pub use async_trait::async_trait;
pub use credentials::Credentials;
pub use driver::Driver;
pub use error::{ConfigError, ErrorKind, ProviderError, TokenError};
pub use event::{Event, Observer};
pub use manager::{Builder, State, Status, TokenManager};
pub use policy::{
    ExponentialBackoff, ExponentialBackoffBuilder, OnExhausted, RefreshPolicy,
    RefreshPolicyBuilder, RetryContext, RetryDecision, RetryPolicy,
};
pub use provider::{FnProvider, IdentityProvider, ProviderChain, StaticToken, provider_fn};
pub use runtime::{Clock, Runtime, Sleep, Spawner};
pub use token::{SessionRule, Token};
