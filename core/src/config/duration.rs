//! Durations as text with units, and as a number of milliseconds.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration as a text with its units: "100ms", "1s", "3min", "1h 30m".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with its unit, such as \"100ms\", \"1s\" or \"3min\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                humantime::parse_duration(text)
                    .map(Span)
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// A duration as a number of milliseconds; read, never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Millis(pub(super) Duration);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Millis;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of milliseconds, 0 or more")
            }

            fn visit_u64<E: Error>(self, millis: u64) -> Result<Millis, E> {
                Ok(Millis(Duration::from_millis(millis)))
            }

            fn visit_i64<E: Error>(self, millis: i64) -> Result<Millis, E> {
                match u64::try_from(millis) {
                    Ok(millis) => self.visit_u64(millis),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(millis), &self)),
                }
            }

            fn visit_f64<E: Error>(self, millis: f64) -> Result<Millis, E> {
                Duration::try_from_secs_f64(millis / 1000.0)
                    .map(Millis)
                    .map_err(|_| E::invalid_value(Unexpected::Float(millis), &self))
            }
        }

        deserializer.deserialize_any(Number)
    }
}
