//! How the connection of a subscriber is re-authenticated and handed over.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::redis::{ConnectionInfo, ProtocolVersion, RedisError, RedisResult, cmd};
use async_lock::Mutex;
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use redis_authx::handover::{Marker, Outcome};
use redis_authx::reauth::{ReauthError, ReauthErrorKind, Session};
use redis_authx::{Runtime, Token, async_trait};

use super::super::error;
use super::feed::Feed;
use super::link::{Link, publish};
use super::place::Place;
use super::reader::{Order, Successor};
use crate::subscriptions::{Kind, Subscriptions};

/// How long a server may take to answer about a subscription: what an `AUTH`
/// may take by default.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How long opening a connection may take: what a replacement may take by
/// default.
pub(super) const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(super) struct Subscriber {
    info: ConnectionInfo,
    resp3: AtomicBool,
    runtime: Arc<dyn Runtime>,
    pub(super) place: Arc<Place>,
    /// Locked while a handover or a change of them is under way: neither gets
    /// into the other.
    pub(super) subscriptions: Mutex<Subscriptions>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Subscriber {
    pub(super) fn new(
        info: ConnectionInfo,
        runtime: Arc<dyn Runtime>,
        link: Link,
        orders: mpsc::UnboundedSender<Order>,
    ) -> Self {
        let resp3 = info.redis_settings().protocol().supports_resp3();
        Self {
            info,
            resp3: AtomicBool::new(resp3),
            runtime,
            place: Arc::new(Place::new(link)),
            subscriptions: Mutex::default(),
            orders,
        }
    }

    /// Every connection from now on speaks RESP3.
    pub(super) fn need_resp3(&self) {
        self.resp3.store(true, Ordering::Release);
    }

    /// Puts another connection that logs in with `token` in the place of the
    /// one there is.
    pub(super) async fn renew(
        &self,
        token: &Token,
        subscriptions: &Subscriptions,
    ) -> RedisResult<()> {
        let protocol = if self.resp3.load(Ordering::Acquire) {
            ProtocolVersion::RESP3
        } else {
            self.info.redis_settings().protocol()
        };
        let (link, feed) = Link::open(&self.info, protocol, token).await?;
        link.subscribe_all(subscriptions).await?;
        let link = Arc::new(link);
        let old = self.place.link();
        if old.is_lost() {
            return ended(self.hand_over(&link, feed, None, true)).await;
        }
        let marker = Marker::new();
        let channel = [marker.channel().as_bytes().to_vec()];
        let (marked, gap) = self.divide(&old, &link, &channel).await?;
        if !marked {
            return ended(self.hand_over(&link, feed, None, gap)).await;
        }
        // Before the marker, or the old connection's would not be noticed.
        let handover = self.hand_over(&link, feed, Some(marker.clone()), false);
        let handed_over = match publish(&marker, &link, &self.info, token).await {
            Ok(()) => ended(handover).await,
            Err(error) if is_refused(&error) => {
                let _ = self.orders.unbounded_send(Order::Unmark);
                ended(handover).await
            }
            Err(error) => Err(error),
        };
        // Whichever stays has no use for it; and if it can't be told, it is a
        // name at the server.
        let stays = self.place.link();
        let told = stays.unsubscribe(Kind::Channel, &channel);
        let _ = within(&self.runtime, ANSWER_LIMIT, told).await;
        handed_over
    }

    /// Has both connections subscribe to the marker's channel, the old one
    /// last: its answer shows that it was there when the new one had
    /// subscribed, and has got all that was published before. Whether they
    /// did, and whether the old one gave no answer, so that something it did
    /// not get may be missing.
    async fn divide(
        &self,
        old: &Link,
        new: &Link,
        channel: &[Vec<u8>],
    ) -> RedisResult<(bool, bool)> {
        let mut marked = match new.subscribe(Kind::Channel, channel).await {
            Ok(()) => true,
            Err(error) if is_refused(&error) => false,
            Err(error) => return Err(error),
        };
        let subscribe = async || {
            if marked {
                old.subscribe(Kind::Channel, channel).await
            } else {
                old.ping().await
            }
        };
        let answer = within(&self.runtime, ANSWER_LIMIT, subscribe()).await;
        // An error of the server's is an answer.
        let refused = answer.as_ref().is_err_and(is_refused);
        let gap = answer.is_err() && !refused;
        marked &= answer.is_ok();
        Ok((marked, gap))
    }

    /// Has another link take over. Dropping what is returned takes that back.
    fn hand_over(
        &self,
        link: &Arc<Link>,
        feed: Feed,
        marker: Option<Marker>,
        gap: bool,
    ) -> oneshot::Receiver<Outcome> {
        let (done, handover) = oneshot::channel();
        let successor = Successor {
            link: Arc::clone(link),
            feed,
            marker,
            gap,
            done,
        };
        let _ = self.orders.unbounded_send(Order::TakeOver(successor));
        handover
    }
}

#[async_trait]
impl Session for Subscriber {
    fn is_connected(&self) -> bool {
        !self.place.link().is_lost()
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        let link = self.place.link();
        if link.is_lost() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        let Some(mut connection) = link.connection() else {
            return Err(ReauthErrorKind::Unsupported.into());
        };
        let mut auth = cmd("AUTH");
        auth.arg(token.username()).arg(token.password());
        auth.query_async::<()>(&mut connection)
            .await
            .map_err(|error| {
                if error::is_lost(&error) {
                    // Told to the re-authenticator by this very error.
                    link.lose();
                }
                error::reauth(error)
            })
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let subscriptions = self.subscriptions.lock().await;
        let renewed = self.renew(token, &subscriptions).await;
        renewed.map_err(error::reauth)
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

async fn ended(handover: oneshot::Receiver<Outcome>) -> RedisResult<()> {
    match handover.await {
        Ok(Outcome::Exact | Outcome::Overlapped) => Ok(()),
        // The new connection is lost, or the reader has ended.
        _ => Err(closed()),
    }
}

/// The server answered, with an error.
fn is_refused(error: &RedisError) -> bool {
    error.code().is_some() && !error::is_lost(error)
}

pub(super) fn closed() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

/// What does not come in time is an error.
pub(super) async fn within<T>(
    runtime: &Arc<dyn Runtime>,
    limit: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    let sleep = runtime.sleep_until(runtime.now() + limit);
    match select(pin!(answer), sleep).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}
