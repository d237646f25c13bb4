//! Any `TokenCredential` of [`azure_core`] as an identity for Redis: for
//! programs that have one already, for their other Azure clients or because it
//! signs in in a way of their own.
//!
//! ```
//! use std::sync::Arc;
//!
//! use azure_core::credentials::TokenCredential;
//! use redis_authx::TokenManager;
//! use redis_authx_azure_identity::AzureIdentity;
//!
//! # fn manage(my_token_credential: Arc<dyn TokenCredential>) {
//! let identity = AzureIdentity::new(my_token_credential);
//! let manager = TokenManager::builder(identity);
//! # }
//! ```
//!
//! Without such a credential `redis-authx-entraid` is the shorter way, and has
//! more ways to sign in: it asks Entra ID itself, so it knows more of what went
//! wrong, gets a new token whenever it asks, and needs no runtime.
//!
//! # What to know of azure_identity
//! True of version 1.0; read in its source, and measured.
//!
//! * **It gives out the same token** until five minutes before it expires, and
//!   can't be told otherwise. The manager asks earlier, at three quarters of the
//!   token's life; it takes the same token for what it is, re-authenticates
//!   nobody, and asks again after a quarter of the time that is left. So it has
//!   the new one when between five minutes and three and three quarter minutes
//!   are left, and 6 requests (for a token of an hour) to 17 (of a day) are made
//!   of this, all but one answered from memory.
//! * **A refused token comes again.** When a Redis server refuses a token before
//!   its end, the manager requests another one
//!   ([`Refused`](redis_authx::RequestReason::Refused)), and `azure_core`'s
//!   `TokenRequestOptions` has no option to bypass the credential's cache. The
//!   next token comes when the cache lets it go; where that is too late, make a
//!   new credential, or use `redis-authx-entraid`.
//! * **It retries by itself**, for up to 82 s, where the manager allows 10 s a
//!   request and then sees a time-out instead of the reason. Switch its retries
//!   off, by `ClientOptions` with `RetryOptions::none()`; the manager retries.
//! * **It forgets a token when its renewal fails**, in the last five minutes. The
//!   manager does not.
//! * **It needs tokio**, unless it is given a transport of your own: spawn the
//!   manager there, with `redis-authx-tokio`.
//!
//! # The user name and the expiry
//! The user name is the `oid` of the access token, which has to be a JWT;
//! [`username_claim`](AzureIdentityBuilder::username_claim) and
//! [`username`](AzureIdentityBuilder::username) name another. The token expires
//! when the credential says it does, or at its own `exp` if that is earlier.
//!
//! # Errors
//! A credential's error is looked through, with all that stands behind it. The
//! [`source`](std::error::Error::source) is a [`CredentialError`], or a
//! [`ClaimError`](redis_authx::jwt::ClaimError).
//!
//! | found | kind |
//! |---|---|
//! | HTTP 429 | `Throttled`, with `Retry-After` in seconds, up to an hour |
//! | HTTP 408, 5xx | `Unavailable`, with `Retry-After` |
//! | an `AADSTS` number: 50033, 90006, 90012, 90024, 90033, 90090 | `Unavailable` |
//! | 50196, 90055 | `Throttled` |
//! | any other | `Rejected` |
//! | HTTP 400, 401, 403 | `Rejected` |
//! | a file, program or environment variable that is not there or may not be used | `Misconfigured` |
//! | no connection, any other I/O error | `Unavailable` |
//! | a reply that can't be read; a token without a usable claim | `InvalidResponse` |
//! | anything else | `Other` |
//!
//! The texts of `azure_core`'s errors are not kept, since they quote replies and
//! the output of tools, and these may hold a token.
//! [`inspect_error`](AzureIdentityBuilder::inspect_error) gets them as they are.
//!
//! [`azure_core`]: https://docs.rs/azure_core

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod diagnosis;
mod error;
mod identity;

pub use builder::AzureIdentityBuilder;
pub use error::CredentialError;
pub use identity::AzureIdentity;
