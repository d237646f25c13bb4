use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::redis;
use super::redis::{Cmd, ConnectionLike, RedisResult, Value};
use redis_authx::ConnectionStatus;
use redis_authx_session::{Registration, Session};

mod blocked;
mod connector;
mod enter;
mod link;
mod request;
mod slot;

use super::client::AuthClient;
use super::outcome::MayBe;
use super::{effect, instead};
use crate::effect::{Effect, Effects};
use crate::packed;
use crate::transaction::Transactions;
pub(super) use connector::Connector;
use link::Link;
use slot::Slot;

/// What opening a connection, its log-in included, may take where nothing else
/// is said: as long as a replacement, in a [`ReauthPolicy`] by default.
///
/// [`ReauthPolicy`]: redis_authx::ReauthPolicy
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

impl AuthClient {
    /// Opens a sync connection, in the place of redis-rs's `Connection`:
    /// [`connection_with_timeout`](Self::connection_with_timeout) with 10 s.
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed).
    pub fn connection(&self) -> RedisResult<AuthSyncConnection> {
        self.connection_with_timeout(CONNECT_LIMIT)
    }

    /// Opens a sync connection. `limit` is for one attempt to connect and log
    /// in, the name's resolution left out; its replacements have the same.
    /// Before that, it waits for a token as long as the
    /// [`login_timeout`](crate::AuthClientBuilder::login_timeout) says.
    ///
    /// Blocks the thread, as its commands do. What renews the connection runs
    /// on the [runtime](crate::AuthClientBuilder::runtime) meanwhile: it must
    /// not be one that has this thread alone.
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed); also for a `limit` of zero.
    pub fn connection_with_timeout(&self, limit: Duration) -> RedisResult<AuthSyncConnection> {
        let connector = Connector::new((*self.0.info).clone(), Some(limit));
        AuthSyncConnection::open(self, connector, self.0.login_timeout, Losses::Ours)
    }
}

/// Who opens another connection in the place of one that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Losses {
    /// The re-authenticator: it is told, and waited for.
    Ours,
    /// redis-rs, that finds it out by the next command.
    #[cfg(feature = "cluster")]
    Theirs,
}

/// A sync connection that stays logged in: used like redis-rs's own, with
/// [`redis::Commands`], [`redis::cmd`], pipelines, scripts and iterators.
///
/// It is renewed in the background, between two commands, also while nobody
/// uses it. A command that comes while an `AUTH` is under way waits for it; one
/// that finds the renewal overdue (after the machine was suspended, say) sees
/// to it first. Made by [`AuthClient::connection`].
///
/// # When the connection is lost
/// The command that finds it out fails, as with redis-rs. Later ones wait until
/// it has been replaced, at most for the
/// [`reconnect_wait`](crate::AuthClientBuilder::reconnect_wait), and then fail
/// as those of [`AuthConnection`](crate::AuthConnection) do. No command is sent
/// twice.
///
/// # Transactions
/// No `AUTH` gets into a `MULTI`, be it a command of its own or in a pipeline.
/// When the connection has to be replaced all the same:
///
/// | what was under way | what follows |
/// |---|---|
/// | a `MULTI` | commands fail with an [`Io`](redis::ErrorKind) error, unsent, and its `EXEC` with `EXECABORT`; after that, or another `MULTI` or `WATCH`, or 30 s, all is as usual. `DISCARD` succeeds |
/// | a `WATCH` | the next `EXEC` executes nothing and answers nil, as if a key had changed |
///
/// # Commands that block
/// `BLPOP` and its like, and `XREAD` with `BLOCK`, are sent in parts that end in
/// time for the connection to be renewed, however long they block in all: to
/// other clients that wait for the same key it is then the latest to have come.
/// An element that comes between two parts stays where it is until the next.
/// Sent as they are, and ended by the server with the old connection if they
/// block for longer than that: those in pipelines, `WAIT`, `WAITAOF`, `XREAD`
/// from `$`.
pub struct AuthSyncConnection {
    client: AuthClient,
    slot: Arc<Slot>,
    /// The one that the latest command was sent on.
    link: Arc<Link>,
    transactions: Transactions,
    losses: Losses,
    registration: Arc<Registration>,
}

