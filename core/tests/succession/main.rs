//! Who reads what while one connection takes another's place.

#![allow(clippy::unwrap_used)] // helpers of tests are not marked as such

mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, poll_immediate};
use redis_authx::handover::{Kind, Link, Marker, Outlet, Place, Subscriptions, Succession};
use redis_authx::testing::{ManualClock, Run};
use redis_authx::{Spawner as _, StaticToken, Token, TokenManager};

use server::{Arrivals, Connection, Failure, Name, Server, Socket};

/// How long an answer may take, where a test does not say.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// What the application got, and was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    payloads: Vec<String>,
    gaps: u32,
    lost: u32,
    ended: bool,
}

#[derive(Clone, Default)]
struct Application(Arc<Mutex<Told>>);

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
    succession: Arc<Succession<Socket, Arrivals>>,
    old: Connection,
    subscriptions: Subscriptions,
    manager: TokenManager,
}

impl Scene {
    fn new(server: Server) -> Self {
        Self::with_limit(server, ANSWER_LIMIT)
    }

    /// Its connections may take this long to answer.
    fn with_limit(server: Server, limit: Duration) -> Self {
        let time = ManualClock::new();
        let identity = StaticToken::new(Token::new("app", "secret"));
        let (manager, driver) = TokenManager::builder(identity).build(&time).unwrap();
        let (link, feed) = server.connect();
        let old = feed.0.clone();
        let (succession, seed) = Succession::new(link, feed, Arc::new(time.clone()), limit);
        let application = Application::default();
        let reader = seed.into_reader(application.clone(), manager.credentials());
        let mut subscriptions = Subscriptions::default();
        subscriptions.add(Kind::Channel, &[b"news".to_vec()]);
        let run = time.run(driver);
        time.spawn(Box::pin(reader));
        let scene = Self {
            run,
            server,
            application,
            succession: Arc::new(succession),
            old,
            subscriptions,
            manager,
        };
        let place: &Place<Socket> = scene.succession.place();
        let subscribed = place.link();
        let subscribed = subscribed.subscribe_all(&scene.subscriptions);
        assert_eq!(subscribed.now_or_never(), Some(Ok(())));
        scene
    }

    /// Begins to hand over. `publish` is what it does with the marker.
    fn begin(
        &self,
        publish: impl FnOnce(Marker) -> BoxFuture<'static, Result<(), Failure>> + Send + 'static,
    ) -> (Connection, BoxFuture<'static, Result<(), Failure>>) {
        let (link, feed) = self.server.connect();
        let new = feed.0.clone();
        let succession = Arc::clone(&self.succession);
        let subscriptions = self.subscriptions.clone();
        let handover = async move {
            let publish = |_, marker| publish(marker);
            succession
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

    /// Runs a handover as far as it goes.
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

    fn told(&mut self) -> Told {
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
    // Twice from the new one, which has the pattern too; never the marker.
    let told = scene.told();
    assert_eq!(told.payloads, payloads(&["1", "2", "3", "3", "4", "4"]));
    assert_eq!((told.gaps, told.lost), (0, 0));
    let left = new.wire(|wire| wire.subscribed.len());
    assert_eq!(left, 2, "without the marker's channel");
}

#[test]
fn who_may_not_use_markers_loses_nothing() {
    let mut scene = Scene::new(Server::without_markers());
    let (_, mut handover) = scene.begin(scene.publishes());
    scene.server.publish("news", "1");
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.old.end();
    scene.server.publish("news", "2");
    let told = scene.told();
    assert_eq!(told.payloads, payloads(&["1", "2"]));
    assert_eq!((told.gaps, told.lost), (0, 0));
}

#[test]
fn the_old_one_goes_on_when_the_new_one_is_lost() {
    let mut scene = Scene::new(Server::default());
    let (new, mut handover) = scene.begin(scene.publishes());
    new.end();
    assert_eq!(scene.step(&mut handover), Some(Err(Failure::Closed)));
    scene.server.publish("news", "1");
    let told = scene.told();
    assert_eq!(told.payloads, payloads(&["1"]));
    assert_eq!((told.gaps, told.lost), (0, 0));
}

#[test]
fn the_old_one_goes_on_when_nobody_waits_for_the_new_one() {
    let mut scene = Scene::new(Server::default());
    let publish = |_| std::future::pending().boxed();
    let (_, mut handover) = scene.begin(publish);
    assert_eq!(scene.step(&mut handover), None);
    scene.server.publish("news", "1");
    drop(handover);
    scene.server.publish("news", "2");
    let told = scene.told();
    assert_eq!(told.payloads, payloads(&["1", "2"]));
    assert_eq!((told.gaps, told.lost), (0, 0));
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

/// The old connection confirms, and the marker is published and arrives, while
/// the reader is between its commands and its messages.
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
    let told = scene.told();
    assert_eq!(told.payloads, payloads(&["1"]));
    assert_eq!((told.gaps, told.lost), (0, 0));
}

#[test]
fn a_lost_one_is_replaced_and_the_gap_is_told() {
    let mut scene = Scene::new(Server::default());
    scene.server.publish("news", "1");
    scene.old.end();
    assert_eq!(scene.told().lost, 1);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.server.publish("news", "2");
    let told = scene.told();
    assert_eq!(told.payloads, payloads(&["1", "2"]));
    assert_eq!((told.gaps, told.lost, told.ended), (1, 1, false));
}

/// It has not answered, and later ones don't ask again.
#[test]
fn one_that_never_answers_is_replaced_without_its_consent() {
    let mut scene = Scene::new(Server::default());
    scene.old.wire(|wire| wire.silent = true);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), None);
    drop(handover);
    scene.run.advance(ANSWER_LIMIT);
    let published = (Kind::Channel, b"news".to_vec(), "1".to_owned());
    scene.old.wire(|wire| wire.under_way.push(published));
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    scene.server.publish("news", "2");
    let told = scene.told();
    assert_eq!(told.payloads, payloads(&["1", "2"]));
    assert_eq!((told.gaps, told.lost), (1, 0));
}

/// It owes an answer for less time than the caller grants.
#[test]
fn a_slow_one_is_asked_again_within_the_limit_of_the_caller() {
    let mut scene = Scene::with_limit(Server::default(), ANSWER_LIMIT * 3);
    scene.old.wire(|wire| wire.silent = true);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), None);
    drop(handover);
    scene.run.advance(ANSWER_LIMIT * 2);
    scene.old.wire(|wire| wire.silent = false);
    let (_, mut handover) = scene.begin(scene.publishes());
    assert_eq!(scene.step(&mut handover), Some(Ok(())));
    assert_eq!(scene.told().gaps, 0);
}

#[test]
fn it_ends_when_it_is_closed_and_when_nothing_can_come_any_more() {
    let mut scene = Scene::new(Server::default());
    scene.succession.close();
    assert!(scene.told().ended);

    let mut scene = Scene::new(Server::default());
    scene.manager.stop();
    assert!(!scene.told().ended, "the old one still has messages");
    scene.old.end();
    assert!(scene.told().ended);
}
