//! The client-independent part of a client adapter of `redis-authx`.
//!
//! Applications use the adapters (`redis-authx-redis`, `redis-authx-fred`), and meet
//! none of these types. This crate is for those who write an adapter for another
//! client: it has no runtime, no sockets and no Redis protocol.
//!
//! An adapter opens connections, logs them in with
//! [`Credentials::get`](redis_authx::Credentials::get) and implements [`Session`] for
//! them. A [`Reauthenticator`] authenticates every registered session once with each
//! new token, spread over time, retries failures, and replaces a session that is lost
//! or whose time runs out. A subscriber over RESP2 can't send `AUTH`: [`handover`] moves
//! it to a new connection, and a [`Subscriber`] does both.
//!
//! ```
//! use std::sync::{Arc, Weak};
//! use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
//! use redis_authx::{ReauthError, ReauthPolicy, Token, TokenManager, async_trait};
//! use redis_authx_session::{Reauthenticator, Session};
//!
//! #[derive(Debug)]
//! struct Connection; // a socket, and what is pending on it
//!
//! #[async_trait]
//! impl Session for Connection {
//!     fn is_connected(&self) -> bool {
//!         true
//!     }
//!
//!     async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
//!         // AUTH username password, and its reply
//!         let _ = (token.username(), token.password());
//!         Ok(())
//!     }
//!
//!     async fn replace(&self, _token: &Token) -> Result<(), ReauthError> {
//!         // another socket, logged in, in the place of this one
//!         Ok(())
//!     }
//! }
//!
//! let time = ManualClock::new(); // in an application, the runtime adapter's
//! let script = ScriptedProvider::new().token("a", hours(1)).token("b", hours(1));
//! let manager = TokenManager::builder(script).spawn(time.clone())?;
//! let mut run = time.run(async {});
//!
//! let (credentials, runtime) = (manager.credentials(), Arc::new(time));
//! let reauth = Reauthenticator::spawn(&credentials, ReauthPolicy::default(), runtime)?;
//! let (token, connection) = (credentials.current()?, Arc::new(Connection));
//! let session: Weak<Connection> = Arc::downgrade(&connection);
//! let registration = reauth.register(session, &token);
//!
//! run.advance(minutes(46));
//! assert_eq!(registration.status().generation, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the adapter does
//!
//! * It sends no `AUTH` between `MULTI` and `EXEC`, and none behind other pending
//!   replies: [`authenticate`](Session::authenticate) returns
//!   [`Busy`](ReauthErrorKind::Busy), and [`Registration::ready`] ends the wait.
//! * It calls [`Registration::lost`] when a connection is gone, and
//!   [`Registration::check_clock`] where one is used, so that a suspend of the machine
//!   is noticed.
//! * It keeps the [`Registration`] in what the application holds, and the session
//!   inside: the session is held weakly here.
//! * Where the client opens connections by itself, a [`RefusalLimiter`] decides whether
//!   a refused log-in is a reason to request another token.
//!
//! # What follows what
//!
//! | what happens | what follows |
//! |---|---|
//! | a new token | one `AUTH` a session, spread over the first quarter of the time left |
//! | `AUTH` times out or fails | retried with backoff; replaced once three quarters of the time left have passed, or at once where the session has given its connection up |
//! | `AUTH` is refused | the same, and the manager is asked for a fresh token first; when that one is refused too, or is the same again, every five minutes |
//! | `AUTH` is [not possible](ReauthErrorKind::Unsupported) on the connection | replaced at once, at its turn of every rotation |
//! | the session is inside a transaction, or blocked | deferred, within the same limits; reported once |
//! | the token gets a later end | the sessions that are logged in with it do as well |
//! | a suspend, or the wall clock is set forward | plans come forward by as much |
//! | the connection is lost | replaced at once, then with backoff until it succeeds; with backoff as well when the last replacement did not last |
//! | no valid token | nothing is tried until there is one |

pub mod handover;

mod driver;
mod entry;
mod inbox;
mod limiter;
mod plaintext;
mod queue;
mod reauthenticator;
mod roster;
mod session;
mod status;
mod subscriber;

pub use limiter::RefusalLimiter;
pub use plaintext::is_loopback;
pub use reauthenticator::{Reauthenticator, Registration};
pub use session::Session;
pub use subscriber::{SubscribeError, Subscriber, SubscriberConnector};

#[cfg(doc)]
use redis_authx::ReauthErrorKind;
