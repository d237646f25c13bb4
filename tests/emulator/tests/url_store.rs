//! A Redis that runs elsewhere as the store.
#![allow(clippy::unwrap_used)]

mod support;

use redis_authx_emulator::{Emulator, EmulatorError, Store};
use std::{
    io::Write,
    process::{Child, Command, Stdio},
};
use support::{HOUR, Raw};

/// A `redis-server` of the test's own.
struct Elsewhere {
    process: Child,
    port: u16,
}

impl Elsewhere {
    async fn start(configuration: &str) -> Self {
        let port = support::quiet_port();
        let mut process = Command::new("redis-server")
            .args(["-", "--port", &port.to_string(), "--save", ""])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().unwrap();
        input.write_all(configuration.as_bytes()).unwrap();
        drop(input);
        support::eventually("redis-server", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        Self { process, port }
    }

    async fn emulator(&self, login: &str) -> Result<Emulator, EmulatorError> {
        let url = format!("redis://{login}127.0.0.1:{}", self.port);
        Emulator::builder().store(Store::Url(url)).start().await
    }

    fn admin(&self) -> redis::Connection {
        let url = format!("redis://:pass%40word@127.0.0.1:{}", self.port);
        redis::Client::open(url).unwrap().get_connection().unwrap()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

const GUARDED: &str = "requirepass pass@word\nuser weak on >weak ~* +get\n";

#[tokio::test]
async fn it_serves_and_is_left_with_a_user_that_opens_nothing() {
    let elsewhere = Elsewhere::start(GUARDED).await;
    let emulator = elsewhere.emulator(":pass%40word@").await.unwrap();
    let mut raw = Raw::open(&emulator).await;
    raw.expect("GET a\r\n", "-NOAUTH Authentication required.\r\n")
        .await;
    raw.expect(
        "AUTH default pass@word\r\nGET a\r\n",
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n\
         -NOAUTH Authentication required.\r\n",
    )
    .await;
    raw.auth(&emulator, HOUR).await;
    raw.expect("SET a 1\r\n", "+OK\r\n").await;
    emulator.redis().restart_server().await.unwrap();
    assert_eq!(raw.rest().await, "");
    let mut raw = Raw::logged_in(&emulator, HOUR).await;
    raw.expect("INCR a\r\n", ":2\r\n").await;
    let user = emulator.object_id().to_owned();
    drop(emulator);
    let users: Vec<String> = redis::cmd("ACL")
        .arg("LIST")
        .query(&mut elsewhere.admin())
        .unwrap();
    let left = users.iter().find(|line| line.contains(&user)).unwrap();
    // Passwords are listed as hashes behind a '#'.
    assert!(!left.contains('#') && !left.contains("nopass"), "{left}");
}

#[tokio::test]
async fn what_it_lacks_is_named() {
    let elsewhere = Elsewhere::start(GUARDED).await;
    for (login, said) in [
        ("", "put it into the URL"),
        (":wrong@", "refused the URL's user and password (WRONGPASS)"),
        ("weak:weak@", "must be allowed ACL SETUSER"),
    ] {
        let error = elsewhere.emulator(login).await.unwrap_err();
        assert!(matches!(error, EmulatorError::StoreRights { .. }));
        assert!(error.to_string().contains(said), "{error}");
    }
    let open = Elsewhere::start("").await;
    let error = open.emulator("").await.unwrap_err();
    assert!(error.to_string().contains("requirepass"), "{error}");
    let port = open.port;
    drop(open);
    let url = format!("redis://:x@127.0.0.1:{port}");
    let error = Emulator::builder()
        .store(Store::Url(url))
        .start()
        .await
        .unwrap_err();
    assert!(
        matches!(error, EmulatorError::StoreUnreachable { .. }),
        "{error}"
    );
}
