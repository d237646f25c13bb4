//! The feature `tracing`: each event once, with stable names and no token.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use redis_authx::testing::{ManualClock, hours, seconds};
use redis_authx::{ErrorKind, ProviderError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{Source, numbered, rig_with};

/// Keeps each event as one line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
        event.record(&mut line);
        self.0.lock().expect("whole").push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("a string takes all");
    }
}

#[test]
fn a_run_through_an_outage_is_told_line_by_line() {
    let lines = Lines::default();
    let noted = lines.clone();
    tracing::subscriber::with_default(lines, || {
        let time = ManualClock::new();
        let source = Source::new(&time, |n| match n {
            1 => Err(ErrorKind::Timeout.into()),
            2 => Err(ProviderError::rejected("the secret is wrong")),
            n => numbered(n, hours(1)),
        });
        let mut rig = rig_with(&time, source, |builder| builder);
        rig.run.advance(seconds(1));
        rig.manager.refresh();
        rig.run.advance(seconds(1));
        rig.time.suspend(hours(2));
        rig.manager.credentials().check_clock();
        rig.run.advance(seconds(1));
        rig.manager.stop();
        rig.run.settle();
    });
    let lines = noted.0.lock().unwrap().clone();
    let expected = [
        "WARN redis_authx message=token request failed attempt=1 kind=\"timeout\" \
         error=the identity service did not answer in time retry_in=Some(100ms)",
        "WARN redis_authx message=token request failed attempt=2 kind=\"rejected\" \
         error=the identity service rejected the credentials: the secret is wrong retry_in=Some(",
        "WARN redis_authx message=token request cycle failed attempts=2",
        "INFO redis_authx message=identity service recovered failures=2",
        "INFO redis_authx message=token refreshed generation=1 lifetime=Some(3600s) latency=0ns",
        "WARN redis_authx message=wall clock stepped by=7200s backward=false",
        "WARN redis_authx message=token expired before another came generation=1",
        "INFO redis_authx message=token refreshed generation=2",
        "INFO redis_authx message=token manager stopped",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}\nis not\n{expected}");
        assert!(!line.contains("token-"), "{line}");
    }
}
