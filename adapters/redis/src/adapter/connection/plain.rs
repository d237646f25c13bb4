//! A command that has no effect on the state of its connection, as most have.

use super::AuthConnection;
use super::redis::{Cmd, RedisFuture, RedisResult, Value};
use crate::gate::Passing;

/// Sends one by the handle that its clone of the connection keeps.
///
/// What is needed after the reply is in the seat, not in the future: that is as
/// large as redis-rs's own then, and takes malloc no longer. What is rare is not
/// in its code, which has to share the processor's cache with all of redis-rs's.
pub(super) fn send<'a>(
    connection: &'a mut AuthConnection,
    command: &'a Cmd,
) -> RedisFuture<'a, Value> {
    Box::pin(async move {
        let Some(handle) = connection.seat.take(&connection.shared) else {
            return with_care(connection, command).await;
        };
        let result = handle.send_packed_command(command).await;
        if !is_reply(&result) {
            ended(connection, &result);
        }
        result
    })
}

/// Whether it says nothing new of the connection.
fn is_reply(result: &RedisResult<Value>) -> bool {
    matches!(result, Ok(reply) if !matches!(reply, Value::ServerError(_)))
}

#[cold]
fn with_care<'a>(connection: &'a AuthConnection, command: &'a Cmd) -> RedisFuture<'a, Value> {
    Box::pin(connection.shared.request(command))
}

#[cold]
fn ended(connection: &AuthConnection, result: &RedisResult<Value>) {
    let shared = &connection.shared;
    if let Some(link) = connection.seat.link() {
        shared.note(link, Passing::CLEAR, shared.slot.outcome(result));
    }
}
