//! What stands behind the gateway: the embedded store, a `redis-server` child, or a Redis that
//! runs elsewhere.

mod admin;
mod child;

use std::{
    fmt,
    future::{self, Future},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use tokio::{io::duplex, net::TcpStream};
use url::Url;

use self::{admin::Address, child::RedisServer};
use crate::{EmulatorError, listener::Stream, random, store};

/// Where the data is that clients of the emulator see.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Store {
    /// A small store inside the process: nothing to install. It knows the
    /// common commands of strings, hashes, lists, sets, transactions and
    /// pub/sub, over RESP2 and RESP3, and answers any other with `ERR unknown
    /// command`: no scripts, streams, sorted sets, blocking or scanning
    /// commands. It keeps everything in memory, without a limit.
    #[default]
    Embedded,
    /// A `redis-server` child process on a free port of 127.0.0.1, found on
    /// `PATH` or by
    /// [`Builder::redis_server_program`](crate::Builder::redis_server_program).
    /// Its data lies in a folder of its own and goes with the emulator.
    RedisServer,
    /// A Redis that is running already (6.2 or newer), as
    /// `redis://user:password@host:port`.
    ///
    /// The user must be allowed `ACL SETUSER`, with which the emulator makes
    /// one user, named as the object id, with a random password and the right
    /// to everything; it takes the password back when it is dropped. The
    /// default user must have a password, or else Redis would serve clients
    /// that have not logged in. `tls` and database numbers are not supported.
    Url(String),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::RedisServer => "RedisServer",
            // It may hold a password.
            Self::Url(_) => "Url(..)",
        })
    }
}

/// A connection to the backend, and what has to be polled for it to live.
pub(crate) struct Link {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) serving: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The one store of an emulator.
pub(crate) struct Backend {
    kind: Kind,
    running: AtomicBool,
    user: String,
    password: String,
    /// No user has this name, so that Redis words the refusal.
    nobody: String,
}

enum Kind {
    Embedded(Arc<store::Shared>),
    Child(RedisServer),
    Url(Address),
}

/// How much the gateway and the embedded store hold for each other.
const PIPE: usize = 64 << 10;

impl Backend {
    pub(crate) async fn start(
        store: &Store,
        program: &str,
        user: &str,
    ) -> Result<Self, EmulatorError> {
        let password = random::secret()?;
        let kind = match store {
            Store::Embedded => Kind::Embedded(store::Shared::new(user, &password)),
            Store::RedisServer => Kind::Child(RedisServer::start(program, user, &password).await?),
            Store::Url(url) => {
                let address = address(url)?;
                admin::prepare(&address, user, &password).await?;
                Kind::Url(address)
            }
        };
        Ok(Self {
            kind,
            running: AtomicBool::new(true),
            user: user.to_owned(),
            password,
            nobody: format!("nobody-{}", random::secret()?),
        })
    }

    /// What the backend is to be told for a good log-in, or for a bad one.
    pub(crate) fn credentials(&self, good: bool) -> (&str, &str) {
        if good {
            (&self.user, &self.password)
        } else {
            (&self.nobody, "")
        }
    }

    pub(crate) async fn connect(&self) -> io::Result<Link> {
        if !self.running.load(SeqCst) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (host, port) = match &self.kind {
            Kind::Embedded(shared) => {
                let (ours, theirs) = duplex(PIPE);
                return Ok(Link {
                    stream: Box::new(ours),
                    serving: Box::pin(store::serve(Arc::clone(shared), theirs)),
                });
            }
            Kind::Child(server) => ("127.0.0.1", server.port()),
            Kind::Url(address) => (address.host.as_str(), address.port),
        };
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Link {
            stream: Box::new(stream),
            serving: Box::pin(future::pending()),
        })
    }

    pub(crate) fn stop(&self) {
        self.running.store(false, SeqCst);
        if let Kind::Child(server) = &self.kind {
            server.kill();
        }
    }

    /// Leaves nothing behind.
    pub(crate) fn end(&self) {
        match &self.kind {
            Kind::Embedded(_) => {}
            Kind::Child(server) => server.remove(),
            Kind::Url(address) => admin::take_back(address, &self.user, &self.password),
        }
    }

    pub(crate) async fn resume(&self) -> Result<(), EmulatorError> {
        if self.running.load(SeqCst) {
            return Ok(());
        }
        if let Kind::Child(server) = &self.kind {
            server.run(&self.user, &self.password).await?;
        }
        self.running.store(true, SeqCst);
        Ok(())
    }
}

fn address(url: &str) -> Result<Address, EmulatorError> {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
