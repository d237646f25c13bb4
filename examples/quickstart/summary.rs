//! The last line, and whether it was a success.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::load::Counts;
use crate::outage::Recovery;
use crate::timeline::Timeline;

pub(crate) struct Summary {
    length: Duration,
    rotations: u64,
    reauths: u64,
    lost: u64,
    counts: Arc<Counts>,
    recovery: Option<Recovery>,
}

impl Summary {
    /// A rotation of the last moment is given the time for its `AUTH`.
    pub(crate) async fn new(
        length: Duration,
        timeline: &Timeline,
        counts: Arc<Counts>,
        recovery: Option<Recovery>,
    ) -> Self {
        let rotations = timeline.rotations();
        for _ in 0..20 {
            if timeline.reauths() + timeline.lost() >= rotations {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Self {
            length,
            rotations,
            reauths: timeline.reauths(),
            lost: timeline.lost(),
            counts,
            recovery,
        }
    }

    /// A failure is excused only by an outage, and only while no valid token
    /// was held.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let failed = self.counts.failed.load(Ordering::Relaxed);
        let inexcusable = self.counts.inexcusable.load(Ordering::Relaxed);
        let fine = match &self.recovery {
            None => failed == 0 && self.lost == 0,
            Some(recovery) => inexcusable == 0 && recovery.worked_again.is_some(),
        };
        if fine {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} s: {} rotations, {} re-authentications, {} commands, {} failed, {} connections lost",
            self.length.as_secs(),
            self.rotations,
            self.reauths,
            self.counts.commands.load(Ordering::Relaxed),
            self.counts.failed.load(Ordering::Relaxed),
            self.lost,
        )?;
        let Some(Recovery {
            outage,
            worked_again,
        }) = &self.recovery
        else {
            return Ok(());
        };
        write!(f, "; outage of {} s: ", outage.as_secs())?;
        match worked_again {
            Some(gone) if gone.is_zero() => {
                f.write_str("nothing failed after the service's return")
            }
            Some(gone) => write!(
                f,
                "worked again {:.2} s after the service's return",
                gone.as_secs_f64()
            ),
            None => f.write_str("did not work again"),
        }
    }
}
