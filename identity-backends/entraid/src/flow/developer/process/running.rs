use std::io;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

/// A process that does not outlive this value.
///
/// With it end those that it has started, as long as it has not ended before
/// them by itself; then those do on Unix that still have its output open, which
/// would keep the threads that read it.
pub(super) struct Running {
    child: Child,
    /// Nothing has its output open any more.
    pub(super) is_silent: bool,
}

impl Running {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        // A group of its own, by which its children can be reached: `az` is a
        // script that starts Python.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // No window pops up.
        #[cfg(windows)]
        std::os::windows::process::CommandExt::creation_flags(&mut command, 0x0800_0000);
        Ok(Self {
            child: command.spawn()?,
            is_silent: false,
        })
    }

    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(super) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// How it ended, once it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended().is_none() {
            end_with_children(self.child.id());
            // Where that did not work; and nothing may be left to be reaped.
            let _ = self.child.kill();
            let _ = self.child.wait();
        } else if cfg!(unix) && !self.is_silent {
            // The number stays the group's while anyone is in it.
            end_with_children(self.child.id());
        }
    }
}

/// The standard library ends a single process only, and to call the system is
/// `unsafe`: so the system's own command does it.
fn end_with_children(id: u32) {
    #[cfg(unix)]
    let mut command = {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "kill -s KILL -- \"-$1\"", "sh"]);
        command.arg(id.to_string());
        command
    };
    #[cfg(not(unix))]
    let mut command = {
        let root = std::env::var_os("SystemRoot").unwrap_or_default();
        let mut command = Command::new(std::path::Path::new(&root).join("System32\\taskkill.exe"));
        command.args(["/T", "/F", "/PID"]).arg(id.to_string());
        command
    };
    let _ = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
