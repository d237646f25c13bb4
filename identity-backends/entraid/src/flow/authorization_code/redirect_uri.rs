//! Which redirect URIs can work (RFC 6749 §3.1.2; Microsoft Learn, "Redirect
//! URI (reply URL) outline and restrictions").

use redis_authx::ConfigError;
use url::{Host, Url};

const FIELD: &str = "redirect_uri";
const LONGEST: usize = 256;

/// Checks one whose redirects the application receives.
pub(super) fn check(text: &str) -> Result<Url, ConfigError> {
    let refused = |found: &str, allowed| Err(ConfigError::invalid(FIELD, found, allowed));
    if text.len() > LONGEST {
        return refused("longer than 256 characters", "at most 256 characters");
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return refused(
            "a URI with white space or `\\`",
            "the URI as it is registered",
        );
    }
    let Ok(url) = Url::parse(text) else {
        return refused(
            "not an absolute URI",
            "an absolute URI, as `http://localhost` or `https://app.example.com/signed-in`",
        );
    };
    if url.fragment().is_some() {
        return refused("a URI with a fragment", "a URI without a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("a URI with user info", "a URI without user info");
    }
    match url.scheme() {
        "http" if !is_local(&url) => refused(
            "http to another host",
            "https, or http to `localhost` or `127.0.0.1`: the code would be sent in clear text",
        ),
        "javascript" | "data" | "file" => {
            refused("a URI of that scheme", "https, or a scheme of its own")
        }
        _ => Ok(url),
    }
}

/// Entra ID takes no `[::1]`.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        _ => false,
    }
}

/// One that is listened for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// `localhost`, or an address.
    pub(super) host: String,
    /// 0 for a free one.
    pub(super) port: u16,
    /// As it was given: empty, or with the slash that it begins with.
    path: String,
}

impl Local {
    /// `http://localhost` if there is none.
    pub(super) fn new(given: Option<&str>) -> Result<Self, ConfigError> {
        let text = given.unwrap_or("http://localhost");
        let url = check(text)?;
        if url.scheme() != "http" || url.query().is_some() {
            return Err(ConfigError::invalid(
                FIELD,
                "not one that can be listened for",
                "http to `localhost` or `127.0.0.1`, without a query; for others use `begin`",
            ));
        }
        let unnamed = if names_port_80(text) { 80 } else { 0 };
        let bare = !text.ends_with('/') && url.path() == "/";
        Ok(Self {
            host: url.host_str().unwrap_or("localhost").to_owned(),
            port: url.port().unwrap_or(unnamed),
            path: if bare { "" } else { url.path() }.to_owned(),
        })
    }

    pub(super) fn uri(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.host, self.path)
    }

    /// What a browser asks for.
    pub(super) fn path(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
    }
}

/// The parser drops the port that is `http`'s own.
fn names_port_80(text: &str) -> bool {
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = after_scheme.split('/').next().unwrap_or_default();
    authority.ends_with(":80")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_entra_id_registers_is_taken() {
        for uri in [
            "https://app.example.com/signed-in?tenant=a",
            "http://localhost:3000/redirect",
            "http://127.0.0.1",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
            "msal8f0c6c5e://auth",
        ] {
            assert!(check(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn what_it_does_not_is_refused_without_being_quoted() {
        let long = format!("https://example.com/{}", "x".repeat(256));
        for uri in [
            "",
            "signed-in",
            "http://example.com/",
            "http://[::1]:80/",
            "https://user:hunter2@example.com/",
            "https://example.com/#x",
            "https://example.com/ x",
            "javascript:alert(1)",
            &long,
        ] {
            let error = check(uri).expect_err(uri);
            assert_eq!(error.field(), "redirect_uri");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn the_port_is_put_in_and_the_path_kept() {
        for (given, port, uri, path) in [
            (None, 0, "http://localhost:7", "/"),
            (Some("http://localhost"), 0, "http://localhost:7", "/"),
            (Some("http://localhost/"), 0, "http://localhost:7/", "/"),
            (Some("http://localhost:80"), 80, "http://localhost:7", "/"),
            (
                Some("http://127.0.0.1:8400/Signed/in"),
                8400,
                "http://127.0.0.1:7/Signed/in",
                "/Signed/in",
            ),
        ] {
            let local = Local::new(given).expect("a good one");
            assert_eq!(local.port, port);
            assert_eq!(local.uri(7), uri);
            assert_eq!(local.path(), path);
        }
        for uri in [
            "https://localhost/",
            "http://localhost/?a=b",
            "msal1://auth",
        ] {
            assert!(Local::new(Some(uri)).is_err(), "{uri}");
        }
    }
}
