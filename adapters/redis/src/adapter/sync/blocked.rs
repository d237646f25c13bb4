//! Commands that block, in parts that end before the next `AUTH` has to be
//! sent: the server ends each by itself, so nothing is popped and lost.

use std::io;
use std::time::Instant;

use redis_authx::Moment;

use super::redis::{Cmd, ConnectionLike, RedisResult, Value};

use super::super::connection::with_word;
use super::super::outcome::MayBe;
use super::super::{effect, error};
use super::AuthSyncConnection;
use crate::blocking::{self, Blocking, Kind};
use crate::effect::Effects;

impl AuthSyncConnection {
    /// How a command is to be sent in parts, if it is.
    ///
    /// `WAIT` is about the writes of its own connection, and `$` about what
    /// comes from now on: their parts would not add up to them. Inside a
    /// transaction nothing blocks.
    pub(super) fn parts(&self, command: &Cmd) -> Option<Blocking> {
        let blocking = effect::blocking(command)?;
        let is_sum = blocking.kind() != Kind::OwnWrites
            && blocking::from_now_on(&effect::words(command.args_iter())).is_empty();
        (is_sum && !self.transactions.is_open()).then_some(blocking)
    }

    /// Runs a command that blocks. Between two parts the connection is renewed,
    /// or another in its place.
    pub(super) fn block(&mut self, command: &Cmd, blocking: &Blocking) -> RedisResult<Value> {
        let began = Instant::now();
        let read = self.slot.limits().read;
        loop {
            let waited = began.elapsed();
            let left = blocking.limit().map(|limit| limit.saturating_sub(waited));
            let now = Moment::now(self.client.0.reauth.runtime());
            let mut is_last = true;
            let reply = self.request(
                Effects::NONE,
                |queued| MayBe::to(effect::name(command), queued),
                |live| {
                    let part = live.time_to_renewal(now);
                    is_last = part.is_none_or(|part| left.is_some_and(|left| left <= part));
                    let part = if is_last { left } else { part };
                    let word = part.map(|part| blocking.at_most(part));
                    let part = word.map(|word| with_word(command, blocking, &word));
                    let sent = part.as_ref().unwrap_or(command);
                    live.connection.req_command(sent)
                },
                |_| Err(error::transaction_lost()),
            )?;
            if is_last || reply != Value::Nil {
                return Ok(reply);
            }
            if read.is_some_and(|limit| limit <= began.elapsed()) {
                return Err(io::Error::from(io::ErrorKind::WouldBlock).into());
            }
        }
    }
}
