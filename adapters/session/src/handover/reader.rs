use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::{mpsc, oneshot};
use futures_util::{FutureExt as _, Stream};

use super::{ActiveLink, Feed, Handover, Kind, Link, Marker, Outcome, Outlet, Side, Verdict};
use redis_authx::{Credentials, TokenError};

/// Messages to read before other tasks run. Below tokio's budget of 128, after
/// which its channels claim to be empty: a connection would seem drained.
const MESSAGES_PER_POLL: usize = 32;

/// A handover to a new connection, which has subscribed to everything.
pub(super) struct PendingHandover<L, F> {
    state: Handover,
    old: OldConnection,
    link: Arc<L>,
    feed: F,
    /// `None` when the user may not subscribe to its channel.
    marker: Option<Marker>,
    /// Canceled when the caller has given up.
    done: oneshot::Sender<Outcome>,
}

impl<L, F> PendingHandover<L, F> {
    /// The receiver gets the outcome; dropping it cancels the handover.
    pub(super) fn new(
        link: Arc<L>,
        feed: F,
        marker: Option<Marker>,
        old: OldConnection,
    ) -> (Self, oneshot::Receiver<Outcome>) {
        let (done, outcome) = oneshot::channel();
        let state = match marker {
            Some(_) => Handover::with_marker(),
            None => Handover::without_marker(),
        };
        let pending = Self {
            state,
            old,
            link,
            feed,
            marker,
            done,
        };
        (pending, outcome)
    }
}

/// What is known of the old connection, and how far it is read.
pub(super) enum OldConnection {
    /// It has not confirmed that it is alive. It is read up to the marker; if it
    /// is lost before, a gap is reported.
    Unconfirmed,
    /// It was alive when the new connection had subscribed. It is read up to the
    /// marker, or until it is lost.
    Confirmed,
    /// It is read until its feed is empty, and then a gap is reported if `gap`.
    Draining { gap: bool },
}

/// What the controller sends to its reader.
pub(super) enum ReaderCommand<L, F> {
    Start(PendingHandover<L, F>),
    /// For the pending handover.
    UpdateOld(OldConnection),
}

/// The task that reads a subscriber's connections and passes the messages to its
/// [`Outlet`]. It never waits for the application.
///
/// Spawn it on the runtime of the client: it also sends commands on the [`Link`].
/// Dropping it closes the connections.
#[must_use = "futures do nothing unless polled"]
pub struct Reader<L: Link, F: Feed, O: Outlet<F::Message>> {
    /// The feed of the active connection; `None` when that is lost.
    feed: Option<F>,
    pending: Option<PendingHandover<L, F>>,
    commands: mpsc::UnboundedReceiver<ReaderCommand<L, F>>,
    active_link: Arc<ActiveLink<L>>,
    outlet: O,
    credentials: Credentials,
}

impl<L: Link, F: Feed, O: Outlet<F::Message>> Reader<L, F, O> {
    pub(super) const fn new(
        feed: F,
        commands: mpsc::UnboundedReceiver<ReaderCommand<L, F>>,
        active_link: Arc<ActiveLink<L>>,
        outlet: O,
        credentials: Credentials,
    ) -> Self {
        Self {
            feed: Some(feed),
            pending: None,
            commands,
            active_link,
            outlet,
            credentials,
        }
    }

