//! A `redis-server` as a child process.

use std::{
    fs::{self, File},
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tokio::time;

use super::admin::Admin;
use crate::{EmulatorError, random, temp_dir::TempDir};

/// How long it may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Another process may take the port between our looking and its binding.
const PORTS_TRIED: usize = 5;

/// A `redis-server` that dies with this value.
pub(crate) struct RedisServer {
    program: String,
    port: AtomicU16,
    /// The default user's, so that whoever has not logged in gets NOAUTH.
    default_password: String,
    process: Mutex<Option<Child>>,
    folder: TempDir,
}

impl RedisServer {
    pub(crate) async fn start(
        program: &str,
        user: &str,
        password: &str,
    ) -> Result<Self, EmulatorError> {
        let server = Self {
            program: program.to_owned(),
            port: AtomicU16::new(0),
            default_password: random::secret()?,
            process: Mutex::new(None),
            folder: TempDir::create()?,
        };
        let mut tried = 1;
        loop {
            server.port.store(free_port()?, SeqCst);
            match server.run(user, password).await {
                Err(EmulatorError::RedisServerStart { .. }) if tried < PORTS_TRIED => tried += 1,
                outcome => return outcome.map(|()| server),
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.load(SeqCst)
    }

    /// Starts the process on its port and waits until it serves.
    pub(crate) async fn run(&self, user: &str, password: &str) -> Result<(), EmulatorError> {
        self.kill();
        let child = self.spawn()?;
        *self.process() = Some(child);
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Ok(()) = self.greet(user, password).await {
                return Ok(());
            }
            let ended = self
                .process()
                .as_mut()
                .is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || Instant::now() > deadline {
                self.kill();
                return Err(self.not_started(ended));
            }
            time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.process().take() {
            // Waiting after the kill takes the zombie away.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills it and removes its folder, also while others hold this value.
    pub(crate) fn remove(&self) {
        self.kill();
        self.folder.remove();
    }

    fn spawn(&self) -> Result<Child, EmulatorError> {
        let log = self.log_path();
        let failed = |path: PathBuf| {
            move |source: io::Error| EmulatorError::Write {
                path,
                source: Arc::new(source),
            }
        };
        let out = File::create(&log).map_err(failed(log.clone()))?;
        let errors = out.try_clone().map_err(failed(log))?;
        let mut child = Command::new(&self.program)
            .arg("-")
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .map_err(|error| self.not_spawned(&error))?;
        // By standard input, so that the password is in no list of processes.
        if let Some(mut stdin) = child.stdin.take() {
            // A server that is gone already is noticed by the caller.
            let _ = stdin.write_all(self.configuration().as_bytes());
        }
        Ok(child)
    }

    /// Every write is in the log file before its reply is sent, so that what a
    /// client was told survives a kill; the disk itself need not have it.
    fn configuration(&self) -> String {
        let Self {
            default_password, ..
        } = self;
        format!(
            "port {}\nbind 127.0.0.1\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync no\n\
             loglevel warning\nrequirepass {default_password}\n",
            self.port()
        )
    }

    async fn greet(&self, user: &str, password: &str) -> io::Result<()> {
        let mut admin = Admin::connect("127.0.0.1", self.port()).await?;
        if admin.ask(&["AUTH", &self.default_password]).await? != "+OK"
            || admin.ask(&["PING"]).await? != "+PONG"
        {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let made = admin.make_user(user, password).await?;
        made.map_err(io::Error::other)
    }

    fn not_spawned(&self, error: &io::Error) -> EmulatorError {
        let program = self.program.clone();
        if error.kind() == io::ErrorKind::NotFound {
            EmulatorError::RedisServerMissing { program }
        } else {
            EmulatorError::RedisServerStart {
                program,
                reason: error.to_string(),
            }
        }
    }

    fn not_started(&self, ended: bool) -> EmulatorError {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let last_lines: Vec<_> = log.lines().rev().take(5).collect();
        let said: String = last_lines.into_iter().rev().collect::<Vec<_>>().join(" | ");
        let what = if ended {
            "it ended".to_owned()
        } else {
            format!("it gave no answer for {} s", START_LIMIT.as_secs())
        };
        EmulatorError::RedisServerStart {
            program: self.program.clone(),
            reason: format!("{what}; its last words: {said:?}"),
        }
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("redis-server.log")
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> Result<u16, EmulatorError> {
    let address = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    TcpListener::bind(address)
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| EmulatorError::Bind {
            purpose: "redis-server",
            address,
            source: Arc::new(source),
        })
}
