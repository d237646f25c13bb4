//! Scripted sessions, and what they were asked to do.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use redis_authx::testing::{EventLog, ManualClock, Run, hours, millis, minutes, seconds};
use redis_authx::{
    Clock, ConnectionStatus, ReauthError, ReauthErrorKind, ReauthPolicy, Token, TokenManager,
    async_trait,
};
use redis_authx_session::{Reauthenticator, Registration, Session};

use crate::support::{Answer, Source, backoff, exact, numbered};

/// When an hourly token is renewed.
pub(crate) const ROTATION: Duration = minutes(45);
/// Three quarters of the time left at the rotation.
pub(crate) const REPLACED_AT: Duration = Duration::from_secs(45 * 60 + 15 * 60 * 3 / 4);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Auth,
    Replace,
}

/// How a session answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    Done,
    DoneAfter(Duration),
    /// Done, and the connection is gone again by then.
    DoneAndGone,
    Fail(ReauthErrorKind),
    Hang,
    Panic,
    /// Never done, and a panic when it is given up.
    PanicWhenDropped,
}

/// One thing that one session was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) at: Duration,
    pub(crate) session: usize,
    pub(crate) act: Act,
    pub(crate) generation: u64,
}

/// What all sessions were asked, and how many are at it.
#[derive(Default)]
struct Log {
    asked: Mutex<Vec<Asked>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

type Script = dyn Fn(Act, usize) -> Reply + Send + Sync;

pub(crate) struct Fake {
    clock: ManualClock,
    start: Instant,
    number: usize,
    log: Arc<Log>,
    script: Box<Script>,
    calls: AtomicUsize,
    connected: AtomicBool,
    registration: Mutex<Option<Registration>>,
}

/// Sessions under one re-authenticator and one manager.
pub(crate) struct Fleet {
    pub(crate) time: ManualClock,
    pub(crate) run: Run,
    pub(crate) manager: TokenManager,
    pub(crate) events: EventLog,
    pub(crate) source: Source,
    pub(crate) reauth: Reauthenticator,
    start: Instant,
    sessions: AtomicUsize,
    log: Arc<Log>,
}

impl Fleet {
    /// Hourly tokens and retries without jitter.
    pub(crate) fn without_jitter() -> Self {
        let policy = ReauthPolicy::builder()
            .backoff(backoff(1, millis(100), seconds(5)))
            .build();
        Self::with(&ManualClock::new(), policy.expect("valid settings"), |n| {
            numbered(n, hours(1))
        })
    }

    /// With tokens of this life for ever.
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self::with(&ManualClock::new(), ReauthPolicy::default(), move |n| {
            numbered(n, lifetime)
        })
    }

    pub(crate) fn with(
        time: &ManualClock,
        policy: ReauthPolicy,
        answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let source = Source::new(time, answer);
        let events = EventLog::new();
        let manager = TokenManager::builder(source.clone())
            .refresh_policy(exact(|policy| policy))
            .retry_policy(backoff(
                5,
                Duration::from_millis(100),
                Duration::from_secs(1),
            ))
            .observer(events.clone())
            .seed(7)
            .spawn(time.clone())
            .expect("valid settings");
        let credentials = manager.credentials();
        let runtime = credentials.runtime().expect("spawned");
        let run = time.run(async {});
        let reauth = Reauthenticator::spawn(&credentials, policy, runtime).expect("a runtime");
        Self {
            time: time.clone(),
            run,
            events,
            source,
            reauth,
            start: time.now(),
            sessions: AtomicUsize::new(0),
            log: Arc::default(),
            manager,
        }
    }

    /// A session that answers like this, the calls counted from 1; logged in
    /// with the token in hand.
    pub(crate) fn join(
        &self,
        script: impl Fn(Act, usize) -> Reply + Send + Sync + 'static,
    ) -> Arc<Fake> {
        let token = self.manager.credentials().current().expect("a token");
        self.join_with(&token, script)
    }

    pub(crate) fn join_with(
        &self,
        token: &Token,
        script: impl Fn(Act, usize) -> Reply + Send + Sync + 'static,
    ) -> Arc<Fake> {
        let session = Arc::new(Fake {
            clock: self.time.clone(),
            start: self.start,
            number: self.sessions.fetch_add(1, Ordering::SeqCst),
            log: Arc::clone(&self.log),
            script: Box::new(script),
            calls: AtomicUsize::new(0),
            connected: AtomicBool::new(true),
            registration: Mutex::new(None),
        });
        let weak: Weak<dyn Session> = Arc::<Fake>::downgrade(&session) as _;
        let registration = self.reauth.register(weak, token);
        *session.registration.lock().expect("whole") = Some(registration);
        session
    }

