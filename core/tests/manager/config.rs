//! The feature `serde`: what a configuration file can say.

use std::fmt::Debug;
use std::time::Duration;

use redis_authx::testing::{ManualClock, millis, minutes, seconds};
use redis_authx::{Config, ExponentialBackoff, OnExhausted, ReauthPolicy, RefreshPolicy};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{Source, down, rig_with};

const JOURNEY: &str = r#"
expiration_refresh_ratio = 0.8
[retry]
max_attempts = 3
initial_delay = "100ms"
max_delay = "1s"
backoff_multiplier = 2.0
jitter = 0.1
"#;

const EVERYTHING: &str = r#"
expiration_refresh_ratio = 0.57
min_time_left = "4min"
min_refresh_interval = "2s"
refresh_jitter = 0.0
request_timeout = "1500ms"
cool_down = "1m 30s"
fatal_cool_down = "2h"
on_exhausted = "wait_for_refresh"

[retry]
max_attempts = 7
initial_delay = "0s"
max_delay = "20s"
backoff_multiplier = 3
jitter = 1

[reauth]
stagger = 0.5
replace_after = 1.0
max_in_flight = 8
auth_timeout = "2s"
replace_timeout = "7s"

[reauth.backoff]
initial_delay = "50ms"
max_delay = "1s"
backoff_multiplier = 1.5
jitter = 0.3
"#;

