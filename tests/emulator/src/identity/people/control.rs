use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use super::{DeviceState, Store, User};

/// What becomes of a person who is sent to the sign-in page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInAnswer {
    /// They are let through, as someone whom the browser remembers.
    Accept,
    /// They see the page, and sign in or cancel. With `prompt=none` the answer
    /// is `login_required`.
    #[default]
    Ask,
    /// They cancel: `access_denied` with `error_subcode=cancel`.
    Cancel,
    /// They decline to consent: `consent_required`, AADSTS65004.
    Decline,
}

/// Steering and counting the sign-ins of people.
///
/// Got from [`Emulator::sign_ins`](crate::Emulator::sign_ins). Every method
/// takes effect at once and may be called from any thread.
#[derive(Default)]
pub struct SignInControl {
    plan: Mutex<Plan>,
    store: Mutex<Store>,
    signed_in: AtomicU64,
    cancelled: AtomicU64,
    refreshed: AtomicU64,
}

#[derive(Clone, Copy, Default)]
struct Plan {
    answer: SignInAnswer,
    interaction: bool,
    single_use: bool,
    slow_downs: u64,
}

impl SignInControl {
    /// What becomes of people who are sent to the sign-in page from now on;
    /// at first [`SignInAnswer::Ask`].
    pub fn set_answer(&self, answer: SignInAnswer) {
        self.plan().answer = answer;
    }

    /// Whether refresh tokens get `interaction_required`, AADSTS50076, as they
    /// do when a new policy asks for a second factor. They work again when it
    /// is taken back.
    pub fn require_interaction(&self, required: bool) {
        self.plan().interaction = required;
    }

    /// Whether a refresh token dies when it is used. Entra's live on: default
    /// `false`. `true` shows a client that does not keep the newest.
    pub fn single_use_refresh_tokens(&self, single_use: bool) {
        self.plan().single_use = single_use;
    }

    /// The next `polls` for a device code get `slow_down`.
    pub fn slow_down_next(&self, polls: u64) {
        self.plan().slow_downs = polls;
    }

    /// Every refresh token given out until now is revoked: `invalid_grant`,
    /// AADSTS50173.
    pub fn revoke_refresh_tokens(&self) {
        self.end_refresh_tokens(50_173);
    }

    /// Every refresh token given out until now has expired, as one does that
    /// was not used for 90 days: `invalid_grant`, AADSTS700082.
    pub fn expire_refresh_tokens(&self) {
        self.end_refresh_tokens(700_082);
    }

    /// Every authorization code and device code given out until now has
    /// expired.
    pub fn expire_codes(&self) {
        let mut store = self.store();
        let now = Instant::now();
        store.codes.values_mut().for_each(|code| code.expires = now);
        store
            .devices
            .values_mut()
            .for_each(|code| code.expires = now);
    }

    /// The user codes of devices that wait for someone.
    pub fn user_codes(&self) -> Vec<String> {
        let mut store = self.store();
        let pending = store
            .devices
            .values_mut()
            .filter(|device| device.is_pending());
        pending.map(|device| device.user_code.clone()).collect()
    }

    /// Someone enters this user code and signs in, without a browser; whether
    /// a device waits with it.
    pub fn approve_device(&self, user_code: &str) -> bool {
        let done = self.end_device(user_code, DeviceState::Approved(User::someone()));
        self.signed_in.fetch_add(u64::from(done), Relaxed);
        done
    }

    /// Someone enters this user code and declines; whether a device waits with
    /// it.
    pub fn decline_device(&self, user_code: &str) -> bool {
        let done = self.end_device(user_code, DeviceState::Declined);
        self.cancelled.fetch_add(u64::from(done), Relaxed);
        done
    }

    fn end_device(&self, user_code: &str, state: DeviceState) -> bool {
        let mut store = self.store();
        store
            .device(user_code)
            .map(|device| device.state = state)
            .is_some()
    }

    fn end_refresh_tokens(&self, code: u32) {
        let mut store = self.store();
        for token in store.refresh.values_mut() {
            token.dead.get_or_insert(code);
        }
    }

    /// The newest 10,000 of each kind of secret that was given out for people:
    /// authorization codes, refresh tokens, device codes. For a test that looks
    /// for them where they must not be.
    pub fn secrets_given_out(&self) -> Vec<String> {
        let store = self.store();
        let codes = store.codes.keys().chain(store.refresh.keys());
        codes.chain(store.devices.keys()).cloned().collect()
    }

    /// People who have signed in, on either page.
    pub fn signed_in(&self) -> u64 {
        self.signed_in.load(Relaxed)
    }

    /// People who have cancelled or declined, on either page.
    pub fn cancelled(&self) -> u64 {
        self.cancelled.load(Relaxed)
    }

    /// Refresh tokens that were accepted.
    pub fn refreshed(&self) -> u64 {
        self.refreshed.load(Relaxed)
    }

    pub(super) fn answer(&self) -> SignInAnswer {
        self.plan().answer
    }

    pub(crate) fn interaction(&self) -> bool {
        self.plan().interaction
    }

    pub(crate) fn single_use(&self) -> bool {
        self.plan().single_use
    }

    pub(crate) fn take_slow_down(&self) -> bool {
        let mut plan = self.plan();
        let slow = plan.slow_downs > 0;
        plan.slow_downs = plan.slow_downs.saturating_sub(1);
        slow
    }

    pub(crate) fn count_sign_in(&self) {
        self.signed_in.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_refresh(&self) {
        self.refreshed.fetch_add(1, Relaxed);
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SignInControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInControl")
            .field("signed_in", &self.signed_in())
            .field("cancelled", &self.cancelled())
            .field("refreshed", &self.refreshed())
            .finish_non_exhaustive()
    }
}
