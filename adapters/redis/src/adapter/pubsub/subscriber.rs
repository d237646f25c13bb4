//! How the connection of a subscriber is re-authenticated and handed over.

use std::fmt;
use std::future::{Future, ready};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::redis::{ConnectionInfo, ProtocolVersion, RedisError, RedisResult, cmd};
use async_lock::Mutex;
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, FutureExt, select};
use redis_authx::handover::{Marker, Outcome};
use redis_authx::reauth::{ReauthError, ReauthErrorKind, Session};
use redis_authx::{Runtime, Token, async_trait};

use super::super::error;
use super::feed::Feed;
use super::link::{Link, publish};
use super::place::Place;
use super::reader::{Old, Order, Successor};
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
        // Of one that was cut off without a word, nothing may be heard again.
        if old.is_lost() || old.is_silent(self.runtime.now(), ANSWER_LIMIT) {
            let lost = Old::Drained { gap: true };
            return ended(self.hand_over(&link, feed, lost)).await;
        }
        let marker = Marker::new();
        let channel = [marker.channel().as_bytes().to_vec()];
        let marked = match link.subscribe(Kind::Channel, &channel).await {
            Ok(()) => true,
            Err(error) if is_refused(&error) => false,
            Err(error) => return Err(error),
        };
        // Reads on with the new one, should the old one be lost by now.
        let handover = self.hand_over(&link, feed, Old::Silent);
        // An answer shows that it was there when the new one had subscribed,
        // and has got all that was published before.
        old.asked(self.runtime.now());
        let answer = pin!(async {
            if marked {
                old.subscribe(Kind::Channel, &channel).await
            } else {
                old.ping().await
            }
        });
        let handed_over = match select(handover, answer).await {
            Either::Left((outcome, _)) => ended(ready(outcome)).await,
            Either::Right((answer, handover)) => {
                old.answered();
                let divided = match answer {
                    Ok(()) if marked => self.mark(&link, marker, token).await,
                    Err(error) if !is_refused(&error) => {
                        self.read(Old::Drained { gap: true });
                        Ok(())
                    }
                    _ => {
                        self.read(Old::Drained { gap: false });
                        Ok(())
                    }
                };
                match divided {
                    Ok(()) => ended(handover).await,
                    Err(error) => Err(error),
                }
            }
        };
        if marked {
            // Whichever stays has no use for it. Sent, not waited for: a reply
            // may take as long as the messages before it.
            let stays = self.place.link();
            let _ = stays.unsubscribe(Kind::Channel, &channel).now_or_never();
        }
        handed_over
    }

    /// Publishes the marker, once the reader waits for it.
    async fn mark(&self, link: &Link, marker: Marker, token: &Token) -> RedisResult<()> {
        self.read(Old::Marked(marker.clone()));
        match publish(&marker, link, &self.info, token).await {
            Err(error) if is_refused(&error) => {
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
    fn hand_over(&self, link: &Arc<Link>, feed: Feed, old: Old) -> oneshot::Receiver<Outcome> {
        let (done, handover) = oneshot::channel();
        let successor = Successor {
            link: Arc::clone(link),
            feed,
            old,
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

async fn ended(
    handover: impl Future<Output = Result<Outcome, oneshot::Canceled>>,
) -> RedisResult<()> {
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
