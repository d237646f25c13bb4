//! Rule 8: no reply, however odd, makes a loop.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;
use std::time::{Duration, Instant, SystemTime};

use redis_authx::testing::{ManualClock, hours, millis, seconds};
use redis_authx::{
    Clock, ErrorKind, ManagerState, OnExhausted, Sleep, StaticToken, Token, TokenManager,
    TokenManagerBuilder,
};

use crate::support::{Answer, Gate, Rig, Source, backoff, down, exact, numbered, rig_with};

/// Four hours with a source that always answers like this.
fn four_hours(
    answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
    settings: impl FnOnce(TokenManagerBuilder) -> TokenManagerBuilder,
) -> (Rig, Source) {
    let time = ManualClock::new();
    let source = Source::new(&time, answer);
    let mut rig = rig_with(&time, source.clone(), settings);
    rig.run.advance(hours(4));
    (rig, source)
}

const ONCE_A_SECOND: usize = 4 * 3600 + 1;

#[test]
fn tokens_of_any_short_life_are_asked_for_once_a_second() {
    for lifetime in [Duration::from_nanos(1), millis(1), millis(999), seconds(1)] {
        let (_, source) = four_hours(move |n| numbered(n, lifetime), |builder| builder);
        assert_eq!(source.requests(), ONCE_A_SECOND, "{lifetime:?}");
    }
}

#[test]
fn a_ratio_of_nothing_asks_once_a_second() {
    let policy = exact(|policy| policy.expiration_refresh_ratio(0.0));
    let (_, source) = four_hours(
        |n| numbered(n, hours(1)),
        |builder| builder.refresh_policy(policy),
    );
    assert_eq!(source.requests(), ONCE_A_SECOND);
}

#[test]
fn expired_on_arrival_is_a_failed_attempt_for_ever() {
    let long_ago = Token::new("user", "old").expires_at(SystemTime::UNIX_EPOCH);
    for token in [
        long_ago,
        Token::new("user", "old").expires_in(Duration::ZERO),
    ] {
        let (rig, source) = four_hours(move |_| Ok(token.clone()), |builder| builder);
        // Five attempts, then single ones, half a minute to a minute apart for
        // most of the time.
        let requests = source.requests();
        assert!((240..=600).contains(&requests), "{requests}");
        assert!(source.gaps()[4..].iter().all(|gap| *gap >= 500));
        let status = rig.manager.status();
        assert_eq!(status.state, ManagerState::Unavailable);
        assert_eq!(status.last_error.unwrap().kind(), ErrorKind::Expired);
        assert_eq!((status.generation, status.refreshes), (0, 0));
    }
}

#[test]
fn the_same_token_for_ever_is_asked_for_at_ever_shorter_waits_down_to_a_second() {
    let token = Token::new("user", "same")
        .expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000) + hours(4));
    let (rig, source) = four_hours(move |_| Ok(token.clone()), |builder| builder);
    assert!(source.requests() < 45, "{}", source.requests());
    assert!(source.gaps().iter().all(|gap| *gap >= 1000));
    assert_eq!(rig.manager.status().generation, 1);
}

#[test]
fn retries_without_a_delay_are_a_millisecond_apart() {
    let retry = backoff(5, Duration::ZERO, seconds(1));
    let (_, source) = four_hours(|_| Err(down()), |builder| builder.retry_policy(retry));
    assert_eq!(source.gaps()[..4], [1, 1, 1, 1]);
    assert!(source.gaps()[4] >= 500);
    assert!(source.requests() < 600, "{}", source.requests());
}

#[test]
fn full_jitter_never_gives_less_than_a_millisecond() {
    let retry = redis_authx::ExponentialBackoff::builder()
        .max_attempts(u32::MAX)
        .initial_delay(millis(1))
        .max_delay(millis(2))
        .jitter(1.0)
        .build();
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(retry.unwrap())
    });
    rig.run.advance(seconds(10));
    assert!(source.gaps().iter().all(|gap| *gap >= 1));
}

/// Calls `refresh` every 10 ms for ten minutes.
fn hammer(rig: &mut Rig) {
    for _ in 0..60_000 {
        rig.manager.refresh();
        rig.manager.credentials().refresh();
        rig.run.advance(millis(10));
    }
}

