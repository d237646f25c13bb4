//! Which messages a subscriber delivers while one connection replaces another.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, poll_immediate};
use redis_authx::testing::{ManualClock, Run};
use redis_authx::{Spawner as _, StaticToken, Token, TokenManager};
use redis_authx_session::handover::{
    HandoverController, Kind, Link, Marker, Outlet, Subscriptions,
};

use crate::server::{Arrivals, Connection, Failure, Name, Server, Socket};

/// How long a reply may take, unless a test sets it.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// What the application received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Received {
    payloads: Vec<String>,
    gaps: u32,
    lost: u32,
    ended: bool,
}

#[derive(Clone, Default)]
struct Application(Arc<Mutex<Received>>);

impl Outlet<(Kind, Name, String)> for Application {
    fn deliver(&self, (_, _, payload): (Kind, Name, String)) {
        self.0.lock().unwrap().payloads.push(payload);
    }

    fn gap(&self) {
        self.0.lock().unwrap().gaps += 1;
    }

    fn lost(&self) {
        self.0.lock().unwrap().lost += 1;
    }

    fn end(&self) {
        self.0.lock().unwrap().ended = true;
    }
}

/// A subscriber of the channel `news`.
struct Scene {
    run: Run,
    server: Server,
    application: Application,
    controller: Arc<HandoverController<Socket, Arrivals>>,
    old: Connection,
    subscriptions: Subscriptions,
    manager: TokenManager,
}

impl Scene {
    fn new(server: Server) -> Self {
        Self::with_timeout(server, REPLY_TIMEOUT)
    }

    /// With another `reply_timeout`.
    fn with_timeout(server: Server, timeout: Duration) -> Self {
        let time = ManualClock::new();
        let identity = StaticToken::new(Token::new("app", "secret"));
        let (manager, driver) = TokenManager::builder(identity).build(&time);
        let (link, feed) = server.connect();
        let old = feed.0.clone();
        let (controller, builder) =
            HandoverController::new(link, feed, Arc::new(time.clone()), timeout);
        let application = Application::default();
        let reader = builder.build(application.clone(), manager.credentials());
        let mut subscriptions = Subscriptions::default();
        subscriptions.add(Kind::Channel, &[b"news".to_vec()]);
        let run = time.run(driver);
        time.spawn(Box::pin(reader)).unwrap();
        let scene = Self {
            run,
            server,
            application,
            controller: Arc::new(controller),
            old,
            subscriptions,
            manager,
        };
        let link = scene.controller.active_link().current();
        let subscribed = link.subscribe_all(&scene.subscriptions);
        assert_eq!(subscribed.now_or_never(), Some(Ok(())));
        scene
    }

    /// Starts a handover, which calls `publish` with the marker.
    fn begin(
        &self,
        publish: impl FnOnce(Marker) -> BoxFuture<'static, Result<(), Failure>> + Send + 'static,
    ) -> (Connection, BoxFuture<'static, Result<(), Failure>>) {
        let (link, feed) = self.server.connect();
        let new = feed.0.clone();
        let controller = Arc::clone(&self.controller);
        let subscriptions = self.subscriptions.clone();
        let handover = async move {
            let publish = |_, marker| publish(marker);
            controller
                .hand_over(link, feed, &subscriptions, publish)
                .await
        };
        (new, handover.boxed())
    }

    fn publishes(&self) -> impl FnOnce(Marker) -> BoxFuture<'static, Result<(), Failure>> + use<> {
        let server = self.server.clone();
        move |marker| {
            server.publish(marker.channel(), Marker::PAYLOAD);
            async { Ok(()) }.boxed()
        }
    }

    /// Runs a handover as far as possible.
    fn step(
        &mut self,
        handover: &mut BoxFuture<'static, Result<(), Failure>>,
    ) -> Option<Result<(), Failure>> {
        for _ in 0..10 {
            if let Some(result) = poll_immediate(&mut *handover).now_or_never().flatten() {
                return Some(result);
            }
            self.run.settle();
        }
        None
    }

    fn received(&mut self) -> Received {
        self.run.settle();
        self.application.0.lock().unwrap().clone()
    }
}

fn payloads(payloads: &[&str]) -> Vec<String> {
    payloads.iter().map(|&payload| payload.into()).collect()
}

#[test]
fn the_marker_divides_what_both_get() {
    let mut scene = Scene::new(Server::default());
    scene.subscriptions.add(Kind::Pattern, &[b"*".to_vec()]);
    let server = scene.server.clone();
    let (new, mut handover) = scene.begin(move |marker| {
        server.publish("news", "2");
        server.publish(marker.channel(), Marker::PAYLOAD);
        server.publish("news", "3");
        async { Ok(()) }.boxed()
    });
    scene.server.publish("news", "1");
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.old.end();
    scene.server.publish("news", "4");
    // Twice from the new one, as the pattern matches too; never the marker.
    let received = scene.received();
    assert_eq!(received.payloads, payloads(&["1", "2", "3", "3", "4", "4"]));
    assert_eq!((received.gaps, received.lost), (0, 0));
    let left = new.wire(|wire| wire.subscribed.len());
    assert_eq!(left, 2, "without the marker's channel");
}

#[test]
fn a_user_without_rights_to_markers_loses_nothing() {
    let mut scene = Scene::new(Server::without_markers());
    let (_, mut handover) = scene.begin(scene.publishes());
    scene.server.publish("news", "1");
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.old.end();
    scene.server.publish("news", "2");
    let received = scene.received();
    assert_eq!(received.payloads, payloads(&["1", "2"]));
    assert_eq!((received.gaps, received.lost), (0, 0));
}

