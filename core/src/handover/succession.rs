use std::fmt;
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use futures_util::future::{BoxFuture, Either, select};

use super::reader::{Old, Order, Reader, Successor};
use super::{Feed, Kind, Link, Marker, Outcome, Outlet, Place, Subscriptions};
use crate::{Clock as _, Credentials, Runtime};

/// The connections of one subscriber, each in the place of the one before.
pub struct Succession<L: Link, F: Feed> {
    place: Arc<Place<L>>,
    orders: mpsc::UnboundedSender<Order<L, F>>,
    runtime: Arc<dyn Runtime>,
    answer_limit: Duration,
}

impl<L: Link, F: Feed> Succession<L, F> {
    /// Begins with one connection, which a [`Reader`] reads.
    ///
    /// A connection that has owed a reply for `answer_limit` is taken for cut
    /// off: the next handover doesn't wait for it. Adapters give the
    /// [`auth_timeout`](crate::reauth::ReauthPolicy::auth_timeout) here.
    #[must_use]
    pub fn new(
        link: L,
        feed: F,
        runtime: Arc<dyn Runtime>,
        answer_limit: Duration,
    ) -> (Self, ReaderSeed<L, F>) {
        let place = Arc::new(Place::new(Arc::new(link)));
        let (sender, orders) = mpsc::unbounded();
        let seed = ReaderSeed {
            feed,
            orders,
            place: Arc::clone(&place),
        };
        let succession = Self {
            place,
            orders: sender,
            runtime,
            answer_limit,
        };
        (succession, seed)
    }

    /// Where its link is.
    #[must_use]
    pub const fn place(&self) -> &Arc<Place<L>> {
        &self.place
    }

    /// Ends it: its reader drops the connections.
    pub fn close(&self) {
        self.orders.close_channel();
    }

    /// Has another connection, which is logged in, take the place of the one
    /// there is, with these subscriptions. `publish` publishes a marker, over the
    /// new connection or one of its own.
    ///
    /// One at a time.
    ///
    /// # Errors
    /// The client's own. The old connection is still in place then.
    ///
    /// # Cancel safety
    /// Safe: either the old connection or the new one is in place, and the
    /// [`Reader`] unsubscribes it from the marker's channel.
    pub async fn hand_over<'a>(
        &self,
        link: L,
        feed: F,
        subscriptions: &Subscriptions,
        publish: impl FnOnce(Arc<L>, Marker) -> BoxFuture<'a, Result<(), L::Error>> + Send,
    ) -> Result<(), L::Error> {
        link.subscribe_all(subscriptions).await?;
        let link = Arc::new(link);
        let old = self.place.link();
        let health = old.health();
        let silent = health.is_silent(self.runtime.now(), self.answer_limit);
        if silent && !health.is_lost() {
            // It owes an answer, but messages may still come by it. Those that
            // were sent before the new one had subscribed get the time of a
            // round trip to arrive.
            match link.ping().await {
                Err(error) if !L::is_refused(&error) => return Err(error),
                _ => {}
            }
        }
        // Of one that was cut off without a word, nothing may be heard again.
        if silent || health.is_lost() {
            let lost = Old::Drained { gap: true };
            return ended::<L>(self.take_over(&link, feed, None, lost)).await;
        }
        let marker = Marker::new();
        let channel = [marker.channel().as_bytes().to_vec()];
        let marked = match link.subscribe(Kind::Channel, &channel).await {
            Ok(()) => true,
            Err(error) if L::is_refused(&error) => false,
            Err(error) => return Err(error),
        };
        // Reads on with the new one, should the old one be lost by now.
        let handover = self.take_over(&link, feed, marked.then(|| marker.clone()), Old::Silent);
        // An answer shows that it was there when the new one had subscribed,
        // and has got all that was published before.
        health.asked(self.runtime.now());
        let answer = pin!(async {
            if marked {
                old.subscribe(Kind::Channel, &channel).await
            } else {
                old.ping().await
            }
        });
        match select(handover, answer).await {
            Either::Left((outcome, _)) => ended::<L>(ready(outcome)).await,
            Either::Right((answer, handover)) => {
                health.answered();
                let divided = match answer {
                    Ok(()) if marked => self.mark(link, marker, publish).await,
                    Err(error) if !L::is_refused(&error) => {
                        self.read(Old::Drained { gap: true });
                        Ok(())
                    }
                    _ => {
                        self.read(Old::Drained { gap: false });
                        Ok(())
                    }
                };
                match divided {
                    Ok(()) => ended::<L>(handover).await,
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Publishes the marker, once the reader waits for it.
    async fn mark<'a>(
        &self,
        link: Arc<L>,
        marker: Marker,
        publish: impl FnOnce(Arc<L>, Marker) -> BoxFuture<'a, Result<(), L::Error>> + Send,
    ) -> Result<(), L::Error> {
        self.read(Old::Confirmed);
        match publish(link, marker).await {
            Err(error) if L::is_refused(&error) => {
                self.read(Old::Drained { gap: false });
                Ok(())
            }
            published => published,
        }
    }

    fn read(&self, old: Old) {
        let _ = self.orders.unbounded_send(Order::Read(old));
    }

    /// Has another link take over. Dropping what is returned takes that back.
    fn take_over(
        &self,
        link: &Arc<L>,
        feed: F,
        marker: Option<Marker>,
        old: Old,
    ) -> oneshot::Receiver<Outcome> {
        let (done, handover) = oneshot::channel();
        let successor = Successor {
            link: Arc::clone(link),
            feed,
            marker,
            old,
            done,
        };
        let _ = self.orders.unbounded_send(Order::TakeOver(successor));
        handover
    }
}

impl<L: Link, F: Feed> fmt::Debug for Succession<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Succession").finish_non_exhaustive()
    }
}

/// What a [`Reader`] begins with.
pub struct ReaderSeed<L: Link, F: Feed> {
    feed: F,
    orders: mpsc::UnboundedReceiver<Order<L, F>>,
    place: Arc<Place<L>>,
}

impl<L: Link, F: Feed> ReaderSeed<L, F> {
    /// The task that reads. It ends when the [`Succession`] is dropped or
    /// closed, or when a lost connection will never be replaced since the token
    /// manager has stopped.
    pub fn into_reader<O: Outlet<F::Message>>(
        self,
        outlet: O,
        credentials: Credentials,
    ) -> Reader<L, F, O> {
        Reader::new(self.feed, self.orders, self.place, outlet, credentials)
    }
}

impl<L: Link, F: Feed> fmt::Debug for ReaderSeed<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderSeed").finish_non_exhaustive()
    }
}

async fn ended<L: Link>(
    handover: impl Future<Output = Result<Outcome, oneshot::Canceled>>,
) -> Result<(), L::Error> {
    match handover.await {
        Ok(Outcome::Exact | Outcome::Overlapped) => Ok(()),
        // The new connection is lost, or the reader has ended.
        _ => Err(L::closed()),
    }
}
