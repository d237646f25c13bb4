//! Names and descriptions of the metrics; the manual lists the same.

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use crate::ErrorKind;

pub(super) const CYCLE_FAILURES: &str = "redis_authx_token_cycle_failures_total";
pub(super) const EXPIRATIONS: &str = "redis_authx_token_expirations_total";
pub(super) const EXPIRY: &str = "redis_authx_token_expiry_timestamp_seconds";
pub(super) const GENERATION: &str = "redis_authx_token_generation";
pub(super) const REAUTHENTICATIONS: &str = "redis_authx_reauthentications_total";
pub(super) const REAUTHENTICATION_DURATION: &str = "redis_authx_reauthentication_duration_seconds";
pub(super) const REFRESHES: &str = "redis_authx_token_refreshes_total";
pub(super) const REPLACEMENTS: &str = "redis_authx_connection_replacements_total";
pub(super) const REQUEST_DURATION: &str = "redis_authx_token_request_duration_seconds";
pub(super) const REQUEST_FAILURES: &str = "redis_authx_token_request_failures_total";
pub(super) const UNCHANGED: &str = "redis_authx_token_unchanged_total";

/// The counters that have no label.
pub(super) const PLAIN_COUNTERS: &[&str] = &[
    CYCLE_FAILURES,
    EXPIRATIONS,
    REFRESHES,
    REPLACEMENTS,
    UNCHANGED,
];

/// The values of the label `kind`.
pub(super) const ERROR_KINDS: &[ErrorKind] = &[
    ErrorKind::Expired,
    ErrorKind::InvalidResponse,
    ErrorKind::Misconfigured,
    ErrorKind::NotConfigured,
    ErrorKind::Other,
    ErrorKind::Rejected,
    ErrorKind::Throttled,
    ErrorKind::Timeout,
    ErrorKind::Unavailable,
];

/// The value of the label `result` for a success.
pub(super) const OK: &str = "ok";

/// The values of the label `result`.
pub(super) const REAUTH_RESULTS: &[&str] = &[
    "busy",
    "disconnected",
    OK,
    "other",
    "out_of_step",
    "refused",
    "timeout",
    "unsupported",
];

pub(super) fn describe() {
    describe_counter!(
        CYCLE_FAILURES,
        Unit::Count,
        "Cycles of token requests that ended without a token."
    );
    describe_counter!(
        EXPIRATIONS,
        Unit::Count,
        "Tokens that expired before another came."
    );
    describe_gauge!(
        EXPIRY,
        Unit::Seconds,
        "When the latest token expires, in Unix time; +Inf for one that never does."
    );
    describe_gauge!(
        GENERATION,
        Unit::Count,
        "Number of the latest token, counted from 1."
    );
    describe_counter!(
        REAUTHENTICATIONS,
        Unit::Count,
        "Tries to have a live connection take a new token, by result."
    );
    describe_histogram!(
        REAUTHENTICATION_DURATION,
        Unit::Seconds,
        "Time from AUTH to its reply, of those that succeeded."
    );
    describe_counter!(
        REFRESHES,
        Unit::Count,
        "Rotations: requests that brought a new token."
    );
    describe_counter!(
        REPLACEMENTS,
        Unit::Count,
        "Connections that were replaced by new ones."
    );
    describe_histogram!(
        REQUEST_DURATION,
        Unit::Seconds,
        "Time that a request for a new token took, of those that succeeded."
    );
    describe_counter!(
        REQUEST_FAILURES,
        Unit::Count,
        "Token requests that failed, by kind of error."
    );
    describe_counter!(
        UNCHANGED,
        Unit::Count,
        "Requests that brought the token already held."
    );
}
