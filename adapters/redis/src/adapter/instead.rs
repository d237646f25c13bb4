//! Answers in the place of the server's, about transactions that went with
//! their connection.

use super::error;
use super::redis::{RedisResult, Value, parse_redis_value};
use crate::effect::Effects;
use crate::transaction::Instead;

/// To one command.
pub(super) fn of_command(effects: Effects, instead: Instead) -> RedisResult<Value> {
    match instead {
        Instead::Unchecked { .. } => Ok(Value::Nil),
        Instead::Torn { unchecked: true } if effects.executes => Ok(Value::Nil),
        // As the server words it when a queued command was refused.
        Instead::Torn { .. } if effects.executes => parse_redis_value(
            b"-EXECABORT Transaction discarded because its connection was replaced.\r\n",
        ),
        Instead::Torn { .. } if effects.open == Some(false) => Ok(Value::Okay),
        Instead::Torn { .. } => Err(error::transaction_lost()),
    }
}

/// To commands that are sent in one piece, as a transaction of their own or not.
pub(super) fn of_piece(is_transaction: bool, instead: Instead) -> RedisResult<Vec<Value>> {
    match instead {
        Instead::Unchecked { .. } if is_transaction => Ok(vec![Value::Nil]),
        Instead::Unchecked { .. } => Err(error::watch_lost()),
        Instead::Torn { .. } => Err(error::transaction_lost()),
    }
}
