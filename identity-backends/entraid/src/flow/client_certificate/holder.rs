//! The certificate in use, and the file that may replace it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use redis_authx::ConfigError;

use super::credential::Credential;
use super::source::Source;
use super::thumbprint::Thumbprint;

/// Holds the newest certificate that could be read.
#[derive(Debug)]
pub(super) struct Holder {
    source: Source,
    expected: Option<Thumbprint>,
    held: Mutex<Held>,
}

#[derive(Clone)]
struct Held {
    credential: Arc<Credential>,
    digest: [u8; 32],
}

impl Holder {
    /// Reads the source for the first time. Blocks.
    pub(super) fn new(
        source: Source,
        expected: Option<Thumbprint>,
        now: SystemTime,
    ) -> Result<Self, ConfigError> {
        let held = load(&source, expected, now, None)?;
        let held = held.ok_or_else(|| ConfigError::missing("certificate", "a certificate"))?;
        Ok(Self {
            source,
            expected,
            held: Mutex::new(held),
        })
    }

    /// The certificate to sign with at `now`. Blocks while a file is read.
    ///
    /// What stands in the file replaces the held one if it can be used, now. If
    /// not, it may be half written, or the key may be there and its certificate
    /// not yet: the held one serves as long as it is valid.
    pub(super) fn current(&self, now: SystemTime) -> Result<Arc<Credential>, ConfigError> {
        let held = self.lock().clone();
        let still_good = || held.credential.check_dates(now);
        if self.source.is_on_disk() {
            match load(&self.source, self.expected, now, Some(&held.digest)) {
                Ok(None) => {}
                Ok(Some(newer)) => {
                    *self.lock() = newer.clone();
                    return Ok(newer.credential);
                }
                Err(error) if still_good().is_err() => return Err(error),
                Err(error) => log::warn!(
                    "the certificate file can't be used, so the former certificate stays in use: \
                     {error}"
                ),
            }
        }
        still_good()?;
        Ok(held.credential)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` for what has the digest `known`.
fn load(
    source: &Source,
    expected: Option<Thumbprint>,
    now: SystemTime,
    known: Option<&[u8; 32]>,
) -> Result<Option<Held>, ConfigError> {
    let reading = source.read()?;
    if known == Some(&reading.digest) {
        return Ok(None);
    }
    let credential = Credential::new(source.open(&reading)?, expected)?;
    credential.check_dates(now)?;
    Ok(Some(Held {
        credential: Arc::new(credential),
        digest: reading.digest,
    }))
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.credential.fmt(f)
    }
}
