use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::Span;
use super::retry::Retry;
use super::table::table;
use super::{apply, under};
use crate::ReauthPolicy;
use crate::{ConfigError, ExponentialBackoff};

/// The default delays of [`ReauthPolicy`]; a test compares them.
const DELAYS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The table `reauth`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Reauth {
    #[serde(skip_serializing_if = "Option::is_none")]
    stagger: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace_after: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_in_flight: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_timeout: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace_timeout: Option<Span>,
    #[serde(deserialize_with = "table", skip_serializing_if = "Retry::is_empty")]
    pub(super) backoff: Retry,
}

impl Reauth {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn policy(&self) -> Result<ReauthPolicy, ConfigError> {
        let builder = apply!(
            self, ReauthPolicy::builder();
            stagger, replace_after, max_in_flight, auth_timeout, replace_timeout
        );
        if self.backoff.is_empty() {
            return builder.build();
        }
        builder.backoff(self.backoff()?).build()
    }

    fn backoff(&self) -> Result<ExponentialBackoff, ConfigError> {
        if let Some(attempts) = self.backoff.max_attempts {
            return Err(ConfigError::invalid(
                "backoff.max_attempts",
                attempts,
                "only to leave it out: a connection is never given up",
            ));
        }
        let (initial, max) = DELAYS;
        let default = ExponentialBackoff::with_delays(initial, max);
        self.backoff
            .apply(default.to_builder())
            .map_err(under("backoff"))
    }
}
