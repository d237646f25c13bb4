use std::time::{Duration, Instant, SystemTime};

use redis_authx::machine::{Machine, Output, RequestId, Snapshot};
use redis_authx::{Event, ProviderError};

use crate::seen::Seen;
use crate::settings::Settings;

/// No schedule reaches further: ten years.
const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// The clocks may differ by less than this before a token's end is moved.
const TOLERANCE: Duration = Duration::from_millis(1);
/// A `Retry-After` is obeyed for so long at most.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// What a machine must look like from outside: the rules, kept by other means
/// than the machine's own.
pub(crate) struct Model {
    settings: Settings,
    now: Instant,
    /// The request under way, and since when.
    open: Option<(RequestId, Instant)>,
    closed: Option<RequestId>,
    /// The latest token and its end by both clocks.
    held: Option<(u64, Option<(Instant, SystemTime)>)>,
    /// What readers were shown last, with its generation.
    shown: Option<(u64, u64)>,
    generation: u64,
    last_success: Option<Instant>,
    hold_off: Option<Instant>,
    /// The lifetime of a token that came in this step, by a rotation.
    fresh: Option<Duration>,
    stopped: bool,
    /// Outputs that a stopped machine may still have: those of its stop.
    farewell: bool,
    /// A refresh was asked for, and no request has begun since.
    asked: bool,
    seen: Seen,
}

impl Model {
    pub(crate) const fn new(settings: Settings, now: Instant) -> Self {
        Self {
            settings,
            now,
            open: None,
            closed: None,
            held: None,
            shown: None,
            generation: 0,
            last_success: None,
            hold_off: None,
            fresh: None,
            stopped: false,
            farewell: false,
            asked: false,
            seen: Seen::none(),
        }
    }

    pub(crate) fn open(&self) -> Option<RequestId> {
        self.open.map(|(id, _)| id)
    }

    pub(crate) const fn closed(&self) -> Option<RequestId> {
        self.closed
    }

    pub(crate) const fn seen(&self) -> Seen {
        self.seen
    }

    pub(crate) fn held(&self) -> Option<u64> {
        self.held.map(|(value, _)| value)
    }

    pub(crate) fn failed(&mut self, now: Instant, error: &ProviderError) {
        self.close();
        self.hold_off = error
            .retry_after()
            .map(|wait| now + wait.min(LONGEST_RETRY_AFTER));
    }

    pub(crate) fn succeeded(
        &mut self,
        now: Instant,
        wall: SystemTime,
        value: u64,
        lifetime: Option<Duration>,
        unchanged: bool,
    ) {
        self.close();
        self.hold_off = None;
        if lifetime.is_some_and(|life| life.is_zero()) {
            return; // expired on arrival: a failure
        }
        if let Some(last) = self.last_success {
            assert!(
                now >= last + self.settings.min_refresh_interval,
                "two successes"
            );
        }
        self.last_success = Some(now);
        self.generation += u64::from(!unchanged);
        let end = |life: Duration| {
            let life = life.min(FAR);
            (now + life, wall.checked_add(life).unwrap_or(wall))
        };
        self.held = Some((value, lifetime.map(end)));
        self.fresh = lifetime.filter(|_| !unchanged);
    }

    pub(crate) const fn refresh(&mut self) {
        self.asked = true;
    }

    pub(crate) fn stop(&mut self) {
        self.farewell = !self.stopped;
        self.stopped = true;
    }

    /// The machine has been given both times. The wall clock may bring a token's
    /// end nearer, and never moves it away.
    pub(crate) fn at(&mut self, now: Instant, wall: SystemTime) {
        assert!(now >= self.now);
        self.now = now;
        let Some((_, end)) = &mut self.held else {
            return;
        };
        let mut over = self.stopped;
        if let Some((at, at_wall)) = end {
            let left = at_wall.duration_since(wall).unwrap_or_default();
            if *at >= now + left + TOLERANCE {
                *at = now + left;
            }
            over |= *at <= now || left.is_zero();
        }
        if over {
            self.held = None;
        }
    }

