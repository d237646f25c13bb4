//! The feature `metrics`: what an observer makes of a manager's events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, with_local_recorder,
};
use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{
    Clock, ConnectionId, ErrorKind, Event, IdentityProvider, MetricsObserver, ReauthErrorKind,
    Token, TokenManager, TokenRequest, async_trait,
};

use crate::support::{Source, down, exact, numbered};

/// Keeps the values of each series by its name and labels.
#[derive(Clone, Default)]
struct Series(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

struct Handle(Series, String);

impl Series {
    fn handle(&self, key: &Key) -> Arc<Handle> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = if labels.is_empty() {
            key.name().to_owned()
        } else {
            format!("{}{{{}}}", key.name(), labels.join(","))
        };
        Arc::new(Handle(self.clone(), name))
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().expect("whole").keys().cloned().collect()
    }

    /// The values of one series, a counter's added up.
    #[track_caller]
    fn all(&self, name: &str) -> Vec<f64> {
        let series = self.0.lock().expect("whole");
        let full = format!("redis_authx_{name}");
        series
            .get(&full)
            .unwrap_or_else(|| panic!("{name} is not among {:?}", series.keys()))
            .clone()
    }

    #[track_caller]
    fn last(&self, name: &str) -> f64 {
        *self.all(name).last().expect("a value")
    }
}

impl Handle {
    fn push(&self, value: impl Fn(f64) -> f64) {
        let mut series = self.0.0.lock().expect("whole");
        let values = series.entry(self.1.clone()).or_default();
        let last = values.last().copied().unwrap_or_default();
        values.push(value(last));
    }
}

impl CounterFn for Handle {
    fn increment(&self, by: u64) {
        self.push(|last| last + by as f64);
    }

    fn absolute(&self, value: u64) {
        self.push(|_| value as f64);
    }
}

impl GaugeFn for Handle {
    fn increment(&self, by: f64) {
        self.push(|last| last + by);
    }

    fn decrement(&self, by: f64) {
        self.push(|last| last - by);
    }

    fn set(&self, value: f64) {
        self.push(|_| value);
    }
}

impl HistogramFn for Handle {
    fn record(&self, value: f64) {
        self.push(|_| value);
    }
}

impl Recorder for Series {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.handle(key).into()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.handle(key).into()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.handle(key).into()
    }
}

fn manager(time: &ManualClock, identity: impl IdentityProvider) -> TokenManager {
    TokenManager::builder(identity)
        .refresh_policy(exact(|policy| policy))
        .observer(MetricsObserver::new(time.clone()))
        .seed(7)
        .spawn(time.clone())
        .expect("valid settings")
}

fn unix(time: &ManualClock) -> f64 {
    let since = time.wall().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs_f64()
}

#[test]
fn a_run_through_an_outage_is_counted() {
    let series = Series::default();
    with_local_recorder(&series, || {
        let time = ManualClock::new();
        let slow = time.clone();
        let source = Source::new(&time, |n| match n {
            1 => numbered(1, hours(1)),
            2..=6 => Err(down()),
            7 => Err(ErrorKind::Throttled.into()),
            8 => numbered(8, hours(2)),
            _ => numbered(8, hours(1)),
        });
        let manager = manager(&time, Slow(slow, source));
        let mut run = time.run(async {});
        run.advance(seconds(3));
        assert_eq!(series.last("token_generation"), 1.0);
        assert_eq!(series.last("token_refreshes_total"), 1.0);
        let kind = "token_request_failures_total{kind=unavailable}";
        assert_eq!(series.last(kind), 0.0, "there before the first failure");
        let expiry = "token_expiry_timestamp_seconds";
        assert_eq!(series.last(expiry), unix(&time) - 3.0 + 3600.0);
        assert_eq!(series.last("token_request_duration_seconds"), 2.0);

        run.advance(minutes(47));
        assert_eq!(series.last(kind), 5.0);
        assert_eq!(
            series.last("token_request_failures_total{kind=throttled}"),
            1.0
        );
        assert_eq!(series.last("token_cycle_failures_total"), 1.0);
        assert_eq!(series.last("token_expirations_total"), 0.0);
        assert_eq!(series.last("token_refreshes_total"), 2.0);
        assert_eq!(series.last("token_generation"), 2.0);
        assert!(series.last(expiry) > unix(&time) + 7000.0);

        run.advance(minutes(91));
        assert!(series.last("token_unchanged_total") >= 1.0);
        assert_eq!(series.last("token_refreshes_total"), 2.0);
        time.suspend(hours(3));
        manager.credentials().check_clock();
        run.settle();
        assert_eq!(series.last("token_expirations_total"), 1.0);
        manager.stop();
        run.settle();
    });
    let names = series.names();
    assert!(
        !names
            .iter()
            .any(|name| name.contains("user") || name.contains("token-")),
        "{names:?}"
    );
}

