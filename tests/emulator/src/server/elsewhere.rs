//! A Redis that runs elsewhere: where it is, and the user that is made there and taken back.

use std::{
    io::{self, Write},
    net::{Shutdown, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use url::Url;

use super::admin::{self, Admin};
use crate::EmulatorError;

/// A Redis and who we are there.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
}

impl Address {
    fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The words that log us in, if there is anything to say.
    fn login(&self) -> Option<Vec<&str>> {
        let password = self.password.as_deref()?;
        Some(if self.user.is_empty() {
            vec!["AUTH", password]
        } else {
            vec!["AUTH", &self.user, password]
        })
    }
}

/// Makes the user for good log-ins at a Redis that is someone else's.
pub(crate) async fn prepare(
    address: &Address,
    user: &str,
    password: &str,
) -> Result<(), EmulatorError> {
    let lacking = |reason: String| EmulatorError::StoreRights {
        address: address.shown(),
        reason,
    };
    let unreachable = |source: io::Error| EmulatorError::StoreUnreachable {
        address: address.shown(),
        source: Arc::new(source),
    };
    let mut admin = Admin::connect(&address.host, address.port)
        .await
        .map_err(unreachable)?;
    if !admin
        .ask(&["PING"])
        .await
        .map_err(unreachable)?
        .starts_with("-NOAUTH")
    {
        return Err(lacking(
            "it serves clients that have not logged in; give its default user a password \
             (requirepass) and put that into the URL"
                .to_owned(),
        ));
    }
    let login = address.login().ok_or_else(|| {
        lacking("it wants a password; put it into the URL: redis://:password@host:port".to_owned())
    })?;
    let answer = admin.ask(&login).await.map_err(unreachable)?;
    if answer.starts_with('-') {
        return Err(lacking(format!(
            "it refused the URL's user and password ({})",
            word(&answer)
        )));
    }
    admin.make_user(user, password, &admin::RIGHTS).await.map_err(unreachable)?.map_err(|answer| {
        lacking(format!(
            "the URL's user must be allowed ACL SETUSER, on Redis 6.2 or newer; it answered {answer}"
        ))
    })
}

/// Takes the password back, so that the user left behind opens nothing. Called
/// when the emulator is dropped, perhaps after its runtime: without one.
pub(crate) fn take_back(address: &Address, user: &str, password: &str) {
    const SHORT: Duration = Duration::from_millis(500);
    let Some(login) = address.login() else { return };
    let password = format!("<{password}");
    let run = || -> io::Result<()> {
        let mut addresses = (address.host.as_str(), address.port).to_socket_addrs()?;
        let first = addresses.next().ok_or(io::ErrorKind::NotFound)?;
        let mut stream = std::net::TcpStream::connect_timeout(&first, SHORT)?;
        stream.set_write_timeout(Some(SHORT))?;
        stream.set_read_timeout(Some(SHORT))?;
        let mut out = BytesMut::new();
        admin::write(&login, &mut out);
        admin::write(&["ACL", "SETUSER", user, &password], &mut out);
        admin::write(&["QUIT"], &mut out);
        stream.write_all(&out)?;
        stream.shutdown(Shutdown::Write)?;
        // Waits for the answers: a connection closed with unread ones may be
        // reset before Redis has read the commands.
        io::copy(&mut stream, &mut io::sink()).map(drop)
    };
    // Best effort: the server may be gone.
    let _ = run();
}

/// Reads where it is from a URL.
pub(crate) fn address(url: &str) -> Result<Address, EmulatorError> {
    // What was given may hold a password, so that only its parts are shown.
    let wrong = |found: &str| EmulatorError::InvalidSetting {
        setting: "store",
        found: found.to_owned(),
        allowed: "Store::Url with redis://user:password@host:port",
    };
    let url = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    if url.scheme() != "redis" {
        return Err(wrong(&format!("{}://…", url.scheme())));
    }
    if !matches!(url.path(), "" | "/" | "/0") || url.query().is_some() {
        return Err(wrong("redis://…/database"));
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| wrong("redis:// without a host"))?;
    let decoded = |part: &str| percent_decoded(part).ok_or_else(|| wrong("a bad percent escape"));
    Ok(Address {
        // Url keeps the brackets of an IPv6 address, which connecting does not want.
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(6379),
        user: decoded(url.username())?,
        password: url.password().map(decoded).transpose()?,
    })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn word(answer: &str) -> &str {
    answer
        .split(' ')
        .next()
        .unwrap_or_default()
        .trim_start_matches('-')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn addresses_are_read_from_urls() {
        let full = address("redis://me:p%40ss@[::1]:7000/0").unwrap();
        assert_eq!((full.host.as_str(), full.port), ("::1", 7000));
        assert_eq!(
            (full.user.as_str(), full.password.as_deref()),
            ("me", Some("p@ss"))
        );
        let short = address("redis://host").unwrap();
        assert_eq!(
            (short.port, short.user.as_str(), short.password),
            (6379, "", None)
        );
    }

    #[test]
    fn bad_urls_are_refused_without_showing_the_password() {
        for url in [
            "rediss://u:topsecret@h",
            "redis://u:topsecret@h/3",
            "redis://u:topsecret%zz@h",
            "topsecret",
            "redis://",
        ] {
            let message = address(url).map(drop).unwrap_err().to_string();
            assert!(message.contains("store is"), "{message}");
            assert!(!message.contains("topsecret"), "{message}");
            let shown = format!("{:?}", Store::Url(url.to_owned()));
            assert!(!shown.contains("topsecret"), "{shown}");
        }
    }
}
