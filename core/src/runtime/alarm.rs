use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::{Clock, Sleep};

/// A timer for one deadline at a time, kept from poll to poll.
///
/// The clock decides whether the deadline has come. A timer that fires early is
/// set again; after a second early one, the task is polled again instead, so
/// that others on its thread can run.
#[derive(Debug, Default)]
pub struct Alarm(Option<(Instant, Sleep)>);

impl Alarm {
    /// Ready once `clock` has reached `deadline`; never without one. A deadline
    /// other than the last poll's replaces it.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        clock: &(impl Clock + ?Sized),
        deadline: Option<Instant>,
    ) -> Poll<()> {
        let Some(deadline) = deadline else {
            self.0 = None;
            return Poll::Pending;
        };
        for _ in 0..2 {
            if deadline <= clock.now() {
                self.0 = None;
                return Poll::Ready(());
            }
            let (_, sleep) = match self.0.take() {
                Some(set) if set.0 == deadline => self.0.insert(set),
                _ => self.0.insert((deadline, clock.sleep_until(deadline))),
            };
            if Pin::new(sleep).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.0 = None;
        }
        if deadline <= clock.now() {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
