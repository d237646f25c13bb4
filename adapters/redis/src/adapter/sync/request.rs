//! How a request finds its link, and what is noted about its end.

use super::redis;
use super::redis::{Connection, RedisResult, Value};

use super::super::error;
use super::super::outcome::{self, Replies};
use super::AuthSyncConnection;
use super::link::Guard;
use crate::outcome::Outcome;
use crate::sync_transaction::{Verdict, Word};

/// Commands that are sent in one piece, and which of the replies are told:
/// those to the first `offset` are not.
#[derive(Clone)]
pub(crate) struct Batch<I> {
    words: I,
    offset: usize,
    count: usize,
}

impl<I: Iterator<Item = Word> + Clone> Batch<I> {
    pub(crate) const fn new(words: I, offset: usize, count: usize) -> Self {
        Self {
            words,
            offset,
            count,
        }
    }

    fn words(&self) -> I {
        self.words.clone()
    }

    /// Whether the only reply told is that of an `EXEC`.
    fn is_exec(&self) -> bool {
        self.count == 1 && self.words().nth(self.offset) == Some(Word::Exec)
    }
}

/// What a connection answers by itself.
pub(crate) trait Answer: Replies {
    fn of_one(value: Value) -> Self;
}

impl Answer for Value {
    fn of_one(value: Value) -> Self {
        value
    }
}

impl Answer for Vec<Value> {
    fn of_one(value: Value) -> Self {
        vec![value]
    }
}

impl AuthSyncConnection {
    /// Runs one request on the link in place, and takes note of how it ended.
    pub(super) fn request<T: Answer, I: Iterator<Item = Word> + Clone>(
        &mut self,
        batch: Batch<I>,
        send: impl FnOnce(&mut Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut live = self.enter()?;
        match self.transaction.before(batch.words()) {
            Verdict::Send => {}
            Verdict::Discarded => return Ok(T::of_one(Value::Okay)),
            Verdict::Refused => return Err(error::transaction_lost()),
            Verdict::Void { discard } => return self.void(live, &batch, discard),
        }
        let result = send(&mut live.connection);
        self.note(&batch, &result);
        self.leave(live);
        result
    }

    /// Executes nothing, as if a watched key had changed.
    fn void<T: Answer, I: Iterator<Item = Word> + Clone>(
        &mut self,
        mut live: Guard,
        batch: &Batch<I>,
        discard: bool,
    ) -> RedisResult<T> {
        if discard {
            let discarded = redis::cmd("DISCARD").exec(&mut live.connection);
            if discarded.is_err() {
                self.give_up();
            }
            self.leave(live);
        }
        if batch.is_exec() {
            Ok(T::of_one(Value::Nil))
        } else {
            Err(error::watch_lost())
        }
    }

    /// Takes note of how it ended, for the transaction and for the link.
    fn note<T: Answer, I: Iterator<Item = Word> + Clone>(
        &mut self,
        batch: &Batch<I>,
        result: &RedisResult<T>,
    ) {
        let outcome = outcome::of(result);
        if matches!(outcome, Outcome::Lost | Outcome::Unknown) && result.is_err() {
            self.transaction.unanswered(batch.words());
        } else {
            let replies = result.as_ref().map_or(&[][..], Replies::replies);
            for (place, word) in batch.words().enumerate() {
                let reply = place.checked_sub(batch.offset);
                let reply = reply.and_then(|place| replies.get(place));
                let refused = matches!(reply, Some(Value::ServerError(_))) || result.is_err();
                self.transaction.answered(word, !refused);
            }
        }
        let in_doubt = || batch.words().any(Word::leaves_doubt);
        if outcome == Outcome::Lost || (outcome == Outcome::Unknown && in_doubt()) {
            self.give_up();
        }
    }

    /// The link is of no more use.
    fn give_up(&self) {
        if self.link.lose() && self.slot.holds(&self.link) {
            self.tell_lost();
        }
    }

    /// Lets an `AUTH` have its turn: one that was deferred at once, or the next
    /// transaction would be faster.
    fn leave(&self, mut live: Guard) {
        live.in_transaction = self.transaction.is_open();
        if !live.in_transaction && self.link.take_deferred() {
            if !self.link.is_lost() {
                self.renew(&mut live);
            }
            drop(live);
            self.registration.ready();
        }
    }
}
