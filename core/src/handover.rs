//! Moving a subscriber from one connection to another: no message lost, none
//! doubled.
//!
//! A connection that subscribes over RESP2 can't send `AUTH`. Before its token
//! expires, another one that is logged in takes its place; what is the same of
//! that for every Redis client is here. Applications meet it through the
//! adapters' types only.
//!
//! # How it works
//!
//! A Redis server passes all that is published on to all its subscribers in
//! one order. So one message that both connections get, a [`Marker`], divides
//! what the old one is to deliver from what the new one is to deliver:
//!
//! 1. the new connection subscribes to all that the old one has, and to a
//!    channel that nobody else uses;
//! 2. then the old one subscribes to that channel as well. From its answer on
//!    it is certain that no message can miss both;
//! 3. then a message is published there;
//! 4. the old connection's messages count up to the marker, the new one's
//!    from it on. They are read one after the other, which is what a
//!    [`Handover`] says: while the old one is read, those of the new one wait
//!    where they are, and no order is mixed up.
//!
//! Messages of sharded channels are in that order too, as long as marker and
//! messages come by the same server. Behind a proxy that spreads channels
//! over several servers there is no such order: a message may then be lost or
//! doubled at a handover. There, [without a marker](Handover::without_marker)
//! is the safe way, or RESP3, which needs no handover.
//!
//! # Where it can't
//!
//! A user that may not subscribe to the marker's channel or may not `PUBLISH`
//! gets a handover [without a marker](Handover::without_marker): the new
//! connection's messages count from its subscription on, the old one's up to
//! the reply to a `PING` that was sent after that. None is lost; those
//! published in between come twice. What the user needs for the exact one:
//!
//! ```text
//! ACL SETUSER <object id> &redis-authx:handover:* +publish
//! ```
//!
//! | what is lost during a handover | what follows |
//! |---|---|
//! | the new connection | the old one goes on as if nothing had been; nothing is lost or doubled |
//! | the old connection | the new one's messages count from its subscription on: none is lost, the latest of the old one may come twice |
//!
//! # For an adapter
//!
//! What it has of a connection is a [`Link`], to send on, and a [`Feed`], to
//! read. A [`Succession`] hands over from one to the next, and its [`Reader`]
//! gives an [`Outlet`] the messages that count.

mod backlog;
mod link;
mod marker;
mod place;
mod reader;
mod subscriptions;
mod succession;

pub use backlog::Backlog;
pub use link::{Feed, Health, Link, Outlet};
pub use marker::Marker;
pub use place::{Place, Replaced};
pub use reader::Reader;
pub use subscriptions::{Kind, Subscriptions};
pub use succession::{ReaderSeed, Succession};

/// Which of the two connections is to be read, and which of its messages
/// count.
///
/// Begins when both have [subscribed](self#how-it-works). The connection that
/// [`reads`](Self::reads) names is read, the other one not at all, and what
/// comes by is told here.
///
/// ```
/// use redis_authx::handover::{Handover, Outcome, Side, Verdict};
///
/// let mut handover = Handover::with_marker();
/// assert_eq!(handover.reads(), Side::Old);
/// assert_eq!(handover.message(), Verdict::Deliver);
/// handover.marker();
/// assert_eq!(handover.reads(), Side::New);
/// assert_eq!(handover.message(), Verdict::Discard); // the old one had it
/// handover.marker();
/// assert_eq!(handover.outcome(), Some(Outcome::Exact));
/// ```
#[derive(Clone, Debug)]
pub struct Handover {
    marked: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The old one, up to the marker.
    Old,
    /// The new one, up to the marker; the old one's rest waits unread.
    New,
    Over(Outcome),
}

/// One of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are two")]
pub enum Side {
    /// The one that is to be replaced.
    Old,
    /// The one that takes its place.
    New,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "it counts, or it does not")]
pub enum Verdict {
    /// The application gets it.
    Deliver,
    /// The other connection delivers it.
    Discard,
}

/// How a handover ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The new one was lost, and the old one stays: nothing lost, nothing
    /// doubled.
    Abandoned,
    /// The new one has taken over: nothing lost, nothing doubled.
    Exact,
    /// The new one has taken over: nothing lost, the latest messages of the
    /// old one may come again.
    Overlapped,
}

impl Handover {
    /// Both connections have subscribed to the marker's channel.
    #[must_use]
    pub const fn with_marker() -> Self {
        Self {
            marked: true,
            phase: Phase::Old,
        }
    }

    /// Only the old connection has a [`marker`](Self::marker): anything that
    /// shows that it has got all that was published before the new one
    /// subscribed, like the reply to a `PING` that was sent after that.
    #[must_use]
    pub const fn without_marker() -> Self {
        Self {
            marked: false,
            phase: Phase::Old,
        }
    }

    /// The connection to read: after the end, the one that stays.
    #[must_use]
    pub const fn reads(&self) -> Side {
        match self.phase {
            Phase::Old | Phase::Over(Outcome::Abandoned) => Side::Old,
            Phase::New | Phase::Over(_) => Side::New,
        }
    }

    /// The connection to read has got a message, other than the marker.
    #[must_use]
    pub const fn message(&self) -> Verdict {
        match self.phase {
            Phase::New => Verdict::Discard,
            Phase::Old | Phase::Over(_) => Verdict::Deliver,
        }
    }

    /// The connection to read has got the marker.
    pub const fn marker(&mut self) {
        self.phase = match self.phase {
            Phase::Old if self.marked => Phase::New,
            Phase::Old => Phase::Over(Outcome::Overlapped),
            Phase::New => Phase::Over(Outcome::Exact),
            Phase::Over(outcome) => Phase::Over(outcome),
        };
    }

    /// The connection to read is lost, and all that it had got has been told.
    pub const fn lost(&mut self) {
        self.phase = match self.phase {
            Phase::Old => Phase::Over(Outcome::Overlapped),
            Phase::New => Phase::Over(Outcome::Abandoned),
            Phase::Over(outcome) => Phase::Over(outcome),
        };
    }

    /// The new connection is given up, lost or not. Does nothing after the
    /// end, or when the old one has been lost.
    pub const fn abandon(&mut self) {
        if matches!(self.phase, Phase::Old | Phase::New) {
            self.phase = Phase::Over(Outcome::Abandoned);
        }
    }

    /// How it ended; `None` while it goes on.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        match self.phase {
            Phase::Over(outcome) => Some(outcome),
            Phase::Old | Phase::New => None,
        }
    }
}
