//! Steering and counting the identity side.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    assertion::registered::{Registered, Registration},
    fault::Fault,
    managed_identity::AssignedIdentities,
};
use crate::EmulatorError;

/// How many request times are kept.
const REQUEST_TIMES_KEPT: usize = 10_000;

/// Faults and counters of the identity side.
///
/// Got from [`Emulator::identity`](crate::Emulator::identity). Every method
/// takes effect at once and may be called from any thread.
pub struct IdentityControl {
    plan: Mutex<Plan>,
    registration: Registration,
    /// Bumped to let hung requests go.
    released: watch::Sender<u64>,
    requests: AtomicU64,
    issued: AtomicU64,
    failed: AtomicU64,
    times: Mutex<VecDeque<Instant>>,
}

struct Plan {
    lifetime: Duration,
    latency: Duration,
    out_until: Option<Instant>,
    out: bool,
    fault: Option<Fault>,
    next_faults: Option<(u64, Fault)>,
    fault_until: Option<(Instant, Fault)>,
    assigned: AssignedIdentities,
    numeric_expires_on: bool,
    skew_seconds: i64,
    plain_error_text: bool,
}

impl IdentityControl {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            plan: Mutex::new(Plan {
                lifetime,
                latency: Duration::ZERO,
                out_until: None,
                out: false,
                fault: None,
                next_faults: None,
                fault_until: None,
                assigned: AssignedIdentities::default(),
                numeric_expires_on: false,
                skew_seconds: 0,
                plain_error_text: false,
            }),
            registration: Registration::default(),
            released: watch::Sender::new(0),
            requests: AtomicU64::new(0),
            issued: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            times: Mutex::new(VecDeque::new()),
        }
    }

    /// How long tokens live that are issued from now on.
    ///
    /// Tokens end on a whole second, as real ones do, so that one lives up to
    /// a second longer than this; see
    /// [`EmulatorBuilder::fractional_expiry`](crate::EmulatorBuilder::fractional_expiry).
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.plan().lifetime = lifetime;
    }

    /// How long each answer of the token endpoint is held back.
    pub fn set_latency(&self, latency: Duration) {
        self.plan().latency = latency;
    }

    /// Takes the whole identity side down for `duration` from now: every
    /// connection is closed without an answer. A second call replaces the
    /// first one; zero ends it.
    pub fn outage(&self, duration: Duration) {
        // A duration too long to add is one that nobody waits out.
        let now = Instant::now();
        let end = now.checked_add(duration);
        self.plan().out_until = Some(end.unwrap_or(now + Duration::from_secs(1_000_000_000)));
        self.release_hung();
    }

    /// Takes the identity side down (`true`), or brings it back (`false`, which
    /// ends an [`outage`](Self::outage) too).
    pub fn set_outage(&self, out: bool) {
        let mut plan = self.plan();
        plan.out = out;
        if !out {
            plan.out_until = None;
        }
        drop(plan);
        self.release_hung();
    }

    /// The next `n` token requests meet `fault`; it goes before one set with
    /// [`set_fault`](Self::set_fault). A second call replaces the first.
    pub fn fail_next(&self, n: u64, fault: Fault) {
        self.plan().next_faults = (n > 0).then_some((n, fault));
        self.release_hung();
    }

    /// Every token request meets `fault` for `duration` from now, as an endpoint
    /// that is being updated answers 410 for a while; it goes before one set
    /// with [`set_fault`](Self::set_fault). A second call replaces the first;
    /// zero ends it.
    pub fn fail_for(&self, duration: Duration, fault: Fault) {
        let end = Instant::now().checked_add(duration);
        self.plan().fault_until = end.map(|end| (end, fault));
        self.release_hung();
    }

    /// Every token request meets `fault` until it is set to `None`, which also
    /// ends a [`fail_next`](Self::fail_next) that is not used up and a
    /// [`fail_for`](Self::fail_for) that is not over.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut plan = self.plan();
        if fault.is_none() {
            plan.next_faults = None;
            plan.fault_until = None;
        }
        plan.fault = fault;
        drop(plan);
        self.release_hung();
    }

    /// Lets the requests go that [`Fault::Hang`] holds: they get the normal
    /// answer.
    pub fn release_hung(&self) {
        self.released.send_modify(|generation| *generation += 1);
    }

    /// Sets the identity service's clock this many seconds ahead of (or, if
    /// negative, behind) the Redis side's: `iat`, `nbf`, `exp` and the `Date` of
    /// its answers move by it.
    pub fn set_clock_skew(&self, seconds: i64) {
        // Beyond a thousand years a date stops being one.
        const LIMIT: i64 = 1000 * 365 * 24 * 3600;
        self.plan().skew_seconds = seconds.clamp(-LIMIT, LIMIT);
    }

    /// Entra's error texts hold line breaks, which JSON escapes; some clients
    /// can't read those. `true` sends texts without any.
    pub fn set_plain_error_text(&self, plain: bool) {
        self.plan().plain_error_text = plain;
    }

    /// Which managed identities are assigned to this machine or application.
    pub fn set_assigned_identities(&self, assigned: AssignedIdentities) {
        self.plan().assigned = assigned;
    }

    /// Whether managed identities' endpoints send `expires_on` as a number, as
    /// the page on Service Fabric has it, and not as a text of digits. Default:
    /// `false`.
    pub fn set_numeric_expires_on(&self, numeric: bool) {
        self.plan().numeric_expires_on = numeric;
    }

    /// Registers one more certificate that the client may sign in with: the
    /// first one of a PEM text. Its dates are not looked at.
    ///
    /// # Errors
    /// [`EmulatorError::Certificates`] for what is no certificate.
    pub fn register_certificate(&self, pem: &str) -> Result<(), EmulatorError> {
        self.registration.add(Registered::from_pem(pem)?);
        Ok(())
    }

    /// Forgets all certificates, the emulator's own included.
    pub fn forget_certificates(&self) {
        self.registration.clear();
    }

    /// Token requests seen, whatever became of them. Requests that could not
    /// connect during an outage are not seen.
    pub fn token_requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Token requests answered with a token, good or flawed.
    pub fn tokens_issued(&self) -> u64 {
        self.issued.load(Relaxed)
    }

    /// Token requests that ended in an error, in no answer or in one that
    /// can't be read.
    pub fn failed_requests(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// When the last 10,000 token requests came, oldest first.
    pub fn request_times(&self) -> Vec<Instant> {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.iter().copied().collect()
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.plan().lifetime
    }

    pub(crate) fn latency(&self) -> Duration {
        self.plan().latency
    }

    pub(crate) fn skew_seconds(&self) -> i64 {
        self.plan().skew_seconds
    }

    pub(crate) fn plain_error_text(&self) -> bool {
        self.plan().plain_error_text
    }

    pub(crate) fn assigned(&self) -> AssignedIdentities {
        self.plan().assigned
    }

    pub(crate) fn numeric_expires_on(&self) -> bool {
        self.plan().numeric_expires_on
    }

    pub(crate) fn is_out(&self) -> bool {
        let mut plan = self.plan();
        if plan.out_until.is_some_and(|end| end <= Instant::now()) {
            plan.out_until = None;
        }
        plan.out || plan.out_until.is_some()
    }

    /// The fault for the request at hand; uses one of `fail_next` up.
    pub(crate) fn take_fault(&self) -> Option<Fault> {
        let mut plan = self.plan();
        if let Some((left, fault)) = plan.next_faults.take() {
            if left > 1 {
                plan.next_faults = Some((left - 1, fault.clone()));
            }
            return Some(fault);
        }
        let now = Instant::now();
        plan.fault_until = plan.fault_until.take().filter(|(end, _)| now < *end);
        let passing = plan.fault_until.as_ref().map(|(_, fault)| fault.clone());
        passing.or_else(|| plan.fault.clone())
    }

    pub(crate) fn releases(&self) -> watch::Receiver<u64> {
        self.released.subscribe()
    }

    /// Counts a request as failed unless the returned guard is told otherwise,
    /// so that one whose client went away counts too.
    pub(crate) fn request_came(&self) -> RequestGuard<'_> {
        self.requests.fetch_add(1, Relaxed);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() == REQUEST_TIMES_KEPT {
            times.pop_front();
        }
        times.push_back(Instant::now());
        RequestGuard {
            control: self,
            issued: AtomicBool::new(false),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for IdentityControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityControl")
            .field("token_requests", &self.token_requests())
            .field("tokens_issued", &self.tokens_issued())
            .field("failed_requests", &self.failed_requests())
            .finish_non_exhaustive()
    }
}

