//! A `redis-server` as a child process.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tokio::time;

use super::{admin::Admin, ports};
use crate::{EmulatorError, temp_dir::TempDir};

/// How long it may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Another process may take the port between our looking and its binding.
const PORTS_TRIED: usize = 5;

/// What a child is, and with that which ports it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The only one.
    Alone,
    /// A node of a cluster, which talks to the others on its port + 10000
    /// (Redis Cluster specification, "The Cluster bus").
    ClusterNode,
}

/// How to run a child.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) program: String,
    pub(crate) mode: Mode,
    /// Lines of configuration beyond those that every one has.
    pub(crate) settings: String,
    /// The default user's, so that whoever has not logged in gets NOAUTH.
    pub(crate) default_password: String,
    /// The user that good log-ins become.
    pub(crate) user: String,
    pub(crate) password: String,
}

/// A `redis-server` that dies with this value.
pub(crate) struct RedisServer {
    launch: Launch,
    port: AtomicU16,
    process: Mutex<Option<Child>>,
    folder: TempDir,
}

impl RedisServer {
    pub(crate) async fn start(launch: Launch) -> Result<Self, EmulatorError> {
        let server = Self {
            launch,
            port: AtomicU16::new(0),
            process: Mutex::new(None),
            folder: TempDir::create()?,
        };
        let mut tried = 1;
        loop {
            let port = match server.launch.mode {
                Mode::Alone => ports::free()?,
                Mode::ClusterNode => ports::lasting()?,
            };
            server.port.store(port, SeqCst);
            match server.run().await {
                Err(EmulatorError::RedisServerStart { .. }) if tried < PORTS_TRIED => tried += 1,
                outcome => return outcome.map(|()| server),
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.load(SeqCst)
    }

    pub(crate) fn default_password(&self) -> &str {
        &self.launch.default_password
    }

    /// A connection with all rights.
    pub(crate) async fn admin(&self) -> io::Result<Admin> {
        let mut admin = Admin::connect("127.0.0.1", self.port()).await?;
        let answer = admin.ask(&["AUTH", &self.launch.default_password]).await?;
        if answer == "+OK" {
            Ok(admin)
        } else {
            Err(io::Error::other(answer))
        }
    }

    /// Starts the process on its port and waits until it serves.
    pub(crate) async fn run(&self) -> Result<(), EmulatorError> {
        self.kill();
        let child = self.spawn()?;
        *self.process() = Some(child);
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Ok(()) = self.greet().await {
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
        let mut child = Command::new(&self.launch.program)
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
        let Launch {
            default_password,
            settings,
            ..
        } = &self.launch;
        format!(
            "port {}\nbind 127.0.0.1\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync no\n\
             loglevel warning\nrequirepass {default_password}\n{settings}",
            self.port()
        )
    }

    async fn greet(&self) -> io::Result<()> {
        let mut admin = self.admin().await?;
        if admin.ask(&["PING"]).await? != "+PONG" {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let Launch { user, password, .. } = &self.launch;
        let made = admin.make_user(user, password).await?;
        made.map_err(io::Error::other)
    }

    fn not_spawned(&self, error: &io::Error) -> EmulatorError {
        let program = self.launch.program.clone();
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
            program: self.launch.program.clone(),
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
