//! The feature `serde`: a `Config` as people see it.

use redis_authx::Config;

fn refused(text: &str) -> String {
    toml::from_str::<Config>(text)
        .expect_err("a wrong type")
        .to_string()
}

#[test]
fn what_was_not_written_is_shown_with_its_default() {
    let config: Config = toml::from_str("cool_down = \"7s\"").unwrap();
    let shown = format!("{config:?}");
    for part in ["cool_down: 7s", "max_attempts: 5", "max_in_flight: 64"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
}

#[test]
fn a_value_of_another_type_is_refused_with_what_is_wanted() {
    for (text, wanted) in [
        ("cool_down = 7", "a duration with its unit"),
        ("retry = 7", "a table of settings"),
        ("retry.initialDelayMs = \"7s\"", "a number of milliseconds"),
        ("reauth.backoff.maxDelayMs = -1", "a number of milliseconds"),
    ] {
        let error = refused(text);
        assert!(error.contains(wanted), "{text}: {error}");
    }
}
