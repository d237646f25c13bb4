use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::{mpsc, oneshot};
use futures_util::{FutureExt as _, Stream};

use super::{Feed, Handover, Kind, Link, Marker, Outcome, Outlet, Place, Side, Verdict};
use crate::{Credentials, TokenError};

/// Messages read before other tasks get their turn. Also fewer than a runtime
/// lets a task read before it says that there are none, to make it yield.
const AT_ONCE: usize = 32;

/// A connection that is to take over, and has subscribed to everything.
pub(super) struct Successor<L, F> {
    pub(super) link: Arc<L>,
    pub(super) feed: F,
    /// `None` where the user may not subscribe to it.
    pub(super) marker: Option<Marker>,
    pub(super) old: Old,
    /// How it ended.
    pub(super) done: oneshot::Sender<Outcome>,
}

/// Until when the connection in place is read.
pub(super) enum Old {
    /// Until it is lost, as nothing has been heard of it since the other one
    /// has subscribed: something may be missing then.
    Silent,
    /// Until the marker comes, or it is lost.
    Confirmed,
    /// Until there is nothing more to read.
    Drained { gap: bool },
}

/// What the reader is told.
pub(super) enum Order<L, F> {
    TakeOver(Successor<L, F>),
    /// More is known of the connection in place.
    Read(Old),
}

/// The task that reads the messages of a subscriber. It reads on whatever the
/// application does: it never waits for it.
#[must_use = "futures do nothing unless polled"]
pub struct Reader<L: Link, F: Feed, O: Outlet<F::Message>> {
    /// `None` when the connection in place is lost.
    feed: Option<F>,
    next: Option<(Handover, Successor<L, F>)>,
    orders: mpsc::UnboundedReceiver<Order<L, F>>,
    place: Arc<Place<L>>,
    outlet: O,
    credentials: Credentials,
}

impl<L: Link, F: Feed, O: Outlet<F::Message>> Reader<L, F, O> {
    pub(super) const fn new(
        feed: F,
        orders: mpsc::UnboundedReceiver<Order<L, F>>,
        place: Arc<Place<L>>,
        outlet: O,
        credentials: Credentials,
    ) -> Self {
        Self {
            feed: Some(feed),
            next: None,
            orders,
            place,
            outlet,
            credentials,
        }
    }

    /// Takes the latest orders. A successor that is under way has been given
    /// up by whoever sent another. Ready: there will be no more.
    fn poll_orders(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(order) = Pin::new(&mut self.orders).poll_next(cx) {
            match order {
                Some(Order::TakeOver(successor)) => {
                    let handover = match (&successor.old, &successor.marker) {
                        (Old::Silent | Old::Confirmed, Some(_)) => Handover::with_marker(),
                        _ => Handover::without_marker(),
                    };
                    if let Some((_, given_up)) = self.next.replace((handover, successor)) {
                        self.unsubscribe(given_up.marker);
                    }
                }
                Some(Order::Read(old)) => match &mut self.next {
                    // Once the marker has come, nothing more needs to be known.
                    Some((handover, successor))
                        if handover.outcome().is_none() && handover.reads() == Side::Old =>
                    {
                        if matches!(old, Old::Drained { .. }) {
                            *handover = Handover::without_marker();
                        }
                        successor.old = old;
                    }
                    _ => {}
                },
                None => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Reads what there is. Ready: there may be more.
    fn poll_messages(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..AT_ONCE {
            self.settle();
            let feed = match &mut self.next {
                Some((handover, successor)) => match handover.reads() {
                    Side::Old => self.feed.as_mut(),
                    Side::New => Some(&mut successor.feed),
                },
                None => self.feed.as_mut(),
            };
            // The old connection is gone, and lost for the handover.
            let Some(feed) = feed else {
                let Some((handover, _)) = &mut self.next else {
                    return Poll::Pending;
                };
                handover.lost();
                continue;
            };
            match feed.poll_next(cx) {
                Poll::Ready(Some(message)) => self.received(message),
                Poll::Ready(None) => self.lost(),
                Poll::Pending if self.is_drained() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Whether there was nothing more to wait for of the connection in place.
    fn is_drained(&mut self) -> bool {
        match &mut self.next {
            Some((handover, successor))
                if matches!(successor.old, Old::Drained { .. })
                    && handover.reads() == Side::Old =>
            {
                handover.marker();
                true
            }
            _ => false,
        }
    }

    fn received(&mut self, message: F::Message) {
        let (kind, channel) = F::origin(&message);
        if !Marker::is_marker(channel) {
            let handover = self.next.as_ref().map(|(handover, _)| handover);
            if handover.map_or(Verdict::Deliver, Handover::message) == Verdict::Deliver {
                self.outlet.deliver(message);
            }
            return;
        }
        // A pattern may match it as well, and those of other handovers.
        if let Some((handover, Successor { marker, old, .. })) = &mut self.next
            && !matches!(old, Old::Drained { .. })
            && matches!(marker, Some(marker) if marker.channel().as_bytes() == channel)
            && kind != Kind::Pattern
        {
            // It shows as well that the old connection had subscribed, and may
            // be read before `Order::Read` says so.
            *old = Old::Confirmed;
            handover.marker();
        }
    }

    /// The feed that was read has ended.
    fn lost(&mut self) {
        let old = match &mut self.next {
            Some((handover, _)) => {
                let side = handover.reads();
                handover.lost();
                side == Side::Old
            }
            None => true,
        };
        if old {
            self.feed = None;
            if self.place.link().health().lose() {
                self.outlet.lost();
            }
        }
    }

    /// Ends a handover that is over, or that nobody waits for any more.
    fn settle(&mut self) {
        let Some((mut handover, successor)) = self.next.take() else {
            return;
        };
        if successor.done.is_canceled() {
            handover.abandon();
        }
        match handover.outcome() {
            None => self.next = Some((handover, successor)),
            Some(outcome) => {
                if outcome != Outcome::Abandoned {
                    if matches!(successor.old, Old::Silent | Old::Drained { gap: true }) {
                        self.outlet.gap();
                    }
                    self.feed = Some(successor.feed);
                    self.place.put(successor.link);
                }
                self.unsubscribe(successor.marker);
                // Nobody may wait for it.
                let _ = successor.done.send(outcome);
            }
        }
    }

    /// Unsubscribes the connection in place from the marker of a handover that
    /// is over, however it ended. Sent, not waited for: the reply may take as long
    /// as the messages before it.
    fn unsubscribe(&self, marker: Option<Marker>) {
        if let Some(marker) = marker {
            let channel = [marker.channel().as_bytes().to_vec()];
            let link = self.place.link();
            let _ = link.unsubscribe(Kind::Channel, &channel).now_or_never();
        }
    }

    /// Whether a lost connection will never be replaced.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        while self.feed.is_none()
            && self.next.is_none()
            && let Poll::Ready(news) = self.credentials.poll_changed(cx)
        {
            if matches!(news, Err(TokenError::Stopped)) {
                return true;
            }
        }
        false
    }
}

impl<L: Link, F: Feed, O: Outlet<F::Message> + Unpin> Future for Reader<L, F, O> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_orders(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some((_, successor)) = &mut self.next {
            // Woken when nobody waits for it any more.
            let _ = successor.done.poll_canceled(cx);
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
