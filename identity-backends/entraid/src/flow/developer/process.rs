//! Runs a tool to its end, which it can't put off.

mod pipes;
mod running;

use std::io::{self, ErrorKind};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::threads::{self, NoThread};

use zeroize::Zeroizing;

use pipes::{Pipes, State};
use running::Running;

/// A token has a few KiB. What prints more is not asked for one.
const MAX_OUTPUT: usize = 128 * 1024;
/// How soon it is noticed that nobody waits any more, or that the tool has
/// ended and left its output to another process.
const TICK: Duration = Duration::from_millis(20);
/// Given, after the tool's end, to whatever else has its output open.
const GRACE: Duration = Duration::from_millis(500);

pub(super) struct Output {
    pub(super) status: ExitStatus,
    pub(super) stdout: Zeroizing<Vec<u8>>,
    pub(super) stderr: Zeroizing<Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody waits for the answer.
    Abandoned,
    Busy,
    NotFound,
    NotStarted,
    TimedOut,
    TooMuchOutput,
}

impl From<NoThread> for Failure {
    fn from(NoThread: NoThread) -> Self {
        Self::Busy
    }
}

/// Runs `command` with nothing to read. It is ended, with the processes it has
/// started, when `limit` has passed and when the future is dropped. What goes
/// on after its end is left alone, unless it has the output open.
pub(super) async fn run(command: Command, limit: Duration) -> Result<Output, Failure> {
    let waits = Waits(Arc::new(AtomicBool::new(true)));
    let somebody = Arc::clone(&waits.0);
    threads::unblock(move || supervise(command, limit, &somebody)).await
}

/// Says, by its drop, that nobody waits any more.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// On a thread that may block. The tool is ended by `Running`'s drop on every
/// way out.
fn supervise(
    mut command: Command,
    limit: Duration,
    somebody: &AtomicBool,
) -> Result<Output, Failure> {
    let begun = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = Running::start(command).map_err(|error| not_started(&error))?;
    let pipes = Pipes::read(running.stdout(), running.stderr())?;
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        if !somebody.load(Ordering::Relaxed) {
            return Err(Failure::Abandoned);
        }
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(Failure::TimedOut);
        }
        match pipes.wait(left.min(TICK)) {
            State::Open => {}
            State::Silent => running.is_silent = true,
            State::TooMuch => return Err(Failure::TooMuchOutput),
        }
        if ended.is_none() {
            ended = running.ended().map(|status| (status, Instant::now()));
        }
        match ended {
            Some((status, at)) if running.is_silent || at.elapsed() >= GRACE => {
                let [stdout, stderr] = pipes.take();
                return Ok(Output {
                    status,
                    stdout,
                    stderr,
                });
            }
            // Its end comes within a moment, and nothing says when.
            None if running.is_silent => thread::sleep(left.min(Duration::from_millis(1))),
            _ => {}
        }
    }
}

/// What passes by itself is `Busy`: too little memory, too many processes or
/// open files, a program that is being written.
fn not_started(error: &io::Error) -> Failure {
    // What is no program has no kind in the standard library. Unix: ENOEXEC.
    // Windows: ERROR_BAD_EXE_FORMAT, ERROR_EXE_MACHINE_TYPE_MISMATCH.
    let no_program: &[i32] = if cfg!(windows) { &[193, 216] } else { &[8] };
    match error.kind() {
        ErrorKind::NotFound => Failure::NotFound,
        ErrorKind::PermissionDenied
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename
        | ErrorKind::ArgumentListTooLong
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::Unsupported => Failure::NotStarted,
        _ if error
            .raw_os_error()
            .is_some_and(|code| no_program.contains(&code)) =>
        {
            Failure::NotStarted
        }
        _ => Failure::Busy,
    }
}

#[cfg(all(test, unix))]
mod tests;
