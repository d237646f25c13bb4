//! The cache of `azure_identity`, under a token manager in manual time.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use common::*;
use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{Clock, Moment, TokenManager, async_trait};
use redis_authx_azure_identity::AzureIdentity;

/// As `azure_identity` 1.0 has it (`cache.rs`): the same token until five
/// minutes before it expires, then a new one; and the old one is forgotten even
/// if that fails.
#[derive(Debug)]
struct Caching {
    time: ManualClock,
    lifetime: Duration,
    held: Mutex<Option<AccessToken>>,
    calls: AtomicUsize,
    issued: AtomicUsize,
    /// How many of the next requests for a new token fail.
    failures: AtomicUsize,
}

impl Caching {
    fn new(time: &ManualClock, lifetime: Duration) -> Arc<Self> {
        Arc::new(Self {
            time: time.clone(),
            lifetime,
            held: Mutex::default(),
            calls: AtomicUsize::new(0),
            issued: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
        })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn issued(&self) -> usize {
        self.issued.load(Ordering::SeqCst)
    }

    fn now(&self) -> SystemTime {
        Clock::wall(&self.time)
    }
}

#[async_trait]
impl TokenCredential for Caching {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let now = i64::try_from(epoch(self.now())).expect("a date");
        let mut held = self.held.lock().expect("no test panicked");
        if let Some(token) = &*held
            && token.expires_on > date(now + 300)
        {
            return Ok(token.clone());
        }
        let fails = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if self.failures.fetch_update(order, order, fails).is_ok() {
            return Err(Error::with_message(ErrorKind::Credential, "AADSTS90033"));
        }
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let exp = now + i64::try_from(self.lifetime.as_secs()).expect("a lifetime");
        let text = jwt(&format!(r#"{{"oid":"{OID}","exp":{exp},"uti":{number}}}"#));
        let token = AccessToken::new(text, date(exp));
        *held = Some(token.clone());
        Ok(token)
    }
}

/// A day's worth: every second a token is held, and renewed in time.
fn a_day(lifetime: Duration) -> (Arc<Caching>, u64) {
    let time = ManualClock::new();
    let credential = Caching::new(&time, lifetime);
    let (manager, driver) =
        TokenManager::builder(AzureIdentity::new(Arc::<Caching>::clone(&credential))).build(&time);
    let mut run = time.run(driver);
    let credentials = manager.credentials();
    let least = lifetime.min(minutes(4)) / 8;
    let end = credential.now() + hours(24);
    while credential.now() < end {
        run.advance(seconds(5));
        let token = credentials.current().expect("a token at any time");
        let left = token
            .time_left(Moment::now(&credential.time))
            .expect("it expires");
        assert!(left >= least, "{left:?} left of {lifetime:?}");
    }
    (credential, credentials.generation())
}

#[test]
fn a_cached_token_is_renewed_in_time_without_a_loop() {
    for (lifetime, calls_each) in [(hours(1), 8), (minutes(90), 9), (hours(12), 16)] {
        let (credential, generation) = a_day(lifetime);
        // Each token that was issued is a rotation, and each rotation a new
        // token: nobody re-authenticates for one that he has.
        let issued = credential.issued();
        assert_eq!(generation, issued as u64, "{lifetime:?}");
        let life = lifetime.as_secs() as usize;
        let needed = 86_400 / life;
        assert!(
            (needed..=needed + needed / 8 + 2).contains(&issued),
            "{issued} of {lifetime:?}"
        );
        let calls = credential.calls();
        assert!(
            calls <= issued * calls_each,
            "{calls} calls, {issued} tokens of {lifetime:?}"
        );
    }
}

#[test]
fn a_token_too_short_to_be_cached_makes_no_loop() {
    let (credential, generation) = a_day(minutes(4));
    assert_eq!(credential.calls(), credential.issued());
    assert_eq!(generation, credential.issued() as u64);
    // The lower bound of three minutes leaves one; jitter takes a twentieth.
    let most = 86_400 / 57 + 1;
    assert!(credential.issued() <= most, "{}", credential.issued());
}

#[test]
fn a_renewal_that_fails_leaves_the_token_in_use() {
    let time = ManualClock::new();
    let credential = Caching::new(&time, hours(1));
    let (manager, driver) =
        TokenManager::builder(AzureIdentity::new(Arc::<Caching>::clone(&credential))).build(&time);
    let mut run = time.run(driver);
    let credentials = manager.credentials();
    let first = credentials.current().expect("a token");
    credential.failures.store(2, Ordering::SeqCst);
    while credentials.generation() == 1 {
        run.advance(seconds(1));
        let token = credentials.current().expect("the old token or the new one");
        assert!(token.time_left(Moment::now(&credential.time)) > Some(minutes(3)));
    }
    assert_eq!(credential.failures.load(Ordering::SeqCst), 0, "it did fail");
    assert_ne!(
        credentials.current().expect("a token").password(),
        first.password()
    );
}