    pub(crate) fn output(&mut self, output: Output<u64>) {
        assert!(!self.stopped || self.farewell, "after stop: {output:?}");
        self.seen.note(&output);
        match output {
            Output::Request(id) => self.request(id),
            Output::Cancel(id) => {
                assert_eq!(self.open(), Some(id), "a request that is not open");
                self.close();
                self.hold_off = None;
            }
            Output::Publish(Snapshot::Valid { value, generation }) => {
                assert_eq!(generation, self.generation);
                if let Some((_, shown)) = self.shown {
                    assert!(generation >= shown, "generations go back");
                }
                self.shown = Some((value, generation));
            }
            Output::Publish(snapshot) => {
                assert_eq!(self.held, None, "a valid token is withdrawn");
                assert_eq!(matches!(snapshot, Snapshot::Stopped), self.stopped);
                self.shown = None;
            }
            Output::Report(event) => self.report(&event),
            other => panic!("an output that the rules don't know: {other:?}"),
        }
    }

    /// When there are no more outputs.
    pub(crate) fn drained(&mut self, machine: &Machine<u64>) {
        self.farewell = false;
        let held = self.held();
        assert_eq!(machine.current().copied(), held, "withdrawn or overstayed");
        assert_eq!(self.shown.map(|(value, _)| value), held, "shown to readers");
        assert_eq!(machine.generation(), self.generation);
        assert_eq!(machine.is_stopped(), self.stopped);
        assert_eq!(
            machine.expires(),
            self.held.and_then(|(_, end)| Some(end?.0))
        );
        let timeout = machine.poll_timeout();
        assert!(
            timeout.is_none_or(|at| at > self.now),
            "a deadline that is due"
        );
        if let Some((_, since)) = self.open {
            let limit = since + self.settings.request_timeout;
            assert!(timeout.is_some_and(|at| at <= limit), "no time limit");
        }
        if let Some((_, Some((expires, _)))) = self.held {
            assert!(
                timeout.is_some_and(|at| at <= expires),
                "sleeps past an expiry"
            );
        }
        if let Some(lifetime) = self.fresh.take() {
            let timeout = timeout.expect("a renewal");
            self.check_refresh_point(lifetime, timeout - self.now);
        }
        if timeout.is_none() {
            let for_ever = matches!(self.held, Some((_, None)));
            let may_rest = self.stopped || for_ever || self.settings.stops_when_exhausted;
            assert!(may_rest, "nothing will ever happen");
        }
        assert!(!self.stopped || timeout.is_none(), "a timer after stop");
    }

    /// Never later than the refresh point, and earlier by the jitter at most.
    fn check_refresh_point(&self, lifetime: Duration, wait: Duration) {
        let point = self.settings.policy.refresh_after(lifetime);
        let latest = point.max(self.settings.min_refresh_interval);
        assert!(wait <= latest, "{wait:?} is after {latest:?}");
        let earliest = point.mul_f64(1.0 - self.settings.refresh_jitter);
        let earliest = earliest
            .max(self.settings.min_refresh_interval)
            .min(lifetime);
        let rounding = Duration::from_micros(1);
        assert!(
            wait + rounding >= earliest,
            "{wait:?} is before {earliest:?}"
        );
    }

    fn request(&mut self, id: RequestId) {
        assert!(!self.stopped, "a request after stop");
        assert_eq!(self.open, None, "two requests at once");
        self.open = Some((id, self.now));
        self.asked = false;
        if let Some(last) = self.last_success {
            let apart = last + self.settings.min_refresh_interval;
            assert!(apart <= self.now, "inside the minimum interval");
        }
        let allowed = self.hold_off.is_none_or(|until| until <= self.now);
        assert!(allowed, "against a Retry-After");
    }

    fn close(&mut self) {
        let (id, _) = self.open.take().expect("an open request");
        self.closed = Some(id);
    }

    /// What is told can be seen by then.
    fn report(&self, event: &Event) {
        match event {
            Event::AttemptFailed {
                attempt, retry_in, ..
            } => {
                let at_once = retry_in.is_some_and(|wait| wait.is_zero());
                assert!(!at_once || self.asked, "no pause");
                let within = self
                    .settings
                    .max_attempts
                    .is_none_or(|most| *attempt < most);
                let single = retry_in.is_none() && !self.settings.stops_when_exhausted;
                assert!(within || !single, "no further attempt is planned");
            }
            Event::CycleExhausted { next_in, .. } => {
                let stops = self.settings.stops_when_exhausted && !self.asked;
                assert_eq!(next_in.is_none(), stops);
            }
            Event::TokenRefreshed { generation, .. } | Event::TokenUnchanged { generation, .. } => {
                assert_eq!(self.shown.map(|(_, shown)| shown), Some(*generation));
            }
            Event::TokenExpired { generation, .. } => {
                assert_eq!((self.shown, *generation), (None, self.generation));
            }
            Event::Stopped => assert!(self.stopped && self.shown.is_none()),
            _ => {}
        }
    }
}
