//! A connection of its own, which logs in with one token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::interfaces::ClientLike;
use fred::types::ConnectHandle;
use fred::types::config::{Config, ConnectionConfig, PerformanceConfig, Server, ServerConfig};
use futures_util::future::{Either, FutureExt, select};
use redis_authx::Token;

use super::error;
use super::plaintext::Guard;
use super::provider::{Fixed, Sentinels};

/// Where to connect to, and how.
#[derive(Clone)]
pub(crate) struct Dial {
    pub(crate) config: Config,
    pub(crate) performance: PerformanceConfig,
    pub(crate) connection: ConnectionConfig,
    pub(crate) guard: Guard,
}

impl Dial {
    /// As a client connects.
    pub(crate) fn of(client: &Client, allow_plaintext: bool) -> Self {
        let config = client.client_config();
        Self {
            guard: Guard::new(&config, allow_plaintext),
            config,
            performance: client.perf_config(),
            connection: client.connection_config().clone(),
        }
    }

    /// To this one server, where the configuration is that of a cluster or of
    /// sentinels; with nothing more sent than it takes to log in.
    pub(crate) fn only_to(mut self, server: &Server) -> Self {
        let several = matches!(
            self.config.server,
            ServerConfig::Clustered { .. } | ServerConfig::Sentinel { .. }
        );
        if several {
            let server = server.clone();
            self.config.server = ServerConfig::Centralized { server };
        }
        self.config.database = None;
        self.connection.auto_client_setname = false;
        #[cfg(feature = "replicas")]
        {
            self.connection.replica.lazy_connections = true;
        }
        self
    }

    /// Connects a client, once: it has no other connection after this one.
    pub(crate) async fn open(&self, token: &Token) -> Result<(Client, Connected), Error> {
        let mut config = self.config.clone();
        config.fail_fast = true;
        config.credential_provider = Some(Arc::new(Fixed {
            token: token.clone(),
            guard: self.guard,
            sentinels: Sentinels::of(&config.server),
        }));
        let (performance, connection) = (self.performance.clone(), self.connection.clone());
        let client = Client::new(config, Some(performance), Some(connection), None);
        let mut connected = Connected(client.connect());
        let ping = client.ping::<()>(None).boxed();
        match select(ping, &mut connected.0).await {
            // It has logged in, and may not `PING`.
            Either::Left((Err(error), _)) if error::is_denial(&error) => {}
            Either::Left((answer, _)) => answer?,
            Either::Right((Ok(Err(error)), _)) => return Err(error),
            Either::Right(_) => {
                let ended = Error::new(ErrorKind::Canceled, "the connection has ended");
                return Err(ended);
            }
        }
        Ok((client, connected))
    }
}

impl fmt::Debug for Dial {
    /// Only where to: the configuration may have a password for sentinels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial")
            .field("servers", &self.config.server.hosts())
            .finish_non_exhaustive()
    }
}

/// fred's task of a client, which would go on when all else of the client is
/// dropped. Dropping this closes the connection; it is ready once that is gone.
pub(crate) struct Connected(ConnectHandle);

#[cfg(feature = "subscriber-client")]
impl Connected {
    /// Tells whether it is gone.
    pub(crate) fn handle(&self) -> tokio::task::AbortHandle {
        self.0.abort_handle()
    }
}

impl Future for Connected {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.abort();
    }
}
