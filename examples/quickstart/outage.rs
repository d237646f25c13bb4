//! The identity service goes down, and comes back.

use std::time::{Duration, Instant};

use redis_authx::TokenManager;
use redis_authx_emulator::Emulator;

use crate::load::Load;
use crate::timeline::Timeline;

/// How an outage ended for the application.
pub(crate) struct Recovery {
    pub(crate) outage: Duration,
    /// From the service's return to the connection's; zero when it was never
    /// gone, `None` when it did not come back in time.
    pub(crate) worked_again: Option<Duration>,
}

/// Takes the identity service down for `outage`, after the first rotation in
/// the second half of the run: so a whole token's life is left.
pub(crate) async fn run(
    emulator: &Emulator,
    timeline: &Timeline,
    load: &Load,
    manager: &TokenManager,
    length: Duration,
    outage: Option<Duration>,
) -> Option<Recovery> {
    let outage = outage?;
    tokio::time::sleep(length / 2).await;
    let mut credentials = manager.credentials();
    let generation = credentials.generation();
    while credentials.changed().await.ok()?.generation() == generation {}

    timeline.say(&format!(
        "OUTAGE     the identity service is down for {outage:?}"
    ));
    emulator.identity().outage(outage);
    tokio::time::sleep(outage).await;
    let back = Instant::now();
    timeline.say("RETURN     the identity service is back");

    // Failures come every 20 ms while the connection is gone; half a second
    // without one, and with commands answered, is a connection that works.
    let commands = || {
        load.counts()
            .commands
            .load(std::sync::atomic::Ordering::Relaxed)
    };
    let mut before = commands();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let quiet = load
            .counts()
            .last_failure()
            .is_none_or(|at| at.elapsed() > Duration::from_millis(400));
        if quiet && commands() > before {
            let last = load.counts().last_failure();
            let gone = last.map_or(Duration::ZERO, |at| at.saturating_duration_since(back));
            return Some(Recovery {
                outage,
                worked_again: Some(gone),
            });
        }
        before = commands();
    }
    Some(Recovery {
        outage,
        worked_again: None,
    })
}
