//! The shared vectors: every case of refresh.json and retry.json.

use std::time::Duration;

use redis_authx::{ConfigError, ExponentialBackoff, RefreshPolicy};
use serde_json::Value;

const REFRESH: &str = include_str!("../data/refresh.json");
const RETRY: &str = include_str!("../data/retry.json");

fn file(text: &str) -> Value {
    serde_json::from_str(text).expect("a vector file is JSON")
}

fn list<'a>(file: &'a Value, name: &str) -> &'a [Value] {
    let list = file[name].as_array().expect("a list");
    assert!(!list.is_empty(), "{name} is empty");
    list
}

fn millis(case: &Value, name: &str) -> Duration {
    Duration::from_millis(case[name].as_u64().expect("whole milliseconds"))
}

fn number(case: &Value, name: &str) -> f64 {
    match &case[name] {
        Value::String(text) => text.parse().expect("a number's name"),
        value => value.as_f64().expect("a number"),
    }
}

#[test]
fn every_refresh_point() {
    for case in list(&file(REFRESH), "cases") {
        let policy = RefreshPolicy::builder()
            .expiration_refresh_ratio(number(case, "ratio"))
            .min_time_left(millis(case, "lower_bound_ms"))
            .build()
            .unwrap();
        let point = policy.refresh_after(millis(case, "lifetime_ms"));
        assert_eq!(point, millis(case, "refresh_after_ms"), "{case}");
    }
}

#[test]
fn every_retry_delay() {
    for case in list(&file(RETRY), "delays") {
        let retry = ExponentialBackoff::builder()
            .initial_delay(millis(case, "initial_ms"))
            .max_delay(millis(case, "max_ms"))
            .backoff_multiplier(number(case, "multiplier"))
            .jitter(0.0)
            .build()
            .unwrap();
        let attempt = u32::try_from(case["attempt"].as_u64().unwrap()).unwrap();
        let delay = millis(case, "delay_ms");
        assert_eq!(retry.delay(attempt), delay, "{case}");
        for sample in [0.0, 0.5, 1.0] {
            assert_eq!(retry.jittered_delay(attempt, sample), delay, "{case}");
        }
    }
}

/// The jittered delays of one case, by evenly spread samples.
fn jittered(case: &Value) -> Vec<Duration> {
    const SAMPLES: u32 = 20_000;
    let delay = millis(case, "delay_ms");
    let max = match case.get("max_ms") {
        Some(_) => millis(case, "max_ms"),
        None => Duration::from_secs(60),
    };
    let retry = ExponentialBackoff::builder()
        .initial_delay(delay)
        .max_delay(max)
        .jitter(number(case, "jitter"))
        .build()
        .expect("valid settings");
    (0..SAMPLES)
        .map(|step| retry.jittered_delay(1, f64::from(step) / f64::from(SAMPLES)))
        .collect()
}

#[test]
fn every_jitter_stays_in_its_bounds_and_fills_them_evenly() {
    const BINS: usize = 10;
    for case in list(&file(RETRY), "jitter") {
        let (low, high) = (millis(case, "low_ms"), millis(case, "high_ms"));
        let delays = jittered(case);
        let width = (high - low).as_secs_f64();
        let mut bins = [0usize; BINS];
        for delay in &delays {
            assert!((low..=high).contains(delay), "{case}: {delay:?}");
            if width > 0.0 {
                let place = (*delay - low).as_secs_f64() / width * BINS as f64;
                bins[(place as usize).min(BINS - 1)] += 1;
            }
        }
        if width > 0.0 {
            let fair = delays.len() / BINS;
            let even = fair - fair / 50..=fair + fair / 50;
            assert!(
                bins.iter().all(|count| even.contains(count)),
                "{case}: {bins:?}"
            );
            // No value takes more than its share: the limit least of all.
            let at_high = delays.iter().filter(|delay| **delay == high).count();
            assert!(at_high <= 2, "{case}: {at_high} draws at the limit");
        }
    }
}

#[test]
fn every_invalid_refresh_setting_is_named() {
    for case in list(&file(REFRESH), "invalid") {
        let value = number(case, "value");
        let error = match case["field"].as_str().unwrap() {
            "ratio" => RefreshPolicy::builder()
                .expiration_refresh_ratio(value)
                .build()
                .unwrap_err(),
            other => panic!("a field without a test: {other}"),
        };
        assert_names(&error, "expiration_refresh_ratio", &value.to_string(), case);
    }
}

#[test]
fn every_invalid_retry_setting_is_named() {
    for case in list(&file(RETRY), "invalid") {
        let value = number(case, "value");
        let builder = ExponentialBackoff::builder();
        let (field, built) = match case["field"].as_str().unwrap() {
            "jitter" => ("jitter", builder.jitter(value)),
            "max_attempts" => ("max_attempts", builder.max_attempts(value as u32)),
            "multiplier" => ("backoff_multiplier", builder.backoff_multiplier(value)),
            other => panic!("a field without a test: {other}"),
        };
        assert_names(&built.build().unwrap_err(), field, &value.to_string(), case);
    }
}

fn assert_names(error: &ConfigError, field: &str, found: &str, case: &Value) {
    assert_eq!(error.field(), field, "{case}");
    assert_eq!(error.found(), Some(found), "{case}");
    assert!(!error.allowed().is_empty(), "{case}");
    let text = error.to_string();
    for part in [field, found, error.allowed()] {
        assert!(text.contains(part), "{case}: {text}");
    }
}
