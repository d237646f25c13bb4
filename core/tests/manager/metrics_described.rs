//! The feature `metrics`: what recorders are told about the metrics.

use std::collections::BTreeMap;
use std::sync::Mutex;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};
use redis_authx::testing::{ManualClock, ScriptedProvider};
use redis_authx::{MetricsObserver, TokenManager};

/// Keeps the type of each metric that it is told of.
#[derive(Default)]
struct Described(Mutex<BTreeMap<String, &'static str>>);

impl Described {
    fn note(&self, kind: &'static str, name: &KeyName, unit: Option<Unit>, text: &SharedString) {
        let seconds = name.as_str().ends_with("_seconds");
        let right = if seconds { Unit::Seconds } else { Unit::Count };
        assert_eq!(unit, Some(right), "{name:?}");
        assert!(text.ends_with('.'), "{name:?}: {text}");
        let mut known = self.0.lock().expect("whole");
        let before = known.insert(name.as_str().to_owned(), kind);
        assert_eq!(before, None, "{name:?} is described once");
    }
}

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.note("counter", &name, unit, &text);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.note("gauge", &name, unit, &text);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.note("histogram", &name, unit, &text);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// The names and types of the manual's table.
fn manual() -> BTreeMap<String, &'static str> {
    include_str!("../../src/manual/metrics.md")
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            let kind = ["counter", "gauge", "histogram"]
                .into_iter()
                .find(|kind| rest.starts_with(kind))?;
            Some((name.to_owned(), kind))
        })
        .collect()
}

#[test]
fn every_metric_in_the_manual_is_described_once_with_its_type_and_unit() {
    let described = Described::default();
    with_local_recorder(&described, || {
        let time = ManualClock::new();
        let (_manager, driver) = TokenManager::builder(ScriptedProvider::new())
            .observer(MetricsObserver::new(time.clone()))
            .build(&time);
        drop(time.run(driver));
    });
    let described = described.0.into_inner().expect("whole");
    assert!(!described.is_empty());
    assert_eq!(described, manual());
}
