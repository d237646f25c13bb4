//! The few words the emulator itself exchanges with a Redis, beside its clients.

use std::{io, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time,
};

use crate::gateway;

/// What the user may do: everything but what would make replies
/// uncountable for the gateway, or end the server. Azure blocks most of these too.
pub(crate) const RIGHTS: [&str; 11] = [
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

/// The same at a sentinel, which does not know most of those commands.
pub(crate) const SENTINEL_RIGHTS: [&str; 5] = ["~*", "&*", "+@all", "-shutdown", "-client|reply"];

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Admin(BufReader<TcpStream>);

impl Admin {
    pub(crate) async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let stream = time::timeout(PATIENCE, TcpStream::connect((host, port))).await??;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends one command and reads a reply of one line.
    pub(crate) async fn ask(&mut self, words: &[&str]) -> io::Result<String> {
        let exchange = async {
            self.send(words).await?;
            self.line().await
        };
        time::timeout(PATIENCE, exchange).await?
    }

    /// Sends one command and reads a reply of any shape: what is in it, without
    /// its nesting. An error at its top is the outer error.
    pub(crate) async fn ask_all<W: AsRef<[u8]> + Sync>(
        &mut self,
        words: &[W],
    ) -> io::Result<Vec<Vec<u8>>> {
        let exchange = async {
            self.send(words).await?;
            let mut leaves = Vec::new();
            let mut expected: usize = 1;
            while expected > 0 {
                expected -= 1;
                let line = self.line().await?;
                let rest = line.get(1..).unwrap_or_default();
                match line.as_bytes().first() {
                    Some(b'-') if expected == 0 && leaves.is_empty() => {
                        return Err(io::Error::other(rest.to_owned()));
                    }
                    // No reply that is asked for holds more.
                    Some(b'*') => {
                        expected += rest.parse::<usize>().unwrap_or(0).min(1 << 16);
                    }
                    Some(b'$') => {
                        if let Ok(length) = rest.parse::<u32>() {
                            let mut bulk = Vec::new();
                            let wanted = u64::from(length) + 2;
                            (&mut self.0).take(wanted).read_to_end(&mut bulk).await?;
                            bulk.truncate(length as usize);
                            leaves.push(bulk);
                        }
                    }
                    _ => leaves.push(rest.as_bytes().to_vec()),
                }
            }
            Ok(leaves)
        };
        time::timeout(PATIENCE, exchange).await?
    }

    /// The same, of which only the first value is wanted, as text.
    pub(crate) async fn ask_text(&mut self, words: &[&str]) -> io::Result<String> {
        let leaves = self.ask_all(words).await?;
        let first = leaves.into_iter().next().unwrap_or_default();
        Ok(String::from_utf8_lossy(&first).into_owned())
    }

    /// The inner error is what Redis answered.
    pub(crate) async fn make_user(
        &mut self,
        user: &str,
        password: &str,
        rights: &[&str],
    ) -> io::Result<Result<(), String>> {
        let password = format!(">{password}");
        let mut words = vec!["ACL", "SETUSER", user, "on", &password];
        words.extend(rights);
        let mut answer = self.ask(&words).await?;
        if answer.starts_with("-ERR") {
            // Redis 6 can't take away a subcommand.
            words.pop();
            answer = self.ask(&words).await?;
        }
        Ok(if answer == "+OK" { Ok(()) } else { Err(answer) })
    }

    async fn send<W: AsRef<[u8]> + Sync>(&mut self, words: &[W]) -> io::Result<()> {
        let mut out = BytesMut::new();
        write(words, &mut out);
        self.0.write_all(&out).await
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// Writes a command.
pub(crate) fn write<W: AsRef<[u8]>>(words: &[W], out: &mut BytesMut) {
    let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
    gateway::command::write(&words, out);
}
