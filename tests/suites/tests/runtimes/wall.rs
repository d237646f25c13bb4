//! The wall clock of runtimes that live in real time.

use std::time::SystemTime;

use redis_authx::Clock;
use redis_authx::testing::millis;

use crate::support::MINUTE;

pub(crate) async fn the_wall_clock_is_the_systems(clock: impl Clock) {
    for _ in 0..3 {
        let (system, wall) = (SystemTime::now(), clock.wall());
        let apart = wall
            .duration_since(system)
            .unwrap_or_else(|error| error.duration());
        assert!(apart < MINUTE, "{apart:?}");
        clock.sleep_until(clock.now() + millis(5)).await;
    }
}
