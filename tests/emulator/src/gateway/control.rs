//! Steering and counting the Redis side.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time;

use super::{
    plan::{Plan, Refusal},
    registry::Registry,
    report::ConnectionRecord,
    verify::{AuthRefusal, Pass},
};
use crate::{EmulatorError, SentinelAuth, identity::issuer::Issuer, server::Backend};

/// Faults and counters of the Redis side, over all its nodes.
///
/// Got from [`Emulator::redis`](crate::Emulator::redis). Every method takes
/// effect at once and may be called from any thread.
pub struct RedisControl {
    pub(crate) counters: Arc<Counters>,
    pub(crate) registry: Registry,
    pub(crate) backend: Backend,
    pub(crate) issuer: Arc<Issuer>,
    /// If sentinels are behind it: what they want to be told.
    sentinels: Option<SentinelAuth>,
    plan: Mutex<Plan>,
}

impl RedisControl {
    pub(crate) fn new(backend: Backend, issuer: Arc<Issuer>) -> Self {
        Self {
            counters: Arc::default(),
            registry: Registry::default(),
            backend,
            issuer,
            sentinels: None,
            plan: Mutex::default(),
        }
    }

    pub(crate) fn of_sentinels(backend: Backend, issuer: Arc<Issuer>, login: SentinelAuth) -> Self {
        Self {
            sentinels: Some(login),
            ..Self::new(backend, issuer)
        }
    }

    /// Whether every reply may name nodes, as those of sentinels do.
    pub(crate) fn names_nodes(&self) -> bool {
        self.sentinels.is_some()
    }

    /// Whether log-ins are the backend's own affair.
    pub(crate) fn is_open(&self) -> bool {
        self.sentinels == Some(SentinelAuth::None)
    }

    /// Refuses the next `n` log-ins with `WRONGPASS`, good or not, on whatever
    /// connections they come. A second call replaces the first.
    pub fn refuse_next_auths(&self, n: u64) {
        self.refuse_next_auths_with(n, Refusal::WrongPass);
    }

    /// The same with another answer than `WRONGPASS`.
    pub fn refuse_next_auths_with(&self, n: u64, refusal: Refusal) {
        self.plan().refuse_next = (n, refusal);
    }

    /// The same of re-authentications alone: log-ins on connections that are logged
    /// in. Goes before [`refuse_next_auths`](Self::refuse_next_auths).
    pub fn refuse_next_reauths_with(&self, n: u64, refusal: Refusal) {
        self.plan().refuse_next_again = (n, refusal);
    }

    /// While `true`, a refused log-in gets no reply when the client still has
    /// replies to come, so that every later reply seems to answer the command
    /// before. `false`, the default: the server decides.
    ///
    /// redis-server 7.2 and later does so, 8.x included
    /// ([redis/redis#15640](https://github.com/redis/redis/issues/15640)), and
    /// Valkey did until
    /// [valkey#2287](https://github.com/valkey-io/valkey/pull/2287). There it
    /// depends on what the server reads at once; here on every reply that the
    /// gateway has not yet passed on, so that a test sees it each time.
    pub fn drop_refusals_behind_replies(&self, drop: bool) {
        self.plan().drop_behind_replies = drop;
    }

    /// Refuses every token issued before this call; newer ones are taken.
    /// Connections that are logged in stay so until their token expires.
    pub fn refuse_auth_until_fresh_token(&self) {
        self.plan().refused_until = self.issuer.latest_number();
    }

    /// As [`refuse_auth_until_fresh_token`](Self::refuse_auth_until_fresh_token),
    /// and closes the connections that live on one of those tokens.
    pub fn revoke_tokens_issued_until_now(&self) {
        let newest = self.issuer.latest_number();
        self.plan().refused_until = newest;
        for connection in self.registry.open() {
            let login = connection.session().login();
            if login.is_some_and(|login| login.token_number <= newest) {
                connection.kill.notify_one();
            }
        }
    }

    /// Each of the next `n` log-ins stalls its connection for `delay` before it
    /// is judged, as a slow server would: nothing sent after it is served
    /// before. Goes before [`set_auth_delay`](Self::set_auth_delay).
    pub fn delay_next_auths(&self, n: u64, delay: Duration) {
        self.plan().delay_next = (n, delay);
    }

    /// The same of re-authentications alone: log-ins on connections that are logged
    /// in. Goes before [`delay_next_auths`](Self::delay_next_auths).
    pub fn delay_next_reauths(&self, n: u64, delay: Duration) {
        self.plan().delay_next_again = (n, delay);
    }

    /// Every log-in stalls its connection for `delay`; zero, the default, ends it.
    pub fn set_auth_delay(&self, delay: Duration) {
        self.plan().delay = delay;
    }

    /// Has every connection closed, without a word. Returns before they are: a reply
    /// that is on its way may still arrive.
    pub fn drop_connections(&self) {
        for connection in self.registry.open() {
            connection.kill.notify_one();
        }
    }

    /// Like [`drop_connections`](Self::drop_connections), for the connections to this
    /// node, as [`ConnectionRecord::node`] has it.
    pub fn drop_node_connections(&self, node: usize) {
        for connection in self.registry.open() {
            if connection.route.node == node {
                connection.kill.notify_one();
            }
        }
    }

    /// While `true`, a new connection is closed as soon as it is made. Open
    /// ones stay.
    pub fn refuse_connections(&self, refuse: bool) {
        self.plan().refuse_connections = refuse;
    }