fn toml(text: &str) -> Config {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn json(value: serde_json::Value) -> Config {
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn same(left: &impl Debug, right: &impl Debug) {
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}

#[test]
fn the_journeys_file_is_what_the_builders_make() {
    let config = toml(JOURNEY);
    let refresh = RefreshPolicy::builder().expiration_refresh_ratio(0.8);
    same(&config.refresh(), &refresh.build().unwrap());
    let retry = ExponentialBackoff::builder()
        .max_attempts(3)
        .initial_delay(millis(100))
        .max_delay(seconds(1))
        .backoff_multiplier(2.0)
        .jitter(0.1);
    same(&config.retry(), &retry.build().unwrap());
    same(&config.reauth(), &ReauthPolicy::default());
}

#[test]
fn every_setting_is_what_the_builders_make() {
    let config = toml(EVERYTHING);
    let refresh = RefreshPolicy::builder()
        .expiration_refresh_ratio(0.57)
        .min_time_left(minutes(4))
        .min_refresh_interval(seconds(2))
        .refresh_jitter(0.0)
        .request_timeout(millis(1500))
        .cool_down(seconds(90))
        .fatal_cool_down(minutes(120))
        .on_exhausted(OnExhausted::WaitForRefresh);
    same(&config.refresh(), &refresh.build().unwrap());
    let retry = ExponentialBackoff::builder()
        .max_attempts(7)
        .initial_delay(Duration::ZERO)
        .max_delay(seconds(20))
        .backoff_multiplier(3.0)
        .jitter(1.0);
    same(&config.retry(), &retry.build().unwrap());
    let backoff = ExponentialBackoff::builder()
        .initial_delay(millis(50))
        .max_delay(seconds(1))
        .backoff_multiplier(1.5)
        .jitter(0.3);
    let reauth = ReauthPolicy::builder()
        .stagger(0.5)
        .replace_after(1.0)
        .max_in_flight(8)
        .auth_timeout(seconds(2))
        .replace_timeout(seconds(7))
        .backoff(backoff.build().unwrap());
    same(&config.reauth(), &reauth.build().unwrap());
}

#[test]
fn what_is_not_written_keeps_its_default() {
    let empty = "on_exhausted = \"cool_down\"\n[retry]\n[reauth]\n[reauth.backoff]\n";
    for config in [toml(""), toml(empty), json(json!({})), Config::default()] {
        same(&config.refresh(), &RefreshPolicy::default());
        same(&config.retry(), &ExponentialBackoff::default());
        same(&config.reauth(), &ReauthPolicy::default());
    }
    // One setting of a table leaves the others alone, in every table.
    let config = toml("retry.jitter = 0.2\nreauth.backoff.jitter = 0.2\nreauth.stagger = 0.25\n");
    same(&config.retry(), &ExponentialBackoff::default());
    same(&config.reauth(), &ReauthPolicy::default());
    // In JSON `null` is another way of not writing it.
    let config = json(json!({ "min_time_left": null, "retry": { "initialDelayMs": null } }));
    assert_eq!(config, Config::default());
}

#[test]
fn the_javascript_clients_names_mean_the_same() {
    let config = json(json!({
        "expirationRefreshRatio": 0.8,
        "retry": {
            "maxAttempts": 3,
            "initialDelayMs": 100,
            "maxDelayMs": 1000,
            "backoffMultiplier": 2,
            "jitterPercentage": 0.1
        }
    }));
    assert_eq!(config, toml(JOURNEY));
    // Both forms of different settings go together.
    let mixed = json(json!({ "retry": { "initialDelayMs": 1e2, "max_delay": "1s" } }));
    let plain = json(json!({ "retry": { "initial_delay": "100ms", "max_delay": "1s" } }));
    assert_eq!(mixed, plain);
    let half = json(json!({ "retry": { "initialDelayMs": 0.5 } }));
    assert_eq!(half.retry().delay(1), Duration::ZERO, "whole milliseconds");
}

#[test]
fn the_javascript_clients_examples_are_read() {
    for text in [
        r#"{ "expirationRefreshRatio": 0.8 }"#,
        r#"{
            "expirationRefreshRatio": 0.75,
            "retry": {
                "maxAttempts": 3,
                "initialDelayMs": 100,
                "maxDelayMs": 1000,
                "backoffMultiplier": 2
            }
        }"#,
    ] {
        let config: Config = serde_json::from_str(text).unwrap();
        let hour = Duration::from_secs(3600);
        let ratio = if text.contains("0.8") { 2880 } else { 2700 };
        assert_eq!(config.refresh().refresh_after(hour), seconds(ratio));
    }
}

#[test]
fn what_is_written_again_reads_the_same() {
    for text in ["", JOURNEY, EVERYTHING] {
        let config = toml(text);
        assert_eq!(toml(&toml::to_string(&config).unwrap()), config);
        assert_eq!(json(serde_json::to_value(&config).unwrap()), config);
    }
    assert_eq!(toml::to_string(&toml("")).unwrap(), "");
    // The form that this crate's documents use, whichever was read.
    let written = serde_json::to_value(json(json!({
        "expirationRefreshRatio": 0.8,
        "min_time_left": "180s",
        "retry": { "initialDelayMs": 1500, "jitterPercentage": 0.1 }
    })));
    let expected = json!({
        "expiration_refresh_ratio": 0.8,
        "min_time_left": "3m",
        "retry": { "initial_delay": "1s 500ms", "jitter": 0.1 }
    });
    assert_eq!(written.unwrap(), expected);
}

#[test]
fn it_can_be_a_part_of_the_applications_own() {
    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    struct Application {
        name: String,
        #[serde(default)]
        redis: Config,
    }

    let own: Application = toml::from_str("name = \"orders\"").unwrap();
    assert_eq!(own.redis, Config::default());
    let own: Application =
        toml::from_str("name = \"orders\"\n[redis]\ncool_down = \"1s\"").unwrap();
    assert_ne!(own.redis, Config::default());
}

#[test]
fn a_manager_built_from_it_keeps_to_it() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let config = toml(
        r#"
        cool_down = "10s"
        [retry]
        max_attempts = 3
        initial_delay = "100ms"
        jitter = 0.0
        "#,
    );
    let mut rig = rig_with(&time, source.clone(), |builder| builder.config(&config));
    let _need = rig.manager.credentials().need();
    rig.run.advance(minutes(5));
    let gaps = source.gaps();
    assert_eq!(gaps[..2], [100, 200]);
    // After 80 s, half of the cool-down to all of it.
    let late = &gaps[gaps.len() - 20..];
    assert!(
        late.iter().all(|gap| (5_000..=10_000).contains(gap)),
        "{gaps:?}"
    );
}

#[test]
fn a_function_can_be_added_to_the_files_retry_settings() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let config = toml(JOURNEY);
    let never = config.retry().to_builder().is_retryable(|_, _| false);
    let never = never.build().unwrap();
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.config(&config).retry_policy(never)
    });
    // The first wait after an error that is not retried is 4 s or more.
    rig.run.advance(seconds(3));
    assert_eq!(source.requests(), 1);
}
