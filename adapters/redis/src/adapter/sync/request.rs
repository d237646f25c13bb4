//! How a request is sent, and what is noted about its end.

use std::time::Instant;

use super::redis;
use super::redis::RedisResult;
use redis_authx::ReauthErrorKind;

use super::super::error;
use super::super::outcome::{self, MayBe, Replies};
use super::AuthSyncConnection;
use super::link::{Guard, Live};
use crate::effect::{Effect, Effects};
use crate::outcome::Outcome;
use crate::transaction::{Instead, Step};

impl AuthSyncConnection {
    /// Runs one request on the link in place, and takes note of how it ended.
    pub(super) fn request<T: Replies>(
        &mut self,
        effects: Effects,
        may_be: impl Fn(bool) -> MayBe,
        send: impl FnOnce(&mut Live) -> RedisResult<T>,
        instead: impl FnOnce(Instead) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut live = match self.enter() {
            Ok(live) => live,
            Err(error) => {
                // Whoever is told so in the place of a MULTI or an EXEC has no
                // transaction; in the place of a command inside, it is torn.
                if effects.open.is_some() {
                    self.transactions.failed(effects);
                }
                return Err(error);
            }
        };
        match self.transactions.enter(effects, Instant::now()) {
            Ok(step) => {
                let queued = effects != Effects::NONE || self.transactions.is_open();
                let result = send(&mut live);
                let is_misplaced = outcome::is_misplaced(&result, || may_be(queued));
                let outcome = match is_misplaced {
                    true => Outcome::OutOfStep,
                    false => outcome::of(&result),
                };
                self.note(effects, step, outcome);
                self.leave(live);
                match is_misplaced {
                    true => Err(error::out_of_step()),
                    false => result,
                }
            }
            Err(answer) => {
                self.undo(live, answer);
                instead(answer)
            }
        }
    }

    /// Sends what is to be sent in the place of an `EXEC`.
    fn undo(&mut self, mut live: Guard, answer: Instead) {
        let Instead::Unchecked { undo: Some(name) } = answer else {
            return;
        };
        let effects = Effects::of([Effect::of_name(name.as_bytes())]);
        if let Ok(step) = self.transactions.enter(effects, Instant::now()) {
            let undone: RedisResult<redis::Value> = redis::cmd(name).query(&mut live.connection);
            self.note(effects, step, outcome::of(&undone));
        }
        self.leave(live);
    }

    /// Takes note of how it ended, for the transaction and for the link.
    fn note(&mut self, effects: Effects, step: Step, outcome: Outcome) {
        // A command inside a transaction that finds the connection lost leaves
        // the rest of it to be refused.
        if !outcome.is_loss() || effects.open.is_some() {
            self.transactions.ended(step, outcome);
        }
        // Whether a transaction is open, nobody knows.
        let in_doubt = outcome == Outcome::Unknown && effects.open.is_some();
        if outcome == Outcome::OutOfStep {
            self.give_up(|| self.tell_lost_by(ReauthErrorKind::OutOfStep.into()));
        } else if outcome == Outcome::Lost || in_doubt {
            self.give_up(|| self.tell_lost());
        }
    }

    /// The link is of no more use.
    fn give_up(&self, tell: impl FnOnce()) {
        if self.link.lose() && self.slot.holds(&self.link) {
            tell();
        }
    }

    /// Lets an `AUTH` have its turn: one that was deferred at once, or the next
    /// transaction would be faster.
    fn leave(&self, mut live: Guard) {
        live.in_transaction = self.transactions.is_open();
        if !live.in_transaction && self.link.take_deferred() {
            if !self.link.is_lost() {
                self.renew(&mut live);
            }
            drop(live);
            self.registration.ready();
        }
    }
}
