//! A local Microsoft Entra ID and a local Azure Managed Redis: test short-lived-token log-in with
//! no cloud, no container and, with the embedded store, nothing installed.
//!
//! ```text
//!                 ┌────────────────────── Emulator ───────────────────────┐
//!  your service   │ identity side   token endpoint, discovery, keys (TLS) │
//!    fetches ─────┼──────▶          sign-in pages, managed identities     │
//!    tokens       │                 faults: outage, 429, bad tokens …     │
//!                 │ Redis side      a gateway: checks tokens at AUTH and  │
//!    logs in ─────┼──────▶          HELLO, cuts connections at expiry     │
//!                 │                    └─▶ embedded store, redis-server,  │
//!                 │                        Redis Cluster, Sentinel        │
//!                 └───────────────────────────────────────────────────────┘
//! ```
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use redis_authx_emulator::Emulator;
//! # use redis_authx::{IdentityProvider, TokenManager};
//! # type Outcome = Result<(), Box<dyn std::error::Error>>;
//! # async fn run_my_service(url: &str, identity: impl IdentityProvider) -> Outcome {
//! #     let manager = TokenManager::builder(identity).spawn(redis_authx_tokio::Tokio)?;
//! #     let client = redis_authx_redis::AuthClient::open(url, manager.credentials())?;
//! #     let mut connection = client.multiplexed().await?;
//! #     Ok(redis::cmd("INCR").arg("n").query_async(&mut connection).await?)
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder()
//!     .token_lifetime(Duration::from_secs(3))
//!     .start()
//!     .await?;
//!
//! run_my_service(emulator.redis_url(), emulator.client_secret_identity()?).await?;
//!
//! emulator.identity().outage(Duration::from_secs(2));
//! emulator.redis().drop_connections();
//! // … exercise the service, then look at what happened:
//! assert_eq!(emulator.redis().auths(), 1);
//! assert_eq!(emulator.redis().closed_by_expiry(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! Applications in other languages use the program, `authx-emulator`: it prints the addresses and
//! the environment variables that clients want, and runs until Ctrl-C.
//!
//! # Faults
//!
//! | what goes wrong | how to trigger it |
//! |---|---|
//! | the identity service is down | [`outage`](IdentityControl::outage), [`set_outage`](IdentityControl::set_outage) |
//! | it throttles, fails, hangs, talks nonsense | [`set_fault`](IdentityControl::set_fault), [`fail_next`](IdentityControl::fail_next) with a [`Fault`] |
//! | it is slow | [`set_latency`](IdentityControl::set_latency) |
//! | tokens are expired, premature, for someone else, the same again | a [`Fault`] too |
//! | a sign-in is refused, for any reason that has a number | [`Fault::Refused`] |
//! | the client's certificate is not known, or another one is | [`forget_certificates`](IdentityControl::forget_certificates), [`register_certificate`](IdentityControl::register_certificate) with an [`AppCertificate`] |
//! | tokens live shorter | [`set_token_lifetime`](IdentityControl::set_token_lifetime) |
//! | the clocks of both services differ | [`set_clock_skew`](IdentityControl::set_clock_skew) |
//! | a person cancels, declines, is let through | [`SignInControl::set_answer`] with a [`SignInAnswer`] |
//! | a person's refresh token dies | [`revoke_refresh_tokens`](SignInControl::revoke_refresh_tokens), [`expire_refresh_tokens`](SignInControl::expire_refresh_tokens), [`require_interaction`](SignInControl::require_interaction), [`single_use_refresh_tokens`](SignInControl::single_use_refresh_tokens) |
//! | codes expire, devices poll too often | [`expire_codes`](SignInControl::expire_codes), [`slow_down_next`](SignInControl::slow_down_next) |
//! | the service is being updated, for a while | [`fail_for`](IdentityControl::fail_for) with [`Fault::ServerError`] 410 |
//! | no managed identity is assigned, or not this one | [`set_assigned_identities`](IdentityControl::set_assigned_identities) |
//! | `expires_on` is a number, not a text | [`set_numeric_expires_on`](IdentityControl::set_numeric_expires_on) |
//! | error texts that a client's JSON reader can take | [`set_plain_error_text`](IdentityControl::set_plain_error_text) |
//! | Redis refuses a log-in | [`refuse_next_auths`](RedisControl::refuse_next_auths), [`refuse_auth_until_fresh_token`](RedisControl::refuse_auth_until_fresh_token) |
//! | it refuses a log-in with another error, or without a reply | [`refuse_next_auths_with`](RedisControl::refuse_next_auths_with) a [`Refusal`] |
//! | it omits the reply to a refused log-in while other replies are pending; a redis-server from 7.2 on as the store does so by itself | [`drop_refusals_behind_replies`](RedisControl::drop_refusals_behind_replies) |
//! | Redis is slow to log in | [`delay_next_auths`](RedisControl::delay_next_auths), [`set_auth_delay`](RedisControl::set_auth_delay) |
//! | only re-authentications, on connections already logged in, are refused or slow | [`refuse_next_reauths_with`](RedisControl::refuse_next_reauths_with), [`delay_next_reauths`](RedisControl::delay_next_reauths) |
//! | tokens are revoked | [`revoke_tokens_issued_until_now`](RedisControl::revoke_tokens_issued_until_now) |
//! | connections break | [`drop_connections`](RedisControl::drop_connections), [`refuse_connections`](RedisControl::refuse_connections) |
//! | the server restarts | [`restart_server`](RedisControl::restart_server), [`stop_server`](RedisControl::stop_server), [`start_server`](RedisControl::start_server) |
//! | a cluster's primary changes places, or dies | [`fail_over`](ClusterControl::fail_over), [`kill_node`](ClusterControl::kill_node), [`start_node`](ClusterControl::start_node) |
//! | slots move to other nodes | [`migrate_slots`](ClusterControl::migrate_slots), or halfway: [`begin_migration`](ClusterControl::begin_migration), [`finish_migration`](ClusterControl::finish_migration) |
//! | sentinels make another node the master | [`SentinelControl::fail_over`], [`kill_master`](SentinelControl::kill_master), [`SentinelControl::start_node`] |
//! | a sentinel is gone | [`kill_sentinel`](SentinelControl::kill_sentinel), [`start_sentinel`](SentinelControl::start_sentinel) |
//! | sentinels want a log-in too, of whatever kind | [`EmulatorBuilder::sentinel_login`] with a [`SentinelAuth`] |
//! | connections to one node break | [`drop_node_connections`](RedisControl::drop_node_connections) |
//!
//! What happened is counted by [`IdentityControl`], [`SignInControl`] and [`RedisControl`], and told for each
//! connection by [`RedisControl::connection_reports`], over all nodes; sentinels have a
//! [`RedisControl`] of [their own](SentinelControl::sentinels). Unless a fault says otherwise, Redis
//! answers every bad log-in with `WRONGPASS`; [`ConnectionRecord::last_refusal`] says why.
//!
//! # What it does as Azure does
//!
//! * Client credentials with a secret, in the form or by HTTP Basic, are checked field by field
//!   and refused with Entra's error words, `AADSTS` numbers, statuses and line breaks (Microsoft
//!   identity platform: "OAuth 2.0 client credentials flow", "Microsoft Entra authentication and
//!   authorization error codes").
//! * People sign in on a page, by authorization code with or without PKCE, in all three response
//!   modes, or on another device. Codes are for one redemption within ten minutes, by the redirect
//!   URI and verifier they were asked for with; redirect URIs are matched as Entra ID does, with
//!   any port on `localhost`; public clients must not send a secret, web applications must ("OAuth
//!   2.0 authorization code flow", "OAuth 2.0 device authorization grant flow", "Redirect URI (reply
//!   URL) outline and restrictions"). Refresh tokens come with `offline_access`, id tokens with
//!   `openid`. A scope of Microsoft Graph gives a token that Redis refuses.
//! * Managed identities are asked for at an endpoint of each source (virtual machine, App Service,
//!   Azure Arc, Service Fabric, Azure Machine Learning, Cloud Shell), with the headers, parameters,
//!   versions and ids of each, and refused in its words ("How to use managed identities for Azure
//!   resources on an Azure VM to acquire an access token" and its like). Azure Arc's challenge is a
//!   real file; Service Fabric's certificate is signed by itself.
//!   [`managed_identity_variables`](Emulator::managed_identity_variables) are what a client in any
//!   language has to be started with.
//! * Assertions that a registered certificate has signed, and tokens of one foreign issuer, stand
//!   in for the secret ("Application authentication certificate credentials", "Workload identity
//!   federation"). By default they are read with the tolerance that the official libraries need;
//!   see [`EmulatorBuilder::strict_assertions`].
//! * Tokens are RS256-signed JWTs with the claims of "Access token claims reference", in both
//!   versions ([`TokenVersion`]). The `oid` is not the client id.
//! * `AUTH` and `HELLO … AUTH` take the `oid` and a token whose signature, audience, `nbf` and
//!   `exp` are right; a password alone is refused. Everything else is worded by Redis itself.
//! * A connection is closed when the token of its last accepted log-in expires ("Use Microsoft
//!   Entra for cache authentication"); a later token moves the end. A refused one changes nothing.
//! * Inside `MULTI` a log-in is queued and counts once `EXEC` has run it.
//! * In a cluster each node wants a log-in of its own, and clients find the nodes as in any other:
//!   at ports that must not be known beforehand ("Azure Managed Redis architecture", OSS clustering
//!   policy). See [`Store::Cluster`].
//!
//! # What it does not
//!
//! * System- and user-assigned identity are one principal, and so is every person, whatever name
//!   they sign in with; nobody has a password. A registered certificate's dates and issuer are not
//!   looked at. No access policies or groups: one user, with the right to everything but
//!   `MONITOR`, `SYNC`, `PSYNC`, `REPLICAOF`, `SHUTDOWN` and `CLIENT REPLY`.
//! * The gateway closes an expired connection without a word; whether Azure answers commands in
//!   flight first is not documented. It holds a request whole, so that one may have 64 MiB at most.
//! * [`Store::Embedded`] is no Redis: see there. [`Store::Sentinel`] is nothing that Azure offers.
//! * It protects nothing: the signing key is published with this crate. It listens on loopback
//!   only, and nothing but test data belongs in it.
//! * A `redis-server` child outlives a test process that is killed, as nobody is left to end it.

mod app_certificate;
mod builder;
mod clock;
mod credentials;
mod emulator;
mod error;
mod gateway;
mod identity;
mod listener;
mod managed_identity;
mod random;
mod redis_side;
mod server;
mod store;
mod temp_dir;
mod tls;

pub use self::{
    app_certificate::AppCertificate,
    builder::EmulatorBuilder,
    emulator::Emulator,
    error::EmulatorError,
    gateway::{AuthRefusal, ConnectionRecord, RedisControl, Refusal},
    identity::{
        AssignedIdentities, Fault, IdentityControl, SignInAnswer, SignInControl, TokenVersion,
    },
    server::{ClusterControl, SentinelAuth, SentinelControl, Store},
};
