//! The one place where time, provider and machine meet.

mod clock_watch;
mod request;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use crate::credentials::Lanes;
use crate::machine::{Input, Machine, Output, RequestId, Snapshot};
use crate::shared::Shared;
use crate::{ErrorKind, Event, IdentityProvider, Sleep, Token};
use clock_watch::ClockWatch;
use request::Request;

/// Runs one [`TokenManager`](crate::TokenManager): a future that ends when the
/// manager stops.
///
/// Spawn it, or poll it along with your own work. Dropping it stops the
/// manager: readers then get [`Stopped`](crate::TokenError::Stopped).
#[must_use = "a manager does nothing unless its driver is polled"]
#[derive(Debug)]
pub struct Driver {
    shared: Arc<Shared>,
    provider: Arc<dyn IdentityProvider>,
    machine: Machine<Token>,
    request: Option<Request>,
    sleep: Option<(Instant, Sleep)>,
    clocks: ClockWatch,
}

const _: fn() = || {
    const fn send<T: Send + 'static>() {}
    send::<Driver>();
};

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        provider: Arc<dyn IdentityProvider>,
        machine: Machine<Token>,
    ) -> Self {
        let clocks = ClockWatch::new(shared.clock.now(), shared.clock.wall());
        Self {
            shared,
            provider,
            machine,
            request: None,
            sleep: None,
            clocks,
        }
    }

    fn input(&mut self, input: Input<Token>) {
        self.machine.handle_input(self.shared.clock.now(), input);
    }

    fn drain_outputs(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Cancel(id) => self.cancel(id),
                Output::Publish(snapshot) => self.publish(snapshot),
                Output::Report(event) => self.report(&event),
                Output::Request(id) => {
                    self.request = Some(Request::new(id, Arc::clone(&self.provider)));
                }
            }
        }
    }

    fn cancel(&mut self, id: RequestId) {
        let Some(mut request) = self.request.take_if(|request| request.id() == id) else {
            return;
        };
        // For want of time, unless all is over.
        if !self.machine.is_stopped() {
            request.ended(Some(ErrorKind::Timeout));
        }
    }

    fn publish(&self, snapshot: Snapshot<Token>) {
        {
            let mut last = self.shared.counts.last();
            last.expires = self.machine.expires();
            last.generation = self.machine.generation();
        }
        let watch = &self.shared.watch;
        let known = |generation| {
            watch.read(|held| matches!(held, Snapshot::Valid { generation: held, .. } if *held == generation))
        };
        let snapshot = snapshot.map(|token| Lanes::new(&token));
        match snapshot {
            // The same token with its expiry read anew is no news.
            Snapshot::Valid { generation, .. } if known(generation) => watch.amend(snapshot),
            _ => watch.publish(snapshot),
        }
    }

    fn report(&self, event: &Event) {
        let counts = &self.shared.counts;
        match event {
            Event::AttemptFailed { error, .. } => {
                counts.failures.fetch_add(1, Ordering::Relaxed);
                counts.last().error = Some(error.clone());
            }
            Event::TokenRefreshed { .. } | Event::TokenUnchanged { .. } => {
                counts.refreshes.fetch_add(1, Ordering::Relaxed);
                counts.last().error = None;
            }
            _ => {}
        }
        self.shared.report(event);
    }

    /// Does what handles asked for. Once a poll, not until they are silent:
    /// each of them wakes the driver again.
    fn take_commands(&mut self) {
        if self.shared.stop_wanted() {
            self.input(Input::Stop);
        } else if self.shared.take_refresh() {
            self.input(Input::Refresh);
        }
    }

    fn poll_request(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(mut request) = self.request.take() else {
            return false;
        };
        let Poll::Ready(result) = request.poll(cx) else {
            self.request = Some(request);
            return false;
        };
        // A step that came before the token must not be taken from its life.
        let wall = self.watch_clocks();
        let generation = self.machine.generation() + 1;
        let result = result.map(|token| {
            let unchanged = self
                .machine
                .current()
                .filter(|held| held.same_secret(&token));
            let generation = unchanged.map_or(generation, Token::generation);
            let unchanged = unchanged.is_some();
            request::lease(token, generation, wall).unchanged(unchanged)
        });
        request.ended(match &result {
            Ok(lease) => lease.is_over().then_some(ErrorKind::Expired),
            Err(error) => Some(error.kind()),
        });
        let id = request.id();
        self.input(Input::Completed { id, result });
        true
    }

    /// Compares the two clocks, tells the machine when they have moved apart,
    /// and returns the wall clock's time.
    fn watch_clocks(&mut self) -> SystemTime {
        let now = self.shared.clock.now();
        let wall = self.shared.clock.wall();
        if let Some(step) = self.clocks.observe(now, wall) {
            self.shared.report(&Event::ClockStepped {
                by: step.by,
                backward: step.backward,
            });
            if !step.backward {
                self.input(Input::ClockStepped { forward: step.by });
            }
        }
        wall
    }

    /// Waits for the next deadline; whether it has come. The clock decides
    /// that: a timer that fires early or late only leads to another look.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.shared.clock.now();
        let timeout = self.machine.poll_timeout();
        if timeout.is_some_and(|at| at <= now) {
            self.input(Input::Timeout);
            return true;
        }
        let check = self.machine.expires().map(|_| self.clocks.next_check());
        let Some(deadline) = [timeout, check].into_iter().flatten().min() else {
            self.sleep = None;
            return false;
        };
        if self.sleep.as_ref().is_none_or(|(at, _)| *at != deadline) {
            self.sleep = Some((deadline, self.shared.clock.sleep_until(deadline)));
        }
        let fired = self
            .sleep
            .as_mut()
            .is_some_and(|(_, sleep)| Pin::new(sleep).poll(cx).is_ready());
        if fired {
            self.sleep = None;
        }
        fired
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.register_driver(cx.waker());
        self.take_commands();
        loop {
            self.watch_clocks();
            self.drain_outputs();
            if self.machine.is_stopped() {
                self.sleep = None;
                return Poll::Ready(());
            }
            if !(self.poll_request(cx) || self.poll_deadline(cx)) {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.machine.is_stopped() {
            self.request = None;
            self.input(Input::Stop);
            self.drain_outputs();
        }
    }
}
