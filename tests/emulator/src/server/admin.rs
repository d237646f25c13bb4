//! The few words the emulator itself exchanges with a Redis: making the user that good log-ins
//! become, and taking its password back.

use std::{
    io::{self, Write},
    net::{Shutdown, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time,
};

use crate::{EmulatorError, gateway};

/// What the user may do: everything but what would make replies
/// uncountable for the gateway, or end the server. Azure blocks most of these too.
const RIGHTS: [&str; 11] = [
    "~*",
    "&*",
    "+@all",
    "-monitor",
    "-sync",
    "-psync",
    "-replconf",
    "-replicaof",
    "-slaveof",
    "-shutdown",
    "-client|reply",
];

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

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
    admin.make_user(user, password).await.map_err(unreachable)?.map_err(|answer| {
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
        write(&login, &mut out);
        write(&["ACL", "SETUSER", user, &password], &mut out);
        write(&["QUIT"], &mut out);
        stream.write_all(&out)?;
        stream.shutdown(Shutdown::Write)?;
        // Waits for the answers: a connection closed with unread ones may be
        // reset before Redis has read the commands.
        io::copy(&mut stream, &mut io::sink()).map(drop)
    };
    // Best effort: the server may be gone.
    let _ = run();
}

/// One connection.
pub(crate) struct Admin(BufReader<TcpStream>);

impl Admin {
    pub(crate) async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let stream = time::timeout(PATIENCE, TcpStream::connect((host, port))).await??;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends one command and reads a reply of one line.
    pub(crate) async fn ask(&mut self, words: &[&str]) -> io::Result<String> {
        let mut out = BytesMut::new();
        write(words, &mut out);
        let exchange = async {
            self.0.write_all(&out).await?;
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            Ok(line.trim_end().to_owned())
        };
        time::timeout(PATIENCE, exchange).await?
    }

    /// The inner error is what Redis answered.
    pub(crate) async fn make_user(
        &mut self,
        user: &str,
        password: &str,
    ) -> io::Result<Result<(), String>> {
        let password = format!(">{password}");
        let mut words = vec!["ACL", "SETUSER", user, "on", &password];
        words.extend(RIGHTS);
        let mut answer = self.ask(&words).await?;
        if answer.starts_with("-ERR") {
            // Redis 6 can't take away a subcommand.
            words.pop();
            answer = self.ask(&words).await?;
        }
        Ok(if answer == "+OK" { Ok(()) } else { Err(answer) })
    }
}

fn write(words: &[&str], out: &mut BytesMut) {
    let words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
    gateway::command::write(&words, out);
}

fn word(answer: &str) -> &str {
    answer
        .split(' ')
        .next()
        .unwrap_or_default()
        .trim_start_matches('-')
}
