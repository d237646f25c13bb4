//! The two kinds of requests that redis-rs makes of a connection.

use std::future::Future;

use super::redis::aio::MultiplexedConnection;
use super::redis::{Cmd, Pipeline, RedisResult, Value};

use super::super::outcome::{MayBe, Replies};
use super::super::{effect, instead};
use crate::effect::Effects;
use crate::transaction::Instead;

pub(crate) trait Request: Copy + Send + Sync {
    type Reply: Replies + Send;

    /// It has no other effect than the one that it is known for.
    const IS_ONE_COMMAND: bool;

    fn effects(self) -> Effects;

    fn send(
        self,
        on: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<Self::Reply>> + Send;

    /// The answer in place of the server's.
    fn instead(self, instead: Instead) -> RedisResult<Self::Reply>;

    /// The replies that it may have.
    fn may_be(self, queued: bool) -> MayBe;
}

impl Request for &Cmd {
    type Reply = Value;

    const IS_ONE_COMMAND: bool = true;

    fn effects(self) -> Effects {
        effect::of(self)
    }

    fn send(
        self,
        on: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<Value>> + Send {
        on.send_packed_command(self)
    }

    fn instead(self, instead: Instead) -> RedisResult<Value> {
        instead::of_command(self.effects(), instead)
    }

    fn may_be(self, queued: bool) -> MayBe {
        MayBe::to(effect::name(self), queued)
    }
}

/// A pipeline, with the part of its replies that is wanted.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) offset: usize,
    pub(crate) count: usize,
}

impl Request for Piece<'_> {
    type Reply = Vec<Value>;

    const IS_ONE_COMMAND: bool = false;

    fn effects(self) -> Effects {
        effect::of_pipeline(self.pipeline)
    }

    fn send(
        self,
        on: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<Vec<Value>>> + Send {
        on.send_packed_commands(self.pipeline, self.offset, self.count)
    }

    fn instead(self, instead: Instead) -> RedisResult<Vec<Value>> {
        instead::of_piece(self.pipeline.is_transaction(), instead)
    }

    fn may_be(self, queued: bool) -> MayBe {
        let none = MayBe::to([], queued);
        self.pipeline.cmd_iter().fold(none, |may_be, command| {
            let name = effect::word(command.args_iter().next());
            name.map_or(may_be, |name| may_be.and_to(name))
        })
    }
}
