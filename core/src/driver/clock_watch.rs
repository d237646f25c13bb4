use std::time::{Duration, Instant};

use crate::{Event, Moment};

/// A smaller difference is scheduling, or slewing by up to 500 ppm, not a step.
const TOLERANCE: Duration = Duration::from_secs(2);
const SLEWING: u32 = 2000;

/// Connections are checked after this share of the time left, at least …
const CHECKS: u32 = 4;
/// … this long after the last check, …
const SHORTEST: Duration = Duration::from_secs(30);
/// … and at most this long.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Notices that the wall clock and the monotonic clock have moved apart: after a
/// suspend (`Instant` stands still during one on Linux), or when the wall clock
/// is set.
///
/// This is for reports, and for what waits on a timer. Whether a token has ended
/// is decided by both clocks wherever it is used.
#[derive(Debug)]
pub(super) struct ClockWatch {
    last: Moment,
    check: Option<Instant>,
}

impl ClockWatch {
    pub(super) const fn new(now: Moment) -> Self {
        Self {
            last: now,
            check: None,
        }
    }

    /// A step since the last call, if there was one.
    pub(super) fn observe(&mut self, now: Moment) -> Option<Event> {
        let last = std::mem::replace(&mut self.last, now);
        let elapsed = now.monotonic().saturating_duration_since(last.monotonic());
        let (by, backward) = match now.wall().duration_since(last.wall()) {
            Ok(ahead) => (ahead.abs_diff(elapsed), ahead < elapsed),
            Err(back) => (back.duration().saturating_add(elapsed), true),
        };
        let stepped = by > TOLERANCE + elapsed / SLEWING;
        if stepped {
            self.check = None;
        }
        stepped.then_some(Event::ClockStepped { by, backward })
    }

    /// When to compare the clocks though nothing is used, while connections are
    /// open with a token that `expires`: a suspend is noticed before a quarter of
    /// what was left has passed.
    pub(super) fn next_check(&mut self, now: Instant, expires: Option<Instant>) -> Option<Instant> {
        let Some(expires) = expires else {
            self.check = None;
            return None;
        };
        let left = expires.saturating_duration_since(now);
        let next = now + (left / CHECKS).clamp(SHORTEST, LONGEST);
        // The one that is planned stays, unless a shorter token has come.
        let planned = self.check.filter(|at| *at > now);
        self.check = Some(planned.map_or(next, |at| at.min(next)));
        self.check
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn start() -> (ClockWatch, Instant, SystemTime) {
        #[allow(clippy::disallowed_methods)] // any instant will do
        let now = Instant::now();
        let wall = SystemTime::UNIX_EPOCH + secs(1_760_000_000);
        (ClockWatch::new(Moment::new(now, wall)), now, wall)
    }

    fn step(event: Option<Event>) -> Option<(Duration, bool)> {
        match event? {
            Event::ClockStepped { by, backward } => Some((by, backward)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn clocks_that_agree_are_no_step() {
        let (mut watch, now, wall) = start();
        for minute in 1..=60 {
            // Slewed by 500 ppm, the most that NTP does.
            let slewed = secs(60 * minute) + Duration::from_millis(30 * minute);
            let seen = watch.observe(Moment::new(now + secs(60 * minute), wall + slewed));
            assert_eq!(step(seen), None);
        }
        // Seen again after a day.
        let (mut watch, now, wall) = start();
        let (day, slewed) = (secs(86_400), secs(43));
        let seen = watch.observe(Moment::new(now + day, wall + day + slewed));
        assert_eq!(step(seen), None);
        let seen = watch.observe(Moment::new(now + day, wall + day + slewed + secs(3)));
        assert_eq!(step(seen), Some((secs(3), false)));
    }

    #[test]
    fn a_step_is_seen_once_in_both_directions() {
        let (mut watch, now, wall) = start();
        let hour = secs(3600);
        let mut see = |mono, wall| step(watch.observe(Moment::new(mono, wall)));
        assert_eq!(
            see(now + secs(1), wall + secs(1) + hour),
            Some((hour, false))
        );
        assert_eq!(see(now + secs(2), wall + secs(2) + hour), None);
        assert_eq!(see(now + secs(3), wall + secs(3)), Some((hour, true)));
    }

    #[test]
    fn a_step_before_the_epoch_is_no_panic() {
        let (mut watch, now, wall) = start();
        let seen = watch.observe(Moment::new(now, SystemTime::UNIX_EPOCH - secs(5)));
        let by = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap() + secs(5);
        assert_eq!(step(seen), Some((by, true)));
    }

    #[test]
    fn checks_follow_the_time_left_and_need_connections() {
        let (mut watch, now, _) = start();
        assert_eq!(watch.next_check(now, None), None);
        let hour = Some(now + secs(3600));
        assert_eq!(watch.next_check(now, hour), Some(now + secs(900)));
        // The one that is planned stays.
        assert_eq!(watch.next_check(now + secs(1), hour), Some(now + secs(900)));
        let next = watch.next_check(now + secs(3000), hour);
        assert_eq!(next, Some(now + secs(3150)));
        // A shorter token brings it forward.
        let next = watch.next_check(now + secs(3000), Some(now + secs(3200)));
        assert_eq!(next, Some(now + secs(3050)));
        let last = watch.next_check(now + secs(3590), hour);
        assert_eq!(last, Some(now + secs(3620)));
    }
}
