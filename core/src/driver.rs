//! The one place where time, provider and machine meet.

mod clock_watch;
mod request;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use crate::machine::{Input, Machine, Output, RequestId, Snapshot};
use crate::runtime::Alarm;
use crate::shared::Shared;
use crate::{ErrorKind, Event, IdentityProvider, Moment, ProviderError, Token};
use clock_watch::ClockWatch;
use request::Request;

/// Runs one [`TokenManager`](crate::TokenManager). The future completes when the
/// manager stops.
///
/// Spawn it, or poll it along with other work. Dropping it stops the
/// manager: readers then get [`Stopped`](crate::TokenError::Stopped).
#[must_use = "a manager does nothing unless its driver is polled"]
#[derive(Debug)]
pub struct Driver {
    shared: Arc<Shared>,
    provider: Arc<dyn IdentityProvider>,
    machine: Machine<Token>,
    request: Option<Request>,
    /// As the machine knows it.
    needed: bool,
    alarm: Alarm,
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
        let clocks = ClockWatch::new(shared.now());
        Self {
            shared,
            provider,
            machine,
            request: None,
            needed: false,
            alarm: Alarm::default(),
            clocks,
        }
    }

    fn input(&mut self, input: Input<Token>) {
        self.machine.handle_input(self.shared.now(), input);
    }

    /// Returns whether there were any.
    fn drain_outputs(&mut self) -> bool {
        let mut any = false;
        while let Some(output) = self.machine.poll_output() {
            any = true;
            match output {
                Output::Cancel(id) => self.cancel(id),
                Output::Publish(snapshot) => self.publish(snapshot),
                Output::Report(event) => self.report(&event),
                Output::Request(id) => {
                    self.shared.attempts.started(id.number());
                    let provider = Arc::clone(&self.provider);
                    let clock = Arc::clone(&self.shared.clock);
                    self.request = Some(Request::new(id, provider, clock, self.shared.now()));
                }
            }
        }
        any
    }

    fn cancel(&mut self, id: RequestId) {
        let Some(mut request) = self.request.take_if(|request| request.id() == id) else {
            return;
        };
        // The time limit has passed, unless the manager has stopped.
        if !self.machine.is_stopped() {
            request.ended(Some(ErrorKind::Timeout));
            self.shared
                .attempts
                .ended(id.number(), Some(ErrorKind::Timeout.into()));
        }
    }

    fn publish(&self, snapshot: Snapshot<Token>) {
        self.shared.counts.last().generation = self.machine.generation();
        let stopped = matches!(snapshot, Snapshot::Stopped);
        self.shared.watch.publish(snapshot);
        // After what it is to be found with.
        if stopped {
            self.shared.attempts.stopped();
        }
    }

    fn report(&self, event: &Event) {
        let counts = &self.shared.counts;
        // Dropped outside the lock: an error's source may run anything.
        let _old = match event {
            Event::AttemptFailed { error, .. } => {
                counts.failures.fetch_add(1, Ordering::Relaxed);
                counts.last().error.replace(error.clone())
            }
            Event::TokenRefreshed { .. } | Event::TokenUnchanged { .. } => {
                counts.refreshes.fetch_add(1, Ordering::Relaxed);
                counts.last().error.take()
            }
            _ => None,
        };
        self.shared.report(event);
    }

    /// Takes what handles asked for. Once a poll, since each request of a handle
    /// wakes the driver again.
    fn take_commands(&mut self) {
        if self.shared.stop_wanted() {
            return self.input(Input::Stop);
        }
        let needed = self.shared.is_needed();
        if needed != self.needed {
            self.needed = needed;
            self.input(Input::Needed(needed));
        }
        if let Some(reason) = self.shared.take_refresh() {
            self.input(Input::Refresh(reason));
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
        let now = self.watch_clocks();
        let generation = self.machine.generation() + 1;
        let result = result.map(|token| {
            let unchanged = self
                .machine
                .current()
                .filter(|held| held.same_secret(&token));
            let generation = unchanged.map_or(generation, Token::generation);
            let unchanged = unchanged.is_some();
            request.lease(token, generation, now).unchanged(unchanged)
        });
        let error = match &result {
            Ok(lease) => lease.is_over(now).then(|| ErrorKind::Expired.into()),
            Err(error) => Some(error.clone()),
        };
        request.ended(error.as_ref().map(ProviderError::kind));
        let id = request.id();
        drop(request);
        self.input(Input::Completed { id, result });
        // After what it brought: a reader that waits for the end finds it.
        self.drain_outputs();
        self.shared.attempts.ended(id.number(), error);
        true
    }

    /// Reads both clocks, and reports when they have moved apart.
    fn watch_clocks(&mut self) -> Moment {
        let now = self.shared.now();
        if let Some(event) = self.clocks.observe(now) {
            self.shared.report(&event);
            // What connections have planned may be due earlier.
            self.shared.watch.republish();
        }
        now
    }

    /// Does what is due by either clock, whatever the driver was woken for;
    /// returns whether anything was. An answer that is there comes first: it may
    /// be seen late.
    fn run_timers(&mut self) -> bool {
        self.input(Input::Timeout);
        self.drain_outputs()
    }

    /// Waits for the next deadline; returns whether it has come.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.shared.clock.now();
        let connections = self.shared.connections.load(Ordering::Relaxed);
        let expires = self.machine.expires().filter(|_| connections > 0);
        let check = self.clocks.next_check(now, expires);
        let timeout = self.machine.poll_timeout();
        let deadline = [timeout, check].into_iter().flatten().min();
        self.shared.expect_check(deadline, now);
        self.alarm
            .poll(cx, &*self.shared.clock, deadline)
            .is_ready()
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
                self.alarm = Alarm::default();
                return Poll::Ready(());
            }
            if !(self.poll_request(cx) || self.run_timers() || self.poll_deadline(cx)) {
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
        self.shared.driver_ended();
    }
}
