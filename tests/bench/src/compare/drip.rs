//! Commands at a steady pace, and what became of each.

use std::future::Future;
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::ClientLike;
use redis::cmd;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use super::redis_clients::Connection;

/// From one command to the next.
const PACE: Duration = Duration::from_millis(20);
/// What a program would wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The points of a plot are so far apart, in seconds.
const STEP: f64 = 0.5;

/// A connection that a command can be sent on.
pub(crate) trait Pinged: Clone + Send + Sync + 'static {
    /// Whether it is answered, and not with an error.
    fn ping(self) -> impl Future<Output = bool> + Send;
}

impl Pinged for Connection {
    async fn ping(mut self) -> bool {
        cmd("PING").exec_async(&mut self).await.is_ok()
    }
}

impl Pinged for Client {
    async fn ping(self) -> bool {
        ClientLike::ping::<()>(&self, None).await.is_ok()
    }
}

/// One command.
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// When, in seconds from the first.
    at: f64,
    answered: bool,
}

/// What became of all of them.
#[derive(Clone, Debug)]
pub(crate) struct Seen(Vec<Sent>);

/// Sends a `PING` every 20 ms for `time`, whatever becomes of those before.
/// One that has no answer within two seconds has failed.
pub(crate) async fn drip<P: Pinged>(connection: P, time: Duration) -> Seen {
    let (begun, mut pace) = (Instant::now(), interval(PACE));
    let mut sent = JoinSet::new();
    while begun.elapsed() < time {
        pace.tick().await;
        let (at, connection) = (begun.elapsed().as_secs_f64(), connection.clone());
        sent.spawn(async move {
            let answer = timeout(PATIENCE, connection.ping()).await;
            let answered = answer.unwrap_or(false);
            Sent { at, answered }
        });
    }
    let mut sent = sent.join_all().await;
    sent.sort_by(|one, other| one.at.total_cmp(&other.at));
    Seen(sent)
}

impl Seen {
    pub(crate) fn commands(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed_within(0.0, f64::INFINITY)
    }

    /// Of the commands that were sent between these seconds.
    pub(crate) fn failed_within(&self, from: f64, to: f64) -> usize {
        let within = |sent: &&Sent| (from..to).contains(&sent.at) && !sent.answered;
        self.0.iter().filter(within).count()
    }

    /// How many seconds after that one the last command failed; infinite if
    /// commands fail to the end, 0 if none fails after it.
    pub(crate) fn recovered_after(&self, second: f64) -> f64 {
        if self.0.last().is_some_and(|last| !last.answered) {
            return f64::INFINITY;
        }
        let failed = self.0.iter().filter(|sent| !sent.answered);
        let last = failed.map(|sent| sent.at).fold(second, f64::max);
        last - second
    }

    /// Commands a second over time, those that were answered or those that were
    /// not.
    pub(crate) fn rate(&self, answered: bool) -> Vec<(f64, f64)> {
        let end = self.0.last().map_or(0.0, |last| last.at);
        let mut points = Vec::new();
        let mut from = 0.0;
        while from + STEP <= end {
            let within =
                |sent: &&Sent| (from..from + STEP).contains(&sent.at) && sent.answered == answered;
            points.push((from, self.0.iter().filter(within).count() as f64 / STEP));
            from += STEP;
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(commands: &[(f64, bool)]) -> Seen {
        let sent = |(at, answered): &(f64, bool)| Sent {
            at: *at,
            answered: *answered,
        };
        Seen(commands.iter().map(sent).collect())
    }

    #[test]
    fn it_has_recovered_when_the_last_command_has_failed() {
        let back = seen(&[(0.0, true), (1.0, false), (3.5, false), (4.0, true)]);
        assert!((back.recovered_after(2.0) - 1.5).abs() < 1e-9);
        assert!(back.recovered_after(3.8).abs() < 1e-9);
        let gone = seen(&[(0.0, true), (1.0, false)]);
        assert!(gone.recovered_after(0.5).is_infinite());
        assert_eq!(back.failed_within(0.0, 2.0), 1);
    }

    #[test]
    fn rates_are_those_of_halves_of_a_second() {
        let commands = [
            (0.0, true),
            (0.1, true),
            (0.2, false),
            (0.6, true),
            (1.1, true),
        ];
        let seen = seen(&commands);
        assert_eq!(seen.rate(true), [(0.0, 4.0), (0.5, 2.0)]);
        assert_eq!(seen.rate(false), [(0.0, 2.0), (0.5, 0.0)]);
    }
}
