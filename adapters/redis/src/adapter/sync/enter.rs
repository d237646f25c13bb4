//! What comes before a request: a link that is there, free and renewed.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::redis::RedisResult;
use event_listener::Listener;
use futures_util::future::{Either, select};
use redis_authx::{Moment, ReauthError, Token};

use super::super::error;
use super::link::{Guard, Limits, Link};
use super::{AuthSyncConnection, Losses};
use crate::block_on::block_on;

impl AuthSyncConnection {
    /// The link in place, locked, and logged in as far as is known.
    pub(super) fn enter(&mut self) -> RedisResult<Guard> {
        loop {
            if self.link.is_lost() || !self.slot.holds(&self.link) {
                self.link = self.wait_for_link()?;
                self.transactions = self.transactions.replaced(Instant::now());
            }
            let Some(mut live) = self.lock() else {
                continue;
            };
            if live.is_late(|| Moment::now(self.client.0.reauth.runtime())) {
                self.renew(&mut live);
            }
            if self.slot.holds(&self.link) && !self.link.is_lost() {
                return Ok(live);
            }
        }
    }

    /// Waits for an `AUTH` that is under way: `None` when the link is replaced
    /// meanwhile.
    fn lock(&self) -> Option<Guard> {
        if let Some(live) = self.link.try_lock() {
            return Some(live);
        }
        let replaced = self.slot.listen();
        if !self.slot.holds(&self.link) {
            return None;
        }
        match block_on(Duration::MAX, select(pin!(self.link.lock()), replaced))? {
            Either::Left((live, _)) => Some(live),
            Either::Right(_) => None,
        }
    }

    /// A link that is not lost, within the limit for that. Without a valid
    /// token there is nothing to wait for: the error says why there is none.
    fn wait_for_link(&self) -> RedisResult<Arc<Link>> {
        let deadline = match self.losses {
            Losses::Ours => Instant::now() + self.client.0.reconnect_wait,
            #[cfg(feature = "cluster")]
            Losses::Theirs => Instant::now(),
        };
        loop {
            let replaced = self.slot.listen();
            let link = self.slot.link();
            if !link.is_lost() {
                return Ok(link);
            }
            // An `AUTH` may have found it out, and nobody been told.
            self.tell_lost();
            self.client
                .credentials()
                .current()
                .map_err(error::no_token)?;
            if replaced.wait_deadline(deadline).is_none() {
                let latest = self.registration.status().last_error;
                return Err(error::not_connected(latest.as_ref()));
            }
        }
    }

    /// Sends the `AUTH` that is due, where there is a token for it. If that
    /// fails, the re-authenticator goes on trying.
    pub(super) fn renew(&self, live: &mut Guard) {
        let Some(token) = self.newest_token().filter(|token| !live.has(token)) else {
            return;
        };
        live.seen_to();
        let taken = self.link.log_in(live, &token, self.slot.terms());
        if let Err(why) = taken
            && self.link.is_lost()
        {
            self.tell_lost_by(why);
        }
    }

    pub(super) fn tell_lost(&self) {
        if self.losses == Losses::Ours {
            self.registration.lost();
        }
    }

    pub(super) fn tell_lost_by(&self, why: ReauthError) {
        if self.losses == Losses::Ours {
            self.registration.lost_by(why);
        }
    }

    /// The token in hand, or the next one where that one has expired: after a
    /// suspend the manager may not have noticed yet.
    fn newest_token(&self) -> Option<Token> {
        let credentials = self.client.credentials();
        let token = credentials.current().ok()?;
        match token.time_left(Moment::now(self.client.0.reauth.runtime())) {
            Some(Duration::ZERO) => credentials.get_blocking(self.client.0.reconnect_wait).ok(),
            _ => Some(token),
        }
    }

    /// Changes the application's own limits for the socket.
    pub(super) fn change_limits(
        &self,
        limit: Option<Duration>,
        change: impl FnOnce(&mut Limits),
    ) -> RedisResult<()> {
        if limit == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a limit of zero").into());
        }
        let limits = {
            let mut limits = self.slot.limits();
            change(&mut limits);
            *limits
        };
        // One that is put in its place from now on has them.
        match self.lock() {
            Some(live) => limits.apply(&live.connection),
            None => Ok(()),
        }
    }
}
