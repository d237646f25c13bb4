use redis_authx::Event;
use redis_authx::machine::{Output, Snapshot};

/// Which outputs there have been: walks that meet none of a kind prove nothing
/// about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(u16);

impl Seen {
    pub(crate) const fn none() -> Self {
        Self(0)
    }

    /// All that a machine can put out.
    pub(crate) const fn all() -> Self {
        Self((1 << 13) - 1)
    }

    pub(crate) const fn add(&mut self, more: Self) {
        self.0 |= more.0;
    }

    pub(crate) fn note(&mut self, output: &Output<u64>) {
        let kind = match output {
            Output::Cancel(_) => 0,
            Output::Request(_) => 1,
            Output::Publish(Snapshot::Pending) => 2,
            Output::Publish(Snapshot::Stopped) => 3,
            Output::Publish(Snapshot::Unavailable { .. }) => 4,
            Output::Publish(Snapshot::Valid { .. }) => 5,
            Output::Report(Event::AttemptFailed { .. }) => 6,
            Output::Report(Event::CycleExhausted { .. }) => 7,
            Output::Report(Event::Recovered { .. }) => 8,
            Output::Report(Event::Stopped) => 9,
            Output::Report(Event::TokenExpired { .. }) => 10,
            Output::Report(Event::TokenRefreshed { .. }) => 11,
            Output::Report(Event::TokenUnchanged { .. }) => 12,
            other => panic!("an output that the rules don't know: {other:?}"),
        };
        self.0 |= 1 << kind;
    }
}
