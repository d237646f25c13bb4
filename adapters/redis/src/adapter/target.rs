//! Where to connect to, checked before anything is sent there.

use super::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult};
use redis_authx::{ConfigError, Token};
use redis_authx_session::is_loopback;

const FIELD: &str = "url";

/// Reads a target and refuses one that would give a token away.
pub(crate) fn parse(
    target: impl IntoConnectionInfo,
    allow_plaintext: bool,
) -> Result<ConnectionInfo, ConfigError> {
    check(target.into_connection_info(), allow_plaintext)
}

/// The same of one that has been read.
pub(crate) fn check(
    target: RedisResult<ConnectionInfo>,
    allow_plaintext: bool,
) -> Result<ConnectionInfo, ConfigError> {
    let info = target.map_err(|error| {
        // The error's words only: the URL may hold a password.
        let found = format!("not a Redis URL ({error})");
        ConfigError::invalid(
            FIELD,
            found,
            "rediss://host:port, like rediss://name.region.redis.azure.net:10000",
        )
    })?;
    let settings = info.redis_settings();
    if settings.username().is_some() || settings.password().is_some() {
        return Err(ConfigError::invalid(
            FIELD,
            "one with a user name or password",
            "a URL without them: connections log in with the manager's tokens",
        ));
    }
    if is_clear_text(info.addr()) && !allow_plaintext {
        let found = format!("redis://{} (clear text)", info.addr());
        return Err(ConfigError::invalid(
            FIELD,
            found,
            "rediss:// with a verified certificate: tokens are not sent in clear text, \
             except to a loopback host or with allow_plaintext(true)",
        ));
    }
    match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } if host.is_empty() => {
            Err(ConfigError::missing(FIELD, "a host name"))
        }
        ConnectionAddr::TcpTls { .. } => {
            install_crypto();
            Ok(info)
        }
        _ => Ok(info),
    }
}

/// The same target, to log in to with `token`.
pub(crate) fn with_credentials(info: &ConnectionInfo, token: &Token) -> ConnectionInfo {
    let settings = info.redis_settings().clone();
    let settings = settings
        .set_username(token.username())
        .set_password(token.password());
    info.clone().set_redis_settings(settings)
}

/// Whether somebody on the way could read along, or pose as the server.
fn is_clear_text(addr: &ConnectionAddr) -> bool {
    match addr {
        ConnectionAddr::Tcp(host, _) => !is_loopback(host),
        ConnectionAddr::TcpTls { host, insecure, .. } => *insecure && !is_loopback(host),
        _ => false,
    }
}

/// redis-rs leaves the choice to the process. Where the application has made
/// none, ring is it: without one, rustls panics when its features name two.
fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails when another thread was faster, and then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        parse(url, false).unwrap_err().to_string()
    }

    #[test]
    fn loopback_and_tls_are_fine() {
        for url in [
            "redis://127.0.0.1:6379",
            "redis://127.8.9.1",
            "redis://localhost",
            "redis://[::1]:6379",
            "rediss://cache.example:10000",
            "unix:///run/redis.sock",
        ] {
            assert!(parse(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn clear_text_to_another_host_is_refused_unless_allowed() {
        for url in [
            "redis://cache.example:6379",
            "redis://10.0.0.1",
            "redis://127.0.0.1.example",
        ] {
            let error = refused(url);
            assert!(error.contains("`url` is redis://"), "{error}");
            assert!(error.contains("allow_plaintext"), "{error}");
            assert!(parse(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn tls_without_verification_is_as_bad() {
        assert!(parse("rediss://cache.example/#insecure", false).is_err());
        assert!(parse("rediss://localhost/#insecure", false).is_ok());
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        let error = refused("rediss://user:hunter2@cache.example");
        assert!(error.contains("without them"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in [
            "",
            "cache.example",
            "http://cache.example",
            "redis://",
            "redis:///0",
            "rediss://:hunter2@",
        ] {
            let error = refused(url);
            assert!(error.starts_with("`url` is"), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
