//! The certificate in use, and the file that may replace it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use redis_authx::ConfigError;

use super::credential::Credential;
use super::source::{Reading, Source};
use super::thumbprint::Thumbprint;

/// Holds the newest certificate that could be read.
#[derive(Debug)]
pub(super) struct Holder {
    /// `None` for one that can't change: what it held of the key is wiped.
    source: Option<Source>,
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
        let held = open(&source, &source.read()?, expected, now)?;
        Ok(Self {
            source: Some(source).filter(Source::is_on_disk),
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
        if let Some(source) = &self.source {
            match self.newer(source, &held.digest, now) {
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

    /// What the source holds now; `None` if it is what it was.
    fn newer(
        &self,
        source: &Source,
        known: &[u8; 32],
        now: SystemTime,
    ) -> Result<Option<Held>, ConfigError> {
        let reading = source.read()?;
        if reading.digest == *known {
            return Ok(None);
        }
        open(source, &reading, self.expected, now).map(Some)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was read, if it can be used at `now`.
fn open(
    source: &Source,
    reading: &Reading,
    expected: Option<Thumbprint>,
    now: SystemTime,
) -> Result<Held, ConfigError> {
    let credential = Credential::new(source.open(reading)?, expected, now)?;
    credential.check_dates(now)?;
    Ok(Held {
        credential: Arc::new(credential),
        digest: reading.digest,
    })
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.credential.fmt(f)
    }
}
