//! Commands that have no effect on the state of their connection, as most have.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::super::outcome::Replies;
use super::AuthConnection;
use super::link::Link;
use super::redis::{RedisFuture, RedisResult, Value};
use super::request::Request;
use super::shared::Shared;
use crate::gate::Passing;

/// Sends one, or a pipeline of them, by the handle that its clone of the
/// connection keeps.
pub(super) fn send<'a, R: Request + 'a>(
    connection: &'a mut AuthConnection,
    request: R,
) -> RedisFuture<'a, R::Reply> {
    let shared = &*connection.shared;
    let Some(handle) = connection.seat.take(shared) else {
        return with_care(shared, request);
    };
    // Built in its place: over a kilobyte that would have to be moved there.
    let place = Box::new_uninit();
    let plain = Plain {
        reply: Reply::Direct {
            reply: request.send(&mut handle.connection),
        },
        unsent: Some(request),
        link: &handle.link,
        shared,
    };
    let boxed = Box::write(place, plain);
    Box::into_pin(boxed)
}

pin_project! {
    /// redis-rs's own future, and a look at what it returns.
    ///
    /// By hand, for what an async block would add to every command: it copies the
    /// reply once more. What is rare is not in its code, which has to share the
    /// processor's cache with all of redis-rs's.
    struct Plain<'a, R: Request, F> {
        #[pin]
        reply: Reply<'a, R::Reply, F>,
        // Until it is first polled.
        unsent: Option<R>,
        link: &'a Arc<Link>,
        shared: &'a Shared,
    }
}

pin_project! {
    #[project = ReplyProjection]
    enum Reply<'a, T, F> {
        Direct { #[pin] reply: F },
        // The link was replaced before anything was sent.
        WithCare { reply: RedisFuture<'a, T> },
    }
}

impl<'a, R, F> Future for Plain<'a, R, F>
where
    R: Request + 'a,
    F: Future<Output = RedisResult<R::Reply>>,
{
    type Output = RedisResult<R::Reply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut plain = self.project();
        if let Some(request) = plain.unsent.take()
            && !plain.link.is_clear()
        {
            let reply = with_care(plain.shared, request);
            plain.reply.set(Reply::WithCare { reply });
        }
        match plain.reply.project() {
            ReplyProjection::Direct { reply } => {
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
fn is_reply(result: &RedisResult<impl Replies>) -> bool {
    let is_error = |reply: &Value| matches!(reply, Value::ServerError(_));
    matches!(result, Ok(replies) if !replies.replies().iter().any(is_error))
}

#[cold]
fn with_care<'a, R: Request + 'a>(shared: &'a Shared, request: R) -> RedisFuture<'a, R::Reply> {
    Box::pin(shared.request(request))
}

#[cold]
fn ended(shared: &Shared, link: &Arc<Link>, result: &RedisResult<impl Replies>) {
    shared.note(link, Passing::CLEAR, shared.slot.outcome(result));
}
