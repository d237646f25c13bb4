//! One topology forms at a time. A cluster, or a master with its replicas and sentinels, is half
//! a dozen processes that all talk to each other while they start; several at once, as parallel
//! tests have them, take a busy machine's time from each other until one takes the next for dead.

use std::{env, fs::File, io, path::Path, time::Duration};

use fs4::{FileExt, TryLockError};
use tokio::time::{self, Instant};

/// How long to wait for the others; then this one starts beside them.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// The permission to start, until it is dropped. The system takes it back from a process that
/// is killed.
pub(crate) struct Turn {
    /// `None`: it took too long, or there is no such file.
    _lock: Option<File>,
}

impl Turn {
    /// Waits for the topologies that other processes and threads on this machine are starting.
    pub(crate) async fn take() -> Self {
        Self::take_at(&env::temp_dir().join("authx-emulator.lock"), LIMIT).await
    }

    async fn take_at(path: &Path, limit: Duration) -> Self {
        let deadline = Instant::now() + limit;
        // Another user's may be opened, but not created.
        let Ok(file) = File::open(path).or_else(|_| create(path)) else {
            return Self { _lock: None };
        };
        loop {
            // Not the method of `File`, which Rust has since 1.89.
            match FileExt::try_lock(&file) {
                Ok(()) => return Self { _lock: Some(file) },
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    time::sleep(PAUSE).await;
                }
                Err(_) => return Self { _lock: None },
            }
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true).open(path)
}

#[cfg(test)]
mod tests;
