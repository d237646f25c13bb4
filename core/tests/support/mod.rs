//! What several test programs use.

#![allow(dead_code)] // not every program uses all of it

pub(crate) mod clocks;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use redis_authx::testing::{EventLog, ManualClock, Run, millis};
use redis_authx::{
    Clock, ExponentialBackoff, IdentityProvider, ProviderError, RefreshPolicy,
    RefreshPolicyBuilder, RequestReason, Token, TokenManager, TokenManagerBuilder, TokenRequest,
    async_trait,
};

pub(crate) type Answer = Result<Token, ProviderError>;

/// A manager under a manual clock, and all that a test looks at.
pub(crate) struct Rig {
    pub(crate) time: ManualClock,
    pub(crate) run: Run,
    pub(crate) manager: TokenManager,
    pub(crate) events: EventLog,
}

/// Builds a manager without any jitter before a renewal, and runs it.
pub(crate) fn rig(identity: impl IdentityProvider) -> Rig {
    rig_with(&ManualClock::new(), identity, |builder| builder)
}

/// As [`rig`], on this clock and with these settings.
pub(crate) fn rig_with(
    time: &ManualClock,
    identity: impl IdentityProvider,
    settings: impl FnOnce(TokenManagerBuilder) -> TokenManagerBuilder,
) -> Rig {
    let events = EventLog::new();
    let builder = TokenManager::builder(identity)
        .refresh_policy(exact(|policy| policy))
        .retry_policy(backoff(5, millis(100), millis(1000)))
        .observer(events.clone())
        .seed(7);
    let (manager, driver) = settings(builder).build(time);
    Rig {
        time: time.clone(),
        run: time.run(driver),
        manager,
        events,
    }
}

impl Rig {
    /// The password in hand.
    pub(crate) fn password(&self) -> Option<String> {
        let token = self.manager.credentials().current().ok()?;
        Some(token.password().to_owned())
    }
}

/// A refresh policy without jitter.
pub(crate) fn exact(
    settings: impl FnOnce(RefreshPolicyBuilder) -> RefreshPolicyBuilder,
) -> RefreshPolicy {
    settings(RefreshPolicy::builder().refresh_jitter(0.0))
        .build()
        .expect("valid settings")
}

/// A doubling backoff without jitter.
pub(crate) fn backoff(attempts: u32, initial: Duration, max: Duration) -> ExponentialBackoff {
    ExponentialBackoff::builder()
        .max_attempts(attempts)
        .initial_delay(initial)
        .max_delay(max)
        .jitter(0.0)
        .build()
        .expect("valid settings")
}

/// A token named after the request that brought it.
pub(crate) fn numbered(request: usize, lifetime: Duration) -> Answer {
    Ok(Token::new("user", format!("token-{request}")).expires_in(lifetime))
}

pub(crate) fn down() -> ProviderError {
    ProviderError::unavailable("down")
}

/// Answers request `n` (from 1) with a function of `n`, and notes when and why
/// each request came. Clones share the notes.
#[derive(Clone)]
pub(crate) struct Source {
    clock: ManualClock,
    start: Instant,
    times: Arc<Mutex<Vec<Duration>>>,
    reasons: Arc<Mutex<Vec<RequestReason>>>,
    answer: Arc<dyn Fn(usize) -> Answer + Send + Sync>,
}

impl Source {
    pub(crate) fn new(
        clock: &ManualClock,
        answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock: clock.clone(),
            start: clock.now(),
            times: Arc::default(),
            reasons: Arc::default(),
            answer: Arc::new(answer),
        }
    }

    /// When the requests came, from the start.
    pub(crate) fn times(&self) -> Vec<Duration> {
        self.times.lock().expect("whole").clone()
    }

    /// Why they came.
    pub(crate) fn reasons(&self) -> Vec<RequestReason> {
        self.reasons.lock().expect("whole").clone()
    }

    /// The waits between them, in milliseconds.
    pub(crate) fn gaps(&self) -> Vec<u128> {
        let times = self.times();
        times
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_millis())
            .collect()
    }

    pub(crate) fn requests(&self) -> usize {
        self.times().len()
    }

    /// Upgrades for as long as one of its clones lives.
    pub(crate) fn alive(&self) -> Weak<Mutex<Vec<Duration>>> {
        Arc::downgrade(&self.times)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

#[async_trait]
impl IdentityProvider for Source {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Answer {
        self.reasons.lock().expect("whole").push(request.reason());
        let number = {
            let mut times = self.times.lock().expect("whole");
            times.push(self.clock.now() - self.start);
            times.len()
        };
        (self.answer)(number)
    }
}

/// Each request waits until the test answers it. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<GateInner>);

#[derive(Debug, Default)]
struct GateInner {
    open: Mutex<Vec<oneshot::Sender<Answer>>>,
    requests: AtomicUsize,
}

impl Gate {
    /// Answers the request that is waiting.
    pub(crate) fn answer(&self, answer: Answer) {
        let sender = self.0.open.lock().expect("whole").pop();
        sender
            .expect("a request is waiting")
            .send(answer)
            .expect("and was not cancelled");
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.requests.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl IdentityProvider for Gate {
    async fn request_token(&self, _: &TokenRequest<'_>) -> Answer {
        let (sender, answer) = oneshot::channel();
        self.0.open.lock().expect("whole").push(sender);
        self.0.requests.fetch_add(1, Ordering::SeqCst);
        answer.await.unwrap_or_else(|_| Err(down()))
    }
}
