use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use redis_authx::{Clock, ErrorKind, Sleep};
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_entraid::{DeviceSignIn, EntraIdentity, SignInError};

use crate::contract::{Flow, identity_contract};
use crate::support::{everything, token};

/// A person who has signed in on another device, and is away by now.
struct DeviceCode;

impl Flow for DeviceCode {
    type Identity = EntraIdentity;

    async fn identity(emulator: &Emulator) -> EntraIdentity {
        emulator.device_code_identity(&Hurry::new()).await.unwrap()
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        emulator.sign_ins().secrets_given_out()
    }
}

identity_contract!(DeviceCode);

/// A clock on which every sleep is over at once, and that remembers them. At
/// the sleep whose turn it is, something happens.
#[derive(Clone)]
struct Hurry(Arc<Mutex<Inner>>);

type Happens = Box<dyn FnOnce() + Send>;

struct Inner {
    now: Instant,
    slept: Vec<u64>,
    happens: Vec<(usize, Happens)>,
}

impl Hurry {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            now: Instant::now(),
            slept: Vec::new(),
            happens: Vec::new(),
        })))
    }

    fn at(&self, sleep: usize, happens: impl FnOnce() + Send + 'static) {
        self.0
            .lock()
            .unwrap()
            .happens
            .push((sleep, Box::new(happens)));
    }

    /// In seconds.
    fn slept(&self) -> Vec<u64> {
        self.0.lock().unwrap().slept.clone()
    }
}

impl std::fmt::Debug for Hurry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hurry").finish_non_exhaustive()
    }
}

impl Clock for Hurry {
    fn now(&self) -> Instant {
        self.0.lock().unwrap().now
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        let mut inner = self.0.lock().unwrap();
        let slept = deadline.saturating_duration_since(inner.now);
        inner.slept.push(slept.as_secs());
        inner.now += slept;
        let turn = inner.slept.len();
        let due = inner.happens.extract_if(.., |(at, _)| *at == turn);
        let due: Vec<_> = due.collect();
        drop(inner);
        due.into_iter().for_each(|(_, happens)| happens());
        Sleep::new(std::future::ready(()))
    }
}

async fn begun() -> (Arc<Emulator>, DeviceSignIn, Hurry) {
    let emulator = Emulator::builder().start().await.unwrap();
    let sign_in = emulator.device_code().unwrap().begin().await.unwrap();
    (Arc::new(emulator), sign_in, Hurry::new())
}

#[tokio::test]
async fn what_is_shown_is_what_the_person_needs() {
    let (emulator, sign_in, _) = begun().await;
    assert_eq!(emulator.sign_ins().user_codes(), [sign_in.user_code()]);
    assert!(
        sign_in
            .verification_uri()
            .starts_with(emulator.identity_url())
    );
    assert!(sign_in.message().contains(sign_in.user_code()));
    assert!(sign_in.message().contains(sign_in.verification_uri()));
    assert_eq!(sign_in.expires_in(), Duration::from_secs(900));
    let shown = format!("{sign_in:?}{sign_in:#?}");
    for secret in emulator.sign_ins().secrets_given_out() {
        assert!(!shown.contains(&secret), "{shown}");
    }
}

#[tokio::test]
async fn it_asks_at_the_interval_and_more_slowly_when_told_so() {
    let (emulator, sign_in, clock) = begun().await;
    let code = sign_in.user_code().to_owned();
    let told = Arc::clone(&emulator);
    clock.at(3, move || told.sign_ins().slow_down_next(1));
    let approved = Arc::clone(&emulator);
    clock.at(5, move || {
        assert!(approved.sign_ins().approve_device(&code))
    });
    token(&sign_in.finish(&clock).await.unwrap()).await;
    assert_eq!(clock.slept(), [1, 1, 1, 6, 6]);
}

#[tokio::test]
async fn a_service_that_is_down_is_asked_again_ever_more_slowly() {
    let (emulator, sign_in, clock) = begun().await;
    let code = sign_in.user_code().to_owned();
    emulator.identity().fail_next(8, Fault::ServerError(503));
    let throttled = Arc::clone(&emulator);
    clock.at(9, move || {
        let retry_after = Duration::from_secs(90);
        throttled
            .identity()
            .fail_next(1, Fault::Throttled { retry_after });
    });
    let approved = Arc::clone(&emulator);
    clock.at(11, move || {
        assert!(approved.sign_ins().approve_device(&code))
    });
    token(&sign_in.finish(&clock).await.unwrap()).await;
    assert_eq!(clock.slept(), [1, 2, 4, 8, 16, 32, 60, 60, 60, 90, 1]);
}

#[tokio::test]
async fn who_declines_or_comes_too_late_is_told_apart() {
    let (emulator, sign_in, clock) = begun().await;
    emulator.sign_ins().decline_device(sign_in.user_code());
    let error = sign_in.finish(&clock).await.unwrap_err();
    assert!(matches!(error, SignInError::Cancelled), "{error}");

    let (emulator, sign_in, clock) = begun().await;
    emulator.sign_ins().expire_codes();
    let error = sign_in.finish(&clock).await.unwrap_err();
    assert!(matches!(error, SignInError::TimedOut), "{error}");

    // And where the service never says so, the end comes all the same.
    let (emulator, sign_in, clock) = begun().await;
    emulator.identity().set_fault(Some(Fault::ServerError(500)));
    let SignInError::Provider(error) = sign_in.finish(&clock).await.unwrap_err() else {
        panic!("the service is down");
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(clock.slept().iter().sum::<u64>(), 900);
}

#[tokio::test]
async fn a_code_is_good_for_one_sign_in() {
    let (emulator, sign_in, clock) = begun().await;
    emulator.sign_ins().approve_device(sign_in.user_code());
    sign_in.finish(&clock).await.unwrap();
    let error = sign_in.finish(&clock).await.unwrap_err();
    assert!(matches!(error, SignInError::TimedOut), "{error}");
}

#[tokio::test]
async fn a_service_that_gives_no_code_is_classified() {
    let emulator = Emulator::builder().start().await.unwrap();
    let flow = emulator.device_code().unwrap();
    emulator.identity().set_outage(true);
    let SignInError::Provider(error) = flow.begin().await.unwrap_err() else {
        panic!("the service is down");
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    emulator.identity().set_outage(false);

    let flow = flow.scope("https://vault.azure.net/.default");
    let SignInError::Provider(error) = flow.begin().await.unwrap_err() else {
        panic!("the scope is unknown");
    };
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(everything(&error).contains("AADSTS500011"));

    let error = flow.scope("user.read").begin().await.unwrap_err();
    let SignInError::Config(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.field(), "scope");
}
