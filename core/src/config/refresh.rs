use serde::{Deserialize, Serialize};

use super::apply;
use super::duration::Span;
use super::reauth::Reauth;
use super::retry::Retry;
use super::table::table;
use crate::{ConfigError, OnExhausted, RefreshPolicy};

/// The whole file: the settings of renewal, and the tables below them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    #[serde(
        alias = "expirationRefreshRatio",
        skip_serializing_if = "Option::is_none"
    )]
    expiration_refresh_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_time_left: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_refresh_interval: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_jitter: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_timeout: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cool_down: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fatal_cool_down: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_exhausted: Option<OnExhaustedSetting>,
    #[serde(deserialize_with = "table", skip_serializing_if = "Retry::is_empty")]
    pub(super) retry: Retry,
    #[serde(deserialize_with = "table", skip_serializing_if = "Reauth::is_empty")]
    pub(super) reauth: Reauth,
}

/// The setting for [`OnExhausted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum OnExhaustedSetting {
    CoolDown,
    WaitForRefresh,
}

impl From<OnExhaustedSetting> for OnExhausted {
    fn from(then: OnExhaustedSetting) -> Self {
        match then {
            OnExhaustedSetting::CoolDown => Self::CoolDown,
            OnExhaustedSetting::WaitForRefresh => Self::WaitForRefresh,
        }
    }
}

impl Settings {
    pub(super) fn policy(&self) -> Result<RefreshPolicy, ConfigError> {
        apply!(
            self, RefreshPolicy::builder();
            expiration_refresh_ratio, min_time_left, min_refresh_interval, refresh_jitter,
            request_timeout, cool_down, fatal_cool_down, on_exhausted
        )
        .build()
    }
}
