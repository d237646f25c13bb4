use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis::AsyncConnectionConfig;
use redis_authx::{
    ConnectionId, Event, ExponentialBackoff, IdentityProvider, ManagerState, ReauthPolicy,
    ReauthPolicyBuilder, RefreshPolicy, TokenManager,
};
use redis_authx_emulator::{Emulator, SentinelAuth, Store};
use redis_authx_redis::{AuthClient, AuthConnection};

use crate::WrongClock;

/// Nothing here takes longer, on a machine however busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator before a real redis-server, and all that logs in to it.
#[derive(Debug)]
pub struct Bed {
    /// The identity service and the Redis.
    pub emulator: Emulator,
    /// The token manager.
    pub manager: TokenManager,
    /// The client of that Redis.
    pub client: AuthClient,
    events: Arc<Mutex<Vec<Event>>>,
}

/// Sets up a [`Bed`]; by default tokens live for 6 s and are renewed after 2 s:
/// an `AUTH` has 3 s.
#[derive(Debug)]
pub struct BedBuilder {
    lifetime: Duration,
    ratio: f64,
    request_timeout: Duration,
    min_refresh_interval: Duration,
    reauth: ReauthPolicyBuilder,
    resp3: bool,
    store: Store,
    sentinel_login: SentinelAuth,
    program: String,
    clock: WrongClock,
}

impl BedBuilder {
    /// What sentinels want to be told; by default nothing.
    #[must_use]
    pub fn sentinel_login(mut self, login: SentinelAuth) -> Self {
        self.sentinel_login = login;
        self
    }

    /// What is behind the gateway; by default one redis-server.
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// The server's program; by default the one on the `PATH`.
    #[must_use]
    pub fn redis_server_program(mut self, program: &str) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// How long tokens live.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The share of their life after which tokens are renewed.
    #[must_use]
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// How connections get the new token.
    #[must_use]
    pub fn reauth(mut self, policy: ReauthPolicyBuilder) -> Self {
        self.reauth = policy;
        self
    }

    /// A rotation every 1.5 s or so, of tokens that a test outlives in six of them;
    /// an `AUTH` has nearly 5 s.
    #[must_use]
    pub fn outlived(self) -> Self {
        self.lifetime(Duration::from_secs(8))
            .ratio(0.19)
            .reauth(prompt())
    }

    /// A rotation every two seconds or so, of tokens that outlive a stall of the
    /// machine by far; see [`prompt`].
    #[must_use]
    pub fn calm(self) -> Self {
        self.lifetime(Duration::from_secs(60))
            .ratio(0.03)
            .reauth(prompt())
    }

    /// Tokens that are renewed long before they expire, and often, about every
    /// 0.3 s: a busy machine has time, and a test many rotations.
    #[must_use]
    pub fn frequent(self) -> Self {
        self.lifetime(Duration::from_secs(60))
            .ratio(0.005)
            .min_refresh_interval(Duration::from_millis(50))
    }

    /// How long one token request may take.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = limit;
        self
    }

    /// Makes rotations quick: tokens rotate when they are told to, a thousand
    /// times a second if need be, and a connection that has not taken the new
    /// one at once, within 30 ms, is replaced.
    #[must_use]
    pub fn brisk(mut self) -> Self {
        self.min_refresh_interval = Duration::from_millis(1);
        self.reauth = self.reauth.stagger(0.0).replace_after(0.000_25);
        self.lifetime(Duration::from_secs(120))
    }

    /// The shortest time between two tokens.
    #[must_use]
    pub fn min_refresh_interval(mut self, interval: Duration) -> Self {
        self.min_refresh_interval = interval;
        self
    }

    /// What this machine takes for the time.
    #[must_use]
    pub fn clock(mut self, clock: &WrongClock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Speaks RESP3.
    #[must_use]
    pub fn resp3(mut self) -> Self {
        self.resp3 = true;
        self
    }

    /// Starts everything.
    pub async fn start(self) -> Bed {
        self.start_with(|_| {}).await
    }

    /// Starts everything, with `prepare` called before the first request.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start_with(self, prepare: impl FnOnce(&Emulator)) -> Bed {
        self.start_as(async |emulator: &Emulator| {
            prepare(emulator);
            emulator.client_secret_identity().expect("an identity")
        })
        .await
    }

    /// Starts everything, and signs in with what `identity` makes.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start_as<P: IdentityProvider>(
        self,
        identity: impl AsyncFnOnce(&Emulator) -> P,
    ) -> Bed {
        let emulator = Emulator::builder()
            .token_lifetime(self.lifetime)
            .store(self.store)
            .sentinel_login(self.sentinel_login)
            .redis_server_program(self.program)
            .start()
            .await
            .expect("the emulator starts");
        let identity = identity(&emulator).await;
        let refresh = RefreshPolicy::builder()
            .expiration_refresh_ratio(self.ratio)
            .request_timeout(self.request_timeout)
            .min_refresh_interval(self.min_refresh_interval)
            .build()
            .expect("a policy");
        let retry = ExponentialBackoff::builder()
            .max_attempts(3)
            .initial_delay(Duration::from_millis(100))
            .build()
            .expect("a policy");
        let events = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&events);
        let manager = TokenManager::builder(identity)
            .refresh_policy(refresh)
            .retry_policy(retry)
            .observer(move |event: &Event| log.lock().expect("no panic").push(event.clone()))
            .spawn(self.clock)
            .expect("a manager");
        let protocol = if self.resp3 { "?protocol=resp3" } else { "" };
        let url = format!("{}/{protocol}", emulator.redis_url().trim_end_matches('/'));
        let client = AuthClient::builder(url, manager.credentials())
            .reauth_policy(self.reauth.build().expect("a policy"))
            .build()
            .expect("a client");
        Bed {
            emulator,
            manager,
            client,
            events,
        }
    }
}

