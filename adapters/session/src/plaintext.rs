use std::net::IpAddr;

/// Whether `host` is this machine: `localhost` or a loopback address, with or without
/// brackets. Adapters send a token without TLS to no other host, unless the application
/// allows it.
///
/// ```
/// use redis_authx_session::is_loopback;
///
/// assert!(is_loopback("localhost") && is_loopback("127.8.9.1") && is_loopback("[::1]"));
/// assert!(!is_loopback("10.0.0.1") && !is_loopback("127.0.0.1.example"));
/// ```
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
