//! Keeps tokens out of the trace log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use log::{Level, LevelFilter};

/// Where `ureq_proto` dumps every byte it handles, in rows of 16 (0.7.1,
/// `src/util.rs`).
const DUMP: &str = "ureq_proto::util";

/// How many guards are alive that lowered the level.
static LOWERED: Mutex<usize> = Mutex::new(0);

/// While it lives, `ureq_proto` dumps nothing.
///
/// `log` has no narrower switch than its maximum level, so this touches it,
/// but only if the logger would take the dump. A level lower than debug that
/// someone else sets in the meantime stays.
pub(super) struct Quiet(bool);

impl Quiet {
    pub(super) fn start() -> Self {
        let mut lowered = lock();
        let dumps =
            log::max_level() == LevelFilter::Trace && log::log_enabled!(target: DUMP, Level::Trace);
        // One more guard while another one holds the level down: it must stay
        // down until both are gone.
        let active = dumps || *lowered > 0;
        if active {
            *lowered += 1;
        }
        if dumps {
            log::set_max_level(LevelFilter::Debug);
        }
        Self(active)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if !self.0 {
            return;
        }
        let mut lowered = lock();
        *lowered = lowered.saturating_sub(1);
        if *lowered == 0 && log::max_level() == LevelFilter::Debug {
            log::set_max_level(LevelFilter::Trace);
        }
    }
}

fn lock() -> MutexGuard<'static, usize> {
    LOWERED.lock().unwrap_or_else(PoisonError::into_inner)
}
