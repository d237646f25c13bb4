//! One socket, which one command or one `AUTH` at a time has to itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::redis::{Connection, ConnectionLike, RedisResult};
use async_lock::{Mutex, MutexGuardArc};
use redis_authx::{Moment, ReauthError, ReauthErrorKind, SessionRule, Token};

use super::super::{auth, error};

/// Of a session, the last part in which a command sees to the `AUTH` itself:
/// an eighth, half of what is left when the connection should long have been
/// replaced.
const LATE: u32 = 8;

/// Of a session, how long a command blocks at a time in its last part: so often
/// that a token that comes late is taken in time.
const PACE: u32 = 64;

/// And no shorter than this, whatever the token says.
const SHORTEST: Duration = Duration::from_millis(100);

pub(crate) struct Link {
    live: Arc<Mutex<Live>>,
    lost: AtomicBool,
    /// An `AUTH` has given up waiting for its turn.
    deferred: AtomicBool,
}

pub(crate) type Guard = MutexGuardArc<Live>;

/// What the lock is for.
pub(crate) struct Live {
    pub(crate) connection: Connection,
    /// Whether an `AUTH` would become part of a transaction.
    pub(crate) in_transaction: bool,
    generation: u64,
    /// From then on the session has been renewed or it is
    /// about to end.
    late_from: Option<Moment>,
    /// A command has seen to it since, with whatever success.
    seen_to: bool,
    /// When it is late, a command that blocks looks for a token this often.
    pace: Duration,
}

/// The application's own limits for the socket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) read: Option<Duration>,
    pub(crate) write: Option<Duration>,
}

impl Limits {
    pub(crate) fn apply(self, connection: &Connection) -> RedisResult<()> {
        connection.set_read_timeout(self.read)?;
        connection.set_write_timeout(self.write)
    }
}

/// How an `AUTH` is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) now: Moment,
    /// What each step of it may take.
    pub(crate) limit: Duration,
    /// What applies again after it.
    pub(crate) limits: Limits,
}

impl Link {
    pub(crate) fn new(connection: Connection, token: &Token, now: Moment) -> Self {
        let mut live = Live {
            connection,
            in_transaction: false,
            generation: token.generation(),
            late_from: None,
            seen_to: false,
            pace: Duration::ZERO,
        };
        live.logged_in(token, now);
        Self {
            live: Arc::new(Mutex::new(live)),
            lost: AtomicBool::new(false),
            deferred: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// It is lost; whether that is news.
    pub(crate) fn lose(&self) -> bool {
        !self.lost.swap(true, Ordering::AcqRel)
    }

    /// Asks the application's thread to see to the `AUTH`, as soon as it can be
    /// sent.
    pub(crate) fn defer(&self) {
        self.deferred.store(true, Ordering::Release);
    }

    /// Whether an `AUTH` was deferred; once.
    pub(crate) fn take_deferred(&self) -> bool {
        self.deferred.load(Ordering::Relaxed) && self.deferred.swap(false, Ordering::AcqRel)
    }

    pub(crate) async fn lock(&self) -> Guard {
        self.live.lock_arc().await
    }

    pub(crate) fn try_lock(&self) -> Option<Guard> {
        self.live.try_lock_arc()
    }

    /// Sends `AUTH` and reads its reply. After anything but `OK` and an error the
    /// connection may be out of step, and is given up.
    pub(crate) fn log_in(
        &self,
        live: &mut Live,
        token: &Token,
        terms: Terms,
    ) -> Result<(), ReauthError> {
        let result = live.authenticate(token, terms);
        if let Err(error) = &result
            && (auth::is_loss(error) || error.kind() == ReauthErrorKind::Timeout)
        {
            self.lose();
        }
        result
    }
}

impl Live {
    /// Whether a command should see to the renewal before anything else.
    pub(crate) fn is_late(&self, now: impl FnOnce() -> Moment) -> bool {
        let may = !self.seen_to && !self.in_transaction;
        may && self
            .late_from
            .is_some_and(|late| late.time_left(now()).is_zero())
    }

    /// A command sees to it, once a token.
    pub(crate) const fn seen_to(&mut self) {
        self.seen_to = true;
    }

    /// Whether it has logged in with that token, and a second time is no use.
    pub(crate) fn has(&self, token: &Token) -> bool {
        token.session_rule() == SessionRule::EndsWithToken && self.generation >= token.generation()
    }

    fn authenticate(&mut self, token: &Token, terms: Terms) -> Result<(), ReauthError> {
        let limit = Some(terms.limit);
        Limits {
            read: limit,
            write: limit,
        }
        .apply(&self.connection)
        .map_err(error::reauth)?;
        // An earlier command may have been given up before its reply came.
        let settled = auth::check_echo(self.connection.req_command(&auth::echo()));
        let taken = settled
            .and_then(|()| auth::check_auth(self.connection.req_command(&auth::auth(token))));
        let restored = terms.limits.apply(&self.connection).map_err(error::reauth);
        taken.and(restored)?;
        self.logged_in(token, terms.now);
        Ok(())
    }

    fn logged_in(&mut self, token: &Token, now: Moment) {
        self.generation = token.generation();
        let lasts = match token.session_rule() {
            SessionRule::EndsWithToken => token.time_left(now),
            SessionRule::Lasts(lasts) => Some(lasts),
            _ => None,
        };
        self.late_from = lasts.map(|lasts| now.after(lasts - lasts / LATE));
        self.seen_to = false;
        self.pace = (lasts.unwrap_or_default() / PACE).max(SHORTEST);
    }

    /// How long a command may block it; `None`: for as long as it wants to.
    pub(crate) fn time_to_renewal(&self, now: Moment) -> Option<Duration> {
        let late_from = self.late_from?;
        let left = late_from.time_left(now);
        Some(left.max(self.pace))
    }
}
