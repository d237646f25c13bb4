use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use futures_util::future::{BoxFuture, Either, select};

use super::reader::{OldConnection, PendingHandover, Reader, ReaderCommand};
use super::{ActiveLink, Feed, Kind, Link, Marker, Outcome, Outlet, Subscriptions};
use redis_authx::{Clock as _, Credentials, Runtime};

/// Moves a subscriber from each connection to the next one. Its [`Reader`] reads
/// them.
///
/// Dropping it ends the reader, which closes the connections.
pub struct HandoverController<L: Link, F: Feed> {
    active_link: Arc<ActiveLink<L>>,
    commands: mpsc::UnboundedSender<ReaderCommand<L, F>>,
    runtime: Arc<dyn Runtime>,
    reply_timeout: Duration,
}

impl<L: Link, F: Feed> HandoverController<L, F> {
    /// Creates a controller for a subscriber's first connection, which is logged
    /// in, and what [builds](ReaderBuilder::build) its reader.
    ///
    /// An old connection that has owed a reply for `reply_timeout` counts as dead:
    /// the next handover does not wait for its reply. Adapters pass the
    /// [`auth_timeout`](redis_authx::ReauthPolicy::auth_timeout) of their
    /// policy.
    pub fn new(
        link: L,
        feed: F,
        runtime: Arc<dyn Runtime>,
        reply_timeout: Duration,
    ) -> (Self, ReaderBuilder<L, F>) {
        let active_link = Arc::new(ActiveLink::new(Arc::new(link)));
        let (sender, commands) = mpsc::unbounded();
        let builder = ReaderBuilder {
            feed,
            commands,
            active_link: Arc::clone(&active_link),
        };
        let controller = Self {
            active_link,
            commands: sender,
            runtime,
            reply_timeout,
        };
        (controller, builder)
    }

    /// The link of the active connection.
    #[must_use]
    pub const fn active_link(&self) -> &Arc<ActiveLink<L>> {
        &self.active_link
    }

    /// Ends the reader, which closes the connections. Handovers fail from now on.
    pub fn close(&self) {
        self.commands.close_channel();
    }

