//! What the integration tests share.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisResult,
    aio::MultiplexedConnection,
};
use redis_authx_emulator::{Emulator, Store};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

pub const HOUR: Duration = Duration::from_secs(3600);

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Both stores that need nothing but this machine.
pub const STORES: [Store; 2] = [Store::Embedded, Store::RedisServer];

pub async fn emulator(store: Store) -> Emulator {
    Emulator::builder().store(store).start().await.unwrap()
}

/// Connection details with this log-in; `resp3` by the URL.
pub fn info(emulator: &Emulator, resp3: bool, user: &str, token: &str) -> ConnectionInfo {
    let protocol = if resp3 { "resp3" } else { "resp2" };
    let info = format!("{}?protocol={protocol}", emulator.redis_url())
        .into_connection_info()
        .unwrap();
    let settings = info
        .redis_settings()
        .clone()
        .set_username(user)
        .set_password(token);
    info.set_redis_settings(settings)
}

/// Time limits that a busy machine keeps to; redis-rs's own are 500 ms for a
/// reply and 1 s for a connection.
pub fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE))
}

/// A connection of this client's.
pub async fn open(client: &Client) -> RedisResult<MultiplexedConnection> {
    let config = patient();
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    opened.await
}

/// A connection logged in with `token`.
pub async fn connect(
    emulator: &Emulator,
    resp3: bool,
    token: &str,
) -> RedisResult<MultiplexedConnection> {
    let info = info(emulator, resp3, emulator.object_id(), token);
    open(&Client::open(info)?).await
}

/// The same with a new token of an hour.
pub async fn connected(emulator: &Emulator, resp3: bool) -> MultiplexedConnection {
    connect(emulator, resp3, &emulator.issue_token(HOUR))
        .await
        .unwrap()
}

/// Bytes to and from the plain listener.
pub struct Raw(TcpStream);

impl Raw {
    pub async fn open(emulator: &Emulator) -> Self {
        Self::open_at(emulator.redis_url()).await
    }

    /// To a node's gateway, without TLS.
    pub async fn open_at(url: &str) -> Self {
        let address = url.strip_prefix("redis://").unwrap();
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Logged in with a token of this lifetime.
    pub async fn logged_in(emulator: &Emulator, lifetime: Duration) -> Self {
        let mut raw = Self::open(emulator).await;
        raw.auth(emulator, lifetime).await;
        raw
    }

    pub async fn auth(&mut self, emulator: &Emulator, lifetime: Duration) {
        let token = emulator.issue_token(lifetime);
        let line = format!("AUTH {} {token}\r\n", emulator.object_id());
        assert_eq!(self.ask(&line, "+OK\r\n".len()).await, "+OK\r\n");
    }

    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends, and reads this many bytes.
    pub async fn ask(&mut self, text: &str, length: usize) -> String {
        self.send(text).await;
        let mut bytes = vec![0; length];
        time::timeout(PATIENCE, self.0.read_exact(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Sends, and must get exactly this.
    pub async fn expect(&mut self, text: &str, reply: &str) {
        assert_eq!(
            self.ask(text, reply.len()).await,
            reply,
            "reply to {text:?}"
        );
    }

    /// The next whole reply, of either protocol version.
    pub async fn reply(&mut self) -> String {
        let mut seen = String::new();
        let mut values = 1;
        while values > 0 {
            let start = seen.len();
            while !seen[start..].ends_with("\r\n") {
                seen.push_str(&self.ask("", 1).await);
            }
            values -= 1;
            let number = seen[start + 1..].trim_end().parse().unwrap_or(0).max(-1);
            let kind = seen.as_bytes()[start];
            match kind {
                b'$' if number >= 0 => seen.push_str(&self.ask("", number as usize + 2).await),
                b'*' | b'~' | b'>' if number > 0 => values += number,
                b'%' => values += 2 * number,
                _ => {}
            }
        }
        seen
    }

    /// Everything that still comes until the other side closes. A reset counts
    /// as a close.
    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let _ = time::timeout(PATIENCE, self.0.read_to_end(&mut bytes))
            .await
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

/// Waits until `condition` holds.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(time::Instant::now() < deadline, "{what} did not come about");
        time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether Redis answered WRONGPASS, which the client names in two ways.
pub fn refused(error: &redis::RedisError) -> bool {
    error.kind() == redis::ErrorKind::AuthenticationFailed || error.code() == Some("WRONGPASS")
}

/// A port that is free, and that the system hands out to nobody: it stays so.
pub fn quiet_port() -> u16 {
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    // Servers of the emulator's have ports below and above these.
    let mut ports = std::iter::repeat_with(|| fastrand::u16(23_000..27_000));
    ports.find(free).unwrap()
}

/// Whether something listens there.
pub fn answers(url: &str) -> bool {
    let address = url
        .split_once("://")
        .unwrap()
        .1
        .replace("localhost", "127.0.0.1");
    std::net::TcpStream::connect(address).is_ok()
}
