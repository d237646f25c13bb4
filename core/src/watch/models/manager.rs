use std::future::pending;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use loom::future::block_on;
use loom::thread;

use super::explore;
use crate::{
    Clock, Credentials, Driver, Event, IdentityProvider, Observer, ProviderError, Sleep, Token,
    TokenError, TokenManager, TokenRequest, async_trait,
};

/// Two seconds later at every look, so that a refresh need not wait. No timer
/// ever fires: whoever waits must be woken.
#[derive(Clone, Debug)]
struct Hasty {
    start: Instant,
    looks: Arc<AtomicU64>,
}

impl Hasty {
    fn new() -> Self {
        Self {
            #[allow(clippy::disallowed_methods)] // any instant will do
            start: Instant::now(),
            looks: Arc::default(),
        }
    }

    fn passed(&self) -> Duration {
        Duration::from_secs(2 * self.looks.load(Ordering::Relaxed))
    }
}

impl Clock for Hasty {
    fn now(&self) -> Instant {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.start + self.passed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.passed()
    }

    fn sleep_until(&self, _: Instant) -> Sleep {
        Sleep::new(pending())
    }
}

/// Numbered tokens that never expire.
#[derive(Clone, Debug, Default)]
struct Numbered(Arc<AtomicUsize>);

impl Numbered {
    fn requests(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl IdentityProvider for Numbered {
    async fn request_token(&self, _: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Token::new("user", number.to_string()))
    }
}

fn manager(identity: &Numbered, observer: impl Observer) -> (TokenManager, Driver) {
    TokenManager::builder(identity.clone())
        .observer(observer)
        .seed(7)
        .build(&Hasty::new())
}

/// Reads to the end; returns the last generation that it saw.
fn read_all(mut credentials: Credentials) -> u64 {
    let mut seen = 0;
    loop {
        match block_on(credentials.changed()) {
            Ok(token) => {
                assert!(token.generation() > seen);
                seen = token.generation();
            }
            Err(error) => {
                assert!(matches!(error, TokenError::Stopped));
                return seen;
            }
        }
    }
}

#[test]
fn dropping_the_last_handle_ends_the_driver() {
    explore(8, || {
        let identity = Numbered::default();
        let (manager, driver) = manager(&identity, |_: &Event| {});
        let credentials = manager.credentials();
        let driver = thread::spawn(move || block_on(driver));
        let other = thread::spawn(move || drop(credentials));
        drop(manager);
        driver.join().unwrap();
        other.join().unwrap();
        assert!(identity.requests() <= 1);
    });
}

#[test]
fn a_refresh_is_never_lost() {
    explore(3, || {
        let identity = Numbered::default();
        let (manager, driver) = manager(&identity, |_: &Event| {});
        let mut credentials = manager.credentials();
        let driver = thread::spawn(move || block_on(driver));
        let first = block_on(credentials.changed()).unwrap();
        assert_eq!(first.generation(), 1);
        manager.refresh();
        let second = block_on(credentials.changed()).unwrap();
        assert_eq!(second.generation(), 2);
        drop((manager, credentials));
        driver.join().unwrap();
        assert_eq!(identity.requests(), 2);
    });
}

#[test]
fn a_refresh_that_is_awaited_completes() {
    explore(3, || {
        let identity = Numbered::default();
        let (manager, driver) = manager(&identity, |_: &Event| {});
        let driver = thread::spawn(move || block_on(driver));
        // With the first token, or with the one that it asked for.
        let token = block_on(manager.refresh()).unwrap();
        assert!((1..=2).contains(&token.generation()));
        drop(manager);
        driver.join().unwrap();
    });
}

#[test]
fn a_refresh_that_is_awaited_ends_with_the_manager() {
    explore(2, || {
        let identity = Numbered::default();
        let (manager, driver) = manager(&identity, |_: &Event| {});
        let refresh = manager.refresh();
        let reader = thread::spawn(move || block_on(refresh));
        let driver = thread::spawn(move || block_on(driver));
        manager.stop();
        let outcome = reader.join().unwrap();
        assert!(matches!(outcome, Ok(_) | Err(TokenError::Stopped)));
        driver.join().unwrap();
    });
}

#[test]
fn stop_reaches_every_reader_and_nothing_comes_after_it() {
    explore(2, || {
        let identity = Numbered::default();
        let after_stop = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&after_stop);
        let (manager, driver) = manager(&identity, move |event: &Event| {
            let mut after_stop = noted.lock().unwrap();
            if let Some(events) = &mut *after_stop {
                *events += 1;
            } else if matches!(event, Event::Stopped) {
                *after_stop = Some(0);
            }
        });
        let credentials = manager.credentials();
        let late = manager.credentials();
        let reader = thread::spawn(move || read_all(credentials));
        let driver = thread::spawn(move || block_on(driver));
        manager.stop();
        manager.refresh();
        let seen = reader.join().unwrap();
        driver.join().unwrap();
        assert!(seen as usize <= identity.requests());
        assert_eq!(*after_stop.lock().unwrap(), Some(0));
        assert!(matches!(late.current(), Err(TokenError::Stopped)));
        assert_eq!(read_all(late), 0);
    });
}

#[test]
fn a_reader_is_told_when_the_driver_is_dropped() {
    explore(8, || {
        let identity = Numbered::default();
        let (manager, driver) = manager(&identity, |_: &Event| {});
        let credentials = manager.credentials();
        let reader = thread::spawn(move || read_all(credentials));
        let dropper = thread::spawn(move || drop(driver));
        assert_eq!(reader.join().unwrap(), 0);
        dropper.join().unwrap();
        assert_eq!(identity.requests(), 0);
    });
}

#[test]
fn a_reader_that_ends_everything_from_within_its_task() {
    explore(8, || {
        let identity = Numbered::default();
        let (manager, driver) = manager(&identity, |_: &Event| {});
        let mut credentials = manager.credentials();
        drop(manager);
        let task = thread::spawn(move || {
            block_on(async move {
                let token = credentials.changed().await.unwrap();
                drop(credentials); // the last
                token.generation()
            })
        });
        block_on(driver);
        assert_eq!(task.join().unwrap(), 1);
        assert_eq!(identity.requests(), 1);
    });
}

#[test]
fn an_observer_that_drops_the_last_handle_ends_the_driver() {
    explore(8, || {
        let identity = Numbered::default();
        let held: Arc<Mutex<Vec<Credentials>>> = Arc::default();
        let taken = Arc::clone(&held);
        let (manager, driver) = manager(&identity, move |_: &Event| {
            let credentials = taken.lock().unwrap().pop();
            drop(credentials);
        });
        held.lock().unwrap().push(manager.credentials());
        let reader = thread::spawn({
            let credentials = manager.credentials();
            move || drop(credentials)
        });
        drop(manager);
        block_on(driver);
        reader.join().unwrap();
        assert!(held.lock().unwrap().is_empty());
    });
}
