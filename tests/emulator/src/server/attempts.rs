//! Waiting for several processes to come to what they were told.

use std::{io, time::Duration};

use tokio::time::{self, Instant};

use crate::EmulatorError;

/// How long it may take, on a busy machine as well: a sentinel that was held up for two seconds
/// does nothing for thirty (Redis documentation, "TILT mode"), and may be held up again.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(50);

/// Attempts at one thing, at short intervals.
pub(crate) struct Attempts {
    doing: &'static str,
    deadline: Instant,
}

impl Attempts {
    pub(crate) fn at(doing: &'static str) -> Self {
        Self {
            doing,
            deadline: Instant::now() + LIMIT,
        }
    }

    /// Takes the outcome of one attempt. `None`: the next one is due. An error
    /// is as good as "not yet", until time is up.
    pub(crate) async fn made<T>(
        &self,
        outcome: io::Result<Option<T>>,
    ) -> Result<Option<T>, EmulatorError> {
        let late = Instant::now() > self.deadline;
        match outcome {
            Ok(Some(value)) => Ok(Some(value)),
            Ok(None) if late => Err(failed(self.doing, "it took too long")),
            Err(error) if late => Err(failed(self.doing, error)),
            _ => {
                time::sleep(PAUSE).await;
                Ok(None)
            }
        }
    }
}

pub(crate) fn failed(doing: &'static str, reason: impl ToString) -> EmulatorError {
    EmulatorError::Topology {
        doing,
        reason: reason.to_string(),
    }
}