/// Counts one request when it is over.
pub(crate) struct RequestGuard<'a> {
    control: &'a IdentityControl,
    issued: AtomicBool,
}

impl RequestGuard<'_> {
    pub(crate) fn issued(&self) {
        self.issued.store(true, Relaxed);
    }
}

impl Drop for RequestGuard<'_> {
    fn drop(&mut self) {
        let counter = if *self.issued.get_mut() {
            &self.control.issued
        } else {
            &self.control.failed
        };
        counter.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_faults_come_first_and_are_used_up() {
        let control = IdentityControl::new(Duration::from_secs(1));
        control.set_fault(Some(Fault::EmptyBody));
        control.fail_next(2, Fault::Malformed);
        let seen: Vec<_> = (0..3).map(|_| control.take_fault()).collect();
        assert_eq!(
            seen,
            [
                Some(Fault::Malformed),
                Some(Fault::Malformed),
                Some(Fault::EmptyBody)
            ]
        );
        control.fail_for(Duration::from_secs(3600), Fault::ServerError(410));
        assert_eq!(control.take_fault(), Some(Fault::ServerError(410)));
        control.fail_for(Duration::ZERO, Fault::ServerError(410));
        assert_eq!(control.take_fault(), Some(Fault::EmptyBody));
        control.fail_next(5, Fault::Malformed);
        control.fail_for(Duration::from_secs(3600), Fault::Malformed);
        control.set_fault(None);
        assert_eq!(control.take_fault(), None);
    }

    #[test]
    fn outages_end_by_time_or_by_hand() {
        let control = IdentityControl::new(Duration::from_secs(1));
        assert!(!control.is_out());
        control.outage(Duration::MAX);
        assert!(control.is_out());
        control.outage(Duration::ZERO);
        assert!(!control.is_out());
        control.set_outage(true);
        control.outage(Duration::ZERO);
        assert!(control.is_out());
        control.set_outage(false);
        assert!(!control.is_out());
    }
}