    /// What was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.log.asked.lock().expect("whole"))
    }

    /// The same, for a fleet of one session.
    pub(crate) fn acts(&self) -> Vec<(Duration, Act)> {
        let asked = self.asked();
        assert!(asked.iter().all(|asked| asked.session == 0));
        asked.iter().map(|asked| (asked.at, asked.act)).collect()
    }

    pub(crate) fn open(&self) -> usize {
        self.log.open.load(Ordering::SeqCst)
    }

    pub(crate) fn most_open(&self) -> usize {
        self.log.most_open.load(Ordering::SeqCst)
    }
}

impl Fake {
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// The server, or the network, ends the connection.
    pub(crate) fn disconnect(&self) {
        self.vanish();
        self.tell_lost();
    }

    /// The same, and nobody says so.
    pub(crate) fn vanish(&self) {
        self.connected.store(false, Ordering::SeqCst);
    }

    pub(crate) fn tell_lost(&self) {
        self.registered(Registration::lost);
    }

    /// The session has given the connection up by itself.
    pub(crate) fn give_up(&self, why: ReauthErrorKind) {
        self.vanish();
        self.registered(|registration| registration.lost_by(why.into()));
    }

    pub(crate) fn tell_ready(&self) {
        self.registered(Registration::ready);
    }

    /// A command is sent on the connection.
    pub(crate) fn is_used(&self) {
        self.registered(Registration::check_clock);
    }

    pub(crate) fn status(&self) -> ConnectionStatus {
        self.registered(Registration::status)
    }

    pub(crate) fn take_registration(&self) -> Registration {
        let registration = self.registration.lock().expect("whole").take();
        registration.expect("registered")
    }

    pub(crate) fn unregister(&self) {
        drop(self.take_registration());
    }

    fn registered<R>(&self, with: impl FnOnce(&Registration) -> R) -> R {
        with(
            self.registration
                .lock()
                .expect("whole")
                .as_ref()
                .expect("registered"),
        )
    }

    async fn asked(&self, act: Act, token: &Token) -> Result<(), ReauthError> {
        let _open = Open::new(&self.log);
        self.log.asked.lock().expect("whole").push(Asked {
            at: self.clock.now() - self.start,
            session: self.number,
            act,
            generation: token.generation(),
        });
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match (self.script)(act, call) {
            Reply::Done => {}
            Reply::DoneAfter(wait) => {
                self.clock.sleep_until(self.clock.now() + wait).await;
            }
            Reply::DoneAndGone => return Ok(()),
            Reply::Fail(kind) => return Err(kind.into()),
            Reply::Hang => std::future::pending().await,
            Reply::Panic => panic!("the script says so"),
            Reply::PanicWhenDropped => {
                let _panics = PanicsWhenDropped;
                std::future::pending().await
            }
        }
        if act == Act::Replace {
            self.connected.store(true, Ordering::SeqCst);
        }
        Ok(())
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fake({})", self.number)
    }
}

#[async_trait]
impl Session for Fake {
    fn is_connected(&self) -> bool {
        self.connected.load(Ordering::SeqCst)
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        self.asked(Act::Auth, token).await
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        self.asked(Act::Replace, token).await
    }
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("the script says so");
    }
}

struct Open(Arc<Log>);

impl Open {
    fn new(log: &Arc<Log>) -> Self {
        let open = log.open.fetch_add(1, Ordering::SeqCst) + 1;
        log.most_open.fetch_max(open, Ordering::SeqCst);
        Self(Arc::clone(log))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Always done.
pub(crate) fn done(_: Act, _: usize) -> Reply {
    Reply::Done
}

/// Fails like this, `times` times, then done.
pub(crate) fn fails(
    times: usize,
    kind: ReauthErrorKind,
) -> impl Fn(Act, usize) -> Reply + Send + Sync + 'static {
    move |_, call| {
        if call <= times {
            Reply::Fail(kind)
        } else {
            Reply::Done
        }
    }
}

/// `AUTH` is answered like this, a replacement is done.
pub(crate) fn auth(reply: Reply) -> impl Fn(Act, usize) -> Reply + Send + Sync + 'static {
    move |act, _| match act {
        Act::Auth => reply,
        Act::Replace => Reply::Done,
    }
}
