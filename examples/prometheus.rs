//! A manager's metrics as Prometheus text, after an hour and a half with an
//! outage in it: simulated, so it takes no time.
//!
//! ```sh
//! cargo run -p redis-authx-examples --bin prometheus
//! ```
//!
//! An application runs on a runtime instead (`MetricsObserver::new(Tokio)`, then
//! `spawn(Tokio)`) and serves the text at `/metrics`.

use std::error::Error;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{ErrorKind, MetricsObserver, ProviderError, TokenManager};

/// Without buckets, the exporter would make summaries of the histograms.
const SECONDS: [f64; 5] = [0.05, 0.25, 1.0, 2.5, 10.0];

fn main() -> Result<(), Box<dyn Error>> {
    // The recorder first: what is counted before is lost.
    let suffix = Matcher::Suffix("_duration_seconds".to_owned());
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(suffix, &SECONDS)?
        .install_recorder()?;

    let time = ManualClock::new();
    let identity = ScriptedProvider::new()
        .token("first", hours(1))
        .error(ProviderError::unavailable("connection refused"))
        .error(ProviderError::new(ErrorKind::Throttled))
        .token("second", hours(1))
        .token("third", hours(1));
    let metrics = MetricsObserver::new(time.clone()).label("identity", "orders");
    let (manager, driver) = TokenManager::builder(identity)
        .observer(metrics)
        .build(&time);

    time.run(driver).advance(minutes(95));
    assert_eq!(manager.status().generation, 3);

    let text = prometheus.render();
    for told in [
        "redis_authx_token_refreshes_total{identity=\"orders\"} 3",
        "redis_authx_token_request_failures_total{identity=\"orders\",kind=\"throttled\"} 1",
        "redis_authx_token_generation{identity=\"orders\"} 3",
    ] {
        assert!(text.contains(told), "{told}\nis not in\n{text}");
    }
    print!("{text}");
    Ok(())
}
