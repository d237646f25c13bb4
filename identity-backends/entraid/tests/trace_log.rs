//! A whole exchange with all logging on. In a process of its own, since a
//! process has one logger.
#![cfg(feature = "interactive")]

mod common;
mod support;

use std::sync::Mutex;
use std::time::{Instant, SystemTime};

use common::*;
use log::{Level, LevelFilter, Log, Metadata, Record};
use redis_authx::{Clock, Sleep};
use redis_authx_entraid::{Authority, DeviceCode, ManagedIdentity, UreqClient};
use support::{Server, ok};

#[derive(Debug)]
struct Everything(Mutex<String>);

static LOG: Everything = Everything(Mutex::new(String::new()));

impl Log for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}\n", record.target(), record.args());
        self.0.lock().expect("no test panicked").push_str(&line);
    }

    fn flush(&self) {}
}

/// A person signs in, and the token is renewed; each answer serves for both
/// endpoints.
fn device_sign_in(access_token: &str) {
    let server = Server::plain(ok(&format!(
        r#"{{"device_code":"device-hunter2","user_code":"AB","verification_uri":"https://a","interval":1,"access_token":"{access_token}","refresh_token":"refresh-hunter2"}}"#
    )));
    let flow = DeviceCode::new(CLIENT_ID)
        .authority(Authority::custom(server.url("/tenant")))
        .http_client(UreqClient::new());
    let sign_in = futures::executor::block_on(flow.begin()).expect("a code");
    log::trace!("{flow:?} {sign_in:?}");
    let finish = sign_in.finish(&Hurry);
    let identity = futures::executor::block_on(finish).expect("an identity");
    for _ in 0..2 {
        let token = request(&identity).expect("a token");
        log::trace!("{identity:?} {token:?}");
    }
    server.next();
    for _ in 0..2 {
        assert!(server.next().contains("hunter2"));
    }
}

/// A clock on which every sleep is over at once.
#[derive(Debug)]
struct Hurry;

impl Clock for Hurry {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep_until(&self, _: Instant) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

/// The dump has rows of 16 bytes, in hexadecimal and as text with dots for
/// white space.
fn dumped(log: &str) -> String {
    let rows = log
        .lines()
        .filter(|line| line.starts_with("ureq_proto::util"));
    rows.filter_map(|row| row.get(row.len().saturating_sub(16)..))
        .collect()
}

#[test]
fn neither_secret_nor_token_is_logged() {
    log::set_logger(&LOG).expect("the only logger");
    log::set_max_level(LevelFilter::Trace);

    let access_token = access_token(600);
    let body = format!(r#"{{"access_token":"{access_token}","expires_in":600}}"#);
    for answer in [
        ok(&body),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        ),
    ] {
        let server = Server::plain(answer);
        let identity = builder()
            .authority(Authority::custom(server.url("/tenant")))
            .http_client(UreqClient::new())
            .build()
            .expect("a good configuration");
        let token = request(&identity).expect("a token");
        log::trace!("{identity:?} {token:?}");
        assert!(server.next().contains("hunter2"));
        // Back where it was.
        assert_eq!(log::max_level(), LevelFilter::Trace);
    }

    device_sign_in(&access_token);
    let server = Server::plain(ok(&body));
    let url = server.url("/msi/token");
    let identity = ManagedIdentity::system_assigned()
        .environment(move |name| match name {
            "IDENTITY_ENDPOINT" => Some(url.clone()),
            "IDENTITY_HEADER" => Some(SECRET.to_owned()),
            _ => None,
        })
        .build()
        .expect("a good configuration");
    request(&identity).expect("a token");
    assert!(server.next().contains("hunter2"));

    let log = LOG.0.lock().expect("no test panicked").clone();
    let dump = dumped(&log);
    // The dump does happen, for what is no secret.
    assert!(dump.contains("POST./tenant/oauth2/v2.0/token"), "{log}");
    for text in [&log, &dump] {
        assert!(!text.contains("hunter2"), "{log}");
        assert!(!text.contains("\"refresh_token"), "{log}");
        assert!(!text.contains("c2lnbmF0dXJl"), "{log}");
        assert!(!text.contains("access_token"), "{log}");
        for part in access_token.split('.') {
            assert!(!text.contains(&part[..12]), "{log}");
        }
    }
    assert!(log::log_enabled!(Level::Trace));
}
