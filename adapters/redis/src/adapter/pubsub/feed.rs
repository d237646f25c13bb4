//! The messages of one connection.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::redis::aio::PubSubStream;
use super::redis::{Msg, PushInfo, PushKind};
use futures_channel::mpsc::UnboundedReceiver;
use futures_util::Stream;
use redis_authx_session::handover;
use redis_authx_session::handover::Kind;

/// What redis-rs reads without being asked to, and keeps until it is taken.
pub(super) enum Feed {
    Resp2(PubSubStream),
    Resp3(UnboundedReceiver<PushInfo>),
}

impl handover::Feed for Feed {
    type Message = Msg;

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Msg>> {
        match self {
            Self::Resp2(stream) => Pin::new(stream).poll_next(cx),
            Self::Resp3(pushes) => loop {
                match ready!(Pin::new(&mut *pushes).poll_next(cx)) {
                    Some(push) if push.kind == PushKind::Disconnection => return Poll::Ready(None),
                    // Confirmations are pushed as well.
                    Some(push) => {
                        if let Some(message) = Msg::from_push_info(push) {
                            return Poll::Ready(Some(message));
                        }
                    }
                    None => return Poll::Ready(None),
                }
            },
        }
    }

    fn origin(message: &Msg) -> (Kind, &[u8]) {
        let kind = if message.from_pattern() {
            Kind::Pattern
        } else {
            Kind::Channel
        };
        (kind, message.get_channel_name().as_bytes())
    }
}

/// The bytes that a message holds, roughly: a pattern counts as its channel.
pub(super) fn size(message: &Msg) -> usize {
    let names = 1 + usize::from(message.from_pattern());
    message.get_payload_bytes().len() + names * message.get_channel_name().len()
}
