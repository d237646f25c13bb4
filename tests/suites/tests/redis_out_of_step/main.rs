//! A token is refused while replies are pending, on every version of the server: some
//! of them drop the reply to such an `AUTH`. Nobody gets another's reply.

#![allow(clippy::unwrap_used)] // helpers are called by tests, not marked as such

mod commands;
mod misplaced;
mod others;
mod readers;

use std::time::Duration;

use redis_authx::{Event, ReauthErrorKind};
use redis_authx_suites::{Bed, BedBuilder, prompt};

/// Tokens that rotate when they are told to, and outlive the test.
fn calm(bed: BedBuilder) -> BedBuilder {
    bed.lifetime(Duration::from_secs(600))
        .min_refresh_interval(Duration::from_millis(1))
        .reauth(prompt())
}

/// `AUTH`s that failed so.
fn failures(bed: &Bed, kind: ReauthErrorKind) -> usize {
    bed.count(|event| matches!(event, Event::ReauthFailed { error, .. } if error.kind() == kind))
}
