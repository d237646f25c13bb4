//! Events as metrics, through the `metrics` facade.

mod names;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use ::metrics::{Label, counter, gauge, histogram};

use crate::{Clock, Event, Observer};

#[doc = include_str!("manual/metrics.md")]
pub struct MetricsObserver {
    clock: Arc<dyn Clock>,
    labels: Vec<Label>,
    begun: AtomicBool,
}

impl MetricsObserver {
    /// Creates an observer for a manager that runs on `clock`. With it, a token's
    /// lifetime becomes the wall-clock time of its end.
    pub fn new(clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            labels: Vec::new(),
            begun: AtomicBool::new(false),
        }
    }

    /// Adds a label to every metric, to distinguish the managers of one process.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push(Label::new(name.into(), value.into()));
        self
    }

    fn count(&self, name: &'static str) {
        counter!(name, self.labels.clone()).increment(1);
    }

    fn count_with(&self, name: &'static str, label: (&'static str, &'static str), by: u64) {
        let mut labels = self.labels.clone();
        labels.push(Label::from_static_parts(label.0, label.1));
        counter!(name, labels).increment(by);
    }

    fn set(&self, name: &'static str, value: f64) {
        gauge!(name, self.labels.clone()).set(value);
    }

    fn record(&self, name: &'static str, latency: Duration) {
        histogram!(name, self.labels.clone()).record(latency.as_secs_f64());
    }

    /// Registers every counter with zero, so that its first increment is visible.
    fn begin(&self) {
        names::describe();
        for name in names::PLAIN_COUNTERS {
            counter!(*name, self.labels.clone()).increment(0);
        }
        for kind in names::ERROR_KINDS {
            self.count_with(names::REQUEST_FAILURES, ("kind", kind.as_str()), 0);
        }
        for result in names::REAUTH_RESULTS {
            self.count_with(names::REAUTHENTICATIONS, ("result", result), 0);
        }
    }

    fn expiry(&self, lifetime: Option<Duration>) -> f64 {
        let since_epoch = |wall: SystemTime| wall.duration_since(SystemTime::UNIX_EPOCH);
        lifetime.map_or(f64::INFINITY, |lifetime| {
            let now = since_epoch(self.clock.wall()).unwrap_or_default();
            now.saturating_add(lifetime).as_secs_f64()
        })
    }
}

impl Observer for MetricsObserver {
    fn event(&self, event: &Event) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.begin();
        }
        match event {
            Event::AttemptFailed { error, .. } => {
                let kind = error.kind().as_str();
                self.count_with(names::REQUEST_FAILURES, ("kind", kind), 1);
            }
            Event::CycleExhausted { .. } => self.count(names::CYCLE_FAILURES),
            Event::Reauthenticated { latency, .. } => {
                self.count_with(names::REAUTHENTICATIONS, ("result", names::OK), 1);
                self.record(names::REAUTHENTICATION_DURATION, *latency);
            }
            Event::ReauthFailed { error, .. } => {
                let result = error.kind().as_str();
                self.count_with(names::REAUTHENTICATIONS, ("result", result), 1);
            }
            Event::Replaced { .. } => self.count(names::REPLACEMENTS),
            Event::TokenExpired { .. } => self.count(names::EXPIRATIONS),
            Event::TokenRefreshed {
                generation,
                lifetime,
                latency,
            } => {
                self.count(names::REFRESHES);
                self.set(names::GENERATION, *generation as f64);
                self.set(names::EXPIRY, self.expiry(*lifetime));
                self.record(names::REQUEST_DURATION, *latency);
            }
            Event::TokenUnchanged { .. } => self.count(names::UNCHANGED),
            Event::ClockStepped { .. }
            | Event::ConnectionLost { .. }
            | Event::Deferred { .. }
            | Event::ReauthEnded { .. }
            | Event::Recovered { .. }
            | Event::Staggered { .. }
            | Event::Stopped => {}
        }
    }
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserver")
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}