    /// Hands the subscriber over to a new connection, which is logged in: it
    /// subscribes to `subscriptions` and becomes the active one. `publish` publishes
    /// [`Marker::PAYLOAD`] on the marker's channel, over the new connection or
    /// another one.
    ///
    /// Call it for one handover at a time: another call abandons the pending one.
    /// It has no time limit of its own, except that it does not wait for an old
    /// connection that has owed a reply for the
    /// [`reply_timeout`](Self::new).
    ///
    /// # Errors
    /// The client's own: the new connection failed, `publish` failed for another
    /// reason than [an error reply](Link::is_error_reply), or the reader has ended.
    /// The old connection stays active.
    ///
    /// # Cancel safety
    /// Safe: either the old or the new connection is active, and the reader
    /// unsubscribes it from the marker's channel.
    pub async fn hand_over<'a>(
        &self,
        link: L,
        feed: F,
        subscriptions: &Subscriptions,
        publish: impl FnOnce(Arc<L>, Marker) -> BoxFuture<'a, Result<(), L::Error>> + Send,
    ) -> Result<(), L::Error> {
        link.subscribe_all(subscriptions).await?;
        let link = Arc::new(link);
        let old = self.active_link.current();
        let health = old.health();
        let silent = health.is_silent(self.runtime.now(), self.reply_timeout);
        if silent && !health.is_lost() {
            // Messages may still arrive on it. Those that the server sent before
            // the new connection had subscribed get one round trip to arrive.
            match link.ping().await {
                Err(error) if !L::is_error_reply(&error) => return Err(error),
                _ => {}
            }
        }
        // A silently dropped connection may never report its loss.
        if silent || health.is_lost() {
            let dead = OldConnection::Draining { gap: true };
            let outcome = self.start_handover(link, feed, None, dead);
            return result::<L>(outcome.await);
        }
        let marker = Marker::new();
        let channel = [marker.channel().as_bytes().to_vec()];
        let marker = match link.subscribe(Kind::Channel, &channel).await {
            Ok(()) => Some(marker),
            Err(error) if L::is_error_reply(&error) => None,
            Err(error) => return Err(error),
        };
        let unconfirmed = OldConnection::Unconfirmed;
        let outcome = self.start_handover(Arc::clone(&link), feed, marker.clone(), unconfirmed);
        // A reply confirms that the old connection was alive when the new one had
        // subscribed, and follows all that was published before.
        health.command_sent(self.runtime.now());
        let confirmation = pin!(async {
            match marker {
                Some(_) => old.subscribe(Kind::Channel, &channel).await,
                None => old.ping().await,
            }
        });
        // The reader completes the handover if the old connection is lost.
        let (confirmation, outcome) = match select(outcome, confirmation).await {
            Either::Left((outcome, _)) => return result::<L>(outcome),
            Either::Right(confirmed) => confirmed,
        };
        health.reply_received();
        match (confirmation, &marker) {
            (Ok(()), Some(marker)) => self.publish_marker(link, marker.clone(), publish).await?,
            (Err(error), _) if !L::is_error_reply(&error) => {
                self.update_old(OldConnection::Draining { gap: true });
            }
            _ => self.update_old(OldConnection::Draining { gap: false }),
        }
        result::<L>(outcome.await)
    }

    /// Publishes the marker; drains the old connection if the server refuses.
    async fn publish_marker<'a>(
        &self,
        link: Arc<L>,
        marker: Marker,
        publish: impl FnOnce(Arc<L>, Marker) -> BoxFuture<'a, Result<(), L::Error>> + Send,
    ) -> Result<(), L::Error> {
        self.update_old(OldConnection::Confirmed);
        match publish(link, marker).await {
            Err(error) if L::is_error_reply(&error) => {
                self.update_old(OldConnection::Draining { gap: false });
                Ok(())
            }
            published => published,
        }
    }

    /// Dropping the receiver cancels the handover.
    fn start_handover(
        &self,
        link: Arc<L>,
        feed: F,
        marker: Option<Marker>,
        old: OldConnection,
    ) -> oneshot::Receiver<Outcome> {
        let (pending, outcome) = PendingHandover::new(link, feed, marker, old);
        self.send(ReaderCommand::Start(pending));
        outcome
    }

    fn update_old(&self, old: OldConnection) {
        self.send(ReaderCommand::UpdateOld(old));
    }

    fn send(&self, command: ReaderCommand<L, F>) {
        // Fails when the reader has ended; the outcome says so too.
        let _ = self.commands.unbounded_send(command);
    }
}

impl<L: Link, F: Feed> fmt::Debug for HandoverController<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandoverController").finish_non_exhaustive()
    }
}

/// Builds the [`Reader`] of a [`HandoverController`].
#[must_use = "the subscriber gets no messages without its reader"]
pub struct ReaderBuilder<L: Link, F: Feed> {
    feed: F,
    commands: mpsc::UnboundedReceiver<ReaderCommand<L, F>>,
    active_link: Arc<ActiveLink<L>>,
}

impl<L: Link, F: Feed> ReaderBuilder<L, F> {
    /// Builds the reader, to be spawned. It ends when the controller is dropped or
    /// closed, and when the connection is lost after the token manager behind
    /// `credentials` has stopped.
    pub fn build<O: Outlet<F::Message>>(
        self,
        outlet: O,
        credentials: Credentials,
    ) -> Reader<L, F, O> {
        Reader::new(
            self.feed,
            self.commands,
            self.active_link,
            outlet,
            credentials,
        )
    }
}

impl<L: Link, F: Feed> fmt::Debug for ReaderBuilder<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderBuilder").finish_non_exhaustive()
    }
}

fn result<L: Link>(outcome: Result<Outcome, oneshot::Canceled>) -> Result<(), L::Error> {
    match outcome {
        Ok(Outcome::Exact | Outcome::Overlapped) => Ok(()),
        // The new connection is lost, or the reader has ended.
        Ok(Outcome::Abandoned) | Err(oneshot::Canceled) => Err(L::closed_error()),
    }
}
