//! Clients of [fred](https://docs.rs/fred) that stay logged in while their
//! tokens change.
//!
//! ```no_run
//! use fred::prelude::*;
//! use redis_authx::TokenManager;
//! use redis_authx_fred::BuilderExt;
//! # use redis_authx::{StaticToken, Token};
//! # async fn example(runtime: impl redis_authx::Runtime) -> Result<(), Box<dyn std::error::Error>> {
//! # let identity = StaticToken::new(Token::new("app", "s3cret"));
//!
//! let manager = TokenManager::builder(identity).spawn(runtime)?;
//! let config = Config::from_url("rediss://name.region.redis.azure.net:10000")?;
//! let pool = Builder::from_config(config).credentials(manager.credentials()).build_pool(8)?;
//! pool.init().await?; // renewed for as long as it lives
//! # Ok(()) }
//! ```
//!
//! What is built are fred's own types: [`Client`](fred::clients::Client),
//! [`Pool`](fred::clients::Pool),
//! [`ExclusivePool`](fred::clients::ExclusivePool) and, with features named like
//! fred's own, `SubscriberClient` and `DynamicPool`; and a type of ours, which
//! fred has no equal of: `AuthSubscriber`, a [subscriber](#subscribers) that loses
//! no message when its token changes. Needs fred 10.1, and a token manager that
//! runs on tokio.
//!
//! # What happens to a client's connections
//!
//! | what happens | what is done | what a command sees |
//! |---|---|---|
//! | a new token | it is shown to the server on a connection of its own, which is closed at once: one per rotation, for all clients that have the same servers. Then one `AUTH` per connection, in place; all connections are spread over the first quarter of the time left | nothing |
//! | a new token is refused | it is sent on no live connection; a fresh one is asked for | nothing |
//! | `AUTH` is slow, refused or fails | tried again with backoff, a refused one after asking for a fresh token | nothing, unless the server stalls |
//! | the token can't be shown, as at the server's `maxclients` | tried again with backoff; after three quarters of the time left, one `AUTH` per connection all the same | nothing |
//! | the server leaves the reply to `AUTH` out | the connection is out of step: fred is told to reconnect | see [below](#server-versions) |
//! | it has not succeeded in three quarters of the time left | where a connection of its own shows that the token is taken, the client is reconnected | fred sends it again |
//! | a command blocks the client, like `BLPOP` | the same | fred sends it again, and it goes on |
//! | fred reconnects, for whatever reason | it logs in with the newest token | fred's affair: it sends again what was under way |
//! | the token expired during an outage of the identity service | fred reconnects until there is a token | it waits |
//!
//! What each kind of client promises, and the tests that show it:
//! [`manual::guarantees`].
//!
//! A first `init()` is fred's own: it ends with the first log-in that is refused,
//! as where the token in hand was revoked. The manager is asked for a fresh token
//! then; call it again, or set `fail_fast` of fred's `Config` to `false`, which has
//! fred try again by its reconnect policy.
//!
//! No `AUTH` is sent again by fred after a reconnect, where it would put an older
//! token in the place of a newer one. Where one may have been, the newest
//! follows at once.
//!
//! # What fred does
//!
//! * **A command may be executed twice.** After a reconnect fred sends again what
//!   had no answer. It sends a command at most `max_command_attempts` times, 3
//!   by default: raise it where a command blocks for longer than two tokens live.
//! * **What blocks may lose an element.** One that is popped in the moment of a
//!   reconnect goes to the connection that is being closed, and none comes
//!   twice. Where that matters, use `BLMOVE`, or a consumer group.
//! * **A client lives until it is quit**, also when the application has dropped
//!   it: call [`quit`](fred::interfaces::ClientLike::quit). It is renewed as
//!   long, and keeps the token manager alive. One that is connected again after
//!   that is renewed again.
//! * **Without a reconnect policy** a client ends at the first lost connection,
//!   and is never reconnected from here either. The builder sets a policy where
//!   there is none; see [`AuthBuilder`].
//! * `reconnect_on_auth_error` of fred's `ConnectionConfig` drops a working
//!   connection for one refused `AUTH`. Leave it off.
//! * `Blocking::Interrupt` has an `AUTH` interrupt a `BLPOP`, like any other
//!   command.
//! * With its feature `network-logs` fred logs what it sends, tokens as well.
//!
//! # Server versions
//!
//! redis-server 7.2 and later, 8 included, does not answer a refused `AUTH` when
//! the connection has other replies pending, messages over RESP3 among them
//! ([redis/redis#15640](https://github.com/redis/redis/issues/15640)); each later
//! command would get another's reply. 6.2, 7.0 and Valkey 9.1 always answer. fred
//! gives no way to send an `AUTH` while nothing else is under way. So:
//!
//! * A new token is first shown on a connection of its own, to one of the nodes
//!   where there are several: one connection must be free at the server. Live
//!   connections are sent only what was accepted there, or what another connection
//!   to the same servers has logged in with. Clients of one [`Renewal`] that have
//!   the same servers share this. Where the server ends a session not with its
//!   token ([`SessionRule::Lasts`](redis_authx::SessionRule::Lasts)), it counts for
//!   10 s.
//! * Each `AUTH` is followed immediately by a `PING` with a unique payload. `AUTH`
//!   has succeeded when its reply is `OK` and the next one is that of the `PING`.
//!   Any other order is reported as
//!   [`OutOfStep`](redis_authx::ReauthErrorKind::OutOfStep), and the
//!   connection is dropped: fred is told to reconnect, logs in anew, and sends again
//!   what was under way. It waits for the first delay of its reconnect policy
//!   (100 to 200 ms by default), and until then still delivers what the old
//!   connection brings.
//!
//! **What remains**, on 7.2 and later: a token that the server accepted when it was
//! shown and refuses later, because it was revoked or has expired, or because the
//! nodes of a cluster disagree (ACLs are not replicated), is refused on a live
//! connection. So may one be that could not be shown before the old one's end was
//! near. Until fred has reconnected, commands in flight on that connection may
//! receive another command's reply. A smaller `stagger` of the
//! [`ReauthPolicy`](redis_authx::ReauthPolicy) (default 0.25 of the time
//! left) makes this less likely; it does not rule it out.
//!
//! With `multi` and the commands that go to all nodes of a cluster (`*_cluster`),
//! fred first waits, without a limit, until every command before has its reply. On
//! a connection that is out of step one never comes: such a client stands still,
//! and can't be reconnected from here, until the server closes the connection, at
//! the latest when its old token expires. `CLIENT KILL` ends it sooner.
//!
//! A cluster's connection is dropped by what the node is asked to say on it, an
//! error of a script: permit `EVAL` in clusters. `CLUSTERDOWN redis-authx:` in
//! fred's and the server's logs is ours. Where scripts are not permitted, a `QUIT`
//! follows: with `QUIT`, its `OK` may be delivered to an earlier command.
//!
//! # Clusters
//!
//! Each node's connection is sent an `AUTH` of its own, so one that is blocked
//! or slow keeps no other waiting. fred can't be told to replace a connection to
//! a node: where `AUTH` has no answer until the token expires, the server closes
//! the connection, and fred reconnects with the newest token and sends again
//! what was under way.
//!
//! The connection that fred asks for the slots on, and those to replicas
//! (feature `replicas`), can't be reached either. They end in the same way, and
//! fred opens them anew when it needs them.
//!
//! Name more than one node in the configuration: by default fred asks no others
//! where the nodes are. With the feature `replicas`, give a command that is sent
//! by `with_cluster_node` a time limit: where that node is gone, fred keeps a
//! thread of the runtime busy until it is up.
//!
//! # Transactions
//!
//! [`multi`](https://docs.rs/fred/10.1/fred/interfaces/trait.TransactionInterface.html#method.multi)
//! is safe: fred sends a transaction in one piece. A `MULTI` that is sent as a command of its own is
//! not, since fred shows nobody which commands go by: an `AUTH` may get into it,
//! and then `EXEC` has replies too many. Use `multi`, a script, or a client of
//! its own that is dropped within a token's life.
//!
//! # Subscribers
//!
//! A server does not let a connection that subscribes over RESP2 send `AUTH`:
//! before its token expires, another one has to take its place. Feature
//! `subscriber-client` has two types for that, made by the same builder:
//!
//! | what happens | `AuthSubscriber` | fred's `SubscriberClient` |
//! |---|---|---|
//! | a new token, RESP3 | `AUTH` in place: nothing lost, nothing doubled | the same |
//! | a new token, RESP2 | both connections are subscribed for a moment: nothing lost, nothing doubled, each channel in order | reconnected: what is published in the milliseconds between is lost |
//! | the new connection can't be opened, or logged in | the old one goes on until its token expires; tried again until then | the same |
//! | a subscription | is there when the call returns, or refused with an error; stays, whatever the connection | returns before it is sent; stays where `manage_subscriptions` was called |
//! | a lost connection | what is published until it is back is missing, and counted | missing |
//! | a slow receiver | told how many it has missed, beyond `broadcast_channel_capacity` | the same |
//! | other commands | none | RESP3: all of fred's |
//! | clusters | one node, which passes on all but sharded channels | all nodes |
//!
//! ```no_run
//! # #[cfg(feature = "subscriber-client")]
//! # async fn example(manager: redis_authx::TokenManager) -> Result<(), Box<dyn std::error::Error>> {
//! # use fred::prelude::*;
//! # use redis_authx_fred::BuilderExt;
//! # let config = Config::from_url("rediss://name.region.redis.azure.net:10000")?;
//! let subscriber = Builder::from_config(config).credentials(manager.credentials()).build_subscriber()?;
//! let mut messages = subscriber.message_rx();
//! subscriber.init().await?;
//! subscriber.subscribe("orders").await?;
//! let message = messages.recv().await?; // and so on: none lost, none doubled
//! # Ok(()) }
//! ```
//!
//! # Sentinels
//!
//! A failover is followed by fred, and renewal goes on with the new master.
//! Sentinels are sent no token: none is what they usually want, or (feature
//! `sentinel-auth`) the user name and password that the configuration has for
//! them. Name all of them, and as they name each other: fred learns of further
//! ones by itself, and those it would log in to with a token.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod auth;
mod builder;
mod connections;
mod dial;
#[cfg(feature = "dynamic-pool")]
mod dynamic;
mod error;
pub mod manual;
mod node;
mod plaintext;
mod provider;
mod renewal;
mod served;
mod showing;
#[cfg(feature = "subscriber-client")]
mod subscriber;
mod watch;
mod weak;

pub use builder::{AuthBuilder, BuilderExt};
pub use connections::ConnectionReport;
pub use renewal::{Renewal, RenewalBuilder};
#[cfg(feature = "subscriber-client")]
pub use subscriber::AuthSubscriber;