    /// Executes all commands that have arrived. Ready when the controller is
    /// closed.
    fn poll_commands(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(command) = Pin::new(&mut self.commands).poll_next(cx) {
            match command {
                Some(ReaderCommand::Start(handover)) => {
                    // There is one handover at a time: the caller of an earlier
                    // one has given up.
                    if let Some(given_up) = self.pending.replace(handover) {
                        self.unsubscribe_marker(given_up.marker);
                    }
                }
                Some(ReaderCommand::UpdateOld(old)) => self.update_old(old),
                None => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Notes more about the old connection. Changes nothing once it has been read
    /// to its end.
    fn update_old(&mut self, old: OldConnection) {
        if let Some(pending) = &mut self.pending
            && pending.state.outcome().is_none()
            && pending.state.read_side() == Side::Old
        {
            if matches!(old, OldConnection::Draining { .. }) {
                pending.state = Handover::without_marker();
            }
            pending.old = old;
        }
    }

    /// Reads the messages that have arrived. Ready when there may be more.
    fn poll_messages(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..MESSAGES_PER_POLL {
            self.finish_handover();
            let feed = match &mut self.pending {
                Some(pending) if pending.state.read_side() == Side::New => Some(&mut pending.feed),
                _ => self.feed.as_mut(),
            };
            let Some(feed) = feed else {
                // The active connection was lost before the handover began.
                let Some(pending) = &mut self.pending else {
                    return Poll::Pending;
                };
                pending.state.on_lost();
                continue;
            };
            match feed.poll_next(cx) {
                Poll::Ready(Some(message)) => self.on_message(message),
                Poll::Ready(None) => self.on_feed_end(),
                Poll::Pending if self.finish_draining() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// The feed that is read is empty: ends the old connection's part if it was
    /// draining, and returns whether it was.
    fn finish_draining(&mut self) -> bool {
        match &mut self.pending {
            Some(pending)
                if matches!(pending.old, OldConnection::Draining { .. })
                    && pending.state.read_side() == Side::Old =>
            {
                pending.state.on_marker();
                true
            }
            _ => false,
        }
    }

    fn on_message(&mut self, message: F::Message) {
        let (kind, channel) = F::origin(&message);
        if !Marker::is_marker(channel) {
            let state = self.pending.as_ref().map(|pending| &pending.state);
            if state.map_or(Verdict::Deliver, Handover::on_message) == Verdict::Deliver {
                self.outlet.deliver(message);
            }
            return;
        }
        // A pattern may match the marker too, so that it arrives twice; and
        // markers of other handovers.
        if let Some(pending) = &mut self.pending
            && let Some(marker) = &pending.marker
            && marker.channel().as_bytes() == channel
            && kind != Kind::Pattern
            && !matches!(pending.old, OldConnection::Draining { .. })
        {
            // The controller publishes it after the confirmation, but its command
            // that says so may not have been read yet.
            pending.old = OldConnection::Confirmed;
            pending.state.on_marker();
        }
    }

    /// The connection that is read is lost, and its feed is empty.
    fn on_feed_end(&mut self) {
        let side = match &mut self.pending {
            Some(pending) => {
                let side = pending.state.read_side();
                pending.state.on_lost();
                side
            }
            None => Side::Old,
        };
        if side == Side::Old {
            self.feed = None;
            if self.active_link.current().health().mark_lost() {
                self.outlet.lost();
            }
        }
    }

    /// Completes the pending handover if it has an outcome, or if its caller has
    /// given up.
    fn finish_handover(&mut self) {
        let Some(mut pending) = self.pending.take() else {
            return;
        };
        if pending.done.is_canceled() {
            pending.state.abandon();
        }
        let Some(outcome) = pending.state.outcome() else {
            self.pending = Some(pending);
            return;
        };
        if outcome != Outcome::Abandoned {
            if matches!(
                pending.old,
                OldConnection::Unconfirmed | OldConnection::Draining { gap: true }
            ) {
                self.outlet.gap();
            }
            self.feed = Some(pending.feed);
            self.active_link.set(pending.link);
        }
        self.unsubscribe_marker(pending.marker);
        // Fails if the caller has given up.
        let _ = pending.done.send(outcome);
    }

    /// Unsubscribes the active connection from the marker of a handover that is
    /// over. Does not wait for the reply, which comes behind all messages that the
    /// server has sent before.
    fn unsubscribe_marker(&self, marker: Option<Marker>) {
        if let Some(marker) = marker {
            let channel = [marker.channel().as_bytes().to_vec()];
            let link = self.active_link.current();
            let _ = link.unsubscribe(Kind::Channel, &channel).now_or_never();
        }
    }

    /// Whether the active connection is lost and the token manager has stopped, so
    /// that no other connection can log in.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        while self.feed.is_none()
            && self.pending.is_none()
            && let Poll::Ready(change) = self.credentials.poll_changed(cx)
        {
            if matches!(change, Err(TokenError::Stopped)) {
                return true;
            }
        }
        false
    }
}

impl<L: Link, F: Feed, O: Outlet<F::Message> + Unpin> Future for Reader<L, F, O> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_commands(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some(pending) = &mut self.pending {
            // Registers the waker: `finish_handover` reads the result.
            let _ = pending.done.poll_canceled(cx);
        }
        if self.poll_messages(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        if self.is_over(cx) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<L: Link, F: Feed, O: Outlet<F::Message>> Drop for Reader<L, F, O> {
    fn drop(&mut self) {
        self.outlet.end();
    }
}

impl<L: Link, F: Feed, O: Outlet<F::Message>> fmt::Debug for Reader<L, F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
