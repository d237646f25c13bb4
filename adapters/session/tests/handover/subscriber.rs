//! A subscriber over many connections, under a manual clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use redis_authx::testing::{ManualClock, Run, ScriptedProvider, hours, minutes, seconds};
use redis_authx::{ReauthError, ReauthErrorKind, ReauthPolicy, Token, TokenManager, async_trait};
use redis_authx_session::handover::{Backlog, Kind, Link as _, Marker, Outlet};
use redis_authx_session::{Reauthenticator, SubscribeError, Subscriber, SubscriberConnector};

use crate::server::{Arrivals, Failure, Name, Server, Socket};

const RECONNECT_WAIT: Duration = Duration::from_secs(8);

/// What the connector was asked to do, and how it is to fail.
#[derive(Default)]
struct Wiring {
    opens: usize,
    fails_to_open: bool,
    authenticated: Vec<u64>,
    checked: Vec<u64>,
    authentication_fails: Option<ReauthErrorKind>,
    check_fails: Option<ReauthErrorKind>,
}

struct Connector {
    server: Server,
    wiring: Arc<Mutex<Wiring>>,
}

#[async_trait]
impl SubscriberConnector for Connector {
    type Link = Socket;
    type Feed = Arrivals;

    async fn open(&self, _: &Token) -> Result<(Socket, Arrivals), Failure> {
        let mut wiring = self.wiring.lock().unwrap();
        if wiring.fails_to_open {
            return Err(Failure::Closed);
        }
        wiring.opens += 1;
        Ok(self.server.connect())
    }

    async fn publish(&self, marker: &Marker, _: &Socket, _: &Token) -> Result<(), Failure> {
        self.server.publish(marker.channel(), Marker::PAYLOAD);
        Ok(())
    }

    async fn check_token(&self, _: &Socket, token: &Token) -> Result<(), ReauthError> {
        let mut wiring = self.wiring.lock().unwrap();
        wiring.checked.push(token.generation());
        wiring.check_fails.map_or(Ok(()), |kind| Err(kind.into()))
    }

    async fn authenticate(&self, _: &Socket, token: &Token) -> Result<(), ReauthError> {
        let mut wiring = self.wiring.lock().unwrap();
        wiring.authenticated.push(token.generation());
        let failure = wiring.authentication_fails.take();
        failure.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn upgrade(&self) {
        self.server.speaks_resp3();
    }

    fn reauth_error(_: Failure) -> ReauthError {
        ReauthErrorKind::Disconnected.into()
    }
}

struct Application(Arc<Backlog<String>>);

impl Outlet<(Kind, Name, String)> for Application {
    fn deliver(&self, (_, _, payload): (Kind, Name, String)) {
        self.0.push(payload, 0);
    }

    fn gap(&self) {
        self.0.push_gap();
    }

    fn end(&self) {
        self.0.end();
    }
}

/// A subscriber of the channel `news`, and a token every hour.
struct Scene {
    run: Run,
    server: Server,
    wiring: Arc<Mutex<Wiring>>,
    subscriber: Arc<Subscriber<Connector>>,
    backlog: Arc<Backlog<String>>,
    manager: TokenManager,
}

type Subscribed = Result<(), SubscribeError<Failure>>;

impl Scene {
    fn new(server: Server) -> Self {
        Self::with_tokens(server, 3)
    }

    /// The provider has so many tokens of an hour, and then fails.
    fn with_tokens(server: Server, tokens: u64) -> Self {
        let time = ManualClock::new();
        let identity = (0..tokens).fold(ScriptedProvider::new(), |identity, number| {
            identity.token(&format!("token {number}"), hours(1))
        });
        let manager = TokenManager::builder(identity).spawn(time.clone()).unwrap();
        let mut run = time.run(async {});
        run.settle();
        let credentials = manager.credentials();
        let token = credentials.current().unwrap();
        let policy = ReauthPolicy::default();
        let reauth = Reauthenticator::spawn(&credentials, policy, Arc::new(time)).unwrap();
        let wiring = Arc::<Mutex<Wiring>>::default();
        let connector = Connector {
            server: server.clone(),
            wiring: Arc::clone(&wiring),
        };
        let backlog = Arc::new(Backlog::new(Backlog::<String>::DEFAULT_LIMIT));
        let subscriber = Subscriber::spawn(
            &reauth,
            connector,
            server.connect(),
            &token,
            RECONNECT_WAIT,
            Application(Arc::clone(&backlog)),
        );
        let mut scene = Self {
            run,
            server,
            wiring,
            subscriber: Arc::new(subscriber.unwrap()),
            backlog,
            manager,
        };
        let subscribed = scene.subscribe(Kind::Channel, "news").now_or_never();
        assert!(matches!(subscribed, Some(Ok(()))));
        scene.run.settle();
        scene
    }

