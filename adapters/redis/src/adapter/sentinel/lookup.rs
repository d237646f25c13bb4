//! Finds the server that a connection is to, anew each time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::redis;
use super::redis::aio::MultiplexedConnection;
use super::redis::sentinel::SentinelServerType;
use super::redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    Value,
};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use redis_authx::{Clock, ReauthErrorKind, Runtime, Token};

use super::ask::{self, Address};
use super::watch::Watch;
use super::{SentinelLogin, error, open, target};

/// A sentinel that has not answered after this is not waited for alone.
const HEDGE: Duration = Duration::from_millis(200);

/// While the server they name is not what they take it for, or is not there,
/// the sentinels are asked again after this …
const POLL: Duration = Duration::from_millis(250);
/// … for this long, which a failover may take; then it is an error, and
/// whoever wants to goes on trying.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Lookup {
    sentinels: Vec<ConnectionInfo>,
    service: String,
    server_type: SentinelServerType,
    login: SentinelLogin,
    allow_plaintext: bool,
    runtime: Arc<dyn Runtime>,
    /// Of a connection to the master: hears when that is another.
    _watch: Option<Arc<Watch>>,
    /// The sentinel that answered last.
    first: AtomicUsize,
    /// The server that was last connected to.
    at: Mutex<Option<Address>>,
}

/// Why there is no connection.
enum Failure {
    /// Asking again may help: a failover is under way.
    Passing(RedisError),
    Lasting(RedisError),
}

impl Lookup {
    pub(crate) const fn new(
        sentinels: Vec<ConnectionInfo>,
        service: String,
        server_type: SentinelServerType,
        login: SentinelLogin,
        allow_plaintext: bool,
        runtime: Arc<dyn Runtime>,
        watch: Option<Arc<Watch>>,
    ) -> Self {
        Self {
            sentinels,
            service,
            server_type,
            login,
            allow_plaintext,
            runtime,
            _watch: watch,
            first: AtomicUsize::new(0),
            at: Mutex::new(None),
        }
    }

    pub(crate) fn db(&self) -> i64 {
        self.sentinels[0].redis_settings().db()
    }

    pub(crate) const fn is_of_master(&self) -> bool {
        matches!(self.server_type, SentinelServerType::Master)
    }

    pub(crate) fn is_at(&self, server: &Address) -> bool {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.as_ref() == Some(server)
    }

    /// Opens a connection to the server that the sentinels name, and has it
    /// confirm that it is what they take it for.
    pub(crate) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
        token: &Token,
    ) -> RedisResult<MultiplexedConnection> {
        let deadline = self.runtime.now() + PATIENCE;
        loop {
            match self.try_once(config, token).await {
                Ok(connection) => return Ok(connection),
                Err(Failure::Passing(_)) if self.runtime.now() < deadline => {}
                Err(Failure::Passing(error) | Failure::Lasting(error)) => return Err(error),
            }
            self.runtime.sleep_until(self.runtime.now() + POLL).await;
        }
    }

    /// Asks sentinels until one of them names a server that will do.
    async fn try_once(
        &self,
        config: &AsyncConnectionConfig,
        token: &Token,
    ) -> Result<MultiplexedConnection, Failure> {
        let count = self.sentinels.len();
        let first = self.first.load(Ordering::Relaxed);
        let mut waiting = (0..count).map(|n| (first + n) % count);
        let mut asked = FuturesUnordered::new();
        let mut tried: Vec<Address> = Vec::new();
        let (mut passing, mut lasting) = (None, None);
        loop {
            if let Some(sentinel) = waiting.next() {
                asked.push(async move { (sentinel, self.ask(sentinel, token).await) });
            } else if asked.is_empty() {
                break;
            }
            let hedge = self.runtime.sleep_until(self.runtime.now() + HEDGE);
            let (sentinel, answer) = match select(asked.next(), hedge).await {
                Either::Left((Some(answered), _)) => answered,
                Either::Left((None, _)) | Either::Right(_) => continue,
            };
            match answer {
                Err(error) => lasting = lasting.or(Some(error)),
                Ok(addresses) => {
                    self.first.store(sentinel, Ordering::Relaxed);
                    for address in addresses {
                        if tried.contains(&address) {
                            continue;
                        }
                        tried.push(address.clone());
                        match self.open(address.clone(), config, token).await {
                            Ok(connection) => {
                                let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
                                *at = Some(address);
                                return Ok(connection);
                            }
                            // It is the token's fault: another server's no help.
                            Err(error) if error::kind(&error) == ReauthErrorKind::Refused => {
                                return Err(Failure::Lasting(error));
                            }
                            Err(error) if error.kind() == ErrorKind::InvalidClientConfig => {
                                return Err(Failure::Lasting(error));
                            }
                            Err(error) => passing = Some(error),
                        }
                    }
                }
            }
        }
        let none = || RedisError::from((ErrorKind::EmptySentinelList, "there is no sentinel"));
        Err(match passing {
            Some(error) => Failure::Passing(error),
            None => Failure::Lasting(lasting.unwrap_or_else(none)),
        })
    }

    async fn ask(&self, sentinel: usize, token: &Token) -> RedisResult<Vec<Address>> {
        let sentinel = &self.sentinels[sentinel];
        if self.is_of_master() {
            ask::master(sentinel, &self.login, token, &self.service).await
        } else {
            ask::replicas(sentinel, &self.login, token, &self.service).await
        }
    }

    async fn open(
        &self,
        (host, port): Address,
        config: &AsyncConnectionConfig,
        token: &Token,
    ) -> RedisResult<MultiplexedConnection> {
        let sentinel = self.sentinels[0].clone();
        let addr = at(sentinel.addr(), host, port);
        let info = target::check(Ok(sentinel.set_addr(addr)), self.allow_plaintext);
        let info = info.map_err(|error| {
            let text = error::chain(&error);
            let kind = ErrorKind::InvalidClientConfig;
            RedisError::from((kind, "a server that the sentinels name", text))
        })?;
        let mut connection = open(&info, config, token).await?;
        self.confirm(&info, &mut connection).await?;
        Ok(connection)
    }

    /// Asks the server for its role. An error in reply is no answer: `ROLE` may
    /// not be permitted.
    async fn confirm(
        &self,
        info: &ConnectionInfo,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<()> {
        let wanted = if self.is_of_master() {
            "master"
        } else {
            "slave"
        };
        let answer: RedisResult<Vec<Value>> = redis::cmd("ROLE").query_async(connection).await;
        let role = match answer {
            Ok(answer) => match answer.into_iter().next() {
                Some(Value::BulkString(role)) => role,
                _ => return Ok(()),
            },
            Err(error) if error.is_io_error() => return Err(error),
            Err(_) => return Ok(()),
        };
        if role == wanted.as_bytes() {
            return Ok(());
        }
        let role = String::from_utf8_lossy(&role);
        let text = format!("{} is a {role}, not a {wanted}", info.addr());
        Err(std::io::Error::new(std::io::ErrorKind::NotConnected, text).into())
    }
}

/// That address, with the TLS of this one.
fn at(addr: &ConnectionAddr, host: String, port: u16) -> ConnectionAddr {
    match addr.clone() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure,
            tls_params,
        },
        _ => ConnectionAddr::Tcp(host, port),
    }
}
