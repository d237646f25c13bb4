//! A redis-server that takes any password of one user.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::user_and_password;

/// Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one on a free port of 127.0.0.1, and waits until it answers.
    pub(crate) fn start() -> Self {
        Self::start_for(&user_and_password().0)
    }

    /// The same for a user of that name.
    pub(crate) fn start_for(user: &str) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string()])
            .args(settings)
            .args(["--user", user, "on", "nopass", "~*", "&*", "+@all"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is on the PATH");
        let server = Self { child, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "it doesn't start"
            );
            sleep(Duration::from_millis(10));
        }
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
