//! A command that has no effect on the state of its connection, as most have.

use super::AuthConnection;
use super::link::Link;
use super::redis::{Cmd, RedisFuture, RedisResult, Value};
use super::seat::Handle;
use crate::gate::Passing;

/// A clone of the connection while it sends such a command. Its handle is back
/// in its seat when this is dropped: however the command ended.
struct Sitting<'a>(&'a mut AuthConnection);

/// Sends one by the handle that its clone of the connection keeps.
///
/// What is needed after the reply is in the seat, not in the future: that is as
/// large as redis-rs's own then, and takes malloc no longer.
pub(super) fn send<'a>(
    connection: &'a mut AuthConnection,
    command: &'a Cmd,
) -> RedisFuture<'a, Value> {
    let mut sitting = Sitting(connection);
    Box::pin(async move {
        let Some(handle) = sitting.take() else {
            return Box::pin(sitting.0.shared.request(command)).await;
        };
        let result = handle.connection.send_packed_command(command).await;
        sitting.ended(&result);
        result
    })
}

impl Sitting<'_> {
    /// A handle on the link in place, unless that calls for more care.
    fn take(&mut self) -> Option<&mut Handle> {
        let AuthConnection { shared, seat } = &mut *self.0;
        let slot = &shared.slot;
        let usable = |link: &Link| !link.is_lost() && !link.gate.is_torn();
        let mut handle = seat
            .take(&slot.seats)
            .filter(|handle| usable(&handle.link))
            .or_else(|| Some(slot.seats.handle(|| slot.link())).filter(|new| usable(&new.link)))?;
        handle.mark = handle.link.gate.mark();
        Some(seat.put(handle))
    }

    /// Takes note of how it ended, where that is more than a reply.
    fn ended(&mut self, result: &RedisResult<Value>) {
        let AuthConnection { shared, seat } = &mut *self.0;
        let Some(handle) = seat.taken() else { return };
        let replied = matches!(result, Ok(reply) if !matches!(reply, Value::ServerError(_)));
        let passing = Passing::plain(handle.mark);
        if passing.is_awaited() || !replied {
            let outcome = shared.slot.outcome(result);
            shared.note(&handle.link, passing, outcome);
        }
    }
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        let AuthConnection { shared, seat } = &mut *self.0;
        seat.keep(&shared.slot.seats);
    }
}
