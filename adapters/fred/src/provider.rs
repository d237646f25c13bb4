//! fred's hook for credentials, served from a token manager.

use std::sync::Arc;
use std::time::Duration;

use fred::error::{Error, ErrorKind};
use fred::types::config::{CredentialProvider, Server};
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
}

impl Provider {
    /// fred gives the whole log-in `log_in_limit`: a fifth of it is left for the
    /// commands that follow.
    pub(crate) fn new(
        credentials: Credentials,
        guard: Guard,
        log_in_limit: Duration,
        served: Option<Arc<Served>>,
    ) -> Self {
        Self {
            credentials,
            guard,
            limit: log_in_limit / 5 * 4,
            served,
        }
    }
}

#[async_trait]
impl CredentialProvider for Provider {
    async fn fetch(
        &self,
        server: Option<&Server>,
    ) -> Result<(Option<String>, Option<String>), Error> {
        if let Some(server) = server.filter(|server| !self.guard.admits(server)) {
            let why = format!(
                "not logged in to {}:{}: tokens are not sent in clear text",
                server.host, server.port
            );
            return Err(Error::new(ErrorKind::Auth, why));
        }
        let token = self.credentials.get(self.limit).await;
        let token = token.map_err(|why| error::no_token(&why))?;
        if let (Some(served), Some(server)) = (&self.served, server) {
            served.put(server, &token);
        }
        Ok(pair(&token))
    }
}

/// One token, for a connection that shows whether a server takes it.
pub(crate) struct Fixed(pub(crate) Token);

impl std::fmt::Debug for Fixed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixed").finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for Fixed {
    async fn fetch(&self, _: Option<&Server>) -> Result<(Option<String>, Option<String>), Error> {
        Ok(pair(&self.0))
    }
}

fn pair(token: &Token) -> (Option<String>, Option<String>) {
    let (username, password) = (token.username().to_owned(), token.password().to_owned());
    (Some(username), Some(password))
}
