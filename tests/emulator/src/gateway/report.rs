//! What is known of each connection.

use std::time::{Duration, Instant};

use super::{
    door::Route,
    session::Login,
    verify::{AuthRefusal, Pass},
};

/// One connection to the Redis side, open or closed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionRecord {
    /// Counts from 1 in the order of arrival.
    pub id: u64,
    /// Which node it is to: its index in
    /// [`ClusterControl::urls`](crate::ClusterControl::urls) or
    /// [`SentinelControl::urls`](crate::SentinelControl::urls), a sentinel's in
    /// [`sentinel_urls`](crate::SentinelControl::sentinel_urls); 0 if there is
    /// but one.
    pub node: usize,
    /// The emulator's port that it came in at, of the node's two: without TLS
    /// and with it.
    pub port: u16,
    /// Log-ins that Redis accepted, by `AUTH` or `HELLO … AUTH`.
    pub auths_accepted: u64,
    /// Those among them that came with the token of the log-in before.
    pub auths_with_same_token: u64,
    /// Log-ins answered with an error.
    pub auths_refused: u64,
    /// Why the last refused one was refused.
    pub last_refusal: Option<AuthRefusal>,
    /// When it was accepted.
    pub opened_at: Instant,
    /// When its last accepted log-in was.
    pub last_auth_at: Option<Instant>,
    /// How long the token that it lives on is still good; `None` before the
    /// first log-in and for closed connections.
    pub time_left: Option<Duration>,
    /// How much of the old token's time was left at the last re-authentication.
    pub last_margin: Option<Duration>,
    /// The least of those; Azure advises at least three minutes.
    pub least_margin: Option<Duration>,
    /// Whether it is open still.
    pub open: bool,
    /// Whether the gateway closed it because its token had expired.
    pub closed_by_expiry: bool,
}

/// The part of a report that log-ins write.
#[derive(Debug, Default)]
pub(crate) struct Record {
    accepted: u64,
    same_token: u64,
    refused: u64,
    last_refusal: Option<AuthRefusal>,
    last_auth_at: Option<Instant>,
    last_margin: Option<Duration>,
    least_margin: Option<Duration>,
    fingerprint: Option<u64>,
}

impl Record {
    pub(crate) fn accepted(&mut self, before: Option<Login>, pass: &Pass, now: Instant) {
        self.accepted += 1;
        if self.fingerprint.replace(pass.fingerprint) == Some(pass.fingerprint) {
            self.same_token += 1;
        }
        self.last_auth_at = Some(now);
        if let Some(before) = before {
            let margin = before.ends.saturating_duration_since(now);
            self.last_margin = Some(margin);
            self.least_margin = Some(self.least_margin.map_or(margin, |least| least.min(margin)));
        }
    }

    pub(crate) fn refused(&mut self, why: AuthRefusal) {
        self.refused += 1;
        self.last_refusal = Some(why);
    }

    pub(crate) fn report(
        &self,
        id: u64,
        route: &Route,
        opened_at: Instant,
        login: Option<Login>,
        open: bool,
        closed_by_expiry: bool,
    ) -> ConnectionRecord {
        let now = Instant::now();
        ConnectionRecord {
            id,
            node: route.node,
            port: route.port,
            auths_accepted: self.accepted,
            auths_with_same_token: self.same_token,
            auths_refused: self.refused,
            last_refusal: self.last_refusal,
            opened_at,
            last_auth_at: self.last_auth_at,
            time_left: login
                .filter(|_| open)
                .map(|login| login.ends.saturating_duration_since(now)),
            last_margin: self.last_margin,
            least_margin: self.least_margin,
            open,
            closed_by_expiry,
        }
    }
}
