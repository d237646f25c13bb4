//! What was given out and not used up. Each kind is bounded: the oldest goes first.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::{Challenge, Scopes, User};

/// "OAuth 2.0 authorization code flow": about ten minutes.
const CODE_LIFETIME: Duration = Duration::from_secs(600);
/// "OAuth 2.0 device authorization grant flow".
pub(crate) const DEVICE_LIFETIME: Duration = Duration::from_secs(900);
const MOST: usize = 10_000;

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) codes: Recent<Code>,
    pub(crate) refresh: Recent<Refresh>,
    pub(crate) devices: Recent<Device>,
}

/// An authorization code.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) user: User,
    pub(crate) scopes: Scopes,
    pub(crate) redirect_uri: String,
    pub(crate) confidential: bool,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) nonce: Option<String>,
    pub(crate) redeemed: bool,
    pub(crate) expires: Instant,
}

/// A refresh token.
#[derive(Clone)]
pub(crate) struct Refresh {
    pub(crate) user: User,
    pub(crate) scopes: Scopes,
    pub(crate) confidential: bool,
    pub(crate) nonce: Option<String>,
    /// Why it no longer works: an `AADSTS` number.
    pub(crate) dead: Option<u32>,
}

/// A device that waits for its user.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) scopes: Scopes,
    pub(crate) state: DeviceState,
    pub(crate) expires: Instant,
}

#[derive(Clone)]
pub(crate) enum DeviceState {
    Approved(User),
    Declined,
    Pending,
}

impl Device {
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.state, DeviceState::Pending) && self.expires > Instant::now()
    }
}

impl Store {
    pub(crate) fn code_end() -> Instant {
        Instant::now() + CODE_LIFETIME
    }

    pub(crate) fn device_end() -> Instant {
        Instant::now() + DEVICE_LIFETIME
    }

    /// The device that waits with this code; people type it in either case.
    pub(crate) fn device(&mut self, user_code: &str) -> Option<&mut Device> {
        let asked = user_code.trim();
        self.devices
            .values_mut()
            .find(|device| device.is_pending() && device.user_code.eq_ignore_ascii_case(asked))
    }
}

/// A map that forgets.
pub(crate) struct Recent<V> {
    values: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<V> Recent<V> {
    pub(crate) fn insert(&mut self, key: String, value: V) {
        if self.values.len() == MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.values.insert(key, value);
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.order.iter()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut recent = Recent::default();
        for n in 0..MOST + 3 {
            recent.insert(n.to_string(), n);
        }
        assert_eq!(recent.values_mut().count(), MOST);
        assert!(recent.get_mut("2").is_none());
        assert_eq!(recent.get_mut("3"), Some(&mut 3));
    }
}