    fn subscribe(&self, kind: Kind, name: &'static str) -> BoxFuture<'static, Subscribed> {
        let subscriber = Arc::clone(&self.subscriber);
        async move { subscriber.subscribe(kind, &[name.into()]).await }.boxed()
    }

    /// Runs `subscribing` until it is done, for `time`.
    fn finish(
        &mut self,
        mut subscribing: BoxFuture<'static, Subscribed>,
        time: Duration,
    ) -> Option<Subscribed> {
        let step = Duration::from_millis(100);
        let mut passed = Duration::ZERO;
        loop {
            if let Some(done) = (&mut subscribing).now_or_never() {
                return Some(done);
            }
            if passed >= time {
                return None;
            }
            self.run.advance(step);
            passed += step;
        }
    }

    fn wiring<T>(&self, read: impl FnOnce(&mut Wiring) -> T) -> T {
        read(&mut self.wiring.lock().unwrap())
    }

    fn opens(&self) -> usize {
        self.wiring(|wiring| wiring.opens)
    }

    fn generation(&self) -> u64 {
        self.subscriber.status().unwrap().generation
    }

    fn received(&mut self) -> Vec<String> {
        self.run.settle();
        let waker = futures::task::noop_waker();
        let cx = std::task::Context::from_waker(&waker);
        let next = || match self.backlog.poll_next(&cx) {
            std::task::Poll::Ready(message) => message,
            std::task::Poll::Pending => None,
        };
        std::iter::from_fn(next).collect()
    }
}

#[test]
fn a_connection_that_takes_no_commands_is_handed_over() {
    let mut scene = Scene::new(Server::default());
    scene.server.publish("news", "1");
    scene.run.advance(minutes(59));
    scene.server.publish("news", "2");
    assert_eq!((scene.generation(), scene.opens()), (2, 1));
    assert!(scene.wiring(|wiring| wiring.checked.is_empty() && wiring.authenticated.is_empty()));
    assert_eq!(scene.received(), ["1", "2"]);
    assert_eq!(scene.backlog.gaps(), 0);
}

#[test]
fn one_that_takes_commands_gets_the_token_that_was_checked() {
    let server = Server::default();
    server.speaks_resp3();
    let mut scene = Scene::new(server);
    scene.run.advance(minutes(59));
    assert_eq!((scene.generation(), scene.opens()), (2, 0));
    scene.wiring(|wiring| {
        assert_eq!(
            (&wiring.checked[..], &wiring.authenticated[..]),
            (&[2][..], &[2][..])
        );
    });
}

/// A loss of the other connection is not one of the subscriber's.
#[test]
fn a_token_that_was_not_checked_is_not_sent() {
    let server = Server::default();
    server.speaks_resp3();
    let mut scene = Scene::new(server);
    scene.wiring(|wiring| wiring.check_fails = Some(ReauthErrorKind::Disconnected));
    scene.run.advance(minutes(46));
    scene.wiring(|wiring| {
        assert!(!wiring.checked.is_empty());
        assert_eq!((&wiring.authenticated[..], wiring.opens), (&[][..], 0));
    });
    assert!(!scene.subscriber.active_link().current().health().is_lost());
}

#[test]
fn one_that_is_out_of_step_is_replaced() {
    let server = Server::default();
    server.speaks_resp3();
    let mut scene = Scene::new(server);
    let failure = Some(ReauthErrorKind::OutOfStep);
    scene.wiring(|wiring| wiring.authentication_fails = failure);
    scene.run.advance(minutes(59));
    assert_eq!((scene.generation(), scene.opens()), (2, 1));
    scene.server.publish("news", "1");
    assert_eq!(scene.received(), ["1"]);
}

/// As when the server has no room for another connection.
#[test]
fn one_that_can_not_be_replaced_gets_the_token() {
    let server = Server::default();
    server.speaks_resp3();
    let mut scene = Scene::new(server);
    scene.wiring(|wiring| {
        wiring.check_fails = Some(ReauthErrorKind::Other);
        wiring.fails_to_open = true;
    });
    scene.run.advance(minutes(59));
    assert_eq!(scene.generation(), 2);
    scene.wiring(|wiring| assert_eq!(wiring.authenticated, [2]));
}

#[test]
fn a_refused_subscription_is_not_repeated() {
    let mut scene = Scene::new(Server::default());
    let refused = scene.subscribe(Kind::Channel, "forbidden").now_or_never();
    let Some(Err(SubscribeError::Client(Failure::Refused))) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(scene.subscriber.subscribed(Kind::Channel).len(), 1);
    scene.run.advance(minutes(59));
    assert_eq!((scene.generation(), scene.opens()), (2, 1));
}

#[test]
fn a_connection_that_does_not_reply_is_replaced() {
    let mut scene = Scene::new(Server::default());
    scene.server.newest().0.wire(|wire| wire.silent = true);
    let subscribing = scene.subscribe(Kind::Channel, "more");
    let subscribed = scene.finish(subscribing, seconds(10));
    assert!(matches!(subscribed, Some(Ok(()))), "{subscribed:?}");
    let (newest, connections) = scene.server.newest();
    assert_eq!(connections, 2);
    assert_eq!(newest.wire(|wire| wire.subscribed.len()), 2);
    assert_eq!(scene.subscriber.subscribed(Kind::Channel).len(), 2);
}

#[test]
fn an_unsubscription_without_a_reply_replaces_the_connection_too() {
    let mut scene = Scene::new(Server::default());
    scene.server.newest().0.wire(|wire| wire.silent = true);
    let subscriber = Arc::clone(&scene.subscriber);
    let names = [b"news".to_vec()];
    let unsubscribing = async move { subscriber.unsubscribe(Kind::Channel, &names).await };
    let unsubscribed = scene.finish(unsubscribing.boxed(), seconds(10));
    assert!(matches!(unsubscribed, Some(Ok(()))), "{unsubscribed:?}");
    scene.run.advance(seconds(1));
    let (newest, connections) = scene.server.newest();
    assert_eq!(
        (connections, newest.wire(|wire| wire.subscribed.len())),
        (2, 0)
    );
}

#[test]
fn a_subscription_waits_for_a_lost_connection_and_says_why_none_came() {
    let mut scene = Scene::new(Server::default());
    scene.wiring(|wiring| wiring.fails_to_open = true);
    scene.server.newest().0.end();
    scene.run.settle();
    let subscribing = scene.subscribe(Kind::Channel, "more");
    let failed = scene.finish(subscribing, RECONNECT_WAIT);
    let Some(Err(SubscribeError::NotConnected(Some(error)))) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(error.kind(), ReauthErrorKind::Disconnected);
    let subscribing = scene.subscribe(Kind::Channel, "more");
    scene.wiring(|wiring| wiring.fails_to_open = false);
    let subscribed = scene.finish(subscribing, RECONNECT_WAIT);
    assert!(matches!(subscribed, Some(Ok(()))), "{subscribed:?}");
    scene.server.publish("more", "1");
    assert_eq!(scene.received(), ["1"]);
    assert_eq!(scene.backlog.gaps(), 1);
}

#[test]
fn without_a_token_a_subscription_fails_at_once() {
    let mut scene = Scene::with_tokens(Server::default(), 1);
    scene.run.advance(hours(2));
    scene.server.newest().0.end();
    scene.run.settle();
    let failed = scene.subscribe(Kind::Channel, "more").now_or_never();
    assert!(
        matches!(failed, Some(Err(SubscribeError::NoToken(_)))),
        "{failed:?}"
    );
}

#[test]
fn a_kind_that_the_connection_does_not_support_has_it_replaced() {
    let mut scene = Scene::new(Server::default());
    let subscribing = scene.subscribe(Kind::Shard, "orders");
    let subscribed = scene.finish(subscribing, seconds(1));
    assert!(matches!(subscribed, Some(Ok(()))), "{subscribed:?}");
    assert_eq!(scene.opens(), 1);
    scene.server.publish("orders", "1");
    scene.server.publish("news", "2");
    assert_eq!(scene.received(), ["1", "2"]);
    scene.run.advance(minutes(59));
    assert_eq!((scene.generation(), scene.opens()), (2, 1));
}

#[test]
fn a_closed_one_ends_its_messages_and_its_renewal() {
    let mut scene = Scene::new(Server::default());
    scene.subscriber.close();
    scene.run.settle();
    let failed = scene.subscribe(Kind::Channel, "more").now_or_never();
    assert!(
        matches!(failed, Some(Err(SubscribeError::Closed))),
        "{failed:?}"
    );
    assert!(scene.subscriber.status().is_none());
    scene.run.advance(hours(1));
    assert_eq!(scene.opens(), 0);
    assert!(scene.manager.credentials().current().is_ok());
}
