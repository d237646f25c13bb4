use std::fmt::Display;

use redis_authx::ConfigError;
use url::{Host, Url};

const FIELD: &str = "authority.url";
/// What people paste along with the authority: it is added again.
const SUFFIXES: [&str; 5] = [
    "/oauth2/v2.0/token",
    "/oauth2/v2.0",
    "/oauth2/token",
    "/oauth2",
    "/v2.0",
];

/// The authority of a custom URL, with no slash at the end.
pub(super) fn base(text: &str) -> Result<String, ConfigError> {
    let url = parse(text)?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            let allowed = "an https:// URL: over http the secret would be sent in clear text, \
                           which only a host on this machine may get";
            return Err(ConfigError::invalid(FIELD, shown(&url), allowed));
        }
        _ => return Err(ConfigError::invalid(FIELD, shown(&url), "an https:// URL")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("a URL with user info", "a URL without user info"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        let allowed = "a URL without query or fragment";
        return Err(refused("a URL with a query or fragment", allowed));
    }
    let whole = url.as_str().trim_end_matches('/');
    let base = SUFFIXES
        .iter()
        .find_map(|suffix| whole.strip_suffix(suffix))
        .unwrap_or(whole)
        .trim_end_matches('/');
    Ok(base.to_owned())
}

/// Whether the URL's host is this machine: `localhost`, 127.0.0.0/8, `[::1]`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Stricter than browsers, which forgive white space, backslashes and any
/// number of slashes: `https:///tenant` would have the host `tenant`.
fn parse(text: &str) -> Result<Url, ConfigError> {
    let allowed = "an absolute URL with a host, as `https://host/tenant`";
    if text.trim().is_empty() {
        return Err(refused("blank", allowed));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(refused("a URL with white space or `\\`", allowed));
    }
    let Some((_, rest)) = text.split_once("://") else {
        return Err(refused("not an absolute URL", allowed));
    };
    if rest.starts_with(['/', '?', '#']) || rest.is_empty() {
        return Err(refused("a URL without host", allowed));
    }
    let url = Url::parse(text).map_err(|reason| refused(reason, allowed))?;
    if !url.has_host() {
        return Err(refused("a URL without host", allowed));
    }
    Ok(url)
}

/// For what may hold a secret, or can't be told from it: says what is wrong,
/// not what was found.
fn refused(found: impl Display, allowed: &'static str) -> ConfigError {
    ConfigError::invalid(FIELD, found, allowed)
}

/// Scheme, host and path: what can hold no secret.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Refused only by URLs that can't have either.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.into()
}