impl Bed {
    /// Begins to set one up.
    #[must_use]
    pub fn builder() -> BedBuilder {
        BedBuilder {
            lifetime: Duration::from_secs(6),
            ratio: 1.0 / 3.0,
            request_timeout: Duration::from_secs(10),
            min_refresh_interval: Duration::from_secs(1),
            reauth: ReauthPolicy::builder(),
            resp3: false,
            store: Store::RedisServer,
            sentinel_login: SentinelAuth::None,
            program: "redis-server".to_owned(),
            clock: WrongClock::default(),
        }
    }

    /// Opens a connection whose commands fail at once when it is lost.
    ///
    /// # Panics
    /// When it can't be opened.
    pub async fn multiplexed(&self) -> AuthConnection {
        let opened = self.client.multiplexed_with_config(patient()).await;
        opened.expect("a connection")
    }

    /// Opens a connection whose commands wait when it is lost.
    ///
    /// # Panics
    /// When it can't be opened.
    pub async fn waiting(&self) -> AuthConnection {
        let opened = self.client.manager_with_config(patient()).await;
        opened.expect("a connection")
    }

    /// Everything that has happened so far.
    ///
    /// # Panics
    /// When another thread panicked in here.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().expect("no panic").clone()
    }

    /// How many events are like that.
    ///
    /// # Panics
    /// When another thread panicked in here.
    pub fn count(&self, like: impl Fn(&Event) -> bool) -> usize {
        let events = self.events.lock().expect("no panic");
        events.iter().filter(|event| like(event)).count()
    }

    /// New tokens after the first.
    pub fn rotations(&self) -> usize {
        self.count(|event| matches!(event, Event::TokenRefreshed { .. }))
            .saturating_sub(1)
    }

    /// Waits until `reached`; every wait in these tests is for something.
    ///
    /// # Panics
    /// When it is not reached within a minute.
    pub async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !reached(self) {
            assert!(
                start.elapsed() < PATIENCE,
                "not reached: {what}; {:?}; {:#?}",
                self.manager.status(),
                self.events()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for `count` more rotations.
    pub async fn rotate(&self, count: usize) {
        let before = self.rotations();
        for target in before + 1..=before + count {
            self.until("a rotation", |bed| bed.rotations() >= target)
                .await;
        }
    }

    /// Has the token rotate now.
    pub async fn turn(&self) {
        let target = self.rotations() + 1;
        self.manager.refresh();
        self.until("a rotation", |bed| bed.rotations() >= target)
            .await;
    }

    /// Has one connection replaced: the next `AUTH` is slow, and it is the only
    /// one that is due.
    ///
    /// # Panics
    /// When none is replaced, often as it is tried.
    pub async fn replace(&self) {
        let before = self.replacements();
        // Whoever waits for it may be slower still, and find it answered.
        for _ in 0..20 {
            let answered = self.reauthentications();
            let slow = Duration::from_millis(200);
            self.emulator.redis().delay_next_auths(1, slow);
            self.turn().await;
            self.until("it is replaced", |bed| {
                bed.replacements() > before || bed.reauthentications() > answered
            })
            .await;
            if self.replacements() > before {
                return;
            }
        }
        panic!("none is replaced: {:#?}", self.events());
    }

    fn reauthentications(&self) -> usize {
        self.count(|event| matches!(event, Event::Reauthenticated { .. }))
    }

    /// Connections that were replaced.
    pub fn replacements(&self) -> usize {
        self.count(|event| matches!(event, Event::Replaced { .. }))
    }

    /// How often a connection has got a newer token.
    pub fn renewals(&self, of: ConnectionId) -> usize {
        self.count(|event| match event {
            Event::Reauthenticated { connection, .. } | Event::Replaced { connection, .. } => {
                *connection == of
            }
            _ => false,
        })
    }

    /// Waits until these connections have the newest token.
    pub async fn settled(&self, connections: &[AuthConnection]) {
        self.until("all connections have the newest token", |bed| {
            let manager = bed.manager.status();
            let newest = |connection: &AuthConnection| {
                let status = connection.status();
                status.generation == manager.generation && status.last_error.is_none()
            };
            manager.state == ManagerState::Valid && connections.iter().all(newest)
        })
        .await;
    }

    /// The generation that all are logged in with once they are `settled`, and the
    /// `AUTH`s up to it.
    pub async fn tally(&self, settled: impl AsyncFn()) -> (u64, u64) {
        loop {
            let generation = self.manager.status().generation;
            settled().await;
            let auths = self.emulator.redis().auths();
            // Or the next token has come meanwhile.
            if self.manager.status().generation == generation {
                return (generation, auths);
            }
        }
    }
}

/// For rotations that follow each other long before tokens expire: an `AUTH`
/// does not wait for the next.
#[must_use]
pub fn prompt() -> ReauthPolicyBuilder {
    ReauthPolicy::builder().stagger(0.01)
}

/// Time limits that only a server that stalls runs into, not a busy machine;
/// redis-rs's own are 500 ms for a reply and 1 s for a connection.
#[must_use]
pub fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE))
}
