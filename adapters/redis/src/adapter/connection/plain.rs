//! A command that has no effect on the state of its connection, as most have.

use super::AuthConnection;
use super::redis::{Cmd, RedisFuture, Value};
use crate::gate::Passing;

/// Sends one by the handle that its clone of the connection keeps.
///
/// What is needed after the reply is in the seat, not in the future: that is as
/// large as redis-rs's own then, and takes malloc no longer.
pub(super) fn send<'a>(
    connection: &'a mut AuthConnection,
    command: &'a Cmd,
) -> RedisFuture<'a, Value> {
    Box::pin(async move {
        let Some(handle) = connection.seat.take(&connection.shared.slot) else {
            return Box::pin(connection.shared.request(command)).await;
        };
        let result = handle.send_packed_command(command).await;
        // A reply says nothing new.
        if !matches!(&result, Ok(reply) if !matches!(reply, Value::ServerError(_)))
            && let Some(link) = connection.seat.link()
        {
            let shared = &connection.shared;
            let outcome = shared.slot.outcome(&result);
            shared.note(link, Passing::CLEAR, outcome);
        }
        result
    })
}
