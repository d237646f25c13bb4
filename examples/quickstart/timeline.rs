//! What happens, on the terminal as it happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis_authx::{Event, Observer, TokenManager};

use crate::load::Load;

#[derive(Clone)]
pub(crate) struct Timeline(Arc<Inner>);

struct Inner {
    start: Instant,
    rotations: AtomicU64,
    reauths: AtomicU64,
    lost: AtomicU64,
}

impl Timeline {
    pub(crate) fn start() -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            rotations: AtomicU64::new(0),
            reauths: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }))
    }

    /// New tokens after the first.
    pub(crate) fn rotations(&self) -> u64 {
        self.0.rotations.load(Ordering::Relaxed)
    }

    pub(crate) fn reauths(&self) -> u64 {
        self.0.reauths.load(Ordering::Relaxed)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn say(&self, text: &str) {
        println!("{:7.2} s  {text}", self.0.start.elapsed().as_secs_f64());
    }

    pub(crate) fn observer(&self) -> impl Observer + use<> {
        let timeline = self.clone();
        move |event: &Event| timeline.note(event)
    }

    fn note(&self, event: &Event) {
        match event {
            Event::TokenRefreshed {
                generation,
                lifetime,
                latency,
                ..
            } => {
                let rotations = generation - 1;
                self.0.rotations.store(rotations, Ordering::Relaxed);
                let lifetime = lifetime.unwrap_or_default().as_secs_f64();
                self.say(&format!(
                    "rotation   token {generation}, lives {lifetime:.1} s, came in {latency:.0?}"
                ));
            }
            Event::Reauthenticated {
                generation,
                latency,
                ..
            } => {
                self.0.reauths.fetch_add(1, Ordering::Relaxed);
                self.say(&format!(
                    "AUTH       with token {generation}, took {latency:.1?}"
                ));
            }
            Event::Replaced { generation, .. } => {
                self.0.lost.fetch_add(1, Ordering::Relaxed);
                self.say(&format!("reconnect  with token {generation}"));
            }
            Event::AttemptFailed {
                error, retry_in, ..
            } => {
                let next =
                    retry_in.map_or_else(String::new, |wait| format!(", again in {wait:.0?}"));
                self.say(&format!("refresh    failed: {error}{next}"));
            }
            Event::TokenExpired { generation, .. } => {
                self.say(&format!(
                    "expiry     token {generation} has expired, and there is no other"
                ));
            }
            Event::ReauthFailed { error, .. } => self.say(&format!("AUTH       failed: {error}")),
            _ => {}
        }
    }

    /// A line a second, for `length`.
    pub(crate) async fn report_for(&self, length: Duration, load: &Load, manager: &TokenManager) {
        let end = self.0.start + length;
        let mut before = 0;
        let mut next = self.0.start + Duration::from_secs(1);
        while next <= end {
            tokio::time::sleep_until(next.into()).await;
            next += Duration::from_secs(1);
            let counts = load.counts();
            let commands = counts.commands.load(Ordering::Relaxed);
            let failed = counts.failed.load(Ordering::Relaxed);
            let left = manager.status().expires_in.map_or_else(
                || "no token".to_owned(),
                |left| format!("{:.1} s left", left.as_secs_f64()),
            );
            self.say(&format!(
                "           {:>6} commands/s, {failed} failed, {left}",
                commands - before
            ));
            if let Some(error) = counts.take_error() {
                self.say(&format!("error      {error}"));
            }
            before = commands;
        }
    }
}
