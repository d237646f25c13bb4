use serde::{Deserialize, Serialize};

use super::apply;
use super::duration::{Millis, Span};
use crate::{ConfigError, ExponentialBackoff, ExponentialBackoffBuilder};

/// The tables `retry` and `reauth.backoff`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Retry {
    #[serde(alias = "maxAttempts", skip_serializing_if = "Option::is_none")]
    pub(super) max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_delay: Option<Span>,
    #[serde(rename = "initialDelayMs", skip_serializing)]
    initial_delay_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_delay: Option<Span>,
    #[serde(rename = "maxDelayMs", skip_serializing)]
    max_delay_ms: Option<Millis>,
    #[serde(alias = "backoffMultiplier", skip_serializing_if = "Option::is_none")]
    backoff_multiplier: Option<f64>,
    #[serde(alias = "jitterPercentage", skip_serializing_if = "Option::is_none")]
    jitter: Option<f64>,
}

impl Retry {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Merges the two forms in which a delay can be written.
    pub(super) fn settle(&mut self) -> Result<(), ConfigError> {
        for (field, alias, text, millis) in [
            (
                "initial_delay",
                "initialDelayMs",
                &mut self.initial_delay,
                &mut self.initial_delay_ms,
            ),
            (
                "max_delay",
                "maxDelayMs",
                &mut self.max_delay,
                &mut self.max_delay_ms,
            ),
        ] {
            let Some(Millis(delay)) = millis.take() else {
                continue;
            };
            if text.replace(Span(delay)).is_some() {
                let allowed = format!("one of `{field}` and `{alias}`");
                return Err(ConfigError::invalid(field, "given twice", allowed));
            }
        }
        Ok(())
    }

    pub(super) fn apply(
        &self,
        builder: ExponentialBackoffBuilder,
    ) -> Result<ExponentialBackoff, ConfigError> {
        apply!(self, builder; max_attempts, initial_delay, max_delay, backoff_multiplier, jitter)
            .build()
    }
}
