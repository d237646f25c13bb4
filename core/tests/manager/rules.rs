//! The rules that the token manager keeps, one file each.

mod machine;

mod clock_checks;
mod outage_waits;
mod outlook;
mod refresh_awaited;
mod rule_01_single_flight;
mod rule_02_refresh_point;
mod rule_03_early_jitter;
mod rule_04_time_limit;
mod rule_05_retry;
mod rule_05_retry_after;
mod rule_06_valid_token_stays;
mod rule_07_outage_ends;
mod rule_08_no_loop;
mod rule_08_same_token;
mod rule_09_nothing_expired;
mod rule_10_steps;
mod rule_10_time;
mod rule_11_overflow;
mod rule_12_stop;