    /// Kills the `redis-server` children (if the store has some) and starts them
    /// on the same ports with their data; closes every connection. Of the other
    /// stores only the connections are closed.
    ///
    /// # Errors
    /// When `redis-server` does not come back.
    pub async fn restart_server(&self) -> Result<(), EmulatorError> {
        self.stop_server();
        self.start_server().await
    }

    /// Takes the server away until [`start_server`](Self::start_server): every
    /// connection is closed, and new ones are closed as soon as they are made.
    /// `redis-server` children are killed; their data stays on disk.
    pub fn stop_server(&self) {
        self.backend.stop();
        self.drop_connections();
    }

    /// Brings the server back. Does nothing if it runs.
    ///
    /// # Errors
    /// When `redis-server` does not come back.
    pub async fn start_server(&self) -> Result<(), EmulatorError> {
        self.backend.resume().await
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.registry.open_count()
    }

    /// Connections that were served, open or closed, not counting refused ones.
    pub fn connections_accepted(&self) -> u64 {
        self.registry.accepted()
    }

    /// Log-ins that Redis accepted, by `AUTH` or `HELLO … AUTH`.
    pub fn auths(&self) -> u64 {
        self.counters.auths.load(Relaxed)
    }

    /// Log-ins answered with an error.
    pub fn auths_refused(&self) -> u64 {
        self.counters.auths_refused.load(Relaxed)
    }

    /// `AUTH` and `HELLO` that Redis queued in a transaction, whatever became
    /// of it. A client that re-authenticates at any time must never let this
    /// happen.
    pub fn auths_in_transactions(&self) -> u64 {
        self.counters.auths_in_transactions.load(Relaxed)
    }

    /// Connections closed because their token had expired.
    pub fn closed_by_expiry(&self) -> u64 {
        self.counters.closed_by_expiry.load(Relaxed)
    }

    /// Commands passed to the store, log-ins included.
    pub fn commands(&self) -> u64 {
        self.counters.commands.load(Relaxed)
    }

    /// Log-ins under way now: they have arrived, and have no reply yet.
    pub fn auths_in_flight(&self) -> u64 {
        self.counters.in_flight.load(Relaxed)
    }

    /// The most log-ins that were under way at once, from the request's
    /// arrival to its reply.
    pub fn peak_auths_in_flight(&self) -> u64 {
        self.counters.peak_in_flight.load(Relaxed)
    }

    /// Every open connection and the last 10,000 closed ones, in the order of
    /// arrival.
    pub fn connection_reports(&self) -> Vec<ConnectionRecord> {
        self.registry.reports()
    }

    /// The emulator is being dropped: nothing may outlive it, whatever else
    /// still holds this.
    pub(crate) fn end(&self) {
        self.stop_server();
        self.backend.end();
    }

    pub(crate) fn refuses_connections(&self) -> bool {
        self.plan().refuse_connections
    }

    /// Judges a log-in, after the stall that is planned for it; `again` on a
    /// connection that is logged in. Uses up what is planned for so many log-ins.
    pub(crate) async fn judge(
        &self,
        user: Option<&[u8]>,
        token: &[u8],
        again: bool,
    ) -> (Result<Pass, AuthRefusal>, Refusal) {
        let delay = self.plan().take_delay(again);
        time::sleep(delay).await;
        let refusal = self.plan().take_refusal(again);
        match refusal {
            Some(refusal) => (Err(AuthRefusal::OnRequest), refusal),
            None => (self.verdict(user, token), Refusal::WrongPass),
        }
    }

    /// Whether a refusal behind other replies is dropped.
    pub(crate) fn drops_refusals(&self) -> bool {
        self.plan().drop_behind_replies
    }

    fn verdict(&self, user: Option<&[u8]>, token: &[u8]) -> Result<Pass, AuthRefusal> {
        let plan = self.plan();
        let refused_until = plan.refused_until;
        drop(plan);
        if let Some(SentinelAuth::Password {
            user: wanted,
            password,
        }) = &self.sentinels
        {
            // Redis takes AUTH without a name for that of its default user.
            let same = user.unwrap_or(b"default") == wanted.as_bytes();
            return if same && token == password.as_bytes() {
                Ok(Pass::PASSWORD)
            } else {
                Err(AuthRefusal::WrongPassword)
            };
        }
        let user = user.ok_or(AuthRefusal::NoUserName)?;
        let pass = super::verify::judge(&self.issuer, user, token)?;
        if pass.number <= refused_until && refused_until > 0 {
            return Err(AuthRefusal::Revoked);
        }
        Ok(pass)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RedisControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisControl")
            .field("connections", &self.connections())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// Everything that is counted over all connections.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    auths: AtomicU64,
    auths_refused: AtomicU64,
    auths_in_transactions: AtomicU64,
    closed_by_expiry: AtomicU64,
    commands: AtomicU64,
    in_flight: AtomicU64,
    peak_in_flight: AtomicU64,
}

impl Counters {
    pub(crate) fn login_accepted(&self) {
        self.auths.fetch_add(1, Relaxed);
    }

    pub(crate) fn login_refused(&self) {
        self.auths_refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn login_in_transaction(&self) {
        self.auths_in_transactions.fetch_add(1, Relaxed);
    }

    pub(crate) fn expired(&self) {
        self.closed_by_expiry.fetch_add(1, Relaxed);
    }

    pub(crate) fn commands(&self, count: u64) {
        self.commands.fetch_add(count, Relaxed);
    }

    pub(crate) fn login_came(self: &Arc<Self>) -> InFlight {
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.peak_in_flight.fetch_max(now, Relaxed);
        InFlight(Arc::clone(self))
    }
}

/// One log-in that has no reply yet.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Counters>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}
