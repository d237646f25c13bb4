//! `AUTH` goes wrong, once or for a while.

use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis_authx_emulator::{Emulator, RedisControl};
use tokio::time::sleep;

use crate::compare::bench::Bench;
use crate::compare::drip::{Pinged, Seen, drip};
use crate::compare::fred_clients::FredContestant;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};

const REFUSED_ABOUT: &str = "50 `PING`s a second. One re-authentication is refused (`WRONGPASS`), \
    then all is well again. Tokens live for 7 s and are renewed every 2 s.";
const SLOW_ABOUT: &str = "50 `PING`s a second. The server takes a second to answer one \
    re-authentication, and with it to what was sent after it; then all is well again. Tokens live \
    for 7 s and are renewed every 2 s. Time limits are the client's own defaults.";
const RECONNECTING_ABOUT: &str = "50 `PING`s a second on a connection that reconnects. It is \
    lost, and for 15 s every log-in is refused, which is longer than a `ConnectionManager` \
    retries; after that all is well again.";

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "auth-refused-once",
        title: "`AUTH` refused once",
        about: REFUSED_ABOUT,
        clients: Clients::Redis,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: |bench| of_redis(bench, Fault::refused_once(bench)),
        plots: no_plots,
    },
    Situation {
        name: "auth-slow-once",
        title: "`AUTH` slow once",
        about: SLOW_ABOUT,
        clients: Clients::Redis,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: |bench| of_redis(bench, Fault::slow_once(bench)),
        plots: no_plots,
    },
    Situation {
        name: "auth-refused-reconnecting",
        title: "`AUTH` refused during a reconnect",
        about: RECONNECTING_ABOUT,
        clients: Clients::Redis,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(60),
        measure: reconnecting,
        plots: no_plots,
    },
    Situation {
        name: "fred-auth-refused-once",
        title: "`AUTH` refused once",
        about: REFUSED_ABOUT,
        clients: Clients::Fred,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: |bench| of_fred(bench, Fault::refused_once(bench)),
        plots: no_plots,
    },
    Situation {
        name: "fred-auth-slow-once",
        title: "`AUTH` slow once",
        about: SLOW_ABOUT,
        clients: Clients::Fred,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: |bench| of_fred(bench, Fault::slow_once(bench)),
        plots: no_plots,
    },
    Situation {
        name: "fred-auth-refused-reconnecting",
        title: "`AUTH` refused during a reconnect",
        about: RECONNECTING_ABOUT,
        clients: Clients::Fred,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(60),
        measure: |bench| of_fred(bench, Fault::while_reconnecting(bench)),
        plots: no_plots,
    },
];

static MULTIPLEXED: Row = Row::lower("commands failed, multiplexed connection", Unit::Count);
static MANAGED: Row = Row::lower("commands failed, one that reconnects", Unit::Count).in_short();
static FAILED: Row = Row::lower("commands failed", Unit::Count).in_short();
static LAST: Row = Row::lower("from the fault's end to the last failure", Unit::Seconds);
static EXPIRED: Row = Row::lower("connections that their token's expiry ended", Unit::Count);

/// Long enough for a re-authentication to be tried again, were it tried again.
const PLAN: Plan = Plan::short(Duration::from_secs(7), Duration::from_secs(2));

/// One that begins after `begin` and is over after `length`.
#[derive(Clone, Copy)]
struct Fault {
    begin: Duration,
    length: Duration,
    end_of_run: Duration,
    inject: fn(&RedisControl),
    withdraw: fn(&RedisControl),
}

impl Fault {
    /// The first re-authentication.
    fn refused_once(bench: &Bench) -> Self {
        Self {
            begin: Duration::from_secs(1),
            length: Duration::ZERO,
            end_of_run: bench.pick(Duration::from_secs(13), Duration::from_millis(2500)),
            inject: |redis| redis.refuse_next_auths(1),
            withdraw: |_| {},
        }
    }

    fn slow_once(bench: &Bench) -> Self {
        Self {
            inject: |redis| redis.delay_next_auths(1, Duration::from_secs(1)),
            ..Self::refused_once(bench)
        }
    }

    fn while_reconnecting(bench: &Bench) -> Self {
        Self {
            begin: Duration::from_millis(500),
            length: bench.pick(Duration::from_secs(15), Duration::from_millis(500)),
            end_of_run: bench.pick(Duration::from_secs(22), Duration::from_millis(1500)),
            inject: |redis| {
                redis.refuse_next_auths(u64::MAX);
                redis.drop_connections();
            },
            withdraw: |redis| redis.refuse_next_auths(0),
        }
    }

    async fn seen_by<P: Pinged>(self, connection: P, emulator: &Emulator) -> Seen {
        let (seen, ()) = tokio::join!(drip(connection, self.end_of_run), async {
            sleep(self.begin).await;
            (self.inject)(emulator.redis());
            sleep(self.length).await;
            (self.withdraw)(emulator.redis());
        });
        seen
    }
}

/// Both kinds of connection, each with an emulator of its own.
fn of_redis(bench: &Bench, fault: Fault) -> Measured {
    let emulators = [bench.gateway(PLAN), bench.gateway(PLAN)];
    let [managed, multiplexed] = bench.run(async {
        let [first, second] = &emulators;
        let start = |emulator| Contestant::start(bench.side, emulator, emulator.redis_url(), PLAN);
        let contestants = [start(first), start(second)];
        let managed = contestants[0].manager().await.expect("a connection");
        let config = AsyncConnectionConfig::new();
        let multiplexed = contestants[1].multiplexed(config).await;
        let multiplexed = multiplexed.expect("a connection");
        let (managed, multiplexed) = tokio::join!(
            fault.seen_by(managed, first),
            fault.seen_by(multiplexed, second)
        );
        [managed, multiplexed]
    });
    let expired = emulators.iter().map(|one| one.redis().closed_by_expiry());
    Measured::default()
        .of(&MANAGED, managed.failed(), managed.commands())
        .of(&MULTIPLEXED, multiplexed.failed(), multiplexed.commands())
        .with(&EXPIRED, expired.sum::<u64>() as f64)
}

fn reconnecting(bench: &Bench) -> Measured {
    let (fault, emulator) = (Fault::while_reconnecting(bench), bench.gateway(PLAN));
    let seen = bench.run(async {
        let contestant = Contestant::start(bench.side, &emulator, emulator.redis_url(), PLAN);
        let connection = contestant.manager().await.expect("a connection");
        fault.seen_by(connection, &emulator).await
    });
    let end = (fault.begin + fault.length).as_secs_f64();
    Measured::default()
        .of(&MANAGED, seen.failed(), seen.commands())
        .with(&LAST, seen.recovered_after(end))
}

fn of_fred(bench: &Bench, fault: Fault) -> Measured {
    let emulator = bench.gateway(PLAN);
    let seen = bench.run(async {
        let url = emulator.redis_url();
        let contestant = FredContestant::start(bench.side, &emulator, url, PLAN);
        let client = contestant.connected().await;
        fault.seen_by(client, &emulator).await
    });
    let expired = emulator.redis().closed_by_expiry() as f64;
    let end = (fault.begin + fault.length).as_secs_f64();
    Measured::default()
        .of(&FAILED, seen.failed(), seen.commands())
        .with(&LAST, seen.recovered_after(end))
        .with(&EXPIRED, expired)
}
