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

use tokio::{
    task::{JoinError, JoinSet},
    time,
};

use super::{
    admin::{Admin, RIGHTS, SENTINEL_RIGHTS},
    ports,
};
use crate::{EmulatorError, temp_dir::TempDir};

/// How long it may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Another process may take the port between our looking and its binding.
const PORTS_TRIED: usize = 5;

/// What a child is, and with that what it has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The only one.
    Alone,
    /// One of several with data: a node of a cluster, or a master or replica.
    Member,
    /// A sentinel.
    Sentinel,
}

/// How to run a child.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) program: String,
    pub(crate) mode: Mode,
    /// Lines of configuration beyond those that every one has.
    pub(crate) settings: String,
    /// The default user's, so that whoever has not logged in gets NOAUTH.
    /// Without one whoever comes may do everything, and no user is made.
    pub(crate) default_password: Option<String>,
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
            ports::give_back(server.port.swap(ports::lasting()?, SeqCst));
            if server.launch.mode == Mode::Sentinel {
                let path = server.sentinel_file();
                let written = fs::write(&path, server.configuration());
                written.map_err(not_written(path))?;
            }
            match server.run().await {
                Err(EmulatorError::RedisServerStart { .. }) if tried < PORTS_TRIED => tried += 1,
                outcome => return outcome.map(|()| server),
            }
        }
    }

    /// So many of them, all at once.
    pub(crate) async fn start_all(
        launch: Launch,
        count: usize,
    ) -> Result<Vec<Self>, EmulatorError> {
        let mut starting = JoinSet::new();
        for _ in 0..count {
            starting.spawn(Self::start(launch.clone()));
        }
        let mut servers = Vec::new();
        while let Some(started) = starting.join_next().await {
            // Only a panic or the end of the runtime joins no result.
            let ended = |error: JoinError| EmulatorError::RedisServerStart {
                program: launch.program.clone(),
                reason: error.to_string(),
            };
            servers.push(started.map_err(ended)??);
        }
        Ok(servers)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.load(SeqCst)
    }

    pub(crate) fn default_password(&self) -> Option<&str> {
        self.launch.default_password.as_deref()
    }

    /// A connection with all rights.
    pub(crate) async fn admin(&self) -> io::Result<Admin> {
        let mut admin = Admin::connect("127.0.0.1", self.port()).await?;
        if let Some(password) = self.default_password() {
            admin.ask_all(&["AUTH", password]).await?;
        }
        Ok(admin)
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

    /// The same again, on the port that it had; another process may have that for
    /// a while.
    pub(crate) async fn run_again(&self) -> Result<(), EmulatorError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match self.run().await {
                Err(EmulatorError::RedisServerStart { .. }) if Instant::now() < deadline => {
                    time::sleep(Duration::from_millis(100)).await;
                }
                outcome => return outcome,
            }
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
        let out = File::create(&log).map_err(not_written(log.clone()))?;
        let errors = out.try_clone().map_err(not_written(log))?;
        let mut command = Command::new(&self.launch.program);
        command
            .current_dir(self.folder.path())
            .stdout(out)
            .stderr(errors);
        if self.launch.mode == Mode::Sentinel {
            // It keeps what it learns in its file, which thus has to be one.
            command.arg(self.sentinel_file()).arg("--sentinel");
            command.stdin(Stdio::null());
        } else {
            command.arg("-").stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| self.not_spawned(&error))?;
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
        let mut lines = format!(
            "port {}\nbind 127.0.0.1\ndaemonize no\nloglevel warning\n",
            self.port()
        );
        if let Some(password) = self.default_password() {
            lines += &format!("requirepass {password}\n");
            if self.launch.mode == Mode::Member {
                lines += &format!("masterauth {password}\n");
            }
        }
        if self.launch.mode != Mode::Sentinel {
            lines += "save \"\"\nappendonly yes\nappendfsync no\n";
        }
        if self.launch.mode == Mode::Member {
            // Replicas get their data at once, and notice a dead primary soon.
            lines +=
                "repl-diskless-sync yes\nrepl-diskless-sync-delay 0\nrepl-ping-replica-period 1\n";
        }
        lines + &self.launch.settings
    }

    async fn greet(&self) -> io::Result<()> {
        let mut admin = self.admin().await?;
        if admin.ask(&["PING"]).await? != "+PONG" {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if !self.is_process(&admin.ask_text(&["INFO", "server"]).await?) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let Launch {
            user,
            password,
            default_password,
            mode,
            ..
        } = &self.launch;
        if default_password.is_none() {
            return Ok(());
        }
        let rights: &[&str] = match mode {
            Mode::Alone | Mode::Member => &RIGHTS,
            Mode::Sentinel => &SENTINEL_RIGHTS,
        };
        let made = admin.make_user(user, password, rights).await?;
        made.map_err(io::Error::other)
    }

    /// Whether a server that says this of itself is the child. Another one may
    /// have been quicker to bind the port; one of the same cluster would even
    /// take the password.
    fn is_process(&self, info: &str) -> bool {
        let process = self.process();
        process.as_ref().is_some_and(|child| {
            let expected = format!("process_id:{}", child.id());
            info.lines().any(|line| line == expected)
        })
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

    fn sentinel_file(&self) -> PathBuf {
        self.folder.path().join("sentinel.conf")
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
        ports::give_back(self.port());
    }
}

fn not_written(path: PathBuf) -> impl FnOnce(io::Error) -> EmulatorError {
    move |source| EmulatorError::Write {
        path,
        source: Arc::new(source),
    }
}

#[cfg(test)]
mod tests;
