//! A command that has no effect on the state of its connection, as most have.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::AuthConnection;
use super::link::Link;
use super::redis::{Cmd, RedisFuture, RedisResult, Value};
use super::shared::Shared;
use crate::gate::Passing;

/// Sends one by the handle that its clone of the connection keeps.
pub(super) fn send<'a>(
    connection: &'a mut AuthConnection,
    command: &'a Cmd,
) -> RedisFuture<'a, Value> {
    let shared = &*connection.shared;
    let Some(handle) = connection.seat.take(shared) else {
        return with_care(shared, command);
    };
    // Built in its place: over a kilobyte that would have to be moved there.
    let place = Box::new_uninit();
    let plain = Plain {
        reply: Reply::Plain {
            reply: handle.connection.send_packed_command(command),
        },
        unsent: Some(command),
        link: &handle.link,
        shared,
    };
    let plain = Box::write(place, plain);
    Box::into_pin(plain)
}

pin_project! {
    /// redis-rs's own future, and a look at what it returns.
    ///
    /// By hand, for what an async block would add to every command: it copies the
    /// reply once more. What is rare is not in its code, which has to share the
    /// processor's cache with all of redis-rs's.
    struct Plain<'a, F> {
        #[pin]
        reply: Reply<'a, F>,
        // Until it is first polled.
        unsent: Option<&'a Cmd>,
        link: &'a Arc<Link>,
        shared: &'a Shared,
    }
}

pin_project! {
    #[project = ReplyProjection]
    enum Reply<'a, F> {
        Plain { #[pin] reply: F },
        // The link was replaced before the command was sent.
        WithCare { reply: RedisFuture<'a, Value> },
    }
}

impl<F: Future<Output = RedisResult<Value>>> Future for Plain<'_, F> {
    type Output = RedisResult<Value>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut plain = self.project();
        if let Some(command) = plain.unsent.take()
            && !plain.link.is_clear()
        {
            let reply = with_care(plain.shared, command);
            plain.reply.set(Reply::WithCare { reply });
        }
        match plain.reply.project() {
            ReplyProjection::Plain { reply } => {
                let polled = reply.poll(cx);
                if let Poll::Ready(result) = &polled
                    && !is_reply(result)
                {
                    ended(plain.shared, plain.link, result);
                }
                polled
            }
            ReplyProjection::WithCare { reply } => reply.as_mut().poll(cx),
        }
    }
}

/// Whether it says nothing new of the connection.
fn is_reply(result: &RedisResult<Value>) -> bool {
    matches!(result, Ok(reply) if !matches!(reply, Value::ServerError(_)))
}

#[cold]
fn with_care<'a>(shared: &'a Shared, command: &'a Cmd) -> RedisFuture<'a, Value> {
    Box::pin(shared.request(command))
}

#[cold]
fn ended(shared: &Shared, link: &Arc<Link>, result: &RedisResult<Value>) {
    shared.note(link, Passing::CLEAR, shared.slot.outcome(result));
}
