//! A Redis server that validates one AUTH after the other.

use super::options::Options;
use super::time::{Nanos, SECOND, Spell};

/// Why a connection sends AUTH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To log in: a new connection.
    Login,
    /// To stay logged in.
    Renewal,
}

/// How an AUTH ended, for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The connection was closed meanwhile.
    Disconnected,
    Done,
    /// The server answered with an error that has nothing to do with the token.
    Failed,
    /// The token had expired by the time it was looked at.
    Refused,
    /// No answer within the client's limit.
    TimedOut,
}

impl Outcome {
    pub(super) const ALL: [Self; 5] = [
        Self::Disconnected,
        Self::Done,
        Self::Failed,
        Self::Refused,
        Self::TimedOut,
    ];
}

#[derive(Debug)]
pub(super) struct Server {
    stalls: Vec<Spell>,
    interval: Nanos,
    /// Until when it has work.
    busy: Nanos,
}

impl Server {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            stalls: options.stall.clone(),
            interval: SECOND / Nanos::from(options.auth_rate.unwrap_or(1).max(1)),
            busy: 0,
        }
    }

    /// When an AUTH that arrives at `now` is validated. A log-in whose client
    /// has hung up by then costs nothing; on a connection that stays, it does.
    pub(super) fn validate(&mut self, now: Nanos, purpose: Purpose, limit: Nanos) -> Nanos {
        let mut begin = self.busy.max(now);
        for stall in &self.stalls {
            if stall.contains(begin) {
                begin = stall.to;
            }
        }
        let done = begin + self.interval;
        if purpose == Purpose::Renewal || done <= now + limit {
            self.busy = done;
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::small;

    #[test]
    fn validates_one_after_the_other_and_not_in_a_stall() {
        let mut options = small();
        options.auth_rate = Some(2);
        options.stall = vec![Spell {
            from: SECOND,
            to: 10 * SECOND,
        }];
        let mut server = Server::new(&options);
        let half = SECOND / 2;
        let validated =
            [0, 0, 0, 20 * SECOND].map(|at| server.validate(at, Purpose::Renewal, SECOND));
        assert_eq!(
            validated,
            [half, SECOND, 10 * SECOND + half, 20 * SECOND + half]
        );
        // Waits in vain, and not in the way of the next.
        let limits = [SECOND, SECOND / 4, SECOND];
        let log_ins = limits.map(|limit| server.validate(30 * SECOND, Purpose::Login, limit));
        let served = 30 * SECOND + half;
        assert_eq!(log_ins, [served, served + half, served + half]);
    }
}
