//! Numbers in arguments and values.

use std::time::{Duration, Instant};

use crate::store::data::Failure;

const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

pub(crate) fn integer(text: &[u8]) -> Result<i64, Failure> {
    std::str::from_utf8(text)
        .ok()
        // Redis takes no plus sign and no leading zeros; the length tells both.
        .and_then(|text| {
            text.parse::<i64>()
                .ok()
                .filter(|n| n.to_string().len() == text.len())
        })
        .ok_or_else(|| NOT_AN_INTEGER.into())
}

/// When something ends that is to last `count` units.
pub(crate) fn end_of(count: i64, unit: Duration, command: &str) -> Result<Instant, Failure> {
    let invalid = || Failure::from(format!("ERR invalid expire time in '{command}' command"));
    // Capped far beyond what any test lasts, to what can be added to a clock.
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let length = unit * count;
    Instant::now().checked_add(length).ok_or_else(invalid)
}
