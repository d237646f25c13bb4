//! Where a token would travel in clear text.

use fred::error::{Error, ErrorKind};
use fred::types::config::{Config, Server};
use redis_authx::ConfigError;
use redis_authx_session::is_loopback;

/// Whether tokens may be sent to a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    anywhere: bool,
}

impl Guard {
    /// Of the connections with this configuration.
    pub(crate) fn new(config: &Config, allow_plaintext: bool) -> Self {
        Self {
            anywhere: allow_plaintext || config.uses_tls(),
        }
    }

    fn admits(self, server: &Server) -> bool {
        self.anywhere || is_local(server)
    }

    /// Refuses a log-in that would give a token away.
    pub(crate) fn admit(self, server: Option<&Server>) -> Result<(), Error> {
        let Some(server) = server.filter(|server| !self.admits(server)) else {
            return Ok(());
        };
        let why = format!(
            "not logged in to {}:{}: tokens are not sent in clear text",
            server.host, server.port
        );
        Err(Error::new(ErrorKind::Auth, why))
    }

    /// Refuses a configuration that would give a token away, or that logs in by
    /// itself.
    pub(crate) fn check(self, config: &Config) -> Result<(), ConfigError> {
        if config.username.is_some() || config.password.is_some() {
            return Err(ConfigError::invalid(
                "config",
                "one with a user name or password",
                "a configuration without them: clients log in with the manager's tokens",
            ));
        }
        let hosts = config.server.hosts();
        if let Some(server) = hosts.iter().find(|server| !self.admits(server)) {
            let found = format!("{}:{} without TLS", server.host, server.port);
            return Err(ConfigError::invalid(
                "server",
                found,
                "rediss://, or a TLS configuration: tokens are not sent in clear text, except \
                 to a loopback host or with allow_plaintext(true)",
            ));
        }
        Ok(())
    }
}

/// A loopback host, or a Unix socket: fred has those as hosts that are paths,
/// with port 0.
fn is_local(server: &Server) -> bool {
    let host: &str = &server.host;
    (server.port == 0 && host.contains('/')) || is_loopback(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, allow_plaintext: bool) -> Result<(), ConfigError> {
        let config = Config::from_url(url).unwrap();
        Guard::new(&config, allow_plaintext).check(&config)
    }

    #[test]
    fn loopback_and_tls_are_fine() {
        for url in [
            "redis://127.0.0.1:6379",
            "redis://127.8.9.1",
            "redis://localhost",
            "redis://[::1]:6379",
            "redis-cluster://127.0.0.1:7000?node=127.0.0.2:7001",
            "rediss://cache.example:10000",
            "rediss-cluster://cache.example:10000?node=10.0.0.1:7001",
        ] {
            assert!(check(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn clear_text_to_another_host_is_refused_unless_allowed() {
        for url in [
            "redis://cache.example:6379",
            "redis://10.0.0.1",
            "redis://127.0.0.1.example",
            "redis-cluster://127.0.0.1:7000?node=10.0.0.1:7001",
            "redis-sentinel://cache.example:26379?sentinelServiceName=main",
        ] {
            let error = check(url, false).unwrap_err().to_string();
            assert!(error.contains("allow_plaintext"), "{error}");
            assert!(check(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_password_in_the_configuration_is_refused_and_not_repeated() {
        let error = check("rediss://user:hunter2@cache.example", false).unwrap_err();
        assert!(error.to_string().contains("without them"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