#[test]
fn refresh_when_hammered_asks_once_a_second() {
    for kind in [None, Some(ErrorKind::Rejected)] {
        let time = ManualClock::new();
        let source = Source::new(&time, move |n| match kind {
            Some(kind) => Err(kind.into()),
            None => numbered(n, hours(1)),
        });
        let mut rig = rig_with(&time, source.clone(), |builder| builder);
        hammer(&mut rig);
        assert!((599..=601).contains(&source.requests()), "{kind:?}");
    }
}

#[test]
fn refresh_when_hammered_in_an_outage_keeps_to_the_retry_schedule() {
    // A cycle of five, then single attempts at the minimum interval; after
    // `Stop` each refresh begins another cycle.
    for (on_exhausted, expected) in [
        (OnExhausted::CoolDown, 595..=610),
        (OnExhausted::WaitForRefresh, 2900..=3005),
    ] {
        let time = ManualClock::new();
        let source = Source::new(&time, |_| Err(down()));
        let policy = exact(|policy| policy.on_exhausted(on_exhausted));
        let mut rig = rig_with(&time, source.clone(), |builder| {
            builder
                .refresh_policy(policy)
                .retry_policy(backoff(5, Duration::ZERO, seconds(1)))
        });
        hammer(&mut rig);
        let requests = source.requests();
        assert!(expected.contains(&requests), "{requests}");
    }
}

/// A clock that asks for a refresh whenever it is read, as other threads might.
#[derive(Clone, Debug)]
struct Hammering(std::sync::Arc<Inner>);

#[derive(Debug)]
struct Inner {
    time: ManualClock,
    manager: OnceLock<TokenManager>,
    reads: AtomicUsize,
}

impl Clock for Hammering {
    fn now(&self) -> Instant {
        let reads = self.0.reads.fetch_add(1, Ordering::SeqCst);
        if let Some(manager) = self.0.manager.get()
            && reads < 1000
        {
            manager.refresh();
        }
        self.0.time.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.time.wall()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        self.0.time.sleep_until(deadline)
    }
}

#[test]
fn refresh_when_hammered_from_other_threads_does_not_keep_the_driver_from_yielding() {
    let clock = Hammering(std::sync::Arc::new(Inner {
        time: ManualClock::new(),
        manager: OnceLock::new(),
        reads: AtomicUsize::new(0),
    }));
    let gate = Gate::default();
    let (manager, mut driver) = TokenManager::builder(gate.clone()).build(&clock);
    clock.0.manager.set(manager.clone()).unwrap();
    let waker = futures::task::noop_waker();
    let mut poll = || {
        let poll = Pin::new(&mut driver).poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
        let reads = clock.0.reads.load(Ordering::SeqCst);
        assert!(reads < 100, "the driver does not yield");
    };
    poll();
    gate.answer(numbered(1, hours(1)));
    poll();
    assert_eq!(manager.status().state, ManagerState::Valid);
}

#[test]
fn an_observer_that_refreshes_at_every_event_makes_no_loop() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n % 3 {
        0 => Err(down()),
        _ => numbered(n, hours(1)),
    });
    let handle: std::sync::Arc<OnceLock<redis_authx::Credentials>> = Default::default();
    let credentials = std::sync::Arc::clone(&handle);
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.observer(move |_: &redis_authx::Event| {
            if let Some(credentials) = credentials.get() {
                credentials.refresh();
            }
        })
    });
    handle.set(rig.manager.credentials()).unwrap();
    rig.manager.refresh();
    rig.run.advance(hours(1));
    let requests = source.requests();
    // Once a second, and the retries between.
    assert!((3000..=5500).contains(&requests), "{requests}");
}

#[test]
fn a_static_token_of_limited_life_is_asked_for_every_quarter() {
    let identity = StaticToken::new(Token::new("user", "password").expires_in(hours(1)));
    let time = ManualClock::new();
    let mut rig = rig_with(&time, identity, |builder| builder);
    rig.run.advance(hours(24));
    let status = rig.manager.status();
    assert_eq!((status.state, status.generation), (ManagerState::Valid, 1));
    assert!(
        (90..100).contains(&status.refreshes),
        "{}",
        status.refreshes
    );
}
