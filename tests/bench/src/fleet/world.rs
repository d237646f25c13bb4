//! What both sides live in: time, the two services, and the connections as the
//! server sees them.

use fastrand::Rng;

use super::checks::Checks;
use super::identity::Identity;
use super::options::Options;
use super::queue::{Event, Queue};
use super::recovery::Recovery;
use super::server::{Outcome, Purpose, Server};
use super::tally::Tally;
use super::time::{MILLI, Nanos, SECOND};

/// There and back between a client and the server.
const ROUND_TRIP: Nanos = MILLI;

#[derive(Debug)]
pub(super) struct World {
    pub(super) now: Nanos,
    pub(super) end: Nanos,
    pub(super) connections: u32,
    pub(super) random: Rng,
    pub(super) queue: Queue,
    pub(super) tally: Tally,
    pub(super) recovery: Recovery,
    pub(super) checks: Checks,
    pub(super) retry_after: Nanos,
    auth_failures: f64,
    identity: Identity,
    server: Server,
    links: Vec<Link>,
    /// Until when each process holds a valid token.
    valid_until: Vec<Nanos>,
}

/// A token, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) generation: u32,
    pub(super) expires: Nanos,
}

impl Token {
    pub(super) const NONE: Self = Self {
        generation: 0,
        expires: 0,
    };
}

/// A connection, as the server sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    open: bool,
    /// Counts log-ins: a late reply to an earlier one is told apart.
    incarnation: u16,
    token: Token,
    flight: Option<(Purpose, Token)>,
}

impl World {
    pub(super) fn new(options: &Options) -> Self {
        let end = options.hours * 3600 * SECOND;
        Self {
            now: 0,
            end,
            connections: options.connections,
            random: Rng::with_seed(options.seed),
            queue: Queue::default(),
            tally: Tally::default(),
            recovery: Recovery::new(options.processes, &options.outage, end),
            checks: Checks::default(),
            retry_after: super::time::nanos(options.retry_after),
            auth_failures: options.auth_failures,
            identity: Identity::new(options),
            server: Server::new(options),
            links: vec![Link::default(); options.links() as usize],
            valid_until: vec![0; options.processes as usize],
        }
    }

    /// Sends a token request; says when the answer will be there.
    pub(super) fn ask(&mut self, process: u32, request: u32) -> Nanos {
        self.tally.requests.count(self.now);
        let (latency, answer) = self.identity.ask(self.now, &mut self.random);
        let event = Event::Answer {
            process,
            request,
            answer,
        };
        self.queue.add(self.now + latency, event);
        self.now + latency
    }

    /// A process has a new token.
    pub(super) fn received(&mut self, process: u32, expires: Nanos) {
        let until = &mut self.valid_until[process as usize];
        if *until <= self.now {
            self.recovery.gained(self.now);
        }
        *until = expires;
        self.queue.add(expires, Event::Expiry(process));
    }

    /// A process's token may have expired: the server closes the connections
    /// that live by it. Says which.
    pub(super) fn expire(&mut self, process: u32) -> Vec<u32> {
        let until = &mut self.valid_until[process as usize];
        let valid = *until > self.now;
        if *until == self.now {
            *until = 0;
            self.recovery.forfeited(self.now);
        }
        let mut closed = Vec::new();
        for link in self.links_of(process) {
            let seen = &mut self.links[link as usize];
            if seen.open && seen.token.expires <= self.now {
                seen.open = false;
                self.tally.lost += 1;
                self.tally.lost_needlessly += u64::from(valid);
                closed.push(link);
            }
        }
        closed
    }

    /// Sends AUTH, on a new connection or on the one that is there.
    pub(super) fn authenticate(&mut self, link: u32, purpose: Purpose, token: Token, limit: Nanos) {
        self.tally.auths.count(self.now);
        self.tally.logins += u64::from(purpose == Purpose::Login);
        let seen = &mut self.links[link as usize];
        self.tally.repeats += u64::from(purpose == Purpose::Renewal && seen.token == token);
        let known = token.generation > 0 && token.expires > self.now;
        self.checks.hold(known, "an AUTH with no valid token");
        let alone = seen.flight.replace((purpose, token)).is_none();
        self.checks.hold(alone, "two AUTHs at once on a connection");
        let incarnation = seen.incarnation;
        let in_time = limit.saturating_sub(ROUND_TRIP);
        let validated = self.server.validate(self.now, purpose, in_time);
        let reply = validated + ROUND_TRIP;
        self.tally.waits.add(reply - self.now);
        let outcome = if self.random.f64() < self.auth_failures {
            Outcome::Failed
        } else if token.expires <= validated {
            Outcome::Refused
        } else {
            Outcome::Done
        };
        let patience = self.now + limit;
        if reply <= patience {
            return self.queue.add(reply, Event::Reply { link, outcome });
        }
        let late = Event::Reply {
            link,
            outcome: Outcome::TimedOut,
        };
        self.queue.add(patience, late);
        if purpose == Purpose::Renewal && outcome == Outcome::Done {
            let ends = token.expires;
            let granted = Event::Granted {
                link,
                incarnation,
                ends,
            };
            self.queue.add(validated, granted);
        }
    }

    /// The AUTH of a connection has ended: what its client sees.
    pub(super) fn replied(&mut self, link: u32, outcome: Outcome) -> (Purpose, Token, Outcome) {
        let seen = &mut self.links[link as usize];
        let flight = seen.flight.take();
        self.checks
            .hold(flight.is_some(), "a reply without an AUTH");
        let (purpose, token) = flight.unwrap_or((Purpose::Login, Token::NONE));
        let outcome = match (purpose, outcome) {
            (Purpose::Renewal, _) if !seen.open => Outcome::Disconnected,
            // It expired on the way back.
            (_, Outcome::Done) if token.expires <= self.now => Outcome::Refused,
            (_, outcome) => outcome,
        };
        if outcome == Outcome::Done {
            if purpose == Purpose::Login {
                seen.open = true;
                seen.incarnation = seen.incarnation.wrapping_add(1);
            }
            let newer = token.generation >= seen.token.generation;
            self.checks
                .hold(newer, "a connection went back to an older token");
            seen.token = token;
        }
        self.tally.ended(outcome);
        (purpose, token, outcome)
    }

    /// The server has validated an AUTH that its client gave up.
    pub(super) fn granted(&mut self, link: u32, incarnation: u16, ends: Nanos) {
        let seen = &mut self.links[link as usize];
        if seen.open && seen.incarnation == incarnation {
            seen.token.expires = seen.token.expires.max(ends);
        }
    }

    pub(super) fn links_of(&self, process: u32) -> std::ops::Range<u32> {
        process * self.connections..(process + 1) * self.connections
    }

    pub(super) const fn process_of(&self, link: u32) -> u32 {
        link / self.connections
    }

    pub(super) const fn process_count(&self) -> u32 {
        self.valid_until.len() as u32
    }

    pub(super) fn holds_valid(&self, process: u32) -> bool {
        self.valid_until[process as usize] > self.now
    }

    /// Whether the server would take commands on it.
    pub(super) fn is_open(&self, link: u32) -> bool {
        self.links[link as usize].open
    }

    pub(super) fn open_links(&self) -> u64 {
        self.links.iter().filter(|link| link.open).count() as u64
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.links
            .iter()
            .filter(|link| link.flight.is_some())
            .count() as u64
    }
}
