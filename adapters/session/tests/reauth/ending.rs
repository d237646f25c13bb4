//! The end of the re-authenticator's task.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Instant, SystemTime};

use futures::future::BoxFuture;
use redis_authx::testing::{ManualClock, hours};
use redis_authx::{Clock, ConfigError, Event, ReauthPolicy, Sleep, Spawner};
use redis_authx_session::Reauthenticator;
use redis_authx_session::{Registration, Session};

use super::fleet::{Fleet, done};

/// Keeps the task that is spawned on it, for the test to poll.
#[derive(Clone)]
struct Keeps(ManualClock, Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl std::fmt::Debug for Keeps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeps")
    }
}

impl Clock for Keeps {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Spawner for Keeps {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        *self.1.lock().expect("whole") = Some(task);
        Ok(())
    }
}

struct Quiet;

impl Wake for Quiet {
    fn wake(self: Arc<Self>) {}
}

/// A re-authenticator with one session, whose task the test polls.
struct Scene {
    fleet: Fleet,
    task: BoxFuture<'static, ()>,
    waker: Arc<Quiet>,
}

impl Scene {
    fn new() -> Self {
        let mut fleet = Fleet::new(hours(1));
        let runtime = Keeps(fleet.time.clone(), Arc::default());
        let credentials = fleet.manager.credentials();
        let policy = ReauthPolicy::default();
        fleet.reauth = Reauthenticator::spawn(&credentials, policy, Arc::new(runtime.clone()))
            .expect("it keeps the task");
        let task = runtime.1.lock().expect("whole").take().expect("spawned");
        let waker = Arc::new(Quiet);
        Self { fleet, task, waker }
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.waker));
        self.task.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Drops the task, as its runtime does. It leaves no waker behind.
    fn drop_task(&mut self) {
        self.task = Box::pin(async {});
        assert_eq!(Arc::strong_count(&self.waker), 1);
    }

    /// The connections of each unexpected end that was reported.
    fn reported(&self) -> Vec<usize> {
        let connections = |event| match event {
            Event::ReauthEnded { connections, .. } => Some(connections),
            _ => None,
        };
        let events = self.fleet.events.take();
        events.into_iter().filter_map(connections).collect()
    }
}

#[test]
fn a_task_that_ends_with_the_manager_reports_nothing() {
    let mut scene = Scene::new();
    let _session = scene.fleet.join(done);
    assert!(scene.poll().is_pending());
    scene.fleet.manager.stop();
    scene.fleet.run.settle();
    assert!(scene.poll().is_ready());
    scene.drop_task();
    assert!(scene.reported().is_empty());
}

#[test]
fn a_task_that_its_runtime_drops_reports_the_connections_that_it_renewed() {
    let mut scene = Scene::new();
    let session = scene.fleet.join(done);
    // Renewed by another task.
    let other = Scene::new();
    let _other = other.fleet.join(done);
    let counted = scene.fleet.manager.credentials().count_connection();
    assert!(scene.poll().is_pending());
    scene.drop_task();
    assert_eq!(scene.reported(), [1]);
    drop((session, counted));
}

#[derive(Debug)]
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("a session that is not dropped in peace");
    }
}

#[redis_authx::async_trait]
impl Session for PanicsOnDrop {
    fn is_connected(&self) -> bool {
        LAST.with_borrow_mut(Option::take).is_none()
    }

    async fn authenticate(&self, _: &redis_authx::Token) -> Result<(), redis_authx::ReauthError> {
        Ok(())
    }

    async fn replace(&self, _: &redis_authx::Token) -> Result<(), redis_authx::ReauthError> {
        Ok(())
    }
}

thread_local! {
    /// What the application holds, until the driver looks at the session.
    static LAST: std::cell::RefCell<Option<Arc<PanicsOnDrop>>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn a_session_that_panics_when_the_task_drops_it_ends_nothing_else() {
    let mut fleet = Fleet::new(hours(1));
    let token = fleet.manager.credentials().current().unwrap();
    let session = Arc::new(PanicsOnDrop);
    let weak: std::sync::Weak<PanicsOnDrop> = Arc::downgrade(&session);
    let _registration: Registration = fleet.reauth.register(weak, &token);
    LAST.set(Some(session));
    let other = fleet.join(done);
    fleet.run.advance(hours(1));
    assert_eq!(other.status().generation, 2);
}
