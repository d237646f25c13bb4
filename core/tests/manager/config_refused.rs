//! The feature `serde`: what a configuration file can't say, and how it is told.

use redis_authx::Config;
use serde_json::json;

#[track_caller]
fn refused(text: &str, told: &str) {
    let error = toml::from_str::<Config>(text).expect_err(text).to_string();
    assert!(error.contains(told), "{text}\n{error}\nlacks\n{told}");
}

#[track_caller]
fn refused_json(value: serde_json::Value, told: &str) {
    let text = value.to_string();
    let error = serde_json::from_str::<Config>(&text).expect_err(&text);
    let error = error.to_string();
    assert!(error.contains(told), "{text}\n{error}\nlacks\n{told}");
}

/// The names of all settings that hold a share, and of all durations.
const SHARES: [&str; 6] = [
    "expiration_refresh_ratio",
    "refresh_jitter",
    "retry.jitter",
    "reauth.stagger",
    "reauth.replace_after",
    "reauth.backoff.jitter",
];

const DURATIONS: [&str; 11] = [
    "min_time_left",
    "min_refresh_interval",
    "request_timeout",
    "cool_down",
    "fatal_cool_down",
    "retry.initial_delay",
    "retry.max_delay",
    "reauth.auth_timeout",
    "reauth.replace_timeout",
    "reauth.backoff.initial_delay",
    "reauth.backoff.max_delay",
];

#[test]
fn shares_outside_their_range() {
    for field in SHARES {
        for (written, found) in [
            ("-0.1", "-0.1"),
            ("1.1", "1.1"),
            ("10", "10"),
            ("nan", "NaN"),
            ("inf", "inf"),
            ("-inf", "-inf"),
        ] {
            let told = format!("`{field}` is {found}, allowed is a number from 0 to 1");
            refused(&format!("{field} = {written}"), &told);
        }
    }
    // A percentage by name, a share by meaning.
    refused_json(
        json!({ "retry": { "jitterPercentage": 10 } }),
        "`retry.jitter` is 10, allowed is a number from 0 to 1",
    );
}

#[test]
fn multipliers_and_counts_outside_their_range() {
    for table in ["retry", "reauth.backoff"] {
        for (written, found) in [("0.9", "0.9"), ("nan", "NaN"), ("inf", "inf"), ("-2", "-2")] {
            let told = format!("`{table}.backoff_multiplier` is {found}, allowed is a number of 1");
            refused(&format!("{table}.backoff_multiplier = {written}"), &told);
        }
    }
    refused(
        "retry.max_attempts = 0",
        "`retry.max_attempts` is 0, allowed is 1 or more",
    );
    refused("reauth.max_in_flight = 0", "`reauth.max_in_flight` is 0");
    for wrong in ["-1", "1.5", "4294967296", "\"3\""] {
        refused(&format!("retry.max_attempts = {wrong}"), "expected u32");
        if wrong != "4294967296" {
            refused(&format!("reauth.max_in_flight = {wrong}"), "expected usize");
        }
    }
    refused(
        "reauth.backoff.max_attempts = 3",
        "`reauth.backoff.max_attempts` is 3, allowed is only to leave it out",
    );
}

#[test]
fn durations_outside_their_range() {
    for field in DURATIONS {
        let name = field.rsplit('.').next().unwrap();
        refused(&format!("{field} = \"11years\""), &format!("`{field}` is "));
        if !["min_time_left", "initial_delay"].contains(&name) {
            let most = match field {
                "min_refresh_interval" => "1 minute",
                _ => "10 years",
            };
            let told = format!("`{field}` is 0ns, allowed is 1 ms to {most}");
            refused(&format!("{field} = \"0s\""), &told);
            refused(
                &format!("{field} = \"999us\""),
                &format!("`{field}` is 999µs"),
            );
        }
    }
}

#[test]
fn durations_that_are_none() {
    let wanted = "a duration with its unit, such as \"100ms\", \"1s\" or \"3min\"";
    for field in DURATIONS {
        for wrong in [
            "\"\"",
            "\"soon\"",
            "\"10\"",
            "\"-1s\"",
            "\"nan\"",
            "\"1 fortnight\"",
            "\"99999999999999999999s\"",
            "\"999999999999999999years\"",
            "100",
            "-1",
            "1.5",
            "nan",
            "true",
            "[]",
        ] {
            refused(&format!("{field} = {wrong}"), wanted);
        }
    }
}

#[test]
fn milliseconds_that_are_none() {
    for field in ["initialDelayMs", "maxDelayMs"] {
        for wrong in [
            "-1",
            "-0.5",
            "nan",
            "inf",
            "1e300",
            "\"100ms\"",
            "\"100\"",
            "true",
        ] {
            let text = format!("retry.{field} = {wrong}");
            refused(&text, "a number of milliseconds, 0 or more");
        }
    }
    let told = "allowed is at most 10 years";
    refused_json(json!({ "retry": { "initialDelayMs": u64::MAX } }), told);
    refused_json(json!({ "retry": { "initialDelayMs": 1e18 } }), told);
    let told = "`retry.max_delay` is 0ns, allowed is 1 ms to 10 years";
    refused_json(json!({ "retry": { "maxDelayMs": 0 } }), told);
}

#[test]
fn both_forms_of_one_setting() {
    for table in ["retry", "reauth.backoff"] {
        for (name, alias) in [
            ("initial_delay", "initialDelayMs"),
            ("max_delay", "maxDelayMs"),
        ] {
            let told = format!(
                "`{table}.{name}` is given twice, allowed is one of `{name}` and `{alias}`"
            );
            // Also when both say the same.
            refused(
                &format!("[{table}]\n{name} = \"1s\"\n{alias} = 1000"),
                &told,
            );
        }
        for (name, alias) in [
            ("max_attempts", "maxAttempts"),
            ("backoff_multiplier", "backoffMultiplier"),
            ("jitter", "jitterPercentage"),
        ] {
            let told = format!("duplicate field `{name}`");
            refused(&format!("[{table}]\n{name} = 1\n{alias} = 1"), &told);
        }
    }
    refused(
        "expiration_refresh_ratio = 0.8\nexpirationRefreshRatio = 0.8",
        "duplicate field `expiration_refresh_ratio`",
    );
}

#[test]
fn names_that_are_not_known() {
    for (text, name) in [
        ("refresh_ratio = 0.8", "refresh_ratio"),
        ("lowerBound = \"1s\"", "lowerBound"),
        ("[retry]\nattempts = 3", "attempts"),
        ("[retry]\ninitial_delay_ms = 3", "initial_delay_ms"),
        ("[retry]\nisRetryable = \"always\"", "isRetryable"),
        ("[reauth]\nwindow = \"1s\"", "window"),
        ("[reauth.backoff]\nfactor = 2", "factor"),
        ("[tokenManagerConfig]", "tokenManagerConfig"),
    ] {
        refused(text, &format!("unknown field `{name}`"));
    }
}

#[test]
fn values_of_the_wrong_type() {
    for field in SHARES {
        for wrong in ["\"0.5\"", "true", "[0.5]"] {
            refused(&format!("{field} = {wrong}"), "expected f64");
        }
    }
    refused("on_exhausted = \"never\"", "unknown variant `never`");
    refused("on_exhausted = true", "on_exhausted = true");
    refused("retry = 3", "invalid type: integer `3`");
    // By name, not by place.
    refused("reauth = [0.5]", "expected a table of settings");
    refused("reauth.backoff = []", "expected a table of settings");
    refused_json(json!({ "retry": "often" }), "expected a table of settings");
    refused_json(json!([0.8]), "expected a table of settings");
}