impl AuthSyncConnection {
    /// Opens one with the token in hand, or the first to come within `limit`.
    pub(super) fn open(
        client: &AuthClient,
        connector: Connector,
        limit: Duration,
        losses: Losses,
    ) -> RedisResult<Self> {
        let inner = &client.0;
        let (connection, token) = connector.log_in(inner.reauth.credentials(), limit)?;
        let slot = Arc::new(Slot::new(
            connector,
            Arc::clone(inner.reauth.runtime()),
            inner.reauth.policy().auth_timeout(),
            connection,
            &token,
        ));
        let session: Weak<dyn Session> = Arc::<Slot>::downgrade(&slot);
        Ok(Self {
            client: client.clone(),
            link: slot.link(),
            slot,
            transactions: Transactions::default(),
            losses,
            registration: Arc::new(inner.reauth.register(session, &token)),
        })
    }

    /// Has every replacement read from a replica of a cluster, as this one does.
    #[cfg(feature = "cluster")]
    pub(super) fn read_from_replica(&self) {
        self.slot.read_from_replica();
    }

    #[cfg(feature = "cluster")]
    pub(super) fn registration(&self) -> Weak<Registration> {
        Arc::downgrade(&self.registration)
    }

    /// How it is doing: the token's generation, the latest failure, the time
    /// until the server would end the session.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.registration.status()
    }

    /// Whether its user has left a transaction open, or keys watched.
    #[cfg(feature = "r2d2")]
    pub(super) fn is_in_transaction(&self) -> bool {
        !self.transactions.is_idle()
    }

    /// How long a command waits for its reply; `None`, the default, for as
    /// long as it takes. Its replacements have the same. A command that waits
    /// too long leaves the connection as it is, unless it was part of a
    /// transaction: then the connection is replaced.
    ///
    /// # Errors
    /// For a limit of zero.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> RedisResult<()> {
        self.change_limits(limit, |limits| limits.read = limit)
    }

    /// How long a command waits until it can be written; `None`, the default,
    /// for as long as it takes. Its replacements have the same.
    ///
    /// # Errors
    /// For a limit of zero.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> RedisResult<()> {
        self.change_limits(limit, |limits| limits.write = limit)
    }
}

impl ConnectionLike for AuthSyncConnection {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        let effects = Effects::of(packed::names(cmd).map(Effect::of_name));
        self.request(
            effects,
            |queued| MayBe::to(packed::names(cmd), queued),
            |live| live.connection.req_packed_command(cmd),
            |instead| instead::of_command(effects, instead),
        )
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let effects = Effects::of(packed::names(cmd).map(Effect::of_name));
        self.request(
            effects,
            |queued| MayBe::to(packed::names(cmd), queued),
            |live| live.connection.req_packed_commands(cmd, offset, count),
            // Of an atomic pipeline the reply to its EXEC is all that is told.
            |instead| instead::of_piece(offset > 0 && count == 1, instead),
        )
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        if let Some(blocking) = self.parts(cmd) {
            return self.block(cmd, &blocking);
        }
        let effects = effect::of(cmd);
        self.request(
            effects,
            |queued| MayBe::to(effect::name(cmd), queued),
            |live| live.connection.req_command(cmd),
            |instead| instead::of_command(effects, instead),
        )
    }

    fn get_db(&self) -> i64 {
        self.slot.db()
    }

    fn supports_pipelining(&self) -> bool {
        true
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").query::<String>(self).is_ok()
    }

    /// Whether it is there, as far as is known; `false` while it is being
    /// replaced.
    fn is_open(&self) -> bool {
        self.slot.is_connected()
    }
}

impl fmt::Debug for AuthSyncConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSyncConnection")
            .field("client", &self.client)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
