//! All settings in one value that can be read from a file.

mod duration;
mod reauth;
mod refresh;
mod retry;
mod table;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ReauthPolicy;
use crate::{ConfigError, ExponentialBackoff, RefreshPolicy};
use refresh::Settings;
use table::table;

#[doc = include_str!("manual/configuration.md")]
#[derive(Clone, Default)]
pub struct Config {
    /// The settings as they were written, for serialization.
    settings: Settings,
    refresh: RefreshPolicy,
    retry: ExponentialBackoff,
    reauth: ReauthPolicy,
}

impl Config {
    /// When tokens are renewed.
    #[must_use]
    pub fn refresh(&self) -> RefreshPolicy {
        self.refresh.clone()
    }

    /// What follows a failed attempt: the table `retry`.
    ///
    /// A file can't hold a function. Add one with
    /// [`to_builder`](ExponentialBackoff::to_builder), and give the result to
    /// [`TokenManagerBuilder::retry_policy`](crate::TokenManagerBuilder::retry_policy) after
    /// [`TokenManagerBuilder::config`](crate::TokenManagerBuilder::config).
    #[must_use]
    pub fn retry(&self) -> ExponentialBackoff {
        self.retry.clone()
    }

    /// How live connections are re-authenticated, for a client adapter: the
    /// table `reauth`.
    #[must_use]
    pub fn reauth(&self) -> ReauthPolicy {
        self.reauth.clone()
    }
}

/// Shows the defaults for settings that were not written.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("refresh", &self.refresh)
            .field("retry", &self.retry)
            .field("reauth", &self.reauth)
            .finish_non_exhaustive()
    }
}

/// Two values are equal when the same settings were written, in either form.
impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl TryFrom<Settings> for Config {
    type Error = ConfigError;

    fn try_from(mut settings: Settings) -> Result<Self, ConfigError> {
        settings.retry.settle().map_err(under("retry"))?;
        settings
            .reauth
            .backoff
            .settle()
            .map_err(under("reauth.backoff"))?;
        Ok(Self {
            refresh: settings.policy()?,
            retry: settings
                .retry
                .apply(ExponentialBackoff::builder())
                .map_err(under("retry"))?,
            reauth: settings.reauth.policy().map_err(under("reauth"))?,
            settings,
        })
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let settings: Settings = table(deserializer)?;
        Self::try_from(settings).map_err(de::Error::custom)
    }
}

/// Writes the settings that were given, each in its first form.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.settings.serialize(serializer)
    }
}

/// Prefixes the field of an error with the path of its table.
fn under(table: &str) -> impl Fn(ConfigError) -> ConfigError {
    move |error: ConfigError| {
        let field = format!("{table}.{}", error.field());
        error.renamed(field)
    }
}

/// Passes each setting that was given to the builder's method of that name.
macro_rules! apply {
    ($settings:expr, $builder:expr; $($field:ident),+) => {{
        let mut builder = $builder;
        $(if let Some(value) = $settings.$field {
            builder = builder.$field(value.into());
        })+
        builder
    }};
}
use apply;
