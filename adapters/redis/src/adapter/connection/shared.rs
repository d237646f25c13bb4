//! What the clones of one connection share, and how a request finds its link.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::redis::{self, RedisResult};
use futures_util::future::{Either, select};
use redis_authx::{ReauthErrorKind, Token};
use redis_authx_session::{Registration, Session};

use super::super::client::AuthClient;
#[cfg(feature = "sentinel")]
use super::super::sentinel::Address;
use super::super::{error, outcome};
use super::link::Link;
use super::request::Request;
use super::slot::Slot;
use crate::effect::Effects;
use crate::gate::{Passing, Refusal};
use crate::outcome::Outcome;
use crate::transaction::Instead;

pub(crate) struct Shared {
    client: AuthClient,
    pub(super) slot: Arc<Slot>,
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

    pub(crate) fn now(&self) -> Instant {
        self.client.0.reauth.runtime().now()
    }

    /// A suspend is noticed at the first use of a connection.
    pub(super) fn check_clock(&self) {
        self.client.credentials().check_clock();
    }

    /// Runs one request on the link in place, and takes note of how it ended.
    pub(crate) async fn request<R: Request>(&self, request: R) -> RedisResult<R::Reply> {
        self.check_clock();
        let effects = request.effects();
        loop {
            let link = self.link(effects).await?;
            match link.gate.before(effects, || self.now()).await {
                Ok((passing, entered)) => {
                    let mut result = request.send(&mut link.connection()).await;
                    drop(entered);
                    let outcome = self.answered(&link, passing, request, &mut result);
                    let opened = effects.open == Some(true) && outcome == Outcome::Done;
                    if opened && link.gate.is_retired() {
                        // What follows would go to the next link.
                        if R::IS_ONE_COMMAND {
                            continue;
                        }
                        self.slot.link().gate.tear(self.now());
                    }
                    return result;
                }
                Err(Refusal::Instead(instead)) => {
                    self.undo(&link, instead).await?;
                    return request.instead(instead);
                }
                Err(Refusal::Retired) => {}
            }
        }
    }

    /// Takes note of how a request ended, and puts an error in the place of a
    /// reply that may be another's. Returns how it ended.
    pub(super) fn answered<R: Request>(
        &self,
        link: &Arc<Link>,
        passing: Passing,
        request: R,
        result: &mut RedisResult<R::Reply>,
    ) -> Outcome {
        let queued = || request.effects() != Effects::NONE || link.gate.had_transactions();
        let outcome = if outcome::is_misplaced(result, || request.may_be(queued())) {
            Outcome::OutOfStep
        } else {
            self.slot.outcome(result)
        };
        self.note(link, passing, outcome);
        let is_reply = !matches!(result, Err(error) if error.is_io_error());
        if is_reply && link.gate.is_out_of_step() {
            *result = Err(error::out_of_step());
        }
        outcome
    }

    fn note(&self, link: &Arc<Link>, passing: Passing, outcome: Outcome) {
        if link.gate.after(passing, outcome) {
            self.registration.ready();
        }
        let is_news = match outcome {
            Outcome::Lost => link.lose(),
            Outcome::OutOfStep => self.slot.fall_out_of_step(link),
            _ => false,
        };
        if is_news && self.slot.is_ours_to_replace() && self.slot.holds(link) {
            match outcome {
                Outcome::OutOfStep => self.registration.lost_by(ReauthErrorKind::OutOfStep.into()),
                _ => self.registration.lost(),
            }
        }
    }

    /// Another server is the master now.
    #[cfg(feature = "sentinel")]
    pub(crate) fn leave_unless_at(&self, master: &Address) {
        if !self.slot.is_at(master) && self.slot.link().lose() {
            self.registration.lost();
        }
    }

    /// Sends what is to be sent in the place of an `EXEC`.
    async fn undo(&self, link: &Arc<Link>, instead: Instead) -> RedisResult<()> {
        let Instead::Unchecked { undo: Some(name) } = instead else {
            return Ok(());
        };
        let undo = redis::cmd(name);
        // Where this one is gone by now, so is what would have been undone.
        if let Ok((passing, entered)) = link.gate.before(undo.effects(), || self.now()).await {
            let mut result = undo.send(&mut link.connection()).await;
            drop(entered);
            self.answered(link, passing, &undo, &mut result);
            result?.extract_error()?;
        }
        Ok(())
    }

    /// The link in place, once it is not lost.
    pub(super) async fn link(&self, effects: Effects) -> RedisResult<Arc<Link>> {
        let link = self.slot.link();
        if !link.is_lost() {
            return Ok(link);
        }
        self.wait_for_link()
            .await
            .inspect_err(|_| self.slot.link().gate.failed(effects))
    }

    /// A link that is not lost, within the limit for that. Without a valid
    /// token there is nothing to wait for: the error says why there is none.
    async fn wait_for_link(&self) -> RedisResult<Arc<Link>> {
        let runtime = self.client.0.reauth.runtime();
        // What is out of step was given up here, and is being replaced.
        let is_given_up = self.slot.link().gate.is_out_of_step();
        let wait = match is_given_up && self.slot.is_ours_to_replace() {
            true => self.client.0.reconnect_wait,
            false => self.wait,
        };
        let mut limit = pin!(runtime.sleep_until(runtime.now() + wait));
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
