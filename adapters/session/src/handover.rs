//! Moves a subscription to a new connection without losing or duplicating
//! messages.
//!
//! A connection that subscribes over RESP2 can't send `AUTH`. Before its token
//! expires, a new connection replaces it. This module has the part of that which
//! is the same for every Redis client; it is for client adapters. Applications use
//! the adapters' types.
//!
//! # How it works
//!
//! A Redis server sends messages to all subscribers in the same order. So a
//! message that both connections receive, a [`Marker`], divides what the old
//! connection delivers from what the new one delivers:
//!
//! 1. The new connection subscribes to everything that the old one is subscribed
//!    to, and to a channel that only this handover uses.
//! 2. The old connection subscribes to that channel as well. After its reply, no
//!    message can miss both connections.
//! 3. A message is published on that channel.
//! 4. The old connection's messages are delivered up to the marker, the new one's
//!    after it. A [`Handover`] says which connection to read: while that is the
//!    old one, the messages of the new one wait, so that their order stays.
//!
//! Messages of sharded channels are in that order as well, as long as marker and
//! messages come from the same server. Behind a proxy that spreads channels over
//! several servers there is no such order: a handover may lose or duplicate
//! messages. Use RESP3 there, which needs no handover.
//!
//! # Without a marker
//!
//! If the user may not subscribe to the marker's channel or may not `PUBLISH`, the
//! handover is [without a marker](Handover::without_marker): the new connection's
//! messages are delivered from its subscription on, and the old one's up to the
//! reply to a `PING` that is sent later. No message is lost; those published in
//! between are delivered twice. An exact handover needs these rights:
//!
//! ```text
//! ACL SETUSER <object id> &redis-authx:handover:* +publish
//! ```
//!
//! | lost during a handover | result |
//! |---|---|
//! | the new connection | the old one stays active; no message is lost or duplicated |
//! | the old connection | the new one's messages are delivered from its subscription on: no message is lost, the latest ones of the old connection may be delivered twice |
//! | the old connection, before it has replied | as above, and a [gap](Outlet::gap) is reported, as messages may be missing |
//!
//! # For adapters
//!
//! An adapter implements [`Link`] and [`Feed`], the two halves of a connection,
//! and [`Outlet`], which takes the messages. A [`HandoverController`] moves the
//! subscriber from one connection to the next, and its [`Reader`] reads them.

mod active_link;
mod backlog;
mod controller;
mod link;
mod marker;
mod reader;
mod subscriptions;

pub use active_link::ActiveLink;
pub use backlog::Backlog;
pub use controller::{HandoverController, ReaderBuilder};
pub use link::{Feed, Health, Link, NAMES_PER_COMMAND, Outlet};
pub use marker::Marker;
pub use reader::Reader;
pub use subscriptions::{Kind, Subscriptions};

/// Decides which of the two connections to read, and which of its messages to
/// deliver.
///
/// A state machine without I/O. It starts when both connections have
/// [subscribed](self#how-it-works). Read the connection that
/// [`read_side`](Self::read_side) returns, leave the other one unread, and report
/// what happens on it.
///
/// ```
/// use redis_authx_session::handover::{Handover, Outcome, Side, Verdict};
///
/// let mut handover = Handover::with_marker();
/// assert_eq!(handover.read_side(), Side::Old);
/// assert_eq!(handover.on_message(), Verdict::Deliver);
/// handover.on_marker();
/// assert_eq!(handover.read_side(), Side::New);
/// assert_eq!(handover.on_message(), Verdict::Discard); // the old one delivered it
/// handover.on_marker();
/// assert_eq!(handover.outcome(), Some(Outcome::Exact));
/// ```
#[derive(Clone, Debug)]
pub struct Handover {
    marked: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The old connection is read, up to the marker.
    Old,
    /// The new connection is read, up to the marker. The old one stays unread, in
    /// case the new one is lost.
    New,
    Over(Outcome),
}

/// One of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are two")]
pub enum Side {
    /// The connection to be replaced.
    Old,
    /// Its replacement.
    New,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third choice")]
pub enum Verdict {
    /// Pass it to the application.
    Deliver,
    /// Drop it: the other connection delivers it.
    Discard,
}

/// How a handover ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The old connection stays: the new one was lost or given up. No message is
    /// lost or duplicated.
    Abandoned,
    /// The new connection is active. No message is lost or duplicated.
    Exact,
    /// The new connection is active. No message is lost; the latest ones of the
    /// old connection may be delivered twice.
    Overlapped,
}

impl Handover {
    /// Starts a handover for which both connections have subscribed to the marker's
    /// channel.
    #[must_use]
    pub const fn with_marker() -> Self {
        Self {
            marked: true,
            phase: Phase::Old,
        }
    }

    /// Starts a handover in which only the old connection has a
    /// [marker](Self::on_marker): anything that follows all messages that were
    /// published before the new connection subscribed, like the reply to a later
    /// `PING`.
    #[must_use]
    pub const fn without_marker() -> Self {
        Self {
            marked: false,
            phase: Phase::Old,
        }
    }

    /// The connection to read; after the end, the one that is active.
    #[must_use]
    pub const fn read_side(&self) -> Side {
        match self.phase {
            Phase::Old | Phase::Over(Outcome::Abandoned) => Side::Old,
            Phase::New | Phase::Over(_) => Side::New,
        }
    }

    /// The connection that is read has received a message, other than the marker.
    #[must_use]
    pub const fn on_message(&self) -> Verdict {
        match self.phase {
            Phase::New => Verdict::Discard,
            Phase::Old | Phase::Over(_) => Verdict::Deliver,
        }
    }

    /// The connection that is read has received the marker.
    pub const fn on_marker(&mut self) {
        self.phase = match self.phase {
            Phase::Old if self.marked => Phase::New,
            Phase::Old => Phase::Over(Outcome::Overlapped),
            Phase::New => Phase::Over(Outcome::Exact),
            Phase::Over(outcome) => Phase::Over(outcome),
        };
    }

    /// The connection that is read is lost, and all its messages have been read.
    pub const fn on_lost(&mut self) {
        self.phase = match self.phase {
            Phase::Old => Phase::Over(Outcome::Overlapped),
            Phase::New => Phase::Over(Outcome::Abandoned),
            Phase::Over(outcome) => Phase::Over(outcome),
        };
    }

    /// Gives up the new connection. Does nothing once there is an
    /// [outcome](Self::outcome), so that a lost old connection stays replaced.
    pub const fn abandon(&mut self) {
        if matches!(self.phase, Phase::Old | Phase::New) {
            self.phase = Phase::Over(Outcome::Abandoned);
        }
    }

    /// The result; `None` while the handover is in progress.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        match self.phase {
            Phase::Over(outcome) => Some(outcome),
            Phase::Old | Phase::New => None,
        }
    }
}
