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
    if handle.is_to_check_clock() {
        shared.check_clock();
    }
    // Built in its place: over a kilobyte that would have to be moved there.
    let place = Box::new_uninit();
    let plain = Plain {
        reply: Reply::Direct {
            reply: request.send(&mut handle.connection),
        },
        request,
        stage: Stage::Unsent,
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
        request: R,
        stage: Stage,
        link: &'a Arc<Link>,
        shared: &'a Shared,
    }

    impl<'a, R: Request, F> PinnedDrop for Plain<'a, R, F> {
        fn drop(this: Pin<&mut Self>) {
            let plain = this.project();
            if *plain.stage == Stage::InFlight {
                plain.link.gate.in_flight.leave();
            }
        }
    }
}

/// How far a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It was not polled yet.
    Unsent,
    InFlight,
    /// It was answered, or goes another way.
    Over,
}

pin_project! {
    #[project = ReplyProjection]
    enum Reply<'a, T, F> {
        Direct { #[pin] reply: F },
        // The link was replaced, or an AUTH is under way on it.
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
        if *plain.stage == Stage::Unsent {
            if plain.link.gate.in_flight.try_enter() {
                *plain.stage = Stage::InFlight;
            } else {
                *plain.stage = Stage::Over;
                let reply = with_care(plain.shared, *plain.request);
                plain.reply.set(Reply::WithCare { reply });
            }
        }
        match plain.reply.project() {
            ReplyProjection::Direct { reply } => {
                let mut polled = reply.poll(cx);
                if let Poll::Ready(result) = &mut polled {
                    *plain.stage = Stage::Over;
                    let left = plain.link.gate.in_flight.leave();
                    if left.was_last {
                        plain.shared.check_clock();
                    }
                    if !left.is_in_step || !is_reply(result) {
                        ended(plain.shared, plain.link, *plain.request, result);
                    }
                }
                polled
            }
            ReplyProjection::WithCare { reply } => reply.as_mut().poll(cx),
        }
    }
}

/// Whether it is an ordinary reply, which says nothing of the connection.
fn is_reply(result: &RedisResult<impl Replies>) -> bool {
    let is_ordinary = |reply: &Value| {
        !matches!(
            reply,
            Value::ServerError(_) | Value::SimpleString(_) | Value::Push { .. }
        )
    };
    matches!(result, Ok(replies) if replies.replies().iter().all(is_ordinary))
}

#[cold]
fn with_care<'a, R: Request + 'a>(shared: &'a Shared, request: R) -> RedisFuture<'a, R::Reply> {
    Box::pin(shared.request(request))
}

#[cold]
fn ended<R: Request>(
    shared: &Shared,
    link: &Arc<Link>,
    request: R,
    result: &mut RedisResult<R::Reply>,
) {
    shared.answered(link, Passing::CLEAR, request, result);
}
