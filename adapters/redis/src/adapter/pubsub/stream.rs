use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::redis::Msg;
use futures_util::Stream;
use redis_authx::ConnectionStatus;

use super::shared::Shared;

/// The messages of an [`AuthPubSub`](super::AuthPubSub) that was
/// [split](super::AuthPubSub::split).
///
/// Dropping it ends the subscriber: its [`AuthPubSubSink`](super::AuthPubSubSink)s
/// then answer with an error.
pub struct AuthPubSubStream(pub(super) Arc<Shared>);

impl AuthPubSubStream {
    /// The next message; `None` as [there](super::AuthPubSub::next).
    ///
    /// # Cancel safety
    /// Safe: a message that was not returned is returned next time.
    pub async fn next(&mut self) -> Option<Msg> {
        poll_fn(|cx| self.0.backlog.poll_next(cx)).await
    }

    /// How the connection is doing: see [`AuthPubSub::status`](super::AuthPubSub::status).
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.0.status()
    }

    /// How often messages may be missing: see
    /// [`AuthPubSub::gaps`](super::AuthPubSub::gaps).
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.0.backlog.gaps()
    }
}

impl Stream for AuthPubSubStream {
    type Item = Msg;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Msg>> {
        self.0.backlog.poll_next(cx)
    }
}

impl Drop for AuthPubSubStream {
    fn drop(&mut self) {
        self.0.backlog.close();
    }
}

impl fmt::Debug for AuthPubSubStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
