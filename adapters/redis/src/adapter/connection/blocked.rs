//! How a command that blocks is sent, and sent again after its connection was
//! replaced.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::redis::{Cmd, RedisResult, Value, pipe};

use super::super::outcome::UNBLOCKED;
use super::super::{effect, error};
use super::link::{Link, STALL};
use super::request::{Piece, Request};
use super::shared::Shared;
use crate::blocking::{self, Blocking, FAR, Kind};
use crate::effect::Effects;
use crate::gate::{Block, Refusal};
use crate::outcome::Outcome;

/// A reply may come this much later than a command's time is up.
const LATE: Duration = Duration::from_secs(1);

impl Shared {
    /// Runs a command that blocks. Where its connection is replaced before its
    /// time is up, it is ended there and goes on with the rest of its time on
    /// the new one.
    pub(super) async fn block(&self, command: &Cmd, blocking: Blocking) -> RedisResult<Value> {
        let began = self.now();
        let words = effect::words(command.args_iter());
        let streams = blocking::from_now_on(&words);
        let mut again = None;
        loop {
            let entered = self.enter(&[blocking], || held(&words)).await?;
            let Some((link, mut block)) = entered else {
                return self.request(command).await;
            };
            if again.is_none() && !streams.is_empty() {
                let ids = last_ids(&link, &streams).await;
                again = ids.map(|ids| replaced(&words, &ids));
            }
            block.sent();
            let sent = again.as_ref().unwrap_or(command);
            let reply = self.run(&link, block, sent, blocking.limit()).await?;
            let was_ended = link.gate.is_retired() && is_unblocked(&reply);
            let would_miss = again.is_none() && !streams.is_empty();
            if !was_ended || would_miss {
                return Ok(reply);
            }
            if blocking.kind() == Kind::OwnWrites {
                return reached(&link, command, &blocking).await;
            }
            let waited = self.now().saturating_duration_since(began);
            let Some(rest) = blocking.rest(waited) else {
                return Ok(Value::Nil);
            };
            again = Some(with_word(sent, &blocking, &rest));
        }
    }

    /// Runs a pipeline with commands that block. One of them that is ended for
    /// a replacement is not sent again, for those after it have been executed.
    pub(super) async fn block_in(
        &self,
        piece: Piece<'_>,
        blocking: &[Blocking],
    ) -> RedisResult<Vec<Value>> {
        // The same piece may open or end a transaction.
        if piece.effects() != Effects::NONE {
            return self.request(piece).await;
        }
        let make = || {
            let mut commands = piece.pipeline.cmd_iter();
            commands.find_map(|command| held(&effect::words(command.args_iter())))
        };
        match self.enter(blocking, make).await? {
            None => self.request(piece).await,
            Some((link, mut block)) => {
                block.sent();
                self.run(&link, block, piece, sum(blocking)).await
            }
        }
    }

    /// The link in place, and what keeps an `AUTH` from behind such commands.
    /// `None`: inside a transaction they don't block.
    async fn enter(
        &self,
        blocking: &[Blocking],
        held: impl Fn() -> Option<Cmd>,
    ) -> RedisResult<Option<(Arc<Link>, Block)>> {
        let limits = sum(blocking);
        loop {
            let link = self.link(Effects::NONE).await?;
            let until = limits.map(|limit| self.now() + limit.saturating_add(LATE));
            match link.gate.block(until, || self.now()).await {
                Ok(None) => return Ok(None),
                Ok(Some(block)) => {
                    // In time: behind the command, it would not be answered.
                    let _ = link.id().await;
                    link.keep_held(&held);
                    return Ok(Some((link, block)));
                }
                Err(Refusal::Instead(_)) => return Err(error::transaction_lost()),
                Err(Refusal::Retired) => {}
            }
        }
    }

    async fn run<R: Request>(
        &self,
        link: &Arc<Link>,
        block: Block,
        request: R,
        limit: Option<Duration>,
    ) -> RedisResult<R::Reply> {
        let passing = link.gate.passing();
        let mut connection = link.connection();
        // In the place of redis-rs's own.
        let limit = limit.map_or(FAR, |limit| limit.saturating_add(STALL));
        connection.set_response_timeout(limit);
        let sent = pin!(request.send(&mut connection));
        let mut result = match select(sent, pin!(link.gate.out_of_step())).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(error::out_of_step()),
        };
        let outcome = self.slot.outcome(&result);
        if outcome != Outcome::Unknown && block.end() {
            self.registration.ready();
        }
        self.answered(link, passing, request, &mut result);
        result
    }
}

/// How long they block one after the other; `None`: for ever.
fn sum(blocking: &[Blocking]) -> Option<Duration> {
    blocking.iter().map(Blocking::limit).sum()
}

/// The same command with a time-out that is none: a pause of writes holds it back
/// as it would the command itself, and then the server refuses it.
fn held(words: &[&[u8]]) -> Option<Cmd> {
    let blocking = Blocking::of(words).filter(|blocking| blocking.kind() == Kind::Takes)?;
    let time_out = (blocking.place(), b"none".to_vec());
    Some(replaced(words, &[time_out]))
}

fn is_unblocked(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == UNBLOCKED)
}

/// The same command with another time-out.
pub(crate) fn with_word(command: &Cmd, blocking: &Blocking, word: &str) -> Cmd {
    let words = effect::words(command.args_iter());
    replaced(&words, &[(blocking.place(), word.as_bytes().to_vec())])
}

fn replaced(words: &[&[u8]], new: &[(usize, Vec<u8>)]) -> Cmd {
    let mut other = Cmd::new();
    for (place, word) in words.iter().enumerate() {
        let new = new.iter().find(|(replaced, _)| *replaced == place);
        other.arg(new.map_or(*word, |(_, word)| word.as_slice()));
    }
    other
}

/// What a `WAIT` has reached by now, asked of the same connection.
async fn reached(link: &Link, command: &Cmd, blocking: &Blocking) -> RedisResult<Value> {
    let shortest = with_word(command, blocking, &blocking.at_most(Duration::ZERO));
    loop {
        let reply = shortest.send(&mut link.connection()).await?;
        // Another command of this connection may have been meant.
        if !is_unblocked(&reply) {
            return Ok(reply);
        }
    }
}

/// For each `$` the last id of its stream; `None` where the server does not
/// say.
async fn last_ids(link: &Link, streams: &[(&[u8], usize)]) -> Option<Vec<(usize, Vec<u8>)>> {
    let mut pipeline = pipe();
    for (stream, _) in streams {
        let last = pipeline.cmd("XREVRANGE").arg(*stream);
        last.arg("+").arg("-").arg("COUNT").arg(1);
    }
    let mut connection = link.connection();
    let replies = connection.send_packed_commands(&pipeline, 0, streams.len());
    let replies = replies.await.ok()?;
    let places = streams.iter().map(|(_, place)| *place);
    let ids = places.zip(&replies);
    ids.map(|(place, reply)| Some((place, last_id(reply)?.to_vec())))
        .collect()
}

/// The id of the one entry that was asked for.
fn last_id(reply: &Value) -> Option<&[u8]> {
    let Value::Array(entries) = reply else {
        return None;
    };
    match entries.first() {
        None => Some(b"0-0"),
        Some(Value::Array(entry)) => match entry.first() {
            Some(Value::BulkString(id)) => Some(id),
            _ => None,
        },
        Some(_) => None,
    }
}
