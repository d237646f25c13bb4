//! Keeps Redis connections logged in with short-lived tokens.

pub mod error;
pub mod provider;
pub mod runtime;
pub mod token;

pub use async_trait::async_trait;
pub use error::{ConfigError, ErrorKind, ProviderError, TokenError};
pub use provider::{FnProvider, IdentityProvider, ProviderChain, StaticToken, provider_fn};
pub use runtime::{Clock, Runtime, Sleep, Spawner};
pub use token::{SessionRule, Token};
