//! How often a program that does nothing is woken for its token.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;
use redis::{EntraIdCredentialsProvider, RetryConfig};
use redis_authx::{Clock, ConfigError, Connected, Sleep, Spawner, TokenManager};
use redis_authx_tokio::Tokio;
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::compare::bench::Bench;
use crate::compare::credential::Credential;
use crate::compare::measured::Measured;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Side, Situation, no_plots};
use crate::support::Instantly;

pub(crate) const SITUATIONS: &[Situation] = &[Situation {
    name: "idle",
    title: "Wake-ups while a token is held",
    about: "How often a thread that does nothing else is woken, in a day of tokens of an hour. \
            The day is simulated for both by tokio's paused clock. With a connection, ours compares \
            the clocks after a quarter of the time left, 30 s to 15 min: after a suspend the \
            connection is re-authenticated in time though nothing is used. The built-in sleeps \
            until 240 s before the expiry. (For one timer tokio may wake a thread \
            more than once.)",
    clients: Clients::Redis,
    rounds: Rounds::full(3),
    limit: Duration::from_secs(30),
    measure,
    plots: no_plots,
}];

static WAKES: Row = Row::lower("wake-ups, with a connection", Unit::PerHour).in_short();
static UNCONNECTED: Row = Row::lower("wake-ups, without one", Unit::PerHour);

const HOUR: Duration = Duration::from_secs(3600);
const HOURS: u32 = 24;

fn measure(bench: &Bench) -> Measured {
    let nothing = wakes(|| ());
    let an_hour = |wakes: u64| wakes.saturating_sub(nothing) as f64 / f64::from(HOURS);
    let (connected, unconnected) = match bench.side {
        Side::BuiltIn => {
            let wakes = wakes(built_in);
            (wakes, wakes)
        }
        Side::Ours => (wakes(connected), wakes(ours)),
    };
    Measured::default()
        .with(&WAKES, an_hour(connected))
        .with(&UNCONNECTED, an_hour(unconnected))
}

/// In a day, on a thread on which `start` has started something.
fn wakes<T>(start: impl FnOnce() -> T) -> u64 {
    let wakes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&wakes);
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_unpark(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let started = start();
        sleep(HOUR * HOURS).await;
        drop(started);
    });
    wakes.load(Ordering::Relaxed)
}

fn built_in() -> EntraIdCredentialsProvider {
    let credential = Credential::new(Arc::new(Instantly::new(HOUR)), None);
    let scopes = vec!["https://redis.azure.com/.default".to_owned()];
    let made = EntraIdCredentialsProvider::new_with_credential(Arc::new(credential), scopes);
    let mut provider = made.expect("a provider");
    provider.start(RetryConfig::default());
    provider
}

fn ours() -> TokenManager {
    let manager = TokenManager::builder(Instantly::new(HOUR)).spawn(Simulated {
        begun: Tokio.now(),
        at: Tokio.wall(),
    });
    manager.expect("a manager")
}

fn connected() -> (TokenManager, Connected) {
    let manager = ours();
    let connection = manager.credentials().count_connection();
    (manager, connection)
}

/// The paused runtime, with a wall clock that stands still with it.
#[derive(Clone, Copy, Debug)]
struct Simulated {
    begun: Instant,
    at: SystemTime,
}

impl Clock for Simulated {
    fn now(&self) -> Instant {
        Tokio.now()
    }

    fn wall(&self) -> SystemTime {
        self.at + self.now().duration_since(self.begun)
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Tokio.sleep_until(deadline)
    }
}

impl Spawner for Simulated {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        Tokio.spawn(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_day_is_of_24_rotations_and_more() {
        let built_in = wakes(built_in);
        assert!(built_in >= u64::from(HOURS), "{built_in}");
        let (ours, connected) = (wakes(ours), wakes(connected));
        assert!(ours >= u64::from(HOURS), "{ours}");
        assert!(
            connected > ours,
            "{connected} with a connection, {ours} without"
        );
    }
}
