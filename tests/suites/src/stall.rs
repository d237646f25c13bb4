use crate::Bed;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redis_authx_emulator::Emulator;

/// Keeps the server busy for a few hundred milliseconds at a time, until it is dropped:
/// what clients send meanwhile is read at once, and answered together.
#[derive(Debug)]
pub struct Stall {
    stop: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

impl Stall {
    /// Over one connection more, with one log-in.
    ///
    /// # Panics
    /// When the server can't be reached.
    #[must_use]
    pub fn start(emulator: &Emulator) -> Self {
        let mut socket = Socket::log_in(emulator);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let running = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                socket.ask("EVAL \"for i=1,8e6 do end\" 0");
                // Now and then somebody else is served.
                socket.ask("PING");
            }
        });
        Self {
            stop,
            running: Some(running),
        }
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It has nothing to say; a test that fails says why itself.
        let _ = self.running.take().map(JoinHandle::join);
    }
}

/// A socket that no client library is behind.
#[derive(Debug)]
pub struct Socket(TcpStream);

impl Socket {
    /// Logs in with a token of its own, of an hour.
    ///
    /// # Panics
    /// When the server can't be reached.
    #[must_use]
    pub fn log_in(emulator: &Emulator) -> Self {
        let address = emulator.redis_url().trim_start_matches("redis://");
        let mut socket = Self(TcpStream::connect(address).expect("the emulator listens"));
        let token = emulator.issue_token(Duration::from_secs(3600));
        socket.ask(&format!("AUTH {} {token}", emulator.object_id()));
        socket
    }

    /// Sends a command and waits for its reply, of which no more than the arrival
    /// matters.
    pub fn ask(&mut self, command: &str) {
        let sent = self.0.write_all(format!("{command}\r\n").as_bytes());
        let mut reply = [0; 512];
        let _ = sent.and_then(|()| self.0.read(&mut reply));
    }
}

impl Bed {
    /// Closes every connection and waits until each is closed: no reply and no message
    /// comes on them afterwards.
    ///
    /// # Panics
    /// When one is still open after a minute.
    pub async fn drop_connections(&self) {
        let redis = self.emulator.redis();
        let last = redis.connections_accepted();
        redis.drop_connections();
        self.until("none of them is open", |_| {
            let reports = redis.connection_reports();
            let mut dropped = reports.iter().filter(|report| report.id <= last);
            !dropped.any(|report| report.open)
        })
        .await;
    }
}
