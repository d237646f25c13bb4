use std::time::{Duration, Instant, SystemTime};

/// How often the clocks are compared while a token is held.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// Less than this is slewing or scheduling, not a step.
const TOLERANCE: Duration = Duration::from_secs(2);

/// Notices when the wall clock and the monotonic clock move apart: after a
/// suspend (`Instant` stands still during one on Linux) or when the wall clock
/// is set.
#[derive(Debug)]
pub(super) struct ClockWatch {
    now: Instant,
    wall: SystemTime,
}

/// The wall clock against the monotonic one, since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) by: Duration,
    pub(super) backward: bool,
}

impl ClockWatch {
    pub(super) const fn new(now: Instant, wall: SystemTime) -> Self {
        Self { now, wall }
    }

    /// A step since the last look, if there was one.
    ///
    /// The anchor moves only with a step or after a whole interval, so that
    /// frequent looks don't hide one that comes in small pieces.
    pub(super) fn observe(&mut self, now: Instant, wall: SystemTime) -> Option<Step> {
        let elapsed = now.saturating_duration_since(self.now);
        let step = match wall.duration_since(self.wall) {
            Ok(ahead) if ahead >= elapsed => Step {
                by: ahead - elapsed,
                backward: false,
            },
            Ok(ahead) => Step {
                by: elapsed - ahead,
                backward: true,
            },
            Err(back) => Step {
                by: back.duration().saturating_add(elapsed),
                backward: true,
            },
        };
        let stepped = step.by > TOLERANCE;
        if stepped || elapsed >= CHECK_EVERY {
            *self = Self::new(now, wall);
        }
        stepped.then_some(step)
    }

    pub(super) fn next_check(&self) -> Instant {
        self.now + CHECK_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn start() -> (ClockWatch, Instant, SystemTime) {
        #[allow(clippy::disallowed_methods)] // any instant will do
        let now = Instant::now();
        let wall = SystemTime::UNIX_EPOCH + secs(1_760_000_000);
        (ClockWatch::new(now, wall), now, wall)
    }

    #[test]
    fn clocks_that_agree_are_no_step() {
        let (mut watch, now, wall) = start();
        for minute in 1..=60 {
            // Slewed by 500 ppm, the most that NTP does.
            let slewed = secs(60 * minute) + Duration::from_millis(30 * minute);
            assert_eq!(watch.observe(now + secs(60 * minute), wall + slewed), None);
        }
    }

    #[test]
    fn a_step_is_seen_once_in_both_directions() {
        let (mut watch, now, wall) = start();
        let hour = secs(3600);
        let forward = watch.observe(now + secs(1), wall + secs(1) + hour);
        assert_eq!(
            forward,
            Some(Step {
                by: hour,
                backward: false
            })
        );
        assert_eq!(watch.observe(now + secs(2), wall + secs(2) + hour), None);
        let back = watch.observe(now + secs(3), wall + secs(3));
        assert_eq!(
            back,
            Some(Step {
                by: hour,
                backward: true
            })
        );
    }

    #[test]
    fn a_step_before_the_epoch_is_no_panic() {
        let (mut watch, now, wall) = start();
        let back = watch.observe(now, SystemTime::UNIX_EPOCH - secs(5));
        let by = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap() + secs(5);
        assert_eq!(back, Some(Step { by, backward: true }));
    }
}
