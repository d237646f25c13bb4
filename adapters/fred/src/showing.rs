//! A new token is shown to a server before live connections are sent it.
//!
//! redis-server 7.2 and later, 8 included, leaves out the reply to a refused
//! `AUTH` when other replies are pending on the connection
//! (<https://github.com/redis/redis/issues/15640>), and fred gives no way to hold
//! commands back until none are.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use fred::types::config::ServerConfig;
use redis_authx::{Clock as _, ReauthError, ReauthErrorKind, Runtime, SessionRule, Token};
use redis_authx_session::RefusalLimiter;

use super::dial::Dial;
use super::error;

/// How long it counts that a token was taken where the server ends a session not
/// with its token: the same one may be sent again hours later.
const COUNTS_FOR: Duration = Duration::from_secs(10);

/// What is known of one server, or of the nodes of one cluster, or of the
/// master that the same sentinels name: which token it takes.
pub(crate) struct Showing {
    server: ServerConfig,
    limiter: Arc<RefusalLimiter>,
    /// The newest generation that it has taken, and not refused since; and when
    /// it last did.
    taken: Mutex<Option<(u64, Instant)>>,
    /// Held while a token is shown. Holds why that failed, for all who wait.
    turn: tokio::sync::Mutex<Option<(u64, ReauthError)>>,
}

impl Showing {
    pub(crate) const fn limiter(&self) -> &Arc<RefusalLimiter> {
        &self.limiter
    }

    /// A connection has logged in with the token of this generation.
    pub(crate) fn taken(&self, generation: u64, now: Instant) {
        self.limiter.accepted(generation);
        let mut taken = self.lock();
        *taken = (*taken).max(Some((generation, now)));
    }

    /// A live connection was refused it: it is shown again before it is sent to
    /// another.
    pub(crate) fn refused(&self, generation: u64) {
        // Where a newer one was taken meanwhile, that stands.
        self.lock().take_if(|(taken, _)| *taken == generation);
    }

    /// Returns once it is known that the server takes `token`: at once where a
    /// connection has logged in with it; else one that does is opened as `dial`
    /// says, and closed. One at a time: the others wait for what becomes of it.
    ///
    /// # Cancel safety
    /// Safe: the next in line opens its own.
    pub(crate) async fn show(
        &self,
        token: &Token,
        dial: Dial,
        runtime: &Arc<dyn Runtime>,
    ) -> Result<(), ReauthError> {
        let generation = token.generation();
        let lasts = matches!(token.session_rule(), SessionRule::Lasts(_));
        let counts_for = lasts.then_some(COUNTS_FOR);
        if self.takes(generation, counts_for, runtime.now()) {
            return Ok(());
        }
        let (mut failure, waited) = match self.turn.try_lock() {
            Ok(failure) => (failure, false),
            Err(_) => (self.turn.lock().await, true),
        };
        if self.takes(generation, counts_for, runtime.now()) {
            return Ok(());
        }
        if let Some((failed, error)) = failure.take()
            && waited
            && failed == generation
        {
            *failure = Some((failed, error.clone()));
            return Err(error);
        }
        match dial.open(token).await.map_err(error::reauth) {
            Ok(connection) => {
                drop(connection);
                self.taken(generation, runtime.now());
                Ok(())
            }
            Err(error) => {
                let error = match error.kind() {
                    // That was not the live one, which may still take an `AUTH`.
                    ReauthErrorKind::Disconnected => {
                        ReauthError::new(ReauthErrorKind::Other).with_source(error)
                    }
                    _ => error,
                };
                *failure = Some((generation, error.clone()));
                Err(error)
            }
        }
    }

    fn takes(&self, generation: u64, counts_for: Option<Duration>, now: Instant) -> bool {
        self.lock().is_some_and(|(taken, at)| {
            let age = now.saturating_duration_since(at);
            taken == generation && counts_for.is_none_or(|limit| age < limit)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, Instant)>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Showing {
    /// The configuration may have a password for sentinels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Showing")
            .field("servers", &self.server.hosts())
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

/// One [`Showing`] for all clients that have the same servers, as long as one of
/// them lives.
#[derive(Debug, Default)]
pub(crate) struct Showings {
    limiter: Arc<RefusalLimiter>,
    known: Mutex<Vec<Weak<Showing>>>,
}

impl Showings {
    pub(crate) fn of(&self, server: &ServerConfig) -> Arc<Showing> {
        let mut known = self.known();
        known.retain(|showing| showing.strong_count() > 0);
        let mut alive = known.iter().filter_map(Weak::upgrade);
        if let Some(showing) = alive.find(|showing| showing.server == *server) {
            return showing;
        }
        let showing = Arc::new(Showing {
            server: server.clone(),
            limiter: Arc::clone(&self.limiter),
            taken: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        });
        known.push(Arc::downgrade(&showing));
        showing
    }

    fn known(&self) -> MutexGuard<'_, Vec<Weak<Showing>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "any instant will do")]
mod tests {
    use super::*;

    fn clustered(port: u16) -> ServerConfig {
        ServerConfig::new_clustered(vec![("localhost", port)])
    }

    #[test]
    fn what_one_server_takes_says_nothing_of_another() {
        let (showings, now) = (Showings::default(), Instant::now());
        let (one, other) = (showings.of(&clustered(7000)), showings.of(&clustered(7001)));
        one.taken(3, now);
        assert!(showings.of(&clustered(7000)).takes(3, None, now));
        assert!(!other.takes(3, None, now));
        drop(one);
        // Nobody is left who would know.
        assert!(!showings.of(&clustered(7000)).takes(3, None, now));
    }

    #[test]
    fn what_is_refused_later_is_not_taken() {
        let (showing, now) = (Showings::default().of(&clustered(7000)), Instant::now());
        showing.taken(3, now);
        showing.refused(2);
        assert!(showing.takes(3, None, now));
        showing.refused(3);
        assert!(!showing.takes(3, None, now));
    }

    #[test]
    fn where_a_session_outlives_its_token_it_counts_for_a_while() {
        let (showing, start) = (Showings::default().of(&clustered(7000)), Instant::now());
        let (limit, later) = (Some(COUNTS_FOR), start + COUNTS_FOR);
        showing.taken(3, start);
        assert!(showing.takes(3, limit, start));
        assert!(!showing.takes(3, limit, later));
        assert!(showing.takes(3, None, later));
        showing.taken(3, later);
        assert!(showing.takes(3, limit, later));
        showing.taken(2, later);
        assert!(showing.takes(3, limit, later));
    }
}