/// Takes two seconds for each answer.
#[derive(Debug)]
struct Slow(ManualClock, Source);

#[async_trait]
impl IdentityProvider for Slow {
    async fn request_token(&self, request: &TokenRequest<'_>) -> crate::support::Answer {
        self.0.sleep_until(self.0.now() + seconds(2)).await;
        self.1.request_token(request).await
    }
}

#[test]
fn a_token_that_never_expires_is_no_alarm() {
    let series = Series::default();
    with_local_recorder(&series, || {
        let time = ManualClock::new();
        let source = Source::new(&time, |_| Ok(Token::new("user", "token-1")));
        let _manager = manager(&time, source);
        time.run(async {}).settle();
    });
    assert_eq!(series.last("token_expiry_timestamp_seconds"), f64::INFINITY);
}

#[test]
fn labels_tell_managers_apart() {
    let series = Series::default();
    with_local_recorder(&series, || {
        let time = ManualClock::new();
        let mut run = time.run(async {});
        let source = Source::new(&time, |n| numbered(n, hours(1)));
        for (name, rotations) in [("a", 1), ("b", 3)] {
            let manager = TokenManager::builder(source.clone())
                .observer(MetricsObserver::new(time.clone()).label("identity", name))
                .spawn(time.clone())
                .unwrap();
            for _ in 0..rotations {
                manager.refresh();
                run.advance(seconds(2));
            }
            manager.stop();
            run.settle();
        }
    });
    let generation = |name: &str| series.last(&format!("token_generation{{identity={name}}}"));
    assert_eq!((generation("a"), generation("b")), (1.0, 3.0));
    series.last("token_request_failures_total{identity=a,kind=timeout}");
}

#[test]
fn what_happens_to_connections_is_counted() {
    let series = Series::default();
    with_local_recorder(&series, || {
        let time = ManualClock::new();
        let credentials =
            manager(&time, Source::new(&time, |n| numbered(n, hours(1)))).credentials();
        let id = ConnectionId::unique();
        for event in [
            Event::reauth_failed(id, 2, ReauthErrorKind::Timeout.into(), None),
            Event::reauthenticated(id, 2, seconds(2)),
            Event::deferred(id, 3),
            Event::reauth_failed(id, 3, ReauthErrorKind::Disconnected.into(), None),
            Event::replaced(id, 3),
        ] {
            credentials.report(&event);
        }
    });
    let tries = |result: &str| series.last(&format!("reauthentications_total{{result={result}}}"));
    assert_eq!(tries("ok"), 1.0);
    assert_eq!(tries("timeout"), 1.0);
    assert_eq!(tries("disconnected"), 1.0);
    assert_eq!(tries("refused"), 0.0);
    assert_eq!(series.last("connection_replacements_total"), 1.0);
    assert_eq!(series.last("reauthentication_duration_seconds"), 2.0);
}

#[test]
fn every_metric_is_in_the_manual() {
    let manual = include_str!("../../src/manual/metrics.md");
    let series = Series::default();
    with_local_recorder(&series, || {
        let time = ManualClock::new();
        let source = Source::new(&time, |n| numbered(n, hours(1)));
        let _manager = manager(&time, source);
        time.run(async {}).advance(Duration::from_secs(1));
    });
    for name in series.names() {
        let (bare, labels) = name.split_once('{').unwrap_or((&name, ""));
        assert!(manual.contains(&format!("| `{bare}` |")), "{bare}");
        if let Some((label, value)) = labels.trim_end_matches('}').split_once('=') {
            assert!(manual.contains(&format!("| `{label}` |")), "{label}");
            assert!(manual.contains(&format!("`{value}`")), "{value}");
        }
    }
}
