//! fred's hook for credentials, served from a token manager.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fred::error::Error;
use fred::types::config::{CredentialProvider, Server, ServerConfig};
use redis_authx::{Credentials, Token, async_trait};

use super::error;
use super::plaintext::Guard;
use super::served::Served;

/// What fred asks for the credentials of every connection that it opens. Always
/// the newest token, and there at once when there is a valid one. It has no
/// refresh interval: live connections are pushed each new token.
///
/// Its errors are of no kind that ends a client for good (`Config`, `Url`): fred
/// tries again by its reconnect policy.
#[derive(Debug)]
pub(crate) struct Provider {
    credentials: Credentials,
    guard: Guard,
    /// How long a connection waits for the first token.
    limit: Duration,
    /// Where one client is told apart from others.
    served: Option<Arc<Served>>,
    sentinels: Sentinels,
}

/// Sentinels are no servers of data: what they want to be told, if anything, is
/// in the configuration. fred asks for their credentials here all the same.
#[derive(Default)]
pub(crate) struct Sentinels {
    hosts: Vec<Server>,
    login: (Option<String>, Option<String>),
}

impl Sentinels {
    pub(crate) fn of(config: &ServerConfig) -> Self {
        match config {
            #[cfg(feature = "sentinel-auth")]
            ServerConfig::Sentinel {
                hosts,
                username,
                password,
                ..
            } => Self {
                hosts: hosts.clone(),
                login: (username.clone(), password.clone()),
            },
            #[cfg(not(feature = "sentinel-auth"))]
            ServerConfig::Sentinel { hosts, .. } => Self {
                hosts: hosts.clone(),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinels")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// fred gives the whole log-in `log_in_limit`: a fifth of it is left for the
    /// commands that follow.
    pub(crate) fn new(
        credentials: Credentials,
        guard: Guard,
        log_in_limit: Duration,
        served: Option<Arc<Served>>,
        sentinels: Sentinels,
    ) -> Self {
        Self {
            credentials,
            guard,
            limit: log_in_limit / 5 * 4,
            served,
            sentinels,
        }
    }
}

#[async_trait]
impl CredentialProvider for Provider {
    async fn fetch(
        &self,
        server: Option<&Server>,
    ) -> Result<(Option<String>, Option<String>), Error> {
        if server.is_some_and(|server| self.sentinels.hosts.contains(server)) {
            return Ok(self.sentinels.login.clone());
        }
        self.guard.admit(server)?;
        let token = self.credentials.get(self.limit).await;
        let token = token.map_err(|why| error::no_token(&why))?;
        if let (Some(served), Some(server)) = (&self.served, server) {
            served.put(server, &token);
        }
        Ok(pair(&token))
    }
}

/// One token, for a connection that shows whether a server takes it.
pub(crate) struct Fixed {
    pub(crate) token: Token,
    pub(crate) guard: Guard,
    pub(crate) sentinels: Sentinels,
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixed").finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for Fixed {
    async fn fetch(
        &self,
        server: Option<&Server>,
    ) -> Result<(Option<String>, Option<String>), Error> {
        if server.is_some_and(|server| self.sentinels.hosts.contains(server)) {
            return Ok(self.sentinels.login.clone());
        }
        self.guard.admit(server)?;
        Ok(pair(&self.token))
    }
}

fn pair(token: &Token) -> (Option<String>, Option<String>) {
    let (username, password) = (token.username().to_owned(), token.password().to_owned());
    (Some(username), Some(password))
}
