//! What the clones of one connection share, and how a request finds its link.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::redis::RedisResult;
use super::redis::aio::MultiplexedConnection;
use futures::future::{Either, select};
use redis_authx::Token;
use redis_authx::reauth::{Registration, Session};

use super::super::client::AuthClient;
use super::super::error;
use super::super::outcome::Replies;
#[cfg(feature = "sentinel")]
use super::super::sentinel::Address;
use super::link::Link;
use super::slot::Slot;
use crate::effect::Effect;
use crate::gate::Passing;
use crate::outcome::Outcome;

pub(crate) struct Shared {
    client: AuthClient,
    slot: Arc<Slot>,
    /// How long a command waits for a lost connection to be back.
    wait: Duration,
    pub(crate) registration: Registration,
}

impl Shared {
    /// Has a connection cared for that has just logged in with `token`.
    pub(crate) fn new(client: AuthClient, slot: Slot, wait: Duration, token: &Token) -> Self {
        let slot = Arc::new(slot);
        let session: Weak<dyn Session> = Arc::<Slot>::downgrade(&slot);
        let registration = client.0.reauth.register(session, token);
        Self {
            client,
            slot,
            wait,
            registration,
        }
    }

    pub(crate) fn db(&self) -> i64 {
        self.slot.db()
    }

    #[cfg(feature = "bb8")]
    pub(crate) fn is_connected(&self) -> bool {
        self.slot.is_connected()
    }

    /// Runs one request on the link in place, and takes note of how it ended.
    pub(crate) async fn request<T, F, R>(&self, effect: Effect, send: F) -> RedisResult<T>
    where
        F: FnOnce(MultiplexedConnection) -> R + Send,
        R: Future<Output = RedisResult<T>> + Send,
        T: Replies + Send,
    {
        let (link, passing) = self.enter(effect).await?;
        let result = send(link.connection()).await;
        let outcome = self.slot.outcome(&result);
        if link.gate.after(passing, outcome) {
            self.registration.ready();
        }
        if outcome == Outcome::Lost
            && link.lose()
            && self.slot.is_ours_to_replace()
            && self.slot.holds(&link)
        {
            self.registration.lost();
        }
        result
    }

    /// Another server is the master now.
    #[cfg(feature = "sentinel")]
    pub(crate) fn leave_unless_at(&self, master: &Address) {
        if !self.slot.is_at(master) && self.slot.link().lose() {
            self.registration.lost();
        }
    }

    /// The link in place, once a command of this effect may be sent on it.
    async fn enter(&self, effect: Effect) -> RedisResult<(Arc<Link>, Passing)> {
        loop {
            let mut link = self.slot.link();
            if link.is_lost() {
                link = self.wait_for_link().await?;
            }
            let passing = link.gate.before(effect).await;
            // A MULTI may have waited for an AUTH, and in vain.
            if self.slot.holds(&link) {
                return Ok((link, passing));
            }
        }
    }

    /// A link that is not lost, within the limit for that. Without a valid
    /// token there is nothing to wait for: the error says why there is none.
    async fn wait_for_link(&self) -> RedisResult<Arc<Link>> {
        let runtime = &self.client.0.runtime;
        let mut limit = pin!(runtime.sleep_until(runtime.now() + self.wait));
        loop {
            let mut replaced = pin!(self.slot.listen());
            let link = self.slot.link();
            if !link.is_lost() {
                return Ok(link);
            }
            self.client
                .credentials()
                .current()
                .map_err(error::no_token)?;
            if let Either::Right(_) = select(replaced.as_mut(), limit.as_mut()).await {
                let latest = self.registration.status().last_error;
                return Err(error::not_connected(latest.as_ref()));
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConnection")
            .field("client", &self.client)
            .field("status", &self.registration.status())
            .finish_non_exhaustive()
    }
}