#[test]
fn a_refused_marker_loses_nothing_and_a_failed_one_keeps_the_old_one() {
    for (failure, result, left) in [
        (Failure::Refused, Ok(()), [2, 1]),
        (Failure::Closed, Err(Failure::Closed), [1, 2]),
    ] {
        let mut scene = Scene::new(Server::default());
        let (new, mut handover) = scene.begin(|_| async { Err(failure) }.boxed());
        scene.server.publish("news", "1");
        assert_eq!(scene.step(&mut handover), Some(result));
        drop(handover);
        scene.server.publish("news", "2");
        let received = scene.received();
        assert_eq!(received.payloads, payloads(&["1", "2"]));
        assert_eq!((received.gaps, received.lost), (0, 0));
        // The connection that stays has no use for the marker's channel.
        let subscribed = [&scene.old, &new].map(|it| it.wire(|wire| wire.subscribed.len()));
        assert_eq!(subscribed, left);
    }
}

#[test]
fn the_old_one_stays_when_the_new_one_is_lost() {
    let mut scene = Scene::new(Server::default());
    let (new, mut handover) = scene.begin(scene.publishes());
    new.end();
    assert_eq!(scene.step(&mut handover), Some(Err(Failure::Closed)));
    scene.server.publish("news", "1");
    let received = scene.received();
    assert_eq!(received.payloads, payloads(&["1"]));
    assert_eq!((received.gaps, received.lost), (0, 0));
}

#[test]
fn the_old_one_stays_when_the_handover_is_cancelled() {
    let mut scene = Scene::new(Server::default());
    let publish = |_| std::future::pending().boxed();
    let (_, mut handover) = scene.begin(publish);
    assert_eq!(scene.step(&mut handover), None);
    scene.server.publish("news", "1");
    drop(handover);
    scene.server.publish("news", "2");
    let received = scene.received();
    assert_eq!(received.payloads, payloads(&["1", "2"]));
    assert_eq!((received.gaps, received.lost), (0, 0));
    let (gone, subscribed) = scene.old.wire(|wire| (wire.gone, wire.subscribed.len()));
    assert!(!gone);
    assert_eq!(subscribed, 1, "without the marker's channel");
}

#[test]
fn cancelled_handovers_leave_no_marker_subscribed() {
    let mut scene = Scene::new(Server::default());
    for _ in 0..3 {
        let publish = |_| std::future::pending().boxed();
        let (_, mut handover) = scene.begin(publish);
        // The reader does not run before the next one begins.
        assert_eq!(poll_immediate(&mut handover).now_or_never().flatten(), None);
    }
    scene.run.settle();
    assert_eq!(scene.old.wire(|wire| wire.subscribed.len()), 1);
    let (new, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.run.settle();
    assert_eq!(new.wire(|wire| wire.subscribed.len()), 1);
}

/// The old connection confirms, and the marker is published and arrives, after
/// the reader has read its commands and before it reads its messages.
#[test]
fn a_marker_that_overtakes_the_confirmation_is_not_missed() {
    let mut scene = Scene::new(Server::default());
    scene.old.wire(|wire| wire.silent = true);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), None);
    let handover = Arc::new(Mutex::new(handover));
    let polled = Arc::clone(&handover);
    scene.old.wire(|wire| {
        wire.silent = false;
        wire.before_next = Some(Box::new(move || {
            let mut handover = polled.lock().unwrap();
            let done = poll_immediate(&mut *handover).now_or_never().flatten();
            assert_eq!(done, None, "published, and waits for the reader");
        }));
    });
    scene.run.settle();
    assert_eq!(scene.step(&mut handover.lock().unwrap()), Some(Ok(())));
    scene.old.end();
    scene.server.publish("news", "1");
    let received = scene.received();
    assert_eq!(received.payloads, payloads(&["1"]));
    assert_eq!((received.gaps, received.lost), (0, 0));
}

#[test]
fn a_lost_one_is_replaced_and_the_gap_is_reported() {
    let mut scene = Scene::new(Server::default());
    scene.server.publish("news", "1");
    scene.old.end();
    assert_eq!(scene.received().lost, 1);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.server.publish("news", "2");
    let received = scene.received();
    assert_eq!(received.payloads, payloads(&["1", "2"]));
    assert_eq!(
        (received.gaps, received.lost, received.ended),
        (1, 1, false)
    );
}

/// It has not replied, and later handovers don't wait for it.
#[test]
fn one_that_never_replies_is_replaced_and_the_gap_is_reported() {
    let mut scene = Scene::new(Server::default());
    scene.old.wire(|wire| wire.silent = true);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), None);
    drop(handover);
    scene.run.advance(REPLY_TIMEOUT);
    let published = (Kind::Channel, b"news".to_vec(), "1".to_owned());
    scene.old.wire(|wire| wire.under_way.push(published));
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.server.publish("news", "2");
    let received = scene.received();
    assert_eq!(received.payloads, payloads(&["1", "2"]));
    assert_eq!((received.gaps, received.lost), (1, 0));
}

/// It has owed a reply for less than the timeout.
#[test]
fn one_that_replies_late_is_waited_for_within_the_reply_timeout() {
    let mut scene = Scene::with_timeout(Server::default(), REPLY_TIMEOUT * 3);
    scene.old.wire(|wire| wire.silent = true);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), None);
    drop(handover);
    scene.run.advance(REPLY_TIMEOUT * 2);
    scene.old.wire(|wire| wire.silent = false);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    assert_eq!(scene.received().gaps, 0);
}

#[test]
fn the_reader_ends_when_closed_and_when_no_connection_can_follow() {
    let mut scene = Scene::new(Server::default());
    scene.controller.close();
    assert!(scene.received().ended);

    let mut scene = Scene::new(Server::default());
    scene.manager.stop();
    assert!(!scene.received().ended, "the old one still has messages");
    scene.old.end();
    assert!(scene.received().ended);
}
